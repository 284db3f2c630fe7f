package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	jepsenlite "ackdb/jepsen-lite"
	"ackdb/jepsen-lite/oracle"
)

// replicasCmd measures replication beside PostgreSQL 15's.
type replicasCmd struct {
	Bin     string        `help:"ackdb binary." default:"bin/ackdb" type:"existingfile"`
	Rounds  int           `help:"Rounds; medians are over them." default:"3"`
	Time    time.Duration `help:"Length of one measurement, in whole seconds." default:"3s"`
	LagTime time.Duration `help:"Length of the measurement of lag, in whole seconds." default:"60s"`
	Rows    int           `help:"Rows of the table." default:"100000"`
	Seed    int           `help:"Rows of the table that is seeded from." default:"1000000"`
	Only    string        `help:"One of lag, cost, seed, promote, modes; empty for all." default:"" enum:",lag,cost,seed,promote,modes"`
}

// instance is one server process of either kind.
type instance interface {
	port() string
	resume(ctx context.Context) error
	halt() error  // an orderly stop
	crash() error // the end of a primary that nobody expects
}

// pair is a primary of one kind and its replicas, which follow through slots of their own.
type pair struct {
	name     string
	primary  instance
	replicas []instance
	// follow makes a further replica of the primary and returns once it serves.
	follow func(ctx context.Context, slot string) (instance, error)
	// tell changes a setting of the primary online.
	tell func(ctx context.Context, name, value string) error
}

type ackdbInstance struct{ node *jepsenlite.Node }

func (a ackdbInstance) port() string {
	_, port, _ := net.SplitHostPort(a.node.Addr)
	return port
}
func (a ackdbInstance) resume(ctx context.Context) error { return a.node.Start(ctx) }
func (a ackdbInstance) halt() error                      { return a.node.Stop() }
func (a ackdbInstance) crash() error                     { return a.node.Kill() }

type postgresInstance struct{ server *oracle.Postgres }

func (p postgresInstance) port() string                     { return strconv.Itoa(p.server.Port) }
func (p postgresInstance) resume(ctx context.Context) error { return p.server.Resume(ctx) }
func (p postgresInstance) halt() error                      { return p.server.Halt(syscall.SIGINT) }
func (p postgresInstance) crash() error                     { return p.server.Halt(syscall.SIGQUIT) }

// replicaBench is one run.
type replicaBench struct {
	*replicasCmd
	dir     string
	cluster *jepsenlite.Cluster
	servers []*oracle.Postgres
	named   int
}

