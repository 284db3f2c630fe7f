package jepsenlite

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func txn(typ string, session int, n int64, op, mode string, pieces int, tick int64) Event {
	return Event{Type: typ, Session: session, N: n, Op: op, Mode: mode, Pieces: pieces, Tick: tick}
}

// acked is a transaction invoked and acknowledged, with its position.
func acked(session int, n int64, op, mode string, tick int64, lsn string) []Event {
	pieces := 1
	if op == "wide" {
		pieces = widePieces
	}
	ok := txn(OK, session, n, op, mode, pieces, tick)
	ok.LSN, ok.Shown = lsn, lsn
	return []Event{txn(Invoke, session, n, op, mode, pieces, 0), ok}
}

func state(seen Seen) Event { return Event{Type: State, Seen: &seen} }

// sound is a history without a breach: two sessions, three ticks, one open transaction.
func sound() []Event {
	var events []Event
	events = append(events, acked(1, 1, "single", "off", 0, "")...)
	events = append(events, acked(1, 2, "tick", "off", 1, "0/2000000")...)
	events = append(events, acked(2, 1, "tick", "local", 2, "")...)
	events = append(events, acked(2, 2, "wide", "local", 0, "0/3000000")...)
	return append(events,
		txn(Invoke, 2, 3, "explicit", "local", 1, 0), txn(Fail, 2, 3, "explicit", "local", 1, 0),
		txn(Invoke, 1, 3, "tick", "off", 1, 0), txn(Unknown, 1, 3, "tick", "off", 1, 3),
		Event{Type: Kill},
		state(Seen{
			Entries: map[int]map[int64]int{1: {1: 1, 2: 1, 3: 1}, 2: {1: 1, 2: widePieces}},
			Last:    map[int]int64{1: 3, 2: 2},
			Ticks:   []int64{1, 2, 3}, TickTop: 3, LSN: "0/4000000"}))
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
			require.Contains(t, fmt.Sprint(v.Breaches), c.breach)
		})
	}
}

// cutHistory is a power cut over three sessions: commits in the order of their positions, the second
// session's in mode local, a watermark between; survive[i] says whether commit i is there.
func cutHistory(survive [6]bool) []Event {
	commits := []struct {
		session int
		n       int64
		mode    string
	}{{1, 1, "off"}, {2, 1, "local"}, {3, 1, "off"}, {1, 2, "off"}, {3, 2, "off"}, {1, 3, "off"}}
	var events []Event
	seen := Seen{Entries: map[int]map[int64]int{}, Last: map[int]int64{}, LSN: "0/1000000"}
	for i, c := range commits {
		lsn := fmt.Sprintf("0/%X", 0x1000000+i*256)
		events = append(events, acked(c.session, c.n, "explicit", c.mode, 0, lsn)...)
		if i == 2 {
			events = append(events, Event{Type: Flushed, LSN: lsn})
		}
		if !survive[i] {
			continue
		}
		if seen.Entries[c.session] == nil {
			seen.Entries[c.session] = map[int64]int{}
		}
		seen.Entries[c.session][c.n] = 1
		seen.Last[c.session] = c.n
		seen.LSN = lsn
	}
	return append(events, Event{Type: Cut}, state(seen))
}

func TestJudgeOfAPowerCut(t *testing.T) {
	all := judged(t, cutHistory([6]bool{true, true, true, true, true, true}))
	require.Empty(t, all.Breaches)
	require.Zero(t, all.Lost)
	suffix := judged(t, cutHistory([6]bool{true, true, true, true, false, false}))
	require.Empty(t, suffix.Breaches, "a suffix of off commits may go")
	require.Equal(t, 2, suffix.Lost)

	for name, c := range map[string]struct {
		breach  string
		survive [6]bool
	}{
		"a local commit is gone":            {"J6", [6]bool{true, false, true, true, true, true}},
		"one before a local commit is gone": {"J6", [6]bool{false, true, false, false, false, false}},
		"one that was called flushed":       {"J6", [6]bool{true, true, false, false, false, false}},
		"a hole across sessions":            {"J3", [6]bool{true, true, true, false, true, false}},
		"a hole within a session":           {"J2", [6]bool{true, true, true, false, true, true}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, fmt.Sprint(judged(t, cutHistory(c.survive)).Breaches), c.breach)
		})
	}
}

func TestJudgeOfADurableRead(t *testing.T) {
	events := sound()
	read := Event{Type: Shown, Tick: 3}
	require.Empty(t, judged(t, append([]Event{read}, events...)).Breaches)
	read.Tick = 4
	require.Contains(t, fmt.Sprint(judged(t, append([]Event{read}, events...)).Breaches), "J7")
}

func TestJudgeRetiresOldEntries(t *testing.T) {
	var events []Event
	entries := map[int64]int{}
	for n := int64(1); n <= retireAfter+5; n++ {
		events = append(events, acked(1, n, "explicit", "off", 0, "")...)
		if n > 5 {
			entries[n] = 1
		}
	}
	events = append(events, Event{Type: Kill}, state(Seen{Entries: map[int]map[int64]int{1: entries},
		Last: map[int]int64{1: retireAfter + 5}, LSN: "0/1000000"}))
	require.Empty(t, judged(t, events).Breaches)
	entries[3] = 1 // a deletion that did not survive
	require.Contains(t, judged(t, events).Breaches[0], "transaction 3 is there and must not be")
}
