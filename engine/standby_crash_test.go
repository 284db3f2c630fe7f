package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/engine/enginetest"
	"ackdb/wal"
)

// standbyRun is one seed: a primary under load, a standby that follows it, a reader on that, power
// cuts of either or of both, and at last a promotion in the middle of things.
type standbyRun struct {
	feeder
	seed uint64
	rng  *rand.Rand
	h    history
	pfs  *enginetest.CrashFS
	sfs  *enginetest.CrashFS

	// negative controls: a bug planted in the standby, and who of the two has a disk that lies
	sabotage func(standby *Options)
	liar     int

	// feeding is held while bytes go over: a primary's power cut ends that for good, at one
	// instant with the picture taken of its disk. What the dead go on to do reaches nobody.
	feeding sync.Mutex
	down    bool // guarded by feeding

	cut atomic.Pointer[standbyCut] // of the round

	samples []sample // of the round; the reader's until that has ended
}

// sample is what a reader on the standby was shown.
type sample struct {
	lsn  wal.LSN
	rows []row
}

// victims of a round's power cut.
const (
	cutNobody = iota
	cutPrimary
	cutStandby
	cutBoth
	cutVictims
)

func newStandbyRun(seed uint64) *standbyRun {
	r := &standbyRun{
		seed: seed, rng: rand.New(rand.NewPCG(seed, 20)),
		pfs: enginetest.New(), sfs: enginetest.New(),
	}
	chunks := rand.New(rand.NewPCG(seed, 21))
	r.chunk = func() int { return 1 + chunks.IntN(1<<(6+chunks.IntN(12))) }
	return r
}

const standbyRounds = 3

func (r *standbyRun) run() (err error) {
	if err := r.open(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	for round := range uint64(standbyRounds) {
		if err := r.round(round); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
	}
	return r.promotion()
}

func (r *standbyRun) primaryOptions() Options {
	opts := crashOptions(r.pfs)
	opts.Log.Hold = func() wal.LSN { return wal.LSN(r.held.Load()) }
	if r.liar == cutPrimary { // or its own store would be ahead, and it would not even start
		opts.MemTableSize, opts.MaxWALSize = 32<<20, nil
	}
	return opts
}

func (r *standbyRun) standbyOptions() Options {
	opts := standbyOptions(r.sfs)
	// Beside each fsync: a batch is in the store and not shown yet, a large one is there in part, a
	// MANIFEST is about to name what is.
	pass := func() { r.cut.Load().pass(cutStandby) }
	opts.hooks.applied, opts.hooks.batchCommitted, opts.hooks.gateEntered = pass, pass, pass
	if r.sabotage != nil {
		r.sabotage(&opts)
	}
	return opts
}

func (r *standbyRun) open() (err error) {
	ctx := context.Background()
	if r.from, _, err = Open(ctx, r.primaryOptions()); err != nil {
		return err
	}
	if err := copyBackup(r.from, r.sfs); err != nil {
		return err
	}
	if r.to, _, err = Open(ctx, r.standbyOptions()); err != nil {
		return err
	}
	r.held.Store(uint64(r.to.log.Flushed()))
	return nil
}

func (r *standbyRun) close() (err error) {
	for _, db := range []*DB{r.from, r.to} {
		if db != nil {
			err = errors.Join(err, db.Close(context.Background()))
		}
	}
	return err
}

// round loads the primary, cuts the power, brings back who was cut, and compares.
func (r *standbyRun) round(round uint64) error {
	cut := &standbyCut{
		run: r, victim: r.rng.IntN(cutVictims), percent: []int{0, 50, 100}[r.rng.IntN(3)],
	}
	cut.left.Store(1 + r.rng.Int64N(30))
	if r.liar != cutNobody {
		cut.victim, cut.percent = r.liar, 0
	}
	r.pfs.LieSyncs(r.liar == cutPrimary)
	r.sfs.LieSyncs(r.liar == cutStandby)
	r.cut.Store(cut)
	r.pfs.StallSyncs(func(string) { cut.pass(cutPrimary) })
	r.sfs.StallSyncs(func(string) { cut.pass(cutStandby) })
	err := r.load(round)
	cut.pull() // at the latest
	r.pfs.StallSyncs(nil)
	r.sfs.StallSyncs(nil)
	if err != nil {
		return err
	}
	if err := r.checkSamples(); err != nil {
		return err
	}
	if err := r.revive(cut); err != nil {
		return err
	}
	if err := r.catchUp(); err != nil {
		return err
	}
	return r.compare(r.to, r.from.log.Tail().End)
}

// standbyCut pulls the plug at the nth fsync of a victim.
type standbyCut struct {
	run     *standbyRun
	victim  int
	percent int
	left    atomic.Int64
	once    sync.Once

	// set by pull; nil for who keeps his power
	primary, standby *enginetest.CrashFS
}

func (c *standbyCut) pass(node int) {
	if c == nil {
		return // no round runs
	}
	if (c.victim == node || c.victim == cutBoth && node == cutPrimary) && c.left.Add(-1) == 0 {
		c.pull()
	}
}

func (c *standbyCut) pull() {
	c.once.Do(func() {
		if c.victim == cutPrimary || c.victim == cutBoth {
			c.run.feeding.Lock()
			defer c.run.feeding.Unlock()
			c.run.down = true
			c.primary = c.run.pfs.Crash(c.run.seed, c.percent)
		}
		if c.victim == cutStandby || c.victim == cutBoth {
			c.run.dead.Store(true)
			c.standby = c.run.sfs.Crash(c.run.seed+1, c.percent)
		}
	})
}

// load runs writers on the primary, the link, and a reader on the standby, until the writers end.
func (r *standbyRun) load(round uint64) error {
	var writers, others sync.WaitGroup
	errs := make([]error, 4)
	stop := make(chan struct{})
	for i := range uint64(2) {
		w := &writer{rng: rand.New(rand.NewPCG(r.seed, 1000*round+i)), db: r.from, h: &r.h}
		writers.Go(func() {
			for n := range 10 {
				if errs[i] = w.commit(); errs[i] != nil {
					return
				}
				if n%5 == 4 && r.liar == cutNobody {
					r.from.checkpoints.ask()
					r.to.checkpoints.ask()
				}
			}
		})
	}
	others.Go(func() { errs[2] = r.feed(stop) })
	others.Go(func() { errs[3] = r.read(stop) })
	writers.Wait()
	close(stop)
	others.Wait()
	return errors.Join(errs...)
}

// feed is the link.
func (r *standbyRun) feed(stop chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		r.feeding.Lock()
		down, more, err := r.down, false, error(nil)
		if !down {
			more, err = r.step()
		}
		r.feeding.Unlock()
		if err != nil || down {
			return err
		}
		if !more {
			ctx, cancel := context.WithCancel(context.Background())
			go func() { // the log's waits end by context alone
				select {
				case <-stop:
				case <-ctx.Done():
				}
				cancel()
			}()
			_, err := r.from.log.AwaitFlushed(ctx, r.to.log.ReceivePosition())
			cancel()
			if err != nil && !errors.Is(err, context.Canceled) {
				return err
			}
		}
	}
}

