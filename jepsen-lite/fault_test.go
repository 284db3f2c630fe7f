package jepsenlite

import (
	"context"
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// faulty starts a server on a FUSE disk, with a table t.
func faulty(t *testing.T, args ...string) (*FuseDisk, *Node, *pgx.Conn) {
	t.Helper()
	d := fuseDisk(t)
	node := &Node{Bin: binary(t), Dir: filepath.Join(d.Dir, "data"), Args: append(args, smallArgs...)}
	require.NoError(t, node.Start(t.Context()))
	t.Cleanup(func() { node.Kill() })
	conn := dial(t, node)
	_, err := conn.Exec(t.Context(), "CREATE TABLE t (k bigint PRIMARY KEY, v text)")
	require.NoError(t, err)
	return d, node, conn
}

func dial(t *testing.T, node *Node) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), node.DSN())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// W4: a failed fsync ends the server with 70 and a last line that says what and where; the commit
// that waited for it is not acknowledged, and after the restart everything acknowledged is there.
func TestFailedFsyncEndsTheServer(t *testing.T) {
	for _, method := range []string{"io_uring", "fdatasync"} {
		t.Run(method, func(t *testing.T) {
			d, node, conn := faulty(t, "-c", "wal_sync_method="+method)
			_, err := conn.Exec(t.Context(), "SET synchronous_commit = local")
			require.NoError(t, err)
			_, err = conn.Exec(t.Context(), "INSERT INTO t VALUES (1, 'acknowledged')")
			require.NoError(t, err)
			d.Set(DiskFault{SyncError: syscall.EIO})
			_, err = conn.Exec(t.Context(), "INSERT INTO t VALUES (2, 'never acknowledged')")
			require.Error(t, err)

			var exit *ExitError
			require.ErrorAs(t, node.Wait(), &exit)
			require.Equal(t, 70, exit.Code(), exit.Output)
			last := exit.Output[max(0, len(exit.Output)-400):]
			require.Contains(t, last, "input/output error")
			require.Contains(t, last, "wal")

			d.Set(DiskFault{})
			require.NoError(t, node.Start(t.Context()))
			var v string
			require.NoError(t, dial(t, node).QueryRow(t.Context(), "SELECT v FROM t WHERE k = 1").Scan(&v))
			require.Equal(t, "acknowledged", v)
		})
	}
}

// A full disk strikes the task that prepares segments and not a commit: commits answer 53100 before
// anything is appended, reads go on, and so do commits once there is room.
func TestFullDiskRefusesCommitsAndRecovers(t *testing.T) {
	d, node, conn := faulty(t)
	ctx := t.Context()
	d.Set(DiskFault{Full: true})
	big := make([]byte, 100_000)
	for i := range big {
		big[i] = 'x'
	}
	inserted := 0
	var refused error
	for k := 1; k <= 1000 && refused == nil; k++ {
		if _, refused = conn.Exec(ctx, "INSERT INTO t VALUES ($1, $2)", k, string(big)); refused == nil {
			inserted++
		}
	}
	var pg *pgconn.PgError
	require.ErrorAs(t, refused, &pg, "the disk is full and every commit went through")
	require.Equal(t, "53100", pg.Code)
	count := func(conn *pgx.Conn) (n int) {
		require.NoError(t, conn.QueryRow(ctx, "SELECT count(*) FROM t").Scan(&n))
		return n
	}
	require.Equal(t, inserted, count(conn), "reads go on, and what was refused is not there")

	d.Set(DiskFault{})
	require.Eventually(t, func() bool {
		_, err := conn.Exec(ctx, "INSERT INTO t VALUES (5000, 'there is room again')")
		return err == nil || errors.As(err, &pg) && pg.Code != "53100"
	}, startTimeout, watchEvery)
	require.NoError(t, node.Kill())
	require.NoError(t, node.Start(ctx))
	require.Equal(t, inserted+1, count(dial(t, node)))
}
