package replica_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/replica"
	"ackdb/replica/replicatest"
	"ackdb/wal"
	"ackdb/wal/waltest"
)

func TestStreamIsTheLogByteForByte(t *testing.T) {
	n := newServed(t)
	n.grow(2 << 20)
	s := n.stream(replica.StartReplication{From: wal.FirstLSN}, archiver)
	s.await(n.log.Flushed())
	end := n.grow(3 << 20) // while it streams
	s.await(end)
	require.Equal(t, n.image(1, wal.FirstLSN, end), s.data)
	middle := wal.FirstLSN + 1<<20 + 12345
	late := n.stream(replica.StartReplication{From: middle, Timeline: 1}, archiver)
	late.await(end)
	require.Equal(t, n.image(1, middle, end), late.data, "from any byte")
}

// R1: what is written and not flushed is not sent, however long the fsync takes.
func TestStreamNeverPassesFlushed(t *testing.T) {
	n := newServed(t)
	flushed := n.commit(100)
	s := n.stream(replica.StartReplication{From: wal.FirstLSN}, trusted)
	s.await(flushed)
	gate := n.disk.Stall(waltest.OpSync, "00*")
	end := n.write(1000)
	n.log.RequestFlush(end)
	<-gate.Entered()
	for range 3 {
		s.report(flushed, flushed, flushed) // it has looked at the log after that
	}
	require.Equal(t, flushed, s.at)
	gate.Open()
	s.await(end)
}

func TestStreamEndsWhenThePeerEndsIt(t *testing.T) {
	n := newServed(t)
	s := n.stream(replica.StartReplication{From: wal.FirstLSN}, archiver)
	s.await(n.log.Flushed())
	require.NoError(t, s.link.CloseSend())
	end := s.awaitEnd()
	require.NoError(t, end.err)
	require.Nil(t, end.next)
	require.Empty(t, n.hub.Standbys())
}

func TestStreamRefusesWhatIsNotThere(t *testing.T) {
	n := newServed(t)
	end := n.grow(3 << 20)
	told := n.refused(replica.StartReplication{From: end + 8}, archiver)
	require.Equal(t, "55000", told.Code)
	require.Contains(t, told.Message, "ahead of the WAL flush position")
	told = n.refused(replica.StartReplication{From: end, Timeline: 7}, archiver)
	require.Equal(t, "55000", told.Code)
	told = n.refused(replica.StartReplication{From: end, Slot: "nope"}, archiver)
	require.Equal(t, "42704", told.Code)
	n.log.SetDurableApplied(end, end)
	require.NoError(t, n.log.Recycle(end))
	told = n.refused(replica.StartReplication{From: wal.FirstLSN}, archiver)
	require.Equal(t, "58P01", told.Code)
	require.Contains(t, told.Message, "000000010000000000000010 has already been removed")
	require.Empty(t, n.hub.Standbys(), "who is refused leaves nothing behind")
}

func TestStreamLosesALogThatIsRecycledUnderIt(t *testing.T) {
	n := newServed(t)
	n.grow(3 << 20)
	s := n.stream(replica.StartReplication{From: wal.FirstLSN}, archiver)
	s.near.AwaitFull()
	end := n.grow(2 << 20)
	n.log.SetDurableApplied(end, end)
	require.NoError(t, n.log.Recycle(end))
	for s.next() == nil {
	}
	var told *replica.Error
	require.ErrorAs(t, (<-s.done).err, &told)
	require.Equal(t, "58P01", told.Code)
}

// A link that breaks, at any byte, ends the stream, and the next goes on where the peer stands.
func TestStreamThroughCuts(t *testing.T) {
	n := newServed(t)
	end := n.grow(1 << 20)
	var got []byte
	at := wal.FirstLSN
	for cut := int64(1); at < end; cut = cut*3 + 7 {
		s := n.stream(replica.StartReplication{From: at, Timeline: 1}, trusted)
		s.near.CutAfter(cut)
		for s.at < end && s.next() == nil {
		}
		s.near.Cut()
		require.ErrorIs(t, (<-s.done).err, replicatest.ErrCut)
		got, at = append(got, s.data...), s.at
	}
	require.Equal(t, n.image(1, wal.FirstLSN, end), got)
}

func TestStreamEndsWithItsContext(t *testing.T) {
	n := newServed(t)
	near, _ := replicatest.Pair()
	cause := errors.New("terminated by an administrator")
	ctx, cancel := context.WithCancelCause(context.Background())
	_, err := n.hub.Stream(ctx, func() (replica.Link, error) {
		cancel(cause)
		return near, nil
	}, replica.StartReplication{From: wal.FirstLSN}, archiver)
	require.ErrorIs(t, err, cause)
}