// samplesMax bounds what a reader keeps.
const samplesMax = 40

// read takes views of the standby, each behind the last.
func (r *standbyRun) read(stop chan struct{}) error {
	r.samples = nil
	last := r.to.Applied()
	for len(r.samples) < samplesMax {
		v, err := r.to.newView()
		if err != nil {
			return err
		}
		iter, err := v.iter(appendRowKey(nil, metaTable+1, nil), nil)
		if err != nil {
			return err
		}
		rows, err := readRows(iter)
		r.samples = append(r.samples, sample{lsn: v.lsn, rows: rows})
		v.close()
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			select {
			case <-stop:
			case <-ctx.Done():
			}
			cancel()
		}()
		err = r.to.AwaitApplied(ctx, last+1)
		cancel()
		if err != nil {
			return nil // the round is over
		}
		last = r.to.Applied()
	}
	return nil
}

// checkSamples: each is exactly the commits up to its position, and none is behind one before it.
func (r *standbyRun) checkSamples() error {
	last := wal.LSN(0)
	for _, s := range r.samples {
		if s.lsn < last {
			return fmt.Errorf("a reader went back from %s to %s", last, s.lsn)
		}
		last = s.lsn
		if err := diffRows(r.h.rowsAt(s.lsn), s.rows); err != nil {
			return fmt.Errorf("a reader at %s: %w", s.lsn, err)
		}
	}
	return nil
}

