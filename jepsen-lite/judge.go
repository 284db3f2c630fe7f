package jepsenlite

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Verdict is what Judge found: the counts, and every breach of J1 to J8, in words.
type Verdict struct {
	Rounds, Acknowledged, Failed, Undecided, Survived int
	Lost                                              int            // acknowledged and taken, as is allowed
	Ticks                                             int64          // there at the end
	ByMode                                            map[string]int // acknowledged, by mode
	CalledLost, CalledDurable                         int            // receipts, by the next server
	Breaches                                          []string
}

func (v *Verdict) String() string {
	var modes []string
	for _, m := range Modes {
		modes = append(modes, fmt.Sprintf("%s %d", m, v.ByMode[m]))
	}
	return fmt.Sprintf("%d rounds: %d acknowledged (%s), %d lost, %d failed, "+
		"%d undecided of which %d survived, %d ticks, %d breaches", v.Rounds, v.Acknowledged,
		strings.Join(modes, ", "), v.Lost, v.Failed, v.Undecided, v.Survived, v.Ticks, len(v.Breaches))
}

// Judge reads a history and says what was broken.
func Judge(history io.Reader) (*Verdict, error) {
	j := &judge{Verdict: Verdict{ByMode: map[string]int{}}, sessions: map[int]*track{}}
	if err := ReadHistory(history, j.event); err != nil {
		return nil, err
	}
	return &j.Verdict, nil
}

// judge is one pass over a history. What it holds of a round is dropped at the state line that ends
// it: later rounds build on what was found, and one breach is not reported in every round.
type judge struct {
	Verdict
	sessions map[int]*track
	end      string // how the round ended: Kill, Cut or Failover
	dark     bool   // at the failover the standby lost its power, too
	flushed  uint64 // the greatest position the server called flushed
	shown    uint64 // the greatest end of the log a client was shown
	read     int64  // the greatest tick a reader of durable data saw
	order    int    // acknowledgements so far in this round
	verdicts []Event
}

// track is one session: what it had when the round began, and its transactions since, in order.
type track struct {
	base  model
	since []*Event
	// acked[i] is the place of since[i] among the round's acknowledgements, invoked[i] how many
	// there were when it was invoked.
	acked, invoked []int
}

// model is what a session's transactions leave behind.
type model struct {
	entries map[int64]int // n -> pieces
	last    int64
}

func (j *judge) track(session int) *track {
	t := j.sessions[session]
	if t == nil {
		t = &track{base: model{entries: map[int64]int{}}}
		j.sessions[session] = t
	}
	return t
}

func (j *judge) event(e Event) error {
	switch e.Type {
	case Invoke:
		t := j.track(e.Session)
		t.since, t.invoked = append(t.since, &e), append(t.invoked, j.order)
		t.acked = append(t.acked, 0)
	case OK:
		return j.acknowledged(e)
	case Fail:
		j.Failed++
		t := j.track(e.Session)
		t.drop(len(t.since) - 1)
	case Unknown:
		t := j.track(e.Session)
		t.since[len(t.since)-1] = &e
	case Flushed:
		return raise(&j.flushed, e.LSN)
	case Shown:
		j.read = max(j.read, e.Tick)
	case Kill, Cut, Failover:
		j.end, j.dark = e.Type, e.How == Cut
	case Judged:
		j.verdicts = append(j.verdicts, e)
	case State:
		return j.state(e.Seen)
	}
	return nil
}

func (t *track) drop(i int) { t.since, t.acked, t.invoked = t.since[:i], t.acked[:i], t.invoked[:i] }

func (j *judge) acknowledged(e Event) error {
	j.Acknowledged++
	j.ByMode[e.Mode]++
	j.order++
	t := j.track(e.Session)
	last := len(t.since) - 1
	if last < 0 || t.since[last].N != e.N {
		return fmt.Errorf("judge: session %d: %d was acknowledged without being invoked", e.Session, e.N)
	}
	t.since[last], t.acked[last] = &e, j.order
	return raise(&j.shown, e.Shown)
}

func raise(top *uint64, lsn string) error {
	if lsn == "" {
		return nil
	}
	v, err := parseLSN(lsn)
	*top = max(*top, v)
	return err
}

// apply folds one transaction into the model: see session.statements for what it did.
func (m *model) apply(e *Event) {
	m.entries[e.N] = e.Pieces
	if e.Op == "single" {
		return
	}
	m.last = e.N
	maps.DeleteFunc(m.entries, func(n int64, _ int) bool { return n <= e.N-retireAfter })
}

// state compares what a reader found after a restart with what may be there.
func (j *judge) state(seen *Seen) error {
	j.Rounds++
	for session := range seen.Entries {
		j.track(session) // of a session that never acknowledged anything, too
	}
	survivors := map[int]int{}
	for _, id := range slices.Sorted(maps.Keys(j.sessions)) {
		survivors[id] = j.survivors(id, j.sessions[id], seen)
	}
	if j.suffixMayGo() {
		j.durable(survivors)
	}
	j.receipts(survivors)
	j.ticks(seen, survivors)
	if err := j.position(seen); err != nil {
		return err
	}
	for id, t := range j.sessions {
		t.base = model{entries: seen.Entries[id], last: seen.Last[id]}
		if t.base.entries == nil {
			t.base.entries = map[int64]int{}
		}
		t.drop(0)
	}
	j.end, j.verdicts, j.order, j.shown, j.flushed, j.read = "", nil, 0, 0, 0, 0
	return nil
}

