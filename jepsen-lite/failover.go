package jepsenlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// FailoverRun kills a loaded primary for good, promotes its standby, judges every receipt there,
// and makes a new standby of the dead node's place; again and again, to and fro. Sessions reach
// whoever is the primary through one connection string that names both.
type FailoverRun struct {
	Cluster   *Cluster
	Sessions  int
	Failovers int
	Seed      uint64
	Journal   *Journal
	// Required: every primary waits for its standby (synchronous_standby_names = '*'). Without it the
	// same load and the same failovers are the negative control: commits above local may be missing.
	Required bool
	// Disk holds the cluster's directories: all of it loses power when the primary dies, and the
	// standby is promoted on what it had synced. May be nil.
	Disk PowerDisk
	// Link is a proxy before each standby's upstream, for a standby that lags. May be nil.
	Link     *LinkFault
	Progress func(round int, seen *Seen) // may be nil

	primary, standby *Node
	proxy            *Proxy
}

const modeOfFailoverWaits = "replica_flush:1"

// Run makes the run. The journal afterwards holds what Judge needs.
func (r *FailoverRun) Run(ctx context.Context) (err error) {
	defer func() { _ = r.stop() }()
	if r.Required {
		r.Cluster.Args = append(r.Cluster.Args, "-c", "synchronous_standby_names=*")
	}
	if r.primary, err = r.Cluster.Primary("a"); err != nil {
		return err
	}
	if r.standby, err = r.Cluster.Primary("b"); err != nil { // the place; what it follows comes below
		return err
	}
	if err := r.primary.Start(ctx); err != nil {
		return err
	}
	if err := r.follow(ctx); err != nil {
		return err
	}
	if err := CreateSchema(ctx, r.primary.DSN()); err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(r.Seed, 2))
	err = rounds(r.Failovers, r.Sessions, r.Progress,
		func(round uint64, next map[int]int64) (*Seen, error) { return r.round(ctx, rng, round, next) })
	if err != nil {
		return err
	}
	return r.Journal.Flush()
}

func (r *FailoverRun) stop() error {
	if r.proxy != nil {
		_ = r.proxy.Close()
	}
	return r.Cluster.Kill()
}

// follow empties the standby's directory and has it follow the primary.
func (r *FailoverRun) follow(ctx context.Context) error {
	upstream := r.primary.Addr
	if r.Link != nil {
		if r.proxy != nil {
			if err := r.proxy.Close(); err != nil {
				return err
			}
		}
		proxy, err := NewProxy(upstream)
		if err != nil {
			return err
		}
		r.proxy, upstream = proxy, proxy.Addr
	}
	if err := os.RemoveAll(r.standby.Dir); err != nil {
		return err
	}
	r.standby.Args = append([]string{"--replica-of", upstream, "--slot", "standby"}, r.Cluster.Args...)
	if err := r.standby.Start(ctx); err != nil {
		return err
	}
	if r.Required {
		return AwaitSync(ctx, r.primary, "standby")
	}
	return AwaitStreaming(ctx, r.primary, "standby")
}

func (r *FailoverRun) round(ctx context.Context, rng *rand.Rand, round uint64,
	next map[int]int64) (*Seen, error) {
	load, stop := context.WithCancel(ctx)
	defer stop()
	w := &Workload{Sessions: r.Sessions, Seed: r.Seed + round, Journal: r.Journal,
		Wait: modeOfFailoverWaits}
	if !r.Required {
		w.Wait = "primary_flush"
	}
	var loaded sync.WaitGroup
	errs := &errorList{}
	loaded.Go(func() { errs.add(w.Run(load, MultiHost("read-write", r.primary, r.standby), next)) })
	if r.Link != nil {
		wait(ctx, 50*time.Millisecond)
		r.proxy.Set(Down, *r.Link)
	}
	wait(ctx, 100*time.Millisecond+time.Duration(rng.Int64N(int64(loadMax))))
	if err := down(r.primary, r.Disk); err != nil {
		return nil, err
	}
	stop()
	loaded.Wait()
	if err := errs.join(); err != nil {
		return nil, err
	}
	if err := r.outage(ctx, r.Seed+round); err != nil {
		return nil, err
	}
	return r.promote(ctx)
}

// outage notes how the primary was lost. With it the standby's power was, if there is a disk to lose.
func (r *FailoverRun) outage(ctx context.Context, seed uint64) error {
	if r.Disk == nil {
		r.Journal.Add(Event{Type: Failover})
		return nil
	}
	if err := r.standby.Kill(); err != nil {
		return err
	}
	r.Journal.Add(Event{Type: Failover, How: Cut})
	if err := r.Disk.Restore(seed); err != nil {
		return err
	}
	return r.standby.Start(ctx)
}

// promote makes the standby the primary, with clients already looking for it, has it judge every
// receipt of the round, and lets the dead primary's place follow it.
func (r *FailoverRun) promote(ctx context.Context) (*Seen, error) {
	found := make(chan error, 1)
	looking, stop := context.WithTimeout(ctx, startTimeout)
	defer stop()
	go func() { found <- r.find(looking) }()
	if err := Do(ctx, r.standby.DSN(), "SELECT pg_promote()"); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, r.standby.Output())
	}
	if err := <-found; err != nil {
		return nil, fmt.Errorf("%w\n%s", err, r.standby.Output())
	}
	r.primary, r.standby = r.standby, r.primary
	if err := r.judge(ctx); err != nil {
		return nil, err
	}
	seen, err := Read(ctx, r.primary.DSN())
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, r.primary.Output())
	}
	r.Journal.Add(Event{Type: State, Seen: seen})
	if err := r.follow(ctx); err != nil {
		return nil, err
	}
	return seen, Same(ctx, r.primary, r.standby)
}

// find connects by the string that names both nodes until one takes writes.
func (r *FailoverRun) find(ctx context.Context) error {
	return poll(ctx, "a primary", func(ctx context.Context) (bool, error) {
		dsn := MultiHost("read-write", r.primary, r.standby)
		readOnly, err := Ask(ctx, dsn, "SHOW transaction_read_only")
		return readOnly == "off", err
	})
}

// judge asks the new primary for its verdict on every receipt of the round that has just ended.
func (r *FailoverRun) judge(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, r.primary.DSN())
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	batch := &pgx.Batch{}
	receipts := r.Journal.Receipts()
	for _, e := range receipts {
		batch.Queue("SELECT ack_commit_status($1)", e.Token)
	}
	results := conn.SendBatch(ctx, batch)
	defer results.Close()
	for _, e := range receipts {
		verdict := Event{Type: Judged, Session: e.Session, N: e.N, Token: e.Token}
		if err := results.QueryRow().Scan(&verdict.How); err != nil {
			return fmt.Errorf("receipt %s: %w", e.Token, err)
		}
		r.Journal.Add(verdict)
	}
	return nil
}
