package jepsenlite

import (
	"context"
	"fmt"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// syncPair is a primary that waits for its one standby, and a table.
func syncPair(t *testing.T) (a, b *Node) {
	t.Helper()
	c := newCluster(t)
	a = startPrimary(t, c, "a")
	do(t, a, "CREATE TABLE t (k int PRIMARY KEY)")
	b = startReplica(t, c, "b", a.Addr)
	require.NoError(t, AwaitStreaming(t.Context(), a, "b"))
	setStandbys(t, a, "*")
	require.NoError(t, AwaitSync(t.Context(), a, "b"))
	return a, b
}

// setStandbys changes synchronous_standby_names online.
func setStandbys(t *testing.T, n *Node, names string) {
	t.Helper()
	do(t, n, fmt.Sprintf("ALTER SYSTEM SET synchronous_standby_names = '%s'", names),
		"SELECT pg_reload_conf()")
}

// modeSession is a session in a mode, which is given receipts.
func modeSession(t *testing.T, n *Node, mode string) *pgx.Conn {
	t.Helper()
	conn := hold(t, n.DSN("ack.report_commit=on"))
	_, err := conn.Exec(t.Context(), "SET synchronous_commit = "+mode)
	require.NoError(t, err)
	return conn
}

// Each mode reports the level it has reached, and reads on the standby see what remote_apply has
// answered without waiting for anything.
func TestReplicaSynchronousModesReachTheirLevels(t *testing.T) {
	a, b := syncPair(t)
	reader := hold(t, b.DSN())
	levels := map[string]string{}
	for i, mode := range Modes {
		conn := modeSession(t, a, mode)
		for k := range 20 {
			_, err := conn.Exec(t.Context(), "INSERT INTO t VALUES ($1)", 100*i+k)
			require.NoError(t, err)
			levels[mode] = conn.PgConn().ParameterStatus("ack.commit_level")
			if mode != "remote_apply" {
				continue
			}
			var n int
			require.NoError(t, reader.QueryRow(t.Context(), "SELECT count(*) FROM t WHERE k = $1",
				100*i+k).Scan(&n))
			require.Equal(t, 1, n, "remote_apply answered before the standby shows the row")
		}
	}
	require.Equal(t, "written", levels["off"])
	require.Equal(t, "flushed", levels["local"])
	for _, mode := range []string{"remote_write", "on", "remote_apply"} {
		require.NotContains(t, []string{"", "written", "flushed"}, levels[mode], mode)
	}
	require.Len(t, map[string]bool{levels["remote_write"]: true, levels["on"]: true,
		levels["remote_apply"]: true}, 3, "%v", levels)
	do(t, a, "WAIT FOR LSN '"+ask(t, a, "SELECT pg_current_wal_insert_lsn()::text")+
		"' WITH (MODE 'replica_flush:1')")
}

// With the standby gone commits wait, and it is shown for what; a cancelled one is 40003 with its
// token, and is a commit. off and local wait for nobody. Naming nobody lets all go.
func TestReplicaGoneMakesCommitsWait(t *testing.T) {
	a, b := syncPair(t)
	require.NoError(t, b.Signal(syscall.SIGSTOP))
	for i, mode := range []string{"off", "local"} {
		_, err := modeSession(t, a, mode).Exec(t.Context(), "INSERT INTO t VALUES ($1)", 10+i)
		require.NoError(t, err)
	}
	type answer struct {
		err   error
		token string
	}
	waiting := map[string]chan answer{}
	for i, mode := range []string{"remote_write", "on", "remote_apply"} {
		conn, ended := modeSession(t, a, mode), make(chan answer, 1)
		waiting[mode] = ended
		go func() {
			_, err := conn.Exec(context.Background(), "INSERT INTO t VALUES ($1)", 20+i)
			ended <- answer{err, conn.PgConn().ParameterStatus("ack.commit_lsn")}
		}()
	}
	inWait := func() string {
		return ask(t, a, "SELECT count(*)::text FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
	}
	require.Eventually(t, func() bool { return inWait() == "3" }, startTimeout, pollEvery,
		"pg_stat_activity does not say what the commits wait for")

	do(t, a, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"+
		" AND query LIKE 'INSERT%' LIMIT 1")
	require.Eventually(t, func() bool { return inWait() == "2" }, startTimeout, pollEvery)
	setStandbys(t, a, "")
	cancelled := 0
	for mode, ended := range waiting {
		got := <-ended
		require.NotEmpty(t, got.token, mode)
		require.Equal(t, "durable", ask(t, a, "SELECT ack_commit_status($1)", got.token), mode)
		if got.err != nil {
			require.Equal(t, "40003", sqlState(got.err), mode)
			cancelled++
		}
	}
	require.Equal(t, 1, cancelled)
	require.Equal(t, "5", ask(t, a, "SELECT count(*)::text FROM t"))
	require.NoError(t, b.Signal(syscall.SIGCONT))
	requireSame(t, a, b)
}

// FIRST and ANY over three standbys, changed online, one of which stands still: who is waited for
// is what the names say, and pg_stat_replication shows it.
func TestReplicaNamesChooseWhoIsWaitedFor(t *testing.T) {
	t.Parallel() // it waits for timeouts
	// The one that stands still stays connected: FIRST passes over who is not.
	c := newCluster(t, "-c", "wal_sender_timeout=60s")
	a := startPrimary(t, c, "a")
	do(t, a, "CREATE TABLE t (k int PRIMARY KEY)")
	nodes := map[string]*Node{}
	for _, name := range []string{"s1", "s2", "s3"} {
		nodes[name] = startReplica(t, c, name, a.Addr)
		require.NoError(t, AwaitStreaming(t.Context(), a, name))
	}
	require.NoError(t, nodes["s1"].Signal(syscall.SIGSTOP))
	k := 0
	commits := func() error {
		k++
		return Do(t.Context(), a.DSN(), "SET synchronous_commit = on; SET statement_timeout = '700ms'",
			fmt.Sprintf("INSERT INTO t VALUES (%d)", k))
	}
	for _, try := range []struct {
		names  string
		passes bool
	}{
		{"ANY 1 (s1, s2, s3)", true}, {"ANY 2 (s1, s2, s3)", true}, {"ANY 3 (s1, s2, s3)", false},
		{"FIRST 1 (s2, s1)", true}, {"s3", true}, {"FIRST 2 (s1, s2, s3)", false}, {"s1", false},
		{"2 (s2, s3)", true}, {"nobody", false}, {"", true},
	} {
		setStandbys(t, a, try.names)
		err := commits()
		if try.passes {
			require.NoError(t, err, try.names)
		} else {
			require.Equal(t, "40003", sqlState(err), "%s: %v", try.names, err)
		}
	}
	setStandbys(t, a, "FIRST 1 (s2, s3)")
	states := func() string {
		return ask(t, a, "SELECT string_agg(application_name || ' ' || sync_priority || ' ' ||"+
			" sync_state, ', ' ORDER BY application_name) FROM pg_stat_replication"+
			" WHERE application_name <> 's1'")
	}
	require.Equal(t, "s2 1 sync, s3 2 potential", states())
	setStandbys(t, a, "ANY 1 (s2, s3)")
	require.Equal(t, "s2 1 quorum, s3 1 quorum", states())
	require.NoError(t, nodes["s1"].Signal(syscall.SIGCONT))
	for _, n := range nodes {
		requireSame(t, a, n)
	}
}

// A program that only archives is never waited for by *, nor a base backup: it would acknowledge
// what no standby has.
func TestReplicaNamesNeverPickAnArchive(t *testing.T) {
	if missing := ArchiveMissing(); missing != "" {
		t.Skip("SKIPPED, no archive: ", missing)
	}
	c := newCluster(t)
	a := startPrimary(t, c, "a")
	do(t, a, "CREATE TABLE t (k int PRIMARY KEY)")
	archive := startArchive(t, a, "archive")
	lsn := ask(t, a, "SELECT pg_current_wal_insert_lsn()::text")
	require.NoError(t, archive.Await(t.Context(), a, lsn))
	setStandbys(t, a, "*")
	err := Do(t.Context(), a.DSN(), "SET synchronous_commit = on; SET statement_timeout = '500ms'",
		"INSERT INTO t VALUES (1)")
	require.Equal(t, "40003", sqlState(err), "%v", err)
	require.Equal(t, "async", ask(t, a, "SELECT sync_state FROM pg_stat_replication"))
}