// revive opens again who was cut, and sometimes who was not.
func (r *standbyRun) revive(cut *standbyCut) (err error) {
	ctx := context.Background()
	if cut.primary != nil || r.rng.IntN(2) == 0 {
		if err := r.from.Close(ctx); err != nil {
			return err
		}
		if cut.primary != nil {
			r.pfs = cut.primary
		}
		r.from = nil
		db, report, err := Open(ctx, r.primaryOptions())
		if err != nil {
			return fmt.Errorf("primary: %w", err)
		}
		r.from, r.down = db, false
		r.h.forget(report.Log.End)
		if at := r.to.log.Tail().End; at > report.Log.End {
			return fmt.Errorf("R1: the standby has %s, its primary came back with %s", at,
				report.Log.End)
		}
	}
	if cut.standby != nil || r.rng.IntN(2) == 0 {
		if err := r.to.Close(ctx); err != nil {
			return err
		}
		if cut.standby != nil {
			r.sfs = cut.standby
		}
		r.to = nil
		if r.to, _, err = Open(ctx, r.standbyOptions()); err != nil {
			return fmt.Errorf("standby: %w", err)
		}
		r.dead.Store(false)
		return r.compare(r.to, r.to.Applied())
	}
	return nil
}

func (r *standbyRun) compare(db *DB, at wal.LSN) error {
	rows, err := storedRows(db)
	if err != nil {
		return err
	}
	if err := diffRows(r.h.rowsAt(at), rows); err != nil {
		return fmt.Errorf("the %s at %s: %w", db.Role(), at, err)
	}
	return nil
}

// promotion takes the primary away while the link is behind, promotes, goes on, and cuts the power
// of the new one.
func (r *standbyRun) promotion() error {
	ctx := context.Background()
	for range 6 {
		w := &writer{rng: r.rng, db: r.from, h: &r.h}
		if err := w.commit(); err != nil {
			return err
		}
	}
	if err := r.from.log.WaitFlushed(ctx, r.from.log.Inserted()); err != nil {
		return err
	}
	for range r.rng.IntN(20) {
		if _, err := r.step(); err != nil {
			return err
		}
	}
	fork := r.to.log.Tail().End
	begin, err := r.to.Promote(ctx, "test")
	if err != nil {
		return err
	}
	r.h.forget(fork)
	if begin.Ended != fork || begin.Timeline != 2 || r.to.Role() != wal.RolePrimary {
		return fmt.Errorf("promoted at %s: %+v, role %s", fork, begin, r.to.Role())
	}
	if err := r.compare(r.to, fork); err != nil {
		return err
	}
	return r.cutPromoted()
}

func (r *standbyRun) cutPromoted() error {
	ctx := context.Background()
	w := &writer{rng: r.rng, db: r.to, h: &r.h}
	for range 8 {
		if err := w.commit(); err != nil {
			return err
		}
	}
	acked := r.h.acknowledged()
	after := r.sfs.Crash(r.seed+2, 50)
	if err := r.to.Close(ctx); err != nil {
		return err
	}
	r.to = nil
	db, report, err := Open(ctx, crashOptions(after))
	if err != nil {
		return fmt.Errorf("the promoted one: %w", err)
	}
	r.to = db
	if db.Role() != wal.RolePrimary || db.log.Timeline() != 2 || report.Log.End < acked {
		return fmt.Errorf("came back as %s on timeline %d, to %s, %s was acknowledged",
			db.Role(), db.log.Timeline(), report.Log.End, acked)
	}
	return r.compare(db, report.Log.End)
}

// A standby is its primary's state at its own position, for readers at every moment, through power
// cuts of either; and what it has is what it goes on with when it is promoted.
func TestStandbyIsAPrefixOfItsPrimary(t *testing.T) {
	eachSeed(t, 60, func(seed uint64) error { return newStandbyRun(seed).run() })
}

// Readers left on the store during a large apply see parts of it.
func TestStandbyPrefixNoticesParts(t *testing.T) {
	err := firstFailure(func(r *standbyRun) {
		r.sabotage = func(opts *Options) { opts.hooks.showParts = true }
	})
	require.ErrorContains(t, err, "a reader at")
}

// A primary whose disk says yes and does nothing comes back with less than its standby has, which
// is what R1 rules out.
func TestStandbyPrefixNoticesALyingPrimary(t *testing.T) {
	require.ErrorContains(t, firstFailure(func(r *standbyRun) { r.liar = cutPrimary }), "R1")
}

// A standby that calls flushed what is not on its disk has a store that believes it (E3), and comes
// back with a log that ends below that.
func TestStandbyPrefixNoticesALyingStandby(t *testing.T) {
	err := firstFailure(func(r *standbyRun) { r.liar = cutStandby })
	require.ErrorContains(t, err, "standby: ")
}

// firstFailure runs seeds with a planted bug until one notices.
func firstFailure(plant func(*standbyRun)) error {
	for seed := uint64(1); seed <= 20; seed++ {
		run := newStandbyRun(seed)
		plant(run)
		if err := run.run(); err != nil {
			return err
		}
	}
	return nil
}
