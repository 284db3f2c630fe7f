package jepsenlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pollEvery is the pause between two looks at a state that says nothing when it changes.
const pollEvery = 5 * time.Millisecond

// errEnded says that a node that is waited for has ended by itself.
var errEnded = errors.New("the server has ended")

// poll asks until the answer is true. An error is an answer that is not there yet, but for
// errEnded.
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
	what := fmt.Sprintf("%s replayed to %s", standby.Addr, lsn)
	err = poll(ctx, what, func(ctx context.Context) (bool, error) {
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

// sqlState is the SQLSTATE of the server's answer in err, "" when there is none.
func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}