// Run makes the measurements that were asked for, each on servers of its own, and prints the
// tables.
func (c *replicasCmd) Run(ctx context.Context) error {
	bin, err := filepath.Abs(c.Bin)
	if err != nil {
		return err
	}
	parts := []struct {
		name string
		run  func(*replicaBench, context.Context) error
	}{{"lag", (*replicaBench).lag}, {"cost", (*replicaBench).cost}, {"seed", (*replicaBench).seed},
		{"promote", (*replicaBench).promote}, {"modes", (*replicaBench).modes}}
	for _, part := range parts {
		if c.Only != "" && c.Only != part.name {
			continue
		}
		if err := c.part(ctx, bin, part.run); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

func (c *replicasCmd) part(ctx context.Context, bin string,
	run func(*replicaBench, context.Context) error) error {
	dir, err := os.MkdirTemp("", "ackdb-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &replicaBench{replicasCmd: c, dir: dir, cluster: &jepsenlite.Cluster{Bin: bin, Dir: dir}}
	err = run(b, ctx)
	errs := []error{err, b.cluster.Kill()}
	for _, s := range b.servers {
		errs = append(errs, s.Stop())
	}
	return errors.Join(errs...)
}

// pairs starts a primary of each kind, with the table of the scripts, and gives each its replicas.
func (b *replicaBench) pairs(ctx context.Context, rows, replicas int) ([]*pair, error) {
	ours, err := b.ackdbPair(ctx)
	if err != nil {
		return nil, err
	}
	theirs, err := b.postgresPair(ctx)
	if err != nil {
		return nil, err
	}
	pairs := []*pair{ours, theirs}
	for _, p := range pairs {
		if err := load(ctx, p.primary.port(), rows); err != nil {
			return nil, err
		}
		for i := range replicas {
			r, err := p.follow(ctx, fmt.Sprintf("replica%d", i+1))
			if err != nil {
				return nil, err
			}
			p.replicas = append(p.replicas, r)
		}
		if err := p.caughtUp(ctx); err != nil {
			return nil, err
		}
	}
	return pairs, nil
}

func (b *replicaBench) name(role string) string {
	b.named++
	return fmt.Sprintf("%s%d", role, b.named)
}

func (b *replicaBench) ackdbPair(ctx context.Context) (*pair, error) {
	node, err := b.cluster.Primary(b.name("primary"), "-c", "max_wal_size=8GB",
		"-c", "max_slot_wal_keep_size=16GB")
	if err != nil {
		return nil, err
	}
	p := &pair{name: "ackdb", primary: ackdbInstance{node}}
	p.follow = func(ctx context.Context, slot string) (instance, error) {
		r, err := b.cluster.Primary(b.name("replica"), "--replica-of", node.Addr, "--slot", slot,
			"-c", "max_wal_size=8GB")
		if err != nil {
			return nil, err
		}
		return ackdbInstance{r}, r.Start(ctx)
	}
	p.tell = alterSystem(p)
	return p, node.Start(ctx)
}

func (b *replicaBench) postgresPair(ctx context.Context) (*pair, error) {
	settings := []string{"shared_buffers=1GB", "max_wal_size=8GB", "fsync=on",
		"max_slot_wal_keep_size=16GB"}
	server, err := oracle.Start(ctx, b.dir, settings...)
	if err != nil {
		return nil, err
	}
	b.servers = append(b.servers, server)
	p := &pair{name: "PostgreSQL 15", primary: postgresInstance{server}}
	p.follow = func(ctx context.Context, slot string) (instance, error) {
		r, err := oracle.Follow(ctx, b.dir, server, slot, settings...)
		if err != nil {
			return nil, err
		}
		b.servers = append(b.servers, r)
		return postgresInstance{r}, nil
	}
	p.tell = alterSystem(p)
	return p, nil
}

func alterSystem(p *pair) func(context.Context, string, string) error {
	return func(ctx context.Context, name, value string) error {
		_, err := psql(ctx, p.primary.port(), fmt.Sprintf("ALTER SYSTEM SET %s = '%s';\n"+
			"SELECT pg_reload_conf();\n", name, value))
		return err
	}
}

// caughtUp waits until every replica that runs has replayed all that the primary has now.
func (p *pair) caughtUp(ctx context.Context) error {
	lsn, err := psql(ctx, p.primary.port(), "SELECT pg_current_wal_insert_lsn();\n")
	if err != nil {
		return err
	}
	for _, r := range p.replicas {
		deadline := time.Now().Add(5 * time.Minute)
		for {
			is, err := psql(ctx, r.port(),
				fmt.Sprintf("SELECT pg_last_wal_replay_lsn() >= '%s'::pg_lsn;\n", lsn))
			if err == nil && is == "t" {
				break
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("%s: a replica has not replayed %s: %s %w", p.name, lsn, is, err)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	return nil
}

func (b *replicaBench) upsert() (string, error) {
	return writeScript(b.dir, "upsert.sql", upsertScript, b.Rows)
}

// cost prints what one and two replicas cost the primary's commits.
func (b *replicaBench) cost(ctx context.Context) error {
	pairs, err := b.pairs(ctx, b.Rows, 2)
	if err != nil {
		return err
	}
	script, err := b.upsert()
	if err != nil {
		return err
	}
	samples := map[string][3][]sample{}
	for range b.Rounds {
		for _, p := range pairs {
			got, err := p.withReplicas(ctx, script, b.Time)
			if err != nil {
				return err
			}
			all := samples[p.name]
			for i := range got {
				all[i] = append(all[i], got[i])
			}
			samples[p.name] = all
		}
	}
	fmt.Printf("\nUpsert, off, %d clients, medians of %d interleaved runs of %v:\n\n",
		receiptClients, b.Rounds, b.Time)
	fmt.Println("| replicas | ackdb tps | cost | PostgreSQL 15 tps | cost | ratio |\n" +
		"|--:|--:|--:|--:|--:|--:|")
	for i := range 3 {
		ours, theirs := samples[pairs[0].name], samples[pairs[1].name]
		fmt.Printf("| %d | %s | %s | %s | %s | %.2f |\n", i, spread(tps(ours[i])), cost(ours[0], ours[i]),
			spread(tps(theirs[i])), cost(theirs[0], theirs[i]), median(tps(ours[i]))/median(tps(theirs[i])))
	}
	return nil
}

// withReplicas measures with none, one and both of the pair's replicas running.
func (p *pair) withReplicas(ctx context.Context, script string, length time.Duration) (
	got [3]sample, err error) {
	for _, r := range p.replicas {
		if err := r.halt(); err != nil {
			return got, err
		}
	}
	all := p.replicas
	defer func() { p.replicas = all }()
	for i := range got {
		p.replicas = all[:i]
		if i > 0 {
			if err := all[i-1].resume(ctx); err != nil {
				return got, err
			}
			if err := p.caughtUp(ctx); err != nil {
				return got, err
			}
		}
		got[i], err = pgbench(ctx, p.primary.port(), "-c synchronous_commit=off", script,
			receiptClients, length)
		if err != nil {
			return got, err
		}
	}
	return got, nil
}

// modes prints the latency of a commit in each mode, with one standby that is waited for.
func (b *replicaBench) modes(ctx context.Context) error {
	pairs, err := b.pairs(ctx, b.Rows, 1)
	if err != nil {
		return err
	}
	script, err := b.upsert()
	if err != nil {
		return err
	}
	clients := []int{1, receiptClients}
	type key struct {
		mode    string
		clients int
		name    string
	}
	samples := map[key][]sample{}
	for _, p := range pairs {
		if err := p.tell(ctx, "synchronous_standby_names", "*"); err != nil {
			return err
		}
	}
	for range b.Rounds {
		for _, mode := range jepsenlite.Modes {
			for _, n := range clients {
				for _, p := range pairs {
					s, err := pgbench(ctx, p.primary.port(), "-c synchronous_commit="+mode, script, n, b.Time)
					if err != nil {
						return fmt.Errorf("%s, %s: %w", p.name, mode, err)
					}
					k := key{mode, n, p.name}
					samples[k] = append(samples[k], s)
				}
			}
		}
	}
	fmt.Printf("\nUpsert with one standby that is waited for, mean latency, medians of %d"+
		" interleaved runs of %v:\n\n", b.Rounds, b.Time)
	fmt.Println("| mode | clients | ackdb | PostgreSQL 15 | ratio of tps |\n|---|--:|--:|--:|--:|")
	for _, mode := range []string{"off", "local", "remote_write", "on", "remote_apply"} {
		for _, n := range clients {
			ours, theirs := samples[key{mode, n, pairs[0].name}], samples[key{mode, n, pairs[1].name}]
			fmt.Printf("| %s | %d | %.0f us | %.0f us | %.2f |\n", mode, n, median(latency(ours)),
				median(latency(theirs)), median(tps(ours))/median(tps(theirs)))
		}
	}
	return nil
}
