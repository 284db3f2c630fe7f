package engine

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"ackdb/engine/enginetest"
	"ackdb/wal"
)

var (
	flagSeed  = flag.Uint64("seed", 0, "run this seed of a crash test alone")
	flagSeeds = flag.Int("seeds", envSeeds(), "how many seeds a crash test runs")
)

// envSeeds is ACKDB_SEEDS, by which one command asks it of several packages.
func envSeeds() int {
	n, _ := strconv.Atoi(os.Getenv("ACKDB_SEEDS"))
	return n
}

// crashSeeds are the seeds a crash test runs: n of them, or as the flags or ACKDB_SEED say.
func crashSeeds(n int) (first, last uint64) {
	if env, err := strconv.ParseUint(os.Getenv("ACKDB_SEED"), 10, 64); err == nil {
		return env, env
	}
	switch {
	case *flagSeed != 0:
		return *flagSeed, *flagSeed
	case *flagSeeds != 0:
		n = *flagSeeds
	case testing.Short() || raceEnabled:
		n = max(1, n/10)
	}
	return 1, uint64(n)
}

// eachSeed runs f for every seed and prints how to run one that fails again.
func eachSeed(t *testing.T, n int, f func(seed uint64) error) {
	t.Helper()
	first, last := crashSeeds(n)
	for seed := first; seed <= last; seed++ {
		if err := f(seed); err != nil {
			t.Fatalf("seed %d: %v\n\treplay: go test ./engine -run '^%s$' -seed=%d",
				seed, err, t.Name(), seed)
		}
	}
}

// crashPoint is where in the engine's work the power goes.
type crashPoint int

const (
	crashAfterCommit crashPoint = iota
	crashAtGate                 // a write to the MANIFEST waits, or is about to be let through
	crashBeforePublish
	crashBetweenBatches
	crashBetweenPieces
	crashInLogSync
	crashPoints
)

// powerCut takes the crash clone at the nth passing of a point.
type powerCut struct {
	fs      *enginetest.CrashFS
	h       *history
	seed    uint64
	percent int
	left    atomic.Int64

	// set once, at the cut
	once  sync.Once
	after *enginetest.CrashFS
	acked wal.LSN // acknowledged as flushed before the cut
}

func (p *powerCut) pass() {
	if p.left.Add(-1) == 0 {
		p.cut()
	}
}

func (p *powerCut) cut() {
	p.once.Do(func() {
		p.acked = p.h.acknowledged() // before the clone: what is acknowledged later may be lost
		p.after = p.fs.Crash(p.seed, p.percent)
	})
}

func (p *powerCut) arm(opts *Options, point crashPoint) {
	switch point {
	case crashAtGate:
		opts.hooks.gateEntered = p.pass
	case crashBeforePublish:
		opts.hooks.applied = p.pass
	case crashBetweenBatches:
		opts.hooks.batchCommitted = p.pass
	case crashBetweenPieces:
		opts.hooks.pieceAppended = p.pass
	case crashInLogSync:
		p.fs.StallSyncs(func(string) { p.pass() })
	}
}

// crashRun is one seed: a workload, a power cut in it, and what recovery makes of the rest.
type crashRun struct {
	seed     uint64
	rng      *rand.Rand
	h        history
	round    uint64
	sabotage func(opts *Options, db **DB) // negative controls
}

func newCrashRun(seed uint64) *crashRun {
	return &crashRun{seed: seed, rng: rand.New(rand.NewPCG(seed, 1))}
}

func (r *crashRun) percent() int { return []int{0, 10, 50, 90, 100}[r.rng.IntN(5)] }

// run cuts the power twice: under the workload, and again under the recovery from that or under
// the workload that follows it.
func (r *crashRun) run() error {
	after, acked, err := r.workload(enginetest.New())
	if err != nil {
		return fmt.Errorf("first workload: %w", err)
	}
	if r.rng.IntN(2) == 0 {
		if after, err = r.crashRecovery(after, acked); err != nil {
			return fmt.Errorf("crash in recovery: %w", err)
		}
	}
	end, err := r.recoverAndCheck(after.Crash(r.seed, 0), acked)
	if err != nil {
		return fmt.Errorf("after the first crash: %w", err)
	}
	r.h.forget(end)
	after, acked, err = r.workload(after)
	if err != nil {
		return fmt.Errorf("second workload: %w", err)
	}
	if _, err := r.recoverAndCheck(after, acked); err != nil {
		return fmt.Errorf("after the second crash: %w", err)
	}
	return nil
}

