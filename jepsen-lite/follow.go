package jepsenlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// FollowRun strikes a loaded primary and its replica at random instants, again and again, and after
// each strike compares the two: logs byte by byte, tables row by row. With a Disk the primary loses
// its power, which is how a primary would come back with less than it has streamed (R1); with a
// ReplicaDisk the replica does; without either one side, or both, are killed.
type FollowRun struct {
	Primary, Replica *Node
	Disk             PowerDisk // Primary's
	ReplicaDisk      PowerDisk // Replica's
	Sessions         int
	Strikes          int
	Seed             uint64
	Journal          *Journal
	Progress         func(round int, seen *Seen) // may be nil
}

// Run makes the run. The first difference between the two, and a replica that has left its primary,
// ends it with an error; the primary's promises to its clients are in the journal, for Judge.
func (r *FollowRun) Run(ctx context.Context) error {
	if err := r.Primary.Start(ctx); err != nil {
		return err
	}
	defer r.Primary.Kill()
	if err := CreateSchema(ctx, r.Primary.DSN()); err != nil {
		return err
	}
	if err := r.Replica.Start(ctx); err != nil {
		return err
	}
	defer r.Replica.Kill()
	rng := rand.New(rand.NewPCG(r.Seed, 1))
	err := rounds(r.Strikes, r.Sessions, r.Progress,
		func(round uint64, next map[int]int64) (*Seen, error) { return r.round(ctx, rng, round, next) })
	if err != nil {
		return err
	}
	return r.Journal.Flush()
}

// strike is what happens to the two in one round.
type strike struct{ primary, replica bool }

func (r *FollowRun) draw(rng *rand.Rand) strike {
	switch {
	case r.Disk != nil:
		return strike{primary: true, replica: rng.IntN(5) == 0}
	case r.ReplicaDisk != nil:
		return strike{primary: rng.IntN(5) == 0, replica: true}
	}
	n := rng.IntN(3)
	return strike{primary: n != 0, replica: n != 1}
}

func (r *FollowRun) round(ctx context.Context, rng *rand.Rand, round uint64,
	next map[int]int64) (*Seen, error) {
	load, stop := context.WithCancel(ctx)
	defer stop()
	w := &Workload{Sessions: r.Sessions, Seed: r.Seed + round, Journal: r.Journal}
	var loaded sync.WaitGroup
	errs := &errorList{}
	loaded.Go(func() { errs.add(w.Run(load, r.Primary.DSN(), next)) })
	loaded.Go(func() { errs.add(w.ask(load, r.Primary.DSN())) })
	loaded.Go(func() { errs.add(ReadPrefixes(load, r.Replica.DSN())) })
	wait(ctx, 50*time.Millisecond+time.Duration(rng.Int64N(int64(loadMax/2))))

	s := r.draw(rng)
	if s.replica {
		if err := down(r.Replica, r.ReplicaDisk); err != nil {
			return nil, err
		}
		wait(ctx, time.Duration(rng.Int64N(int64(loadMax/4)))) // it misses some
	}
	if s.primary {
		if err := down(r.Primary, r.Disk); err != nil {
			return nil, err
		}
	}
	stop()
	loaded.Wait()
	if err := errs.join(); err != nil {
		return nil, err
	}
	if err := r.up(ctx, s, round); err != nil {
		return nil, err
	}
	seen, err := Read(ctx, r.Primary.DSN())
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, r.Primary.Output())
	}
	r.Journal.Add(Event{Type: State, Seen: seen})
	return seen, Same(ctx, r.Primary, r.Replica)
}

// down ends a node, under a dead disk if it has one to lose.
func down(n *Node, disk PowerDisk) error {
	if disk != nil {
		if err := disk.Cut(); err != nil {
			return err
		}
	}
	return n.Kill()
}

// up starts what the strike has ended.
func (r *FollowRun) up(ctx context.Context, s strike, round uint64) error {
	if s.primary && r.Disk != nil {
		r.Journal.Add(Event{Type: Cut})
		if err := r.Disk.Restore(r.Seed + round); err != nil {
			return err
		}
	} else {
		r.Journal.Add(Event{Type: Kill}) // nothing that was acknowledged may be gone
	}
	if s.replica && r.ReplicaDisk != nil {
		if err := r.ReplicaDisk.Restore(r.Seed + round); err != nil {
			return err
		}
	}
	var errs [2]error
	if s.primary {
		errs[0] = r.Primary.Start(ctx)
	}
	if s.replica {
		errs[1] = r.Replica.Start(ctx)
	}
	return errors.Join(errs[:]...)
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// ReadPrefixes reads from a standby until it or ctx ends, and returns an error as soon as what it
// is shown is no prefix of the primary's history: ticks are commit order, so one snapshot must hold
// all up to its counter and none beyond, and the next snapshot no fewer.
func ReadPrefixes(ctx context.Context, dsn string) error {
	before := int64(0)
	return watch(ctx, dsn, func(conn *pgx.Conn) error {
		var counter, ticks, top int64
		err := pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead,
			AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
			if err := tx.QueryRow(ctx, "SELECT n FROM ticker WHERE id = 1").Scan(&counter); err != nil {
				return err
			}
			return tx.QueryRow(ctx, "SELECT count(*), coalesce(max(tick), 0) FROM ticks").Scan(&ticks, &top)
		})
		if err != nil {
			return err
		}
		if ticks != counter || top != counter || counter < before {
			return brokenPromise(fmt.Sprintf("a standby showed %d ticks up to %d with the counter at %d,"+
				" after %d", ticks, top, counter, before))
		}
		before = counter
		pause(ctx)
		return nil
	})
}
