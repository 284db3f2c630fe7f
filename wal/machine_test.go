package wal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

const (
	machineDir     = "/data"
	machineSegment = wal.SegmentSizeMin
)

// machine is a computer with a crash disk and one log on it, and the memory of an outside observer:
// what was appended, what was confirmed, which receipts were given. It is used by one goroutine.
type machine struct {
	t     *testing.T
	rng   *rand.Rand
	disk  *waltest.Disk
	clock *heldClock

	log    *wal.Log
	report wal.RecoveryReport
	fatal  chan error

	// records is what the log may hold, ascending: what recovery found, and what was appended
	// since, whether or not Append returned. floor is how far it was confirmed as durable.
	records []record
	floor   wal.LSN
	written int // how many of records survive kill -9

	receipts []receipt // of every commit ever appended, whatever became of it
	marker   wal.LSN   // the store's durable marker: survives every crash
	number   int       // of commits ever appended, in their payloads

	lazy bool // the flusher flushes only when asked, however much is unflushed
}

// record is one commit as the observer remembers it.
type record struct {
	lsn, end wal.LSN
	payload  string
}

// receipt is what a session was given for a commit.
type receipt struct {
	wal.Token
	payload string
}

func newMachine(t *testing.T, seed uint64) *machine {
	return &machine{
		t: t, rng: rand.New(rand.NewPCG(seed, 77)), disk: waltest.New(),
		clock: newHeldClock(),
	}
}

func (m *machine) options() wal.Options {
	return wal.Options{
		Dir: machineDir, Disk: m.disk, SegmentSize: machineSegment, Clock: m.clock,
		KeepSize: func() int64 { return machineSegment },
		FlushAfter: func() int64 {
			if m.lazy {
				return math.MaxInt64
			}
			return wal.FlushAfterDefault
		},
		Rand: chacha(m.rng.Uint64()),
		Fatal: func(err error) {
			select {
			case m.fatal <- err:
			default:
			}
		},
	}
}

func chacha(seed uint64) io.Reader {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	return rand.NewChaCha8(key)
}

// recover opens the log, whose records can then be read but which has no new epoch yet.
func (m *machine) recover() error {
	m.fatal = make(chan error, 1)
	dir, err := wal.OpenDir(m.options())
	if err != nil {
		return err
	}
	start := wal.Start{Applied: m.marker, Redo: m.marker}
	log, report, err := dir.OpenLog(context.Background(), start)
	if err != nil {
		return errors.Join(err, dir.Close())
	}
	m.log, m.report = log, report
	return nil
}

// start recovers, compares what is there with what was promised, and begins an epoch.
func (m *machine) start() error {
	if err := m.recover(); err != nil {
		return fmt.Errorf("recovery refused: %w", err)
	}
	if err := m.compare(); err != nil {
		return err
	}
	if err := m.log.BeginEpoch(context.Background()); err != nil {
		return fmt.Errorf("begin epoch: %w", err)
	}
	m.floor = max(m.floor, m.log.Flushed())
	return m.judge()
}

// mustStart is start where nothing can have gone wrong.
func (m *machine) mustStart() {
	m.t.Helper()
	require.NoError(m.t, m.start())
}

// found reads every commit in the log from the marker on.
func (m *machine) found() ([]record, error) {
	from := m.marker
	if from == 0 {
		from = wal.FirstLSN
	}
	if m.log.Flushed() <= from {
		return nil, nil
	}
	c, err := m.log.Cursor(from)
	if err != nil {
		return nil, fmt.Errorf("cursor from %s: %w", from, err)
	}
	defer func() { _ = c.Close() }()
	var all []record
	for {
		r, err := c.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read log: %w", err)
		}
		if r.Type == wal.TypeCommit {
			all = append(all, record{r.LSN, r.End, string(r.Payload)})
		}
	}
}

// compare checks what recovery found: a prefix of what was appended, with everything that was
// confirmed. From then on the rest was never written.
func (m *machine) compare() error {
	got, err := m.found()
	if err != nil {
		return err
	}
	below := 0 // Records the store has; the log may have given their segments back.
	for below < len(m.records) && m.records[below].lsn < m.marker {
		below++
	}
	want := m.records[below:]
	if len(got) > len(want) {
		return fmt.Errorf("%d commits found, %d were appended", len(got), len(want))
	}
	for i, r := range got {
		if r != want[i] {
			return fmt.Errorf("commit %d is %s..%s %q, want %s..%s %q",
				i, r.lsn, r.end, head(r.payload), want[i].lsn, want[i].end, head(want[i].payload))
		}
	}
	if lost := want[len(got):]; len(lost) > 0 && lost[0].end <= m.floor {
		return fmt.Errorf("%s was confirmed as durable (up to %s) and is gone", lost[0].end, m.floor)
	}
	if m.log.Flushed() < m.floor {
		return fmt.Errorf("flushed went back from %s to %s", m.floor, m.log.Flushed())
	}
	if below+len(got) < m.written {
		return fmt.Errorf("%d commits found, %d were in the page cache", len(got), m.written-below)
	}
	m.records = m.records[:below+len(got)]
	m.written, m.floor = 0, m.log.Flushed()
	return nil
}

func head(s string) string { return s[:min(len(s), 60)] }

// judge checks every receipt ever given against the list of epochs: durable for what is there,
// lost for what is not, for ever.
func (m *machine) judge() error {
	alive := map[string]bool{}
	for _, r := range m.records {
		alive[r.payload] = true
	}
	epochs, flushed := m.log.Epochs(), m.log.Flushed()
	for _, r := range m.receipts {
		want := wal.StatusLost
		if alive[r.payload] {
			want = wal.StatusDurable
		}
		if got := epochs.Judge(r.Token, flushed); got != want {
			return fmt.Errorf("receipt %s is judged %s, want %s", r.Token, got, want)
		}
	}
	return nil
}