// suffixMayGo says whether the end of the round may take acknowledged commits at all.
func (j *judge) suffixMayGo() bool { return j.end == Cut || j.end == Failover }

// promised says whether a commit acknowledged in the mode must have outlived the end of the round.
// A standby that is waited for has it when it was acknowledged, and on disk but for remote_write.
func (j *judge) promised(mode string) bool {
	switch mode {
	case "off":
		return false
	case "local":
		return j.end == Cut
	case "remote_write":
		return !j.dark
	}
	return true
}

// survivors finds how many of a session's transactions are there (J2, J4): the state must be that
// after a prefix of them. After a kill the prefix holds every acknowledged one (J1).
func (j *judge) survivors(id int, t *track, seen *Seen) int {
	found := model{entries: seen.Entries[id], last: seen.Last[id]}
	acked := len(t.since)
	if acked > 0 && t.acked[acked-1] == 0 {
		acked--
		j.Undecided++
	}
	from := acked
	if j.suffixMayGo() {
		from = 0
	}
	m := t.base
	m.entries = maps.Clone(m.entries)
	var diff string
	for k := 0; ; k++ {
		if k >= from {
			if diff = m.diff(found); diff == "" {
				j.Lost += max(0, acked-k)
				if k > acked {
					j.Survived++
				}
				return k
			}
		}
		if k == len(t.since) {
			break
		}
		m.apply(t.since[k])
	}
	j.breach("J1/J2/J4 round %d session %d: no prefix of its %d transactions fits; after the last: %s",
		j.Rounds, id, len(t.since), diff)
	return acked
}

func (v *Verdict) breach(format string, args ...any) {
	v.Breaches = append(v.Breaches, fmt.Sprintf(format, args...))
}

// diff says in words how found differs from m, "" when it does not. It names a few, not all.
func (m *model) diff(found model) string {
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

// durable holds a power cut or a failover to its promises (J6): what was acknowledged in a mode
// that outlives it is there, and all that was acknowledged before it was invoked (W7); what the
// server called flushed is there; and what is there has no hole in commit order.
func (j *judge) durable(survivors map[int]int) {
	floor := 0       // acknowledgements up to this place must be there
	top := uint64(0) // greatest position among the survivors
	for id, t := range j.sessions {
		for i, e := range t.since {
			there := i < survivors[id]
			if t.acked[i] > 0 && j.promised(e.Mode) {
				floor = max(floor, t.invoked[i])
				if !there {
					j.breach("J6 round %d session %d: transaction %d was acknowledged as %s and is gone",
						j.Rounds, id, e.N, e.Mode)
				}
			}
			if lsn, err := parseLSN(e.LSN); err == nil && there {
				top = max(top, lsn)
			}
		}
	}
	for id, t := range j.sessions {
		for i := survivors[id]; i < len(t.since); i++ {
			j.lost(id, t.since[i], t.acked[i], floor, top)
		}
	}
}

// lost judges one transaction that is gone.
func (j *judge) lost(id int, e *Event, acked, floor int, top uint64) {
	if acked > 0 && acked <= floor {
		j.breach("J6 round %d session %d: transaction %d is gone, but a later commit was durable (W7)",
			j.Rounds, id, e.N)
	}
	lsn, err := parseLSN(e.LSN)
	if err != nil {
		return
	}
	if lsn <= j.flushed {
		j.breach("J6 round %d session %d: transaction %d at %s is gone, but %X was called flushed",
			j.Rounds, id, e.N, e.LSN, j.flushed)
	}
	if lsn <= top {
		j.breach("J3 round %d session %d: transaction %d at %s is gone, but a later one is there: a hole",
			j.Rounds, id, e.N, e.LSN)
	}
}

func (j *judge) ticks(seen *Seen, survivors map[int]int) {
	for i, tick := range seen.Ticks {
		if tick != int64(i+1) {
			j.breach("J3 round %d: place %d holds tick %d: a hole or a repetition", j.Rounds, i+1, tick)
			break
		}
	}
	if top := int64(len(seen.Ticks)); top != seen.TickTop {
		j.breach("J3 round %d: %d ticks, but the counter says %d", j.Rounds, top, seen.TickTop)
	}
	drawn := int64(0)
	for id, t := range j.sessions {
		for _, e := range t.since[:min(survivors[id], len(t.since))] {
			drawn = max(drawn, e.Tick)
		}
	}
	if int64(len(seen.Ticks)) < drawn {
		j.breach("J1 round %d: %d ticks, but transaction with tick %d is there", j.Rounds,
			len(seen.Ticks), drawn)
	}
	if int64(len(seen.Ticks)) < j.read {
		j.breach("J7 round %d: %d ticks, but a reader of durable data saw tick %d", j.Rounds,
			len(seen.Ticks), j.read)
	}
	j.Ticks = int64(len(seen.Ticks))
}

// position holds the end of the log to what clients were told of it (J5).
func (j *judge) position(seen *Seen) error {
	end, err := parseLSN(seen.LSN)
	if err != nil {
		return err
	}
	if !j.suffixMayGo() && end < j.shown {
		j.breach("J5 round %d: the log ends at %s, below %X, which a client was shown", j.Rounds,
			seen.LSN, j.shown)
	}
	if end < j.flushed {
		j.breach("J5 round %d: the log ends at %s, below %X, which was called flushed", j.Rounds,
			seen.LSN, j.flushed)
	}
	return nil
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
