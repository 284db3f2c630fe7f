package jepsenlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Load between two crashes lasts a random time up to this: long enough for segments to fill and
// checkpoints to run, short enough for many crashes.
const loadMax = 1500 * time.Millisecond

// CrashRun crashes a loaded server at random instants, again and again, on one data directory: by
// kill -9, or, with a Disk, by cutting the power under it.
type CrashRun struct {
	Node     *Node     // its Dir lies on Disk when there is one
	Disk     PowerDisk // nil: the process is killed and the disk is sound
	Sessions int
	Crashes  int
	Seed     uint64
	Journal  *Journal
	Progress func(round int, seen *Seen) // may be nil
}

// Run makes the run. The journal afterwards holds what Judge needs; Run itself judges nothing.
func (r *CrashRun) Run(ctx context.Context) error {
	if err := r.Node.Start(ctx); err != nil {
		return err
	}
	defer r.Node.Kill()
	if err := CreateSchema(ctx, r.Node.DSN()); err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(r.Seed, 0))
	err := rounds(r.Crashes, r.Sessions, r.Progress,
		func(round uint64, next map[int]int64) (*Seen, error) { return r.round(ctx, rng, round, next) })
	if err != nil {
		return err
	}
	return r.Journal.Flush()
}

// rounds runs so many rounds. next is the number of each session's next transaction, which a round
// is given and whose outcome says what it is for the one behind it.
func rounds(
	count, sessions int, progress func(round int, seen *Seen),
	run func(round uint64, next map[int]int64) (*Seen, error),
) error {
	next := map[int]int64{}
	for id := 1; id <= sessions; id++ {
		next[id] = 1
	}
	for round := 1; round <= count; round++ {
		seen, err := run(uint64(round), next)
		if err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
		for id := range next {
			next[id] = seen.nextOf(id)
		}
		if progress != nil {
			progress(round, seen)
		}
	}
	return nil
}

// round loads the server, crashes it, starts it again and reads what is there. Sometimes it is
// killed once more while it recovers: recovery must bear that any number of times.
func (r *CrashRun) round(ctx context.Context, rng *rand.Rand, round uint64,
	next map[int]int64) (*Seen, error) {
	load, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	var watched sync.WaitGroup
	w := &Workload{Sessions: r.Sessions, Seed: r.Seed + round, Journal: r.Journal}
	dsn := r.Node.DSN()
	var watchErrs errorList
	go func() { ended <- w.Run(load, dsn, next) }()
	for _, watch := range []watcher{w.ask, w.listen, w.readDurable} {
		watched.Go(func() { watchErrs.add(watch(load, dsn)) })
	}

	select {
	case err := <-ended:
		return nil, fmt.Errorf("the load ended before the crash: %v\n%s", err, r.Node.Output())
	case <-time.After(50*time.Millisecond + time.Duration(rng.Int64N(int64(loadMax)))):
	}
	if err := r.strike(); err != nil {
		return nil, err
	}
	err := <-ended
	watched.Wait()
	if err := errors.Join(err, watchErrs.join()); err != nil {
		return nil, err
	}
	// Only now: every acknowledgement that was on its way has been journaled before it.
	if err := r.restore(r.Seed + round); err != nil {
		return nil, err
	}
	if rng.IntN(4) == 0 {
		if err := r.killInRecovery(ctx, rng); err != nil {
			return nil, err
		}
	}
	if err := r.Node.Start(ctx); err != nil {
		return nil, err
	}
	seen, err := Read(ctx, r.Node.DSN())
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, r.Node.Output())
	}
	r.Journal.Add(Event{Type: State, Seen: seen})
	return seen, nil
}

// strike ends the server. After a power cut it is killed at once: what it does on a dead disk, and
// that it acknowledges nothing there, is another test's matter.
func (r *CrashRun) strike() error {
	if r.Disk != nil {
		if err := r.Disk.Cut(); err != nil {
			return err
		}
	}
	return r.Node.Kill()
}

func (r *CrashRun) restore(seed uint64) error {
	if r.Disk == nil {
		r.Journal.Add(Event{Type: Kill})
		return nil
	}
	r.Journal.Add(Event{Type: Cut})
	return r.Disk.Restore(seed)
}

func (r *CrashRun) killInRecovery(ctx context.Context, rng *rand.Rand) error {
	early, cancel := context.WithTimeout(ctx, time.Duration(rng.IntN(60))*time.Millisecond)
	defer cancel()
	err := r.Node.Start(early)
	if err != nil && early.Err() == nil {
		return err
	}
	return r.Node.Kill()
}

// nextOf is the number after the last transaction of the session that is there.
func (s *Seen) nextOf(session int) int64 {
	last := s.Last[session]
	for n := range s.Entries[session] {
		last = max(last, n)
	}
	return last + 1
}
