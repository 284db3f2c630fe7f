package replica_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/replica"
	"ackdb/wal"
)

// waits says whether a commit would wait for standbys.
func (n *servedNode) waits(end wal.LSN, level wal.Level) bool {
	n.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := n.hub.Wait(ctx, end, level)
	if err != nil {
		require.ErrorIs(n.t, err, context.Canceled)
	}
	return err != nil
}

func TestCommitsWaitForTheLevelTheyAskFor(t *testing.T) {
	n := newServed(t)
	for _, level := range []wal.Level{wal.LevelOff, wal.LevelLocal, wal.LevelOn} {
		require.False(t, n.hub.Required(level), "nobody is asked")
	}
	n.hub.SetStandbyNames(mustNames(t, "r1"))
	require.False(t, n.hub.Required(wal.LevelLocal))
	require.True(t, n.hub.Required(wal.LevelRemoteWrite))
	end := n.commit(1000)
	s := n.stream(replica.StartReplication{From: wal.FirstLSN}, trusted)
	s.await(end)
	require.True(t, n.waits(end, wal.LevelRemoteWrite))
	s.report(end, wal.FirstLSN, wal.FirstLSN)
	require.False(t, n.waits(end, wal.LevelRemoteWrite))
	require.True(t, n.waits(end, wal.LevelOn))
	s.report(end, end, wal.FirstLSN)
	require.False(t, n.waits(end, wal.LevelOn))
	require.True(t, n.waits(end, wal.LevelRemoteApply))
	s.report(end, end, end)
	require.False(t, n.waits(end, wal.LevelRemoteApply))

	waited := make(chan error, 1)
	end = n.commit(1000)
	go func() { waited <- n.hub.Wait(context.Background(), end, wal.LevelOn) }()
	s.await(end)
	s.report(end, end, end)
	require.NoError(t, <-waited)
	end = n.commit(1000)
	go func() { waited <- n.hub.Wait(context.Background(), end, wal.LevelOn) }()
	n.hub.SetStandbyNames(replica.StandbyNames{})
	require.NoError(t, <-waited, "nobody is asked any more")
}

// What a peer says it has beyond what it was sent is not believed.
func TestReportsBeyondSentAreNotBelieved(t *testing.T) {
	n := newServed(t)
	n.hub.SetStandbyNames(mustNames(t, "*"))
	flushed := n.commit(1000)
	s := n.stream(replica.StartReplication{From: wal.FirstLSN}, trusted)
	s.await(flushed)
	s.report(1<<40, 1<<40, 1<<40)
	require.False(t, n.waits(flushed, wal.LevelOn))
	require.True(t, n.waits(flushed+8, wal.LevelOn))
	require.Equal(t, 0, n.hub.CountFlushed(flushed+8))
	require.Equal(t, 1, n.hub.CountFlushed(flushed))
}

// The traps of pg_receivewal: `*` never picks it; its first report says where it begins, which
// proves nothing; named, and --synchronous, it counts for what it has flushed since.
func TestArchiverCountsByNameOnly(t *testing.T) {
	n := newServed(t)
	n.hub.SetStandbyNames(mustNames(t, "*"))
	first := n.commit(1000)
	s := n.stream(replica.StartReplication{From: wal.FirstLSN}, archiver)
	s.await(first)
	s.report(first, first, 0)
	second := n.commit(1000)
	s.await(second)
	s.report(second, second, 0)
	require.True(t, n.waits(first, wal.LevelRemoteWrite))
	require.Equal(t, 0, n.hub.CountFlushed(first))

	n.hub.SetStandbyNames(mustNames(t, "pg_receivewal"))
	require.False(t, n.waits(second, wal.LevelOn))
	require.True(t, n.waits(second, wal.LevelRemoteApply), "it applies nothing")
	require.Equal(t, replica.SyncSync, s.row().SyncState)

	require.NoError(t, s.link.CloseSend())
	require.NoError(t, s.awaitEnd().err)
	n.hub.SetStandbyNames(mustNames(t, "pg_receivewal, x")) // forget what was reached
	again := n.stream(replica.StartReplication{From: wal.FirstLSN}, archiver)
	again.await(second)
	again.report(second, second, 0)
	require.True(t, n.waits(wal.FirstLSN, wal.LevelOn), "its first report proves nothing")
	again.report(second, second, 0)
	require.True(t, n.waits(wal.FirstLSN, wal.LevelOn), "nor does the same again")
	third := n.commit(1000)
	again.await(third)
	again.report(third, third, 0)
	require.False(t, n.waits(third, wal.LevelOn))
}

