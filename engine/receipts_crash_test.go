package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ackdb/engine/enginetest"
	"ackdb/wal"
)

// said is everything that anybody was told before a power cut and that must hold after it.
type said struct {
	flushed wal.LSN         // the highest position that was called flushed, in whatever way
	lent    wal.LSN         // the highest end that was answered as written
	keys    map[string]bool // rows that flushed readers were shown; no row is ever deleted
	counter int             // the highest count that a flushed reader was shown
}

// receipt is what one committer holds in its hands.
type receipt struct {
	token wal.Token
	key   string
}

// receiptsRun is one seed: a loaded engine, a power cut at some instant, and the accounts.
type receiptsRun struct {
	seed  uint64
	rng   *rand.Rand
	fs    *enginetest.CrashFS
	db    *DB
	limit LossLimit
	lies  bool // of the disk, once the database is open (negative control)

	mu       sync.Mutex
	said     said      // guarded by mu
	receipts []receipt // guarded by mu; of commits behind the cut too

	stop atomic.Bool
	left atomic.Int64 // passings of the point until the cut
	once sync.Once

	// set by the cut
	promised said
	after    *enginetest.CrashFS
}

const receiptCounter = "counter"

// The instants at which the power goes.
const (
	cutInSync = iota
	cutAfterAnswer
	cutBeforePublish
	cutAfterRead
	cutAtWatcher
	cutInstants
)

func newReceiptsRun(seed uint64) *receiptsRun {
	r := &receiptsRun{
		seed: seed, rng: rand.New(rand.NewPCG(seed, 10)), fs: enginetest.New(),
		limit: LossLimit{Bytes: 6 << 10},
	}
	r.said.keys = map[string]bool{}
	r.left.Store(1 + r.rng.Int64N(40))
	return r
}

// run loads an engine until the cut and checks what is left. sabotage plants a bug.
func (r *receiptsRun) run(sabotage func(*receiptsRun, *Options)) error {
	instant := r.rng.IntN(cutInstants)
	opts := crashOptions(r.fs)
	opts.LossLimit = &r.limit
	delay := []time.Duration{0, 50 * time.Microsecond, time.Hour}[r.rng.IntN(3)]
	opts.Log.WriterDelay = func() time.Duration { return delay }
	if instant == cutBeforePublish {
		opts.hooks.applied = r.pass
	}
	sabotage(r, &opts)
	db, _, err := Open(context.Background(), opts)
	if err != nil {
		return err
	}
	r.db = db
	r.fs.LieSyncs(r.lies)
	slowness := r.rng.IntN(60)
	r.fs.StallSyncs(func(string) {
		for range slowness { // the disk takes its time, and others their turn
			runtime.Gosched()
		}
		if instant == cutInSync {
			r.pass()
		}
	})
	if err := r.load(instant); err != nil {
		return err
	}
	r.cut() // at the latest, when the instant came too rarely
	if n := db.Stats().LossViolations; n != 0 {
		return fmt.Errorf("%d answers broke the limit", n)
	}
	r.fs.StallSyncs(nil)
	r.fs.LieSyncs(false)
	if err := db.Close(context.Background()); err != nil {
		return err
	}
	return r.judge()
}

func (r *receiptsRun) pass() {
	if r.left.Add(-1) == 0 {
		r.cut()
	}
}

// cut takes the accounts first and the disk second: what is said in between binds nobody.
func (r *receiptsRun) cut() {
	r.once.Do(func() {
		r.mu.Lock()
		r.promised = r.said
		r.promised.keys = maps.Clone(r.said.keys)
		r.mu.Unlock()
		r.after = r.fs.Crash(r.seed, []int{0, 10, 50, 90, 100}[r.seed%5])
		r.stop.Store(true)
	})
}

// load runs committers, readers and a watcher until the cut.
func (r *receiptsRun) load(instant int) error {
	clients := 1 + r.rng.IntN(4)
	errs := make([]error, clients+3)
	var all, committers sync.WaitGroup
	run := func(wg *sync.WaitGroup, i int, at int, f func(*rand.Rand, int) error) {
		rng := rand.New(rand.NewPCG(r.seed, 100+uint64(i)))
		wg.Go(func() {
			for n := 0; n < 40 && !r.stop.Load() && errs[i] == nil; n++ {
				errs[i] = f(rng, n)
				if instant == at {
					r.pass()
				}
			}
		})
	}
	release := func() {}
	if r.rng.IntN(4) != 0 {
		release = r.db.HoldFlushed()
	}
	defer release()
	ctx, cancel := context.WithCancel(context.Background())
	for i := range clients {
		run(&committers, i, cutAfterAnswer, func(rng *rand.Rand, n int) error {
			return r.commit(rng, fmt.Sprintf("%d.%d", i, n))
		})
	}
	run(&all, clients, cutAfterRead, func(rng *rand.Rand, _ int) error { return r.scan(ctx, rng) })
	run(&all, clients+1, cutAfterRead, func(*rand.Rand, int) error { return r.lookAtCounter(ctx) })
	run(&all, clients+2, cutAtWatcher, func(*rand.Rand, int) error { return r.watch(ctx) })
	committers.Wait()
	r.stop.Store(true)
	cancel()
	all.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return nil
}

