package server_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAdvisoryLocks: of session and transaction, shared and not, in pg_locks, with lock_timeout and
// deadlocks, and gone with the session.
func TestAdvisoryLocks(t *testing.T) {
	n := startNode(t)
	a, b := n.session(), n.session()
	a.do("select pg_advisory_lock(42), pg_advisory_lock(42), pg_advisory_lock_shared(-1, 7)")
	require.Equal(t, "f", b.value("select pg_try_advisory_lock(42)"))
	require.Equal(t, "t", b.value("select pg_try_advisory_lock(0, 42)"))
	require.Equal(t, "t", b.value("select pg_try_advisory_lock_shared(-1, 7)"))
	const listed = "select string_agg(concat_ws('/', classid, objid, objsubid, mode, granted)," +
		" ' ' order by pid, classid, objid) from pg_locks where locktype = 'advisory' and pid = "
	require.Equal(t, "0/42/1/ExclusiveLock/t 4294967295/7/2/ShareLock/t",
		a.value(listed+"pg_backend_pid()"))

	b.do("set lock_timeout = '20ms'")
	e := b.fails("55P03", "select pg_advisory_lock(42)")
	require.Equal(t, "canceling statement due to lock timeout", e.Message)
	require.Equal(t, "t", a.value("select pg_advisory_unlock(42)"))
	require.Equal(t, "f", b.value("select pg_try_advisory_lock(42)"))
	require.Equal(t, "t", a.value("select pg_advisory_unlock(42)"))
	require.Equal(t, "f", a.value("select pg_advisory_unlock(42)"))
	require.Equal(t, "t", b.value("select pg_try_advisory_lock(42)"))

	// Those of a transaction end with it, or with what it rolls back; the session's do not.
	b.do("begin; savepoint s; select pg_advisory_xact_lock(1), pg_advisory_lock(2)")
	require.Equal(t, "f", b.value("select pg_advisory_unlock(1)"))
	require.Equal(t, "f", a.value("select pg_try_advisory_xact_lock(1)"))
	b.do("rollback to s")
	require.Equal(t, "t", a.value("select pg_try_advisory_xact_lock(1)"))
	b.do("select pg_advisory_xact_lock_shared(1); commit")
	require.Equal(t, "t", a.value("select pg_try_advisory_lock(1)"))
	require.Equal(t, "f", a.value("select pg_try_advisory_lock(2)"))

	// A circle through a row: whoever is the victim lets the other go on.
	a.do("insert into kv values ('a', '1')")
	a.do("begin; update kv set value = '2'")
	b.do("set lock_timeout = 0; select pg_advisory_unlock_all()")
	b.do("begin; select pg_advisory_xact_lock(2)")
	done := make(chan error, 1)
	go func() {
		_, _, err := b.try("update kv set value = '3'; commit")
		done <- err
	}()
	_, _, errA := a.try("select pg_advisory_lock(2)")
	a.do("rollback")
	errB := <-done
	require.True(t, (errA == nil) != (errB == nil), "%v, %v", errA, errB)
	require.ErrorContains(t, errors.Join(errA, errB), "40P01")
	b.do("rollback")
	a.do("select pg_advisory_unlock(2)")
	require.Equal(t, "t", a.value("select pg_try_advisory_lock(2)"))
	a.do("discard all")
	require.Equal(t, "t", b.value("select pg_try_advisory_lock(2)"))
	require.NoError(t, b.conn.Close(b.context()))
	a.do("select pg_advisory_lock(2)")
	require.Equal(t, "1", a.value("select count(*) from pg_locks where locktype = 'advisory'"))
}