// A peer that catches up is not asked: commits would wait for the whole of its way.
func TestWhoCatchesUpDoesNotCount(t *testing.T) {
	n := newServed(t)
	n.hub.SetStandbyNames(mustNames(t, "r1"))
	end := n.grow(2 << 20)
	s := n.stream(replica.StartReplication{From: wal.FirstLSN}, trusted)
	s.near.AwaitFull()
	require.Equal(t, replica.StateCatchup, s.row().State)
	require.NoError(t, s.link.Send(replica.AppendStatus(nil, replica.Status{
		Write: wal.FirstLSN + 8, Flush: wal.FirstLSN + 8, Apply: wal.FirstLSN + 8,
	})))
	require.True(t, n.waits(wal.FirstLSN+8, wal.LevelOn))
	s.await(end)
	s.report(end, end, end)
	require.Equal(t, replica.StateStreaming, s.row().State)
	require.False(t, n.waits(end, wal.LevelOn))
}

func TestStandbyRow(t *testing.T) {
	n := newServed(t)
	n.hub.SetStandbyNames(mustNames(t, "FIRST 1 (r0, r1)"))
	start := n.commit(1000)
	s := n.stream(replica.StartReplication{From: start}, trusted)
	s.report(start, start, start)
	row := s.row()
	require.Equal(t, trusted, row.Peer)
	require.Nil(t, row.ReplayLag)
	end := n.commit(1000)
	s.await(end)
	s.pass(2 * time.Second)
	s.report(end, start, start)
	row = s.row()
	require.Equal(t, end, row.Sent)
	require.Equal(t, end, row.Write)
	require.Equal(t, start, row.Flush)
	require.Equal(t, start, row.Replay)
	require.NotNil(t, row.WriteLag)
	require.Equal(t, 2*time.Second, *row.WriteLag)
	require.Equal(t, replica.SyncSync, row.SyncState)
	require.Equal(t, 2, row.SyncPriority)
	require.Equal(t, uint32(1), row.Timeline)
	require.WithinDuration(t, n.clock.Now(), row.ReplyTime, time.Microsecond)
	s.pass(time.Second)
	s.report(end, end, end)
	require.Equal(t, 3*time.Second, *s.row().ReplayLag)
	s.report(end, end, end)
	require.NotNil(t, s.row().ReplayLag, "a replica reports several times a second")
	s.pass(10 * time.Second)
	s.report(end, end, end)
	require.Nil(t, s.row().ReplayLag, "all is confirmed, and nothing has happened since")
}

func TestReplicaFlush(t *testing.T) {
	n := newServed(t)
	end := n.commit(1000)
	one := n.stream(replica.StartReplication{From: wal.FirstLSN}, trusted)
	two := n.stream(replica.StartReplication{From: wal.FirstLSN},
		replica.Peer{Conn: 20, App: "r2", Node: 2})
	waited := make(chan error, 1)
	go func() { waited <- n.hub.AwaitFlushedBy(context.Background(), 2, end) }()
	one.await(end)
	one.report(end, end, 0)
	require.Equal(t, 1, n.hub.CountFlushed(end))
	two.await(end)
	two.report(end, end, 0)
	require.NoError(t, <-waited)
}