// commit makes one commit of some kind and notes what it was told.
func (r *receiptsRun) commit(rng *rand.Rand, key string) error {
	ctx := context.Background()
	txn := r.db.Begin(TxnOptions{})
	defer txn.Rollback()
	if rng.IntN(3) == 0 {
		if err := countUp(ctx, txn); err != nil {
			return err
		}
	}
	size := rng.IntN(700)
	if rng.IntN(80) == 0 {
		size = 300 << 10 // larger than the limit and than a record
	}
	if err := txn.Put(FirstUserTable, []byte(key), make([]byte, size)); err != nil {
		return err
	}
	opts := CommitOptions{Level: wal.LevelOff}
	switch rng.IntN(6) {
	case 0:
		opts.Level = wal.LevelLocal
	case 1:
		opts.Wait = time.Duration(1 + rng.IntN(200_000))
	case 2:
		opts.OnLimit = LimitReject
	case 3:
		opts.Limit = LossLimit{Bytes: 1 << 10, Age: time.Microsecond}
	}
	result, err := txn.Commit(ctx, opts)
	if errors.Is(err, ErrLossLimit) {
		return nil
	}
	if err != nil {
		return err
	}
	r.note(result, key)
	if rng.IntN(8) == 0 {
		if err := r.db.log.WaitFlushed(ctx, result.End); err != nil {
			return err
		}
		r.noteFlushed(result.End)
	}
	return nil
}

// countUp adds 1 to the counter.
func countUp(ctx context.Context, txn *Txn) error {
	txn.StartPointStatement()
	key := []byte(receiptCounter)
	row, err := txn.LockRow(ctx, FirstUserTable+1, key, RowUpdate, Wait)
	if err != nil {
		return err
	}
	count, err := countOf(row.Value)
	if err != nil {
		return err
	}
	return txn.Put(FirstUserTable+1, key, strconv.AppendInt(nil, int64(count+1), 10))
}

func countOf(value []byte) (int, error) {
	if len(value) == 0 {
		return 0, nil
	}
	return strconv.Atoi(string(value))
}

func (r *receiptsRun) note(result CommitResult, key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	token := wal.Token{EpochID: result.EpochID, LSN: result.End}
	r.receipts = append(r.receipts, receipt{token: token, key: key})
	if result.Reached == ReachedFlushed {
		r.said.flushed = max(r.said.flushed, result.End)
	} else {
		r.said.lent = max(r.said.lent, result.End)
	}
}

func (r *receiptsRun) noteFlushed(lsn wal.LSN) {
	r.mu.Lock()
	r.said.flushed = max(r.said.flushed, lsn)
	r.mu.Unlock()
}

// watch is a listener on the watermark.
func (r *receiptsRun) watch(ctx context.Context) error {
	r.mu.Lock()
	beyond := r.said.flushed
	r.mu.Unlock()
	lsn, err := r.db.log.AwaitFlushed(ctx, beyond)
	if err == nil {
		r.noteFlushed(lsn)
	}
	return err
}

// scan is a plain statement of a session that reads flushed.
func (r *receiptsRun) scan(ctx context.Context, rng *rand.Rand) error {
	level := []Isolation{ReadCommitted, RepeatableRead, Serializable}[rng.IntN(3)]
	txn := r.db.Begin(TxnOptions{ReadFlushed: true, Isolation: level})
	defer txn.Rollback()
	if err := txn.PrepareFlushed(ctx); err != nil {
		return err
	}
	txn.StartStatement()
	value, _, err := txn.Get(ctx, FirstUserTable+1, []byte(receiptCounter))
	if err != nil {
		return err
	}
	count, err := countOf(value)
	if err != nil {
		return err
	}
	var keys []string
	it := txn.Scan(FirstUserTable, nil, nil, false)
	for it.Next() {
		keys = append(keys, string(it.Key()))
	}
	if err := it.Close(); err != nil {
		return err
	}
	r.show(keys, count)
	return nil
}