func TestStreamEndsAtAWrongMessage(t *testing.T) {
	for _, msg := range []string{"", "x", "r", "rshort", "h"} {
		n := newServed(t)
		s := n.stream(replica.StartReplication{From: wal.FirstLSN}, archiver)
		require.NoError(t, s.link.Send([]byte(msg)))
		for s.next() == nil {
		}
		require.ErrorIs(t, (<-s.done).err, replica.ErrProtocol, "%q", msg)
	}
}

// A silent peer is asked after half of the timeout, and given up after all of it, also when the
// sender is stuck because nobody reads.
func TestStreamGivesUpASilentPeer(t *testing.T) {
	for name, stuck := range map[string]bool{"idle": false, "half open and full": true} {
		t.Run(name, func(t *testing.T) {
			n := newServed(t)
			s := n.stream(replica.StartReplication{From: wal.FirstLSN}, archiver)
			s.await(n.log.Flushed())
			if stuck {
				s.near.Hold()
				s.link.Hold()
				n.grow(1 << 20)
				s.near.AwaitFull()
			}
			timers := 3 // of the hub's watch, the supervisor, and a writer that is not stuck
			if stuck {
				timers = 2
			}
			for range 59 {
				n.clock.AwaitTimers(timers, time.Second)
				n.clock.Advance(time.Second)
			}
			n.clock.AwaitTimers(timers, time.Second)
			if !stuck {
				require.True(t, s.awaitKeepalive().Reply)
			}
			select {
			case end := <-s.done:
				t.Fatalf("given up too early: %v", end.err)
			default:
			}
			n.clock.Advance(time.Second)
			require.ErrorIs(t, (<-s.done).err, replica.ErrPeerSilent)
		})
	}
}

func TestStreamKeepsAPeerThatReports(t *testing.T) {
	n := newServed(t)
	s := n.stream(replica.StartReplication{From: wal.FirstLSN}, archiver)
	for range 200 {
		s.report(0, 0, 0)
		n.clock.Advance(10 * time.Second)
	}
	s.report(0, 0, 0)
	n.timeout.Store(0)
	for range 200 {
		n.clock.Advance(time.Hour)
	}
	s.report(0, 0, 0)
}

// A receiver that has closed a segment exactly reports only at its interval, unless asked.
func TestStreamAsksAtASegmentsEnd(t *testing.T) {
	n := newServed(t)
	s := n.stream(replica.StartReplication{From: wal.FirstLSN}, archiver)
	n.commit(1000)
	end, err := n.log.SwitchSegment()
	require.NoError(t, err)
	n.flush()
	require.Zero(t, uint64(end)%wal.SegmentSizeMin)
	s.await(end)
	require.True(t, s.awaitKeepalive().Reply)
	s.report(end, end, 0)
	require.Empty(t, s.alive, "asked once")
}

func TestStreamTellsAReplicaHowFreshItIs(t *testing.T) {
	n := newServed(t)
	s := n.stream(replica.StartReplication{From: wal.FirstLSN}, trusted)
	require.True(t, s.greeting.Staled)
	n.stale.Store(int64(3 * time.Second))
	n.clock.AwaitTimers(1, 200*time.Millisecond)
	n.clock.Advance(200 * time.Millisecond)
	k := s.awaitKeepalive()
	require.Equal(t, 3*time.Second, k.Staleness)
	require.Zero(t, k.Heard)
	require.Equal(t, n.log.Flushed(), k.End)
	require.WithinDuration(t, n.clock.Now(), k.Time, 0)
	s.report(0, 0, 0)
	require.NoError(t, s.link.Send(replica.AppendStatus(nil, replica.Status{Reply: true})))
	require.EqualValues(t, 2, s.awaitKeepalive().Heard)
	plain := n.stream(replica.StartReplication{From: wal.FirstLSN}, archiver)
	plain.report(0, 0, 0)
	require.NoError(t, plain.link.Send(replica.AppendStatus(nil, replica.Status{Reply: true})))
	require.False(t, plain.awaitKeepalive().Staled, "Postgres' tools know no longer keepalive")
}

func TestHubCloseSendsWhatIsFlushed(t *testing.T) {
	n := newServed(t)
	s := n.stream(replica.StartReplication{From: wal.FirstLSN}, trusted)
	end := n.grow(1 << 20)
	closed := make(chan error, 1)
	go func() { closed <- n.hub.Close(context.Background()) }()
	require.ErrorIs(t, s.awaitEnd().err, replica.ErrHubClosed)
	require.NoError(t, <-closed)
	require.Equal(t, end, s.at)
	_, err := n.hub.Stream(context.Background(), nil, replica.StartReplication{From: end}, trusted)
	require.ErrorIs(t, err, replica.ErrHubClosed)
}

func TestHubCloseGivesUpWithItsContext(t *testing.T) {
	n := newServed(t)
	s := n.stream(replica.StartReplication{From: wal.FirstLSN}, trusted)
	s.near.Hold()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, n.hub.Close(ctx), context.Canceled)
	require.ErrorIs(t, (<-s.done).err, replica.ErrHubClosed)
}
