package jepsenlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// Load between two kills lasts a random time up to this: long enough for segments to fill and
// checkpoints to run, short enough for many kills.
const loadMax = 1500 * time.Millisecond

// KillRun kills a loaded server at random instants, again and again, on one data directory.
type KillRun struct {
	Node     *Node
	Sessions int
	Kills    int
	Seed     uint64
	Journal  *Journal
	Progress func(round int, seen *Seen) // may be nil
}

// Run makes the run. The journal afterwards holds what Judge needs; Run itself judges nothing.
func (r *KillRun) Run(ctx context.Context) error {
	if err := r.Node.Start(ctx); err != nil {
		return err
	}
	defer r.Node.Kill()
	if err := CreateSchema(ctx, r.Node.DSN()); err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(r.Seed, 0))
	next := map[int]int64{}
	for id := 1; id <= r.Sessions; id++ {
		next[id] = 1
	}
	for round := 1; round <= r.Kills; round++ {
		seen, err := r.round(ctx, rng, uint64(round), next)
		if err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
		for id := range next {
			next[id] = seen.nextOf(id)
		}
		if r.Progress != nil {
			r.Progress(round, seen)
		}
	}
	return r.Journal.Flush()
}

// round loads the server, kills it, starts it again and reads what is there. Sometimes it is killed
// once more while it recovers: recovery must bear that any number of times.
func (r *KillRun) round(ctx context.Context, rng *rand.Rand, round uint64,
	next map[int]int64) (*Seen, error) {
	load, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	w := &Workload{Sessions: r.Sessions, Seed: r.Seed + round, Journal: r.Journal}
	go func() { ended <- w.Run(load, r.Node.DSN(), next) }()

	select {
	case err := <-ended:
		return nil, fmt.Errorf("the load ended before the kill: %v\n%s", err, r.Node.Output())
	case <-time.After(50*time.Millisecond + rand.N(loadMax)):
	}
	if err := r.Node.Kill(); err != nil {
		return nil, err
	}
	r.Journal.Add(Event{Type: Kill})
	if err := <-ended; err != nil {
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

func (r *KillRun) killInRecovery(ctx context.Context, rng *rand.Rand) error {
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
