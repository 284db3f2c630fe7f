package jepsenlite

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// sound is a history without a breach: two sessions, a tick each, one open transaction.
func sound() []Event {
	ev := func(typ string, session int, n int64, op string, tick int64, lsn string) Event {
		return Event{Type: typ, Session: session, N: n, Op: op, Mode: "off", Pieces: 1, Tick: tick, LSN: lsn}
	}
	wide := ev(OK, 2, 2, "wide", 0, "0/3000000")
	wide.Pieces = widePieces
	return []Event{
		ev(Invoke, 1, 1, "single", 0, ""), ev(OK, 1, 1, "single", 0, ""),
		ev(Invoke, 1, 2, "tick", 0, ""), ev(OK, 1, 2, "tick", 1, "0/2000000"),
		ev(Invoke, 2, 1, "tick", 0, ""), ev(OK, 2, 1, "tick", 2, ""),
		ev(Invoke, 2, 2, "wide", 0, ""), wide,
		ev(Invoke, 2, 3, "explicit", 0, ""), ev(Fail, 2, 3, "explicit", 0, ""),
		ev(Invoke, 1, 3, "tick", 0, ""), ev(Unknown, 1, 3, "tick", 3, ""),
		{Type: Kill},
		{Type: State, Seen: &Seen{
			Entries: map[int]map[int64]int{1: {1: 1, 2: 1, 3: 1}, 2: {1: 1, 2: widePieces}},
			Last:    map[int]int64{1: 3, 2: 2},
			Ticks:   []int64{1, 2, 3}, TickTop: 3, LSN: "0/4000000"}},
	}
}

func judged(t *testing.T, events []Event) *Verdict {
	t.Helper()
	var buf bytes.Buffer
	j := NewJournal(&buf)
	for _, e := range events {
		j.Add(e)
	}
	require.NoError(t, j.Flush())
	v, err := Judge(&buf)
	require.NoError(t, err)
	return v
}

func TestJudgeAcceptsASoundHistory(t *testing.T) {
	v := judged(t, sound())
	require.Empty(t, v.Breaches)
	require.Equal(t, 4, v.Acknowledged)
	require.Equal(t, 1, v.Survived)

	// The open transaction may as well not be there, if nothing of it is.
	events := sound()
	seen := events[len(events)-1].Seen
	delete(seen.Entries[1], 3)
	seen.Last[1], seen.Ticks, seen.TickTop = 2, []int64{1, 2}, 2
	require.Empty(t, judged(t, events).Breaches)
}

// Each of these breaks one promise; a judge that accepts one of them judges nothing.
func TestJudgeNamesEveryBreach(t *testing.T) {
	for name, c := range map[string]struct {
		breach string
		spoil  func(*Seen)
	}{
		"an acknowledged transaction is gone":     {"J1", func(s *Seen) { delete(s.Entries[1], 1) }},
		"a whole session is gone":                 {"J1", func(s *Seen) { delete(s.Entries, 2); delete(s.Last, 2) }},
		"a wide transaction is torn":              {"J1", func(s *Seen) { s.Entries[2][2]-- }},
		"the open transaction is there by half":   {"J2", func(s *Seen) { s.Last[1] = 2 }},
		"a register is behind":                    {"J1", func(s *Seen) { s.Last[2] = 1 }},
		"a failed transaction is there":           {"J4", func(s *Seen) { s.Entries[2][3] = 1 }},
		"a rolled back transaction is there":      {"J4", func(s *Seen) { s.Entries[-1] = map[int64]int{3: 1} }},
		"a tick is missing between two":           {"J3", func(s *Seen) { s.Ticks = []int64{1, 3} }},
		"an acknowledged tick is gone at the end": {"J1", func(s *Seen) { s.Ticks, s.TickTop = []int64{1}, 1 }},
		"the counter is ahead of its ticks":       {"J3", func(s *Seen) { s.TickTop = 4 }},
		"the log went back":                       {"J5", func(s *Seen) { s.LSN = "0/2FFFFF8" }},
	} {
		t.Run(name, func(t *testing.T) {
			events := sound()
			c.spoil(events[len(events)-1].Seen)
			v := judged(t, events)
			require.NotEmpty(t, v.Breaches)
			require.Contains(t, v.Breaches[0], c.breach)
		})
	}
}

func TestJudgeRetiresOldEntries(t *testing.T) {
	var events []Event
	entries := map[int64]int{}
	for n := int64(1); n <= retireAfter+5; n++ {
		events = append(events, Event{Type: OK, Session: 1, N: n, Op: "explicit", Pieces: 1})
		if n > 5 {
			entries[n] = 1
		}
	}
	seen := &Seen{Entries: map[int]map[int64]int{1: entries},
		Last: map[int]int64{1: retireAfter + 5}, LSN: "0/1000000"}
	events = append(events, Event{Type: State, Seen: seen})
	require.Empty(t, judged(t, events).Breaches)
	entries[3] = 1 // a deletion that did not survive
	require.Contains(t, judged(t, events).Breaches[0], "transaction 3 is there and must not be")
}
