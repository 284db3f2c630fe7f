package jepsenlite

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Verdict is what Judge found: the counts, and every breach of J1 to J5, in words.
type Verdict struct {
	Rounds, Acknowledged, Failed, Undecided, Survived int
	Ticks                                             int64
	ByMode                                            map[string]int // acknowledged, by mode
	Breaches                                          []string
}

func (v *Verdict) String() string {
	return fmt.Sprintf("%d rounds: %d acknowledged (%s), %d failed, %d undecided of which %d survived,"+
		" %d ticks, %d breaches", v.Rounds, v.Acknowledged, v.modes(), v.Failed, v.Undecided,
		v.Survived, v.Ticks, len(v.Breaches))
}

func (v *Verdict) modes() string {
	var parts []string
	for _, m := range Modes {
		parts = append(parts, fmt.Sprintf("%s %d", m, v.ByMode[m]))
	}
	return strings.Join(parts, ", ")
}

func (v *Verdict) breach(format string, args ...any) {
	v.Breaches = append(v.Breaches, fmt.Sprintf(format, args...))
}

// model is what must be there, folded from the acknowledged transactions of one session.
type model struct {
	entries map[int64]int // n -> pieces
	last    int64
	open    *Event // invoked and not ended, or unknown
}

// Judge reads a history and says what was broken.
func Judge(history io.Reader) (*Verdict, error) {
	j := &judge{Verdict: Verdict{ByMode: map[string]int{}}, sessions: map[int]*model{}}
	if err := ReadHistory(history, j.event); err != nil {
		return nil, err
	}
	return &j.Verdict, nil
}

type judge struct {
	Verdict
	sessions map[int]*model
	tickTop  int64 // the greatest acknowledged tick
	lsnTop   uint64
}

func (j *judge) event(e Event) error {
	switch e.Type {
	case Invoke:
		j.model(e.Session).open = &e
	case OK:
		return j.acknowledged(e)
	case Fail:
		j.Failed++
		j.model(e.Session).open = nil
	case Unknown:
		*j.model(e.Session).open = e
	case State:
		return j.state(e.Seen)
	}
	return nil
}

func (j *judge) model(session int) *model {
	m := j.sessions[session]
	if m == nil {
		m = &model{entries: map[int64]int{}}
		j.sessions[session] = m
	}
	return m
}

func (j *judge) acknowledged(e Event) error {
	j.Acknowledged++
	j.ByMode[e.Mode]++
	m := j.model(e.Session)
	m.open = nil
	m.apply(e)
	j.tickTop = max(j.tickTop, e.Tick)
	if e.LSN == "" {
		return nil
	}
	lsn, err := parseLSN(e.LSN)
	j.lsnTop = max(j.lsnTop, lsn)
	return err
}

// apply folds one transaction into the model: see session.statements for what it did.
func (m *model) apply(e Event) {
	m.entries[e.N] = e.Pieces
	if e.Op == "single" {
		return
	}
	m.last = e.N
	for n := range m.entries {
		if n <= e.N-retireAfter {
			delete(m.entries, n)
		}
	}
}

func (m *model) clone() *model {
	c := *m
	c.entries = make(map[int64]int, len(m.entries))
	for n, pieces := range m.entries {
		c.entries[n] = pieces
	}
	return &c
}

// state compares what a reader found after a restart with what must be there. Afterwards the models
// are what was found: later rounds build on it, and one breach is not reported in every round.
func (j *judge) state(seen *Seen) error {
	j.Rounds++
	for session := range seen.Entries {
		j.model(session) // entries of a session that never acknowledged one are judged too
	}
	for session, m := range j.sessions {
		j.session(session, m, seen)
		j.sessions[session] = &model{entries: seen.Entries[session], last: seen.Last[session]}
		if j.sessions[session].entries == nil {
			j.sessions[session].entries = map[int64]int{}
		}
	}
	j.ticks(seen)
	lsn, err := parseLSN(seen.LSN)
	if lsn < j.lsnTop {
		j.breach("J5 round %d: the log ends at %s, below a position a client was shown (%X)",
			j.Rounds, seen.LSN, j.lsnTop)
	}
	return err
}

func (j *judge) session(id int, m *model, seen *Seen) {
	found := &model{entries: seen.Entries[id], last: seen.Last[id]}
	if m.open == nil {
		if diff := m.diff(found); diff != "" {
			j.breach("J1/J4 round %d session %d: %s", j.Rounds, id, diff)
		}
		return
	}
	j.Undecided++
	with := m.clone()
	with.apply(*m.open)
	without, undone := m.diff(found), with.diff(found)
	switch {
	case undone == "":
		j.Survived++
		j.tickTop = max(j.tickTop, m.open.Tick)
	case without != "":
		j.breach("J1/J2 round %d session %d: without its open transaction %d: %s; with it: %s",
			j.Rounds, id, m.open.N, without, undone)
	}
}

// diff says in words how found differs from m, "" when it does not. It names a few, not all.
func (m *model) diff(found *model) string {
	var words []string
	for n, pieces := range m.entries {
		if got := found.entries[n]; got != pieces {
			words = append(words, fmt.Sprintf("transaction %d has %d of %d pieces", n, got, pieces))
		}
	}
	for n := range found.entries {
		if _, ok := m.entries[n]; !ok {
			words = append(words, fmt.Sprintf("transaction %d is there and must not be", n))
		}
	}
	if m.last != found.last {
		words = append(words, fmt.Sprintf("register is %d, not %d", found.last, m.last))
	}
	slices.Sort(words)
	if len(words) > 5 {
		words = append(words[:5], fmt.Sprintf("and %d more", len(words)-5))
	}
	return strings.Join(words, ", ")
}

func (j *judge) ticks(seen *Seen) {
	for i, tick := range seen.Ticks {
		if tick != int64(i+1) {
			j.breach("J3 round %d: place %d holds tick %d: a hole or a repetition", j.Rounds, i+1, tick)
			break
		}
	}
	if top := int64(len(seen.Ticks)); top != seen.TickTop {
		j.breach("J3 round %d: %d ticks, but the counter says %d", j.Rounds, top, seen.TickTop)
	}
	if int64(len(seen.Ticks)) < j.tickTop {
		j.breach("J1 round %d: %d ticks, but %d was acknowledged", j.Rounds, len(seen.Ticks), j.tickTop)
	}
	j.Ticks = int64(len(seen.Ticks))
}

// parseLSN reads the text form of pg_lsn, two hex halves.
func parseLSN(s string) (uint64, error) {
	high, low, ok := strings.Cut(s, "/")
	if !ok {
		return 0, fmt.Errorf("judge: %q is not a log position", s)
	}
	h, err := strconv.ParseUint(high, 16, 32)
	if err != nil {
		return 0, fmt.Errorf("judge: %q: %w", s, err)
	}
	l, err := strconv.ParseUint(low, 16, 32)
	if err != nil {
		return 0, fmt.Errorf("judge: %q: %w", s, err)
	}
	return h<<32 | l, nil
}
