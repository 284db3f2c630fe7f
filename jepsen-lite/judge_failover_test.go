package jepsenlite

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// failoverHistory is a failover over commits in the order of their positions, in modes that promise
// nothing, nothing, everything and nothing of it. there says how many survive, verdicts what the
// new primary said of each receipt.
func failoverHistory(there int, verdicts [4]string) []Event {
	modes := []string{"off", "local", "remote_write", "off"}
	var events, judged []Event
	seen := Seen{Entries: map[int]map[int64]int{}, Last: map[int]int64{}, LSN: "0/1000000"}
	for i, mode := range modes {
		session := i + 1
		commit := acked(session, 1, "explicit", mode, 0, fmt.Sprintf("0/%X", 0x1000000+i*256))
		commit[1].Token = "1.1/" + commit[1].LSN
		events = append(events, commit...)
		judged = append(judged, Event{Type: Judged, Session: session, N: 1, How: verdicts[i],
			Token: commit[1].Token})
		if i < there {
			seen.Entries[session] = map[int64]int{1: 1}
			seen.Last[session] = 1
		}
	}
	return slices.Concat(events, []Event{{Type: Failover}}, judged, []Event{state(seen)})
}

func TestJudgeOfAFailover(t *testing.T) {
	v := judged(t, failoverHistory(3, [4]string{"durable", "durable", "durable", "lost"}))
	require.Empty(t, v.Breaches, "a suffix that waited for no standby may go")
	require.Equal(t, 1, v.Lost)
	require.Equal(t, 3, v.CalledDurable)
	require.Equal(t, 1, v.CalledLost)
	all := failoverHistory(4, [4]string{"durable", "durable", "durable", "durable"})
	require.Empty(t, judged(t, all).Breaches)

	for name, c := range map[string]struct {
		breach   string
		there    int
		verdicts [4]string
	}{
		"a commit that waited for the standby is gone": {"J6", 2,
			[4]string{"durable", "durable", "lost", "lost"}},
		"and so is one before it": {"W7", 1,
			[4]string{"durable", "lost", "lost", "lost"}},
		"one judged durable is gone": {"J8", 3,
			[4]string{"durable", "durable", "durable", "durable"}},
		"one judged lost is there": {"J8", 4,
			[4]string{"durable", "durable", "durable", "lost"}},
		"one is not judged at all": {"J8", 3,
			[4]string{"durable", "durable", "durable", "unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := judged(t, failoverHistory(c.there, c.verdicts))
			require.Contains(t, fmt.Sprint(v.Breaches), c.breach)
		})
	}
}

// With the standby's power cut as well, remote_write promised nothing.
func TestJudgeOfAFailoverInTheDark(t *testing.T) {
	events := failoverHistory(2, [4]string{"durable", "durable", "lost", "lost"})
	for i := range events {
		if events[i].Type == Failover {
			events[i].How = Cut
		}
	}
	require.Empty(t, judged(t, events).Breaches)
	for i := range events {
		if events[i].Mode == "remote_write" {
			events[i].Mode = "on"
		}
	}
	require.Contains(t, fmt.Sprint(judged(t, events).Breaches), "J6")
}

// A commit of which WAIT FOR said that a replica has it, in a mode that promises nothing.
func TestJudgeOfAWaitForAReplica(t *testing.T) {
	events := failoverHistory(3, [4]string{"durable", "durable", "durable", "lost"})
	told := Event{Type: Flushed, How: "waited", LSN: "0/1000300"}
	require.Contains(t, fmt.Sprint(judged(t, append([]Event{told}, events...)).Breaches), "J6")
}