// workload opens the file system, runs writers on it and returns what a power cut among them left.
func (r *crashRun) workload(fs *enginetest.CrashFS) (*enginetest.CrashFS, wal.LSN, error) {
	var db *DB
	opts := crashOptions(fs)
	if r.sabotage != nil {
		r.sabotage(&opts, &db)
	}
	cut := &powerCut{fs: fs, h: &r.h, seed: r.seed, percent: r.percent()}
	point := crashPoint(r.rng.IntN(int(crashPoints)))
	cut.left.Store(1 + r.rng.Int64N(12))
	cut.arm(&opts, point)

	opened, _, err := Open(context.Background(), opts)
	if err != nil {
		return nil, 0, err
	}
	db = opened
	if err := r.write(db, point, cut); err != nil {
		return nil, 0, err
	}
	cut.cut() // at the latest, when the point was passed too rarely
	fs.StallSyncs(nil)
	return cut.after, cut.acked, db.Close(context.Background())
}

// write runs the writers to their end; commits behind the cut happen and are forgotten later.
func (r *crashRun) write(db *DB, point crashPoint, cut *powerCut) error {
	writers, each := 1+r.rng.IntN(3), 5+r.rng.IntN(20)
	errs := make([]error, writers)
	r.round++
	var wg sync.WaitGroup
	for i := range writers {
		w := &writer{rng: rand.New(rand.NewPCG(r.seed, 100*r.round+uint64(i))), db: db, h: &r.h}
		wg.Go(func() {
			for range each {
				if errs[i] = w.commit(); errs[i] != nil {
					return
				}
				if point == crashAfterCommit {
					cut.pass()
				}
				if w.rng.IntN(8) == 0 {
					db.checkpoints.ask()
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// crashRecovery cuts the power at some fsync of a recovery and returns what that left.
func (r *crashRun) crashRecovery(
	fs *enginetest.CrashFS, acked wal.LSN,
) (*enginetest.CrashFS, error) {
	percent := r.percent()
	nth := 1 + r.rng.Int64N(12)
	var mu sync.Mutex
	var after *enginetest.CrashFS
	fs.StallSyncs(func(string) {
		mu.Lock()
		defer mu.Unlock()
		if nth--; nth == 0 {
			after = fs.Crash(r.seed+1, percent)
		}
	})
	end, err := r.recoverAndCheck(fs, acked)
	if err != nil {
		return nil, err
	}
	// What this recovery cut off may not come back, wherever it was itself cut short.
	r.h.forget(end)
	fs.StallSyncs(nil)
	mu.Lock()
	defer mu.Unlock()
	if after == nil {
		return fs, nil
	}
	return after, nil
}

// recoverAndCheck opens what a crash left and compares: exactly the commits up to the log's end,
// and among them everything acknowledged as flushed.
func (r *crashRun) recoverAndCheck(
	fs *enginetest.CrashFS, acked wal.LSN,
) (end wal.LSN, err error) {
	db, report, err := Open(context.Background(), crashOptions(fs))
	if err != nil {
		return 0, err
	}
	got, err := storedRows(db)
	if err != nil {
		return 0, err
	}
	if err := db.Close(context.Background()); err != nil {
		return 0, err
	}
	end = report.Log.End
	if acked > end {
		return 0, fmt.Errorf("a commit acknowledged as flushed at %s is lost: log ends at %s",
			acked, end)
	}
	if err := diffRows(r.h.rowsAt(end), got); err != nil {
		return 0, fmt.Errorf("not the commits up to %s (store had %s, redo %s): %w",
			end, report.Applied, report.Redo, err)
	}
	return end, nil
}

// After a power cut anywhere, the recovered state is exactly {LSN <= L}, and L is at or above
// everything acknowledged as flushed.
func TestCrashLeavesAPrefix(t *testing.T) {
	eachSeed(t, 250, func(seed uint64) error { return newCrashRun(seed).run() })
}
