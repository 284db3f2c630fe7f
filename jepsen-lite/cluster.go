package jepsenlite

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Ports of clusters lie below those the kernel hands out by itself: a node that is down must find
// its own again when it comes back.
const (
	portFirst = 21000
	portLast  = 31999
)

var portNext atomic.Int64

// Cluster is servers on ports that stay theirs, one below the other: who follows whom is said by
// their arguments, as an operator says it.
type Cluster struct {
	Bin  string
	Dir  string   // holds the data directory of each node, under its name
	Args []string // of every node

	nodes []*Node
}

// Primary makes a node that follows nobody. It is not started.
func (c *Cluster) Primary(name string, args ...string) (*Node, error) {
	listen, err := freeAddr()
	if err != nil {
		return nil, err
	}
	return c.add(&Node{Bin: c.Bin, Dir: filepath.Join(c.Dir, name), Addr: listen, Listen: listen,
		Args: append(append([]string{}, c.Args...), args...)}), nil
}

// Replica makes a node that follows the server at upstream through a slot of its own name. It is not
// started.
func (c *Cluster) Replica(name, upstream string, args ...string) (*Node, error) {
	return c.Primary(name, append([]string{"--replica-of", upstream, "--slot", name}, args...)...)
}

func (c *Cluster) add(n *Node) *Node {
	c.nodes = append(c.nodes, n)
	return n
}

// Kill ends every node.
func (c *Cluster) Kill() error {
	var errs []error
	for _, n := range c.nodes {
		errs = append(errs, n.Kill())
	}
	return errors.Join(errs...)
}

// freeAddr is a loopback address nobody listens on, and which this process hands out once.
func freeAddr() (string, error) {
	const span = portLast - portFirst + 1
	portNext.CompareAndSwap(0, time.Now().UnixNano()%span+1)
	for range span {
		addr := fmt.Sprintf("127.0.0.1:%d", portFirst+portNext.Add(1)%span)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		return addr, l.Close()
	}
	return "", errors.New("cluster: no free port")
}

// pollEvery is the pause between two looks at a state that says nothing when it changes.
const pollEvery = 5 * time.Millisecond

// errEnded says that a node that is waited for has ended by itself.
var errEnded = errors.New("the server has ended")

// poll asks until the answer is true. An error is an answer that is not there yet, but for errEnded.
func poll(ctx context.Context, what string, ask func(ctx context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var last error
	for {
		is, err := ask(ctx)
		if is && err == nil {
			return nil
		}
		if errors.Is(err, errEnded) {
			return fmt.Errorf("%s: %w", what, err)
		}
		if err != nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not in %v: %s: %w", startTimeout, what, errors.Join(ctx.Err(), last))
		case <-time.After(pollEvery):
		}
	}
}

// Ask returns the one value, as text, that a query on the node returns.
func Ask(ctx context.Context, dsn, sql string, args ...any) (string, error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var value *string
	if err := conn.QueryRow(ctx, sql, args...).Scan(&value); err != nil {
		return "", fmt.Errorf("%s: %w", sql, err)
	}
	if value == nil {
		return "", nil
	}
	return *value, nil
}

// Do runs statements on the node.
func Do(ctx context.Context, dsn string, statements ...string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// AwaitStreaming returns once the upstream has a peer of that name which streams.
func AwaitStreaming(ctx context.Context, upstream *Node, peer string) error {
	return awaitPeer(ctx, upstream, peer, "state = 'streaming'")
}

// AwaitSync returns once the upstream waits for the peer of that name.
func AwaitSync(ctx context.Context, upstream *Node, peer string) error {
	return awaitPeer(ctx, upstream, peer, "sync_state in ('sync', 'quorum')")
}

func awaitPeer(ctx context.Context, upstream *Node, peer, condition string) error {
	what := fmt.Sprintf("%s at %s with %s", peer, upstream.Addr, condition)
	err := poll(ctx, what, func(ctx context.Context) (bool, error) {
		n, err := Ask(ctx, upstream.DSN(), "SELECT count(*)::text FROM pg_stat_replication"+
			" WHERE application_name = $1 AND "+condition, peer)
		return n != "" && n != "0", err
	})
	if err != nil {
		return fmt.Errorf("%w\n%s", err, upstream.Output())
	}
	return nil
}

// AwaitReplayed returns once the standby has replayed all that the upstream's log holds now, and
// what that is. Everything up to there is flushed on both.
func AwaitReplayed(ctx context.Context, upstream, standby *Node) (lsn string, err error) {
	lsn, err = Ask(ctx, upstream.DSN(), "SELECT CASE WHEN pg_is_in_recovery()"+
		" THEN pg_last_wal_replay_lsn()::text ELSE pg_current_wal_insert_lsn()::text END")
	if err != nil {
		return "", err
	}
	err = poll(ctx, fmt.Sprintf("%s replayed to %s", standby.Addr, lsn), func(ctx context.Context) (bool, error) {
		if standby.Ended() {
			return false, errEnded
		}
		at, err := Ask(ctx, standby.DSN(), "SELECT pg_last_wal_replay_lsn()::text")
		if err != nil || at == "" {
			return false, err
		}
		return reached(at, lsn)
	})
	if err != nil {
		return "", fmt.Errorf("%w\nthe standby said:\n%s\nits upstream:\n%s", err, standby.Output(),
			upstream.Output())
	}
	return lsn, nil
}

func reached(at, lsn string) (bool, error) {
	a, err := parseLSN(at)
	if err != nil {
		return false, err
	}
	b, err := parseLSN(lsn)
	return a >= b, err
}

// MultiHost is a connection string of all the nodes, in this order, for the one with the wanted
// target_session_attrs.
func MultiHost(attrs string, nodes ...*Node) string {
	hosts := make([]string, len(nodes))
	for i, n := range nodes {
		hosts[i] = n.Addr
	}
	return "postgres://postgres@" + strings.Join(hosts, ",") + "/postgres?sslmode=disable" +
		"&connect_timeout=5&target_session_attrs=" + attrs
}

// fillRow is a row of Fill: a few of them fill a small segment, and none is near a record's limit.
const fillRow = 50_000

// Fill writes about that many bytes of log into the table filler, which it makes when it must. They
// do not compress, so a base backup of them is as large.
func Fill(ctx context.Context, dsn string, size int) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, "CREATE TABLE IF NOT EXISTS filler (k serial PRIMARY KEY, v text)")
	if err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	insert := func(ctx context.Context, text string) error {
		_, err := conn.Exec(ctx, "INSERT INTO filler (v) VALUES ($1)", text)
		return err
	}
	return fillRows(ctx, size, insert)
}

// FillAtOnce writes as much into filler, which must be there, in one transaction.
func FillAtOnce(ctx context.Context, dsn string, size int) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		return fillRows(ctx, size, func(ctx context.Context, text string) error {
			_, err := tx.Exec(ctx, "INSERT INTO filler (v) VALUES ($1)", text)
			return err
		})
	})
}

func fillRows(ctx context.Context, size int, insert func(context.Context, string) error) error {
	random := rand.NewChaCha8([32]byte{})
	row := make([]byte, fillRow*3/4)
	for range max(1, size/fillRow) {
		_, _ = random.Read(row)
		if err := insert(ctx, base64.StdEncoding.EncodeToString(row)); err != nil {
			return fmt.Errorf("fill: %w", err)
		}
	}
	return nil
}

// sqlState is the SQLSTATE of the server's answer in err, "" when there is none.
func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}