// lookAtCounter is SELECT FOR UPDATE in such a session: the newest row, held back.
func (r *receiptsRun) lookAtCounter(ctx context.Context) error {
	txn := r.db.Begin(TxnOptions{ReadFlushed: true})
	defer txn.Rollback()
	txn.PrepareVisible()
	txn.StartPointStatement()
	row, err := txn.LockRow(ctx, FirstUserTable+1, []byte(receiptCounter), RowUpdate, Wait)
	if err != nil {
		return err
	}
	count, err := countOf(row.Value)
	if err != nil {
		return err
	}
	txn.Rollback()
	if err := r.db.log.WaitFlushed(ctx, txn.LookedAt()); err != nil {
		return err
	}
	r.show(nil, count)
	return nil
}

func (r *receiptsRun) show(keys []string, count int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range keys {
		r.said.keys[key] = true
	}
	r.said.counter = max(r.said.counter, count)
}

// judge recovers what the cut left and holds it against the accounts.
func (r *receiptsRun) judge() error {
	db, report, err := Open(context.Background(), crashOptions(r.after))
	if err != nil {
		return err
	}
	rows, err := storedRows(db)
	if err != nil {
		return err
	}
	epochs, flushed := db.log.Epochs(), db.log.Flushed()
	if err := db.Close(context.Background()); err != nil {
		return err
	}
	have, counter := map[string]bool{}, 0
	for _, row := range rows {
		if row.table == FirstUserTable {
			have[row.key] = true
		} else if counter, err = countOf(row.value); err != nil {
			return err
		}
	}
	end := report.Log.End
	if err := r.judgePromises(end, have, counter); err != nil {
		return err
	}
	for _, c := range r.receipts {
		durable := c.token.LSN <= end
		if have[c.key] != durable {
			return fmt.Errorf("commit %s: there %v, the log ends at %s", c.token, have[c.key], end)
		}
		want := wal.StatusLost
		if durable {
			want = wal.StatusDurable
		}
		if got := epochs.Judge(c.token, flushed); got != want {
			return fmt.Errorf("commit %s is called %s and is %s", c.token, got, want)
		}
	}
	return nil
}

func (r *receiptsRun) judgePromises(end wal.LSN, have map[string]bool, counter int) error {
	p := &r.promised
	if p.flushed > end {
		return fmt.Errorf("%s was called flushed, the log ends at %s", p.flushed, end)
	}
	if lost := int64(p.lent) - int64(end); lost > r.limit.Bytes {
		return fmt.Errorf("%d acknowledged bytes are gone, the limit is %d", lost, r.limit.Bytes)
	}
	for key := range p.keys {
		if !have[key] {
			return fmt.Errorf("a flushed reader was shown row %s, and it is gone", key)
		}
	}
	if counter < p.counter {
		return fmt.Errorf("a flushed reader was shown count %d, and it is %d", p.counter, counter)
	}
	return nil
}

func honest(*receiptsRun, *Options) {}

// Power cuts at random instants of a loaded engine: nothing that was notified, waited for, reported
// as flushed or shown to a flushed reader is missing afterwards, what is missing is within the
// limit, and every receipt is judged as what became of it.
func TestCrashKeepsReceipts(t *testing.T) {
	// Every seed makes a dozen segments of 1 MiB and drops them: most of its time is the kernel's,
	// for fresh pages, unless the collector runs less often.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	eachSeed(t, 1000, func(seed uint64) error { return newReceiptsRun(seed).run(honest) })
}

// Each planted bug is caught within a few seeds: the test above can fail. Recovery itself notices
// some of the lies of a disk; the accounts must notice one too.
func TestCrashCatchesLies(t *testing.T) {
	for name, c := range map[string]struct {
		sabotage func(*receiptsRun, *Options)
		finds    string
	}{
		"flushed moves before the kernel has said so": {
			func(r *receiptsRun, _ *Options) { r.lies = true }, "was called flushed",
		},
		"the limit is not asked": {
			func(_ *receiptsRun, o *Options) { o.hooks.lendAlways = true }, "limit",
		},
		"flushed readers see what is applied": {
			func(_ *receiptsRun, o *Options) { o.hooks.readUnflushed = true }, "was shown",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			for seed := uint64(1); seed <= 300; seed++ {
				err = newReceiptsRun(seed).run(c.sabotage)
				if err != nil && strings.Contains(err.Error(), c.finds) {
					return
				}
			}
			t.Fatalf("not caught; the last error: %v", err)
		})
	}
}
