package replica_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/replica"
	"ackdb/wal"
)

// forkAt gives a node on timeline 2, with log on both sides of a fork that lies where place says.
func forkAt(t *testing.T, place string) (n *servedNode, fork wal.LSN) {
	t.Helper()
	n = newServed(t)
	end := n.grow(1 << 20)
	switch place {
	case "in a segment":
	case "at a boundary":
		_, err := n.log.SwitchSegment()
		require.NoError(t, err)
		end = n.flush()
		require.Zero(t, uint64(end)%wal.SegmentSizeMin)
	case "just behind a boundary":
		_, err := n.log.SwitchSegment()
		require.NoError(t, err)
		end = n.commit(8)
	}
	n = n.standby()
	fork = n.promote()
	require.Equal(t, end, fork)
	n.grow(2 << 20)
	return n, fork
}

var forkPlaces = []string{"in a segment", "at a boundary", "just behind a boundary"}

// A stream of a timeline that has ended stops exactly at the fork and says what goes on there.
func TestStreamStopsAtTheFork(t *testing.T) {
	for _, place := range forkPlaces {
		t.Run(place, func(t *testing.T) {
			n, fork := forkAt(t, place)
			s := n.stream(replica.StartReplication{From: wal.FirstLSN, Timeline: 1}, archiver)
			end := s.awaitEnd()
			require.NoError(t, end.err)
			require.Equal(t, &replica.TimelineEnd{Next: 2, Start: fork}, end.next)
			require.Equal(t, fork, s.at)
			require.Equal(t, n.image(1, wal.FirstLSN, fork), s.data)
		})
	}
}

// A receiver that has everything up to the fork asks for it once more: it gets a copy of nothing.
func TestStreamOfNothingAtTheFork(t *testing.T) {
	for _, place := range forkPlaces {
		t.Run(place, func(t *testing.T) {
			n, fork := forkAt(t, place)
			s := n.stream(replica.StartReplication{From: fork, Timeline: 1}, archiver)
			end := s.awaitEnd()
			require.NoError(t, end.err)
			require.Equal(t, &replica.TimelineEnd{Next: 2, Start: fork}, end.next)
			require.Empty(t, s.data)
			told := n.refused(replica.StartReplication{From: fork + 8, Timeline: 1}, archiver)
			require.Equal(t, "55000", told.Code)
			require.Contains(t, told.Detail, fork.String())
		})
	}
}

// pg_receivewal asks for the new timeline from the start of the fork's segment: what the new one
// inherited is sent as its own.
func TestStreamOfTheNewTimelineFromItsSegment(t *testing.T) {
	for _, place := range forkPlaces {
		t.Run(place, func(t *testing.T) {
			n, fork := forkAt(t, place)
			from := fork - fork%wal.SegmentSizeMin
			s := n.stream(replica.StartReplication{From: from, Timeline: 2}, archiver)
			s.await(n.log.Flushed())
			require.Equal(t, n.image(2, from, s.at), s.data)
		})
	}
}

// A promotion under a stream ends it; before the fork everything is sent.
func TestStreamThroughAPromotion(t *testing.T) {
	first := newServed(t)
	first.grow(1 << 20)
	n := first.standby()
	s := n.stream(replica.StartReplication{From: wal.FirstLSN}, trusted)
	fork := n.promote()
	n.commit(1000)
	end := s.awaitEnd()
	require.NoError(t, end.err)
	require.Equal(t, &replica.TimelineEnd{Next: 2, Start: fork}, end.next)
	require.Equal(t, fork, s.at)
	// On the same connection, as a follower does.
	s = n.stream(replica.StartReplication{From: fork, Timeline: 2}, trusted)
	s.await(n.log.Flushed())
	require.Equal(t, n.image(2, fork, s.at), s.data)
}

// Who still reads a timeline that has ended confirms nothing for commits of this one, whatever it
// says it has.
func TestOldTimelineCountsForNothing(t *testing.T) {
	n, fork := forkAt(t, "in a segment")
	n.hub.SetStandbyNames(mustNames(t, "*"))
	s := n.stream(replica.StartReplication{From: fork - 8, Timeline: 1}, trusted)
	require.NoError(t, s.link.Send(replica.AppendStatus(nil, replica.Status{
		Write: 1 << 40, Flush: 1 << 40, Apply: 1 << 40,
	})))
	require.NoError(t, s.awaitEnd().err)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, n.hub.Wait(ctx, fork-8, wal.LevelOn), context.Canceled)
}

func mustNames(t *testing.T, text string) replica.StandbyNames {
	t.Helper()
	names, err := replica.ParseStandbyNames(text)
	require.NoError(t, err)
	return names
}