// commit makes a commit payload of about size bytes that no other commit has.
func (m *machine) commit(size int) []byte {
	m.number++
	value := make([]byte, max(0, size))
	for i := range value {
		value[i] = byte('a' + m.number%26)
	}
	op := wal.AppendOp(nil, wal.Op{
		Kind: wal.OpSet, Table: 100, Key: fmt.Appendf(nil, "%08d", m.number), Value: value,
	})
	h := wal.CommitHeader{Time: int64(m.number), Level: wal.LevelOff, OpCount: 1, User: "u", App: "a"}
	return wal.AppendCommit(nil, &h, op)
}

// payloadOf makes a commit payload of exactly n bytes.
func (m *machine) payloadOf(n int) []byte {
	p := m.commit(n)
	p = m.commit(n - (len(p) - n))
	for len(p) < n { // The length of a length may have changed.
		p = append(p, 0)
	}
	require.Len(m.t, p, n)
	return p
}

// append appends a group of commits and remembers them. After an error they may be there or not.
func (m *machine) append(payloads ...[]byte) error {
	group := make([]wal.Entry, len(payloads))
	for i, p := range payloads {
		group[i] = wal.Entry{Type: wal.TypeCommit, Payload: p}
	}
	err := m.log.Append(group)
	if err != nil && !errors.Is(err, wal.ErrPoisoned) {
		return err
	}
	id := m.log.EpochID()
	for i, e := range group {
		if e.End == 0 {
			break // Poisoned before positions were given.
		}
		m.records = append(m.records, record{e.LSN, e.End, string(payloads[i])})
		m.receipts = append(m.receipts, receipt{wal.Token{EpochID: id, LSN: e.End}, string(payloads[i])})
	}
	if err == nil {
		m.written = len(m.records)
	}
	return err
}

// mustAppend is append of one commit of about size bytes; it returns where it stands.
func (m *machine) mustAppend(size int) record {
	m.t.Helper()
	require.NoError(m.t, m.append(m.commit(size)))
	return m.records[len(m.records)-1]
}

// flush waits until everything written is durable.
func (m *machine) flush() error {
	target := m.log.Written()
	err := m.log.WaitFlushed(context.Background(), target)
	if err == nil {
		m.floor = max(m.floor, target)
	}
	return err
}

// mustCommitLocal appends a commit and waits until it is durable.
func (m *machine) mustCommitLocal(size int) record {
	m.t.Helper()
	r := m.mustAppend(size)
	require.NoError(m.t, m.flush())
	return r
}

// holdControl waits until control knows of everything flushed and its keeper rests. The clock stands
// still, so control lags from here on. That control caught up is not enough: a keeper whose rest the
// clock has already ended takes the next flush down at once.
func (m *machine) holdControl() {
	m.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		resting := m.clock.armed(wal.ControlIntervalMin)
		behind := m.log.Control().Flushed < m.log.Flushed()
		if resting && !behind {
			return
		}
		require.True(m.t, time.Now().Before(deadline), "control never caught up")
		wal.PokeKeeper(m.log)
		if resting {
			m.clock.advance(wal.ControlIntervalMin)
		}
		time.Sleep(50 * time.Microsecond) // Yields to the keeper; the loop is what waits.
	}
}

// watch takes down what the log claims as durable at this moment: a crash from here on must keep
// it, whoever it was told.
func (m *machine) watch() {
	if m.log != nil {
		m.floor = max(m.floor, m.log.Flushed())
	}
}

// stop ends the log's goroutines without any last flush.
func (m *machine) stop() {
	if m.log != nil {
		_ = m.log.Close(false)
		m.log = nil
	}
}

// powerCut stops the machine as a power cut does.
func (m *machine) powerCut(seed uint64) {
	m.watch()
	after := m.disk.Crash(seed)
	m.stop()
	m.disk, m.written = after, 0
}

// kill stops it as kill -9 does.
func (m *machine) kill() {
	m.watch()
	after := m.disk.Kill()
	m.stop()
	m.disk = after
}

// heldClock is a clock that moves only when it is told to.
type heldClock struct {
	mu     sync.Mutex
	now    time.Time
	timers map[*heldTimer]struct{}
}

type heldTimer struct {
	at   time.Time
	fire chan time.Time
}

func newHeldClock() *heldClock {
	return &heldClock{now: time.Unix(1_700_000_000, 0), timers: map[*heldTimer]struct{}{}}
}

func (c *heldClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *heldClock) Timer(d time.Duration) (<-chan time.Time, func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	timer := &heldTimer{at: c.now.Add(d), fire: make(chan time.Time, 1)}
	if d <= 0 {
		timer.fire <- c.now
		return timer.fire, func() bool { return false }
	}
	c.timers[timer] = struct{}{}
	return timer.fire, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, waiting := c.timers[timer]
		delete(c.timers, timer)
		return waiting
	}
}

// armed says whether a timer of length d waits that was set since the clock last moved.
func (c *heldClock) armed(d time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for timer := range c.timers {
		if timer.at.Equal(c.now.Add(d)) {
			return true
		}
	}
	return false
}

func (c *heldClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for timer := range c.timers {
		if !timer.at.After(c.now) {
			timer.fire <- c.now
			delete(c.timers, timer)
		}
	}
}
