package replica_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/replica"
	"ackdb/wal"
)

// promote makes a standby a primary of its own timeline.
func (n *testNode) promote() {
	n.t.Helper()
	_, err := n.log.Promote(context.Background(), "a test")
	require.NoError(n.t, err)
}

// forks are places for the end of a timeline, each given by how to get there from a log that ends a
// little behind the start of its second segment.
var forks = map[string]func(p *testNode){
	"in a segment": func(p *testNode) { p.commit(3000) },
	"at a segment's end": func(p *testNode) {
		p.fillTo(wal.FirstLSN + 2*wal.LSN(p.log.SegmentSize()))
	},
	"one record before a segment's end": func(p *testNode) {
		p.fillTo(wal.FirstLSN + 2*wal.LSN(p.log.SegmentSize()) - wal.LSN(p.recordSize(1000)))
	},
	"less than a header before a segment's end": func(p *testNode) {
		p.fillTo(wal.FirstLSN + 2*wal.LSN(p.log.SegmentSize()) - 48)
	},
	"one record behind a segment's end": func(p *testNode) {
		p.fillTo(wal.FirstLSN + 2*wal.LSN(p.log.SegmentSize()))
		p.commit(0)
	},
}

// threeNodes are a primary with two segments of log and two standbys that have all of it.
func threeNodes(t *testing.T, fork func(*testNode)) (p, s1, s2 *testNode) {
	t.Helper()
	p = newPrimary(t)
	s1, s2 = standbyOf(t, p), standbyOf(t, p)
	up := (&hubUpstream{node: always(p)}).dial
	r1, r2 := follow(t, s1, up, nil), follow(t, s2, up, nil)
	for p.log.Written() < wal.FirstLSN+wal.LSN(p.log.SegmentSize())+1000 {
		p.commit(90_000)
	}
	s2.caughtUp(p)
	r2.Stop()
	fork(p)
	s1.caughtUp(p)
	r1.Stop()
	return p, s1, s2
}

// A standby follows whoever was promoted, from at or before the fork, wherever in a segment that is;
// it may have been away, and it may be killed right behind the switch.
func TestReceiverFollowsAPromotion(t *testing.T) {
	for name, fork := range forks {
		t.Run(name, func(t *testing.T) {
			p, s1, s2 := threeNodes(t, fork)
			at := s1.log.Flushed()
			require.Equal(t, p.log.Flushed(), at)
			s1.promote()
			followed := make(chan wal.LSN, 1)
			up := (&hubUpstream{node: always(s1)}).dial
			r := follow(t, s2, up, func(o *replica.ReceiverOptions) {
				o.Events.Followed = func(timeline uint32, fork wal.LSN) { followed <- fork }
				o.Events.Lost = func(err error, _ time.Duration) { t.Errorf("link lost: %v", err) }
			})
			require.Equal(t, at, <-followed)
			s2.caughtUp(s1)
			s1.commit(1000)
			s1.commit(200_000)
			s2.caughtUp(s1)
			sameLog(t, s1, s2)
			require.Equal(t, uint32(2), r.Status().ReceivedTLI)
			_, ours, err := s1.log.HistoryFile(2)
			require.NoError(t, err)
			_, theirs, err := s2.log.HistoryFile(2)
			require.NoError(t, err)
			require.Equal(t, string(ours), string(theirs))
			r.Stop()
			s2 = s2.restart()
			require.Equal(t, wal.RoleStandby, s2.dir.Control().Role)
			follow(t, s2, up, nil)
			s1.commit(100)
			s2.caughtUp(s1)
			sameLog(t, s1, s2)
		})
	}
}

// Standbys that stream when their upstream is promoted go over on the same connection.
func TestReceiverGoesOverWhileItStreams(t *testing.T) {
	p, s1, s2 := threeNodes(t, forks["in a segment"])
	_ = p
	up := (&hubUpstream{node: always(s1)}).dial
	r := follow(t, s2, up, nil)
	s2.reaches(s1.log.Flushed())
	s1.promote()
	s1.commit(77)
	s2.caughtUp(s1)
	sameLog(t, s1, s2)
	require.Equal(t, uint64(2), r.Status().Connections, "one stream a timeline")
	require.NoError(t, r.Status().LastError)
}

// Two promotions behind: timeline 1 to 2 to 3 in one go.
func TestReceiverFollowsTwoPromotions(t *testing.T) {
	_, s1, s2 := threeNodes(t, forks["in a segment"])
	s1.promote()
	s3 := standbyOf(t, s1)
	r := follow(t, s3, (&hubUpstream{node: always(s1)}).dial, nil)
	s1.commit(200_000)
	s3.caughtUp(s1)
	r.Stop()
	s3.promote()
	s3.commit(10)
	r = follow(t, s2, (&hubUpstream{node: always(s3)}).dial, nil)
	s2.caughtUp(s3)
	sameLog(t, s3, s2)
	require.Equal(t, uint32(3), r.Status().ReceivedTLI)
}

// A standby beyond the fork stops and keeps its bytes.
func TestReceiverBeyondTheForkStops(t *testing.T) {
	p, s1, s2 := threeNodes(t, forks["in a segment"])
	up := (&hubUpstream{node: always(p)}).dial
	r := follow(t, s2, up, nil)
	p.commit(4000)
	s2.caughtUp(p)
	r.Stop()
	fork := s1.log.Flushed()
	s1.promote()
	end := s2.log.Written()
	fatal := make(chan error, 1)
	r = follow(t, s2, (&hubUpstream{node: always(s1)}).dial, func(o *replica.ReceiverOptions) {
		o.Fatal = func(err error) { fatal <- err }
	})
	var diverged *replica.DivergedError
	require.ErrorAs(t, <-fatal, &diverged)
	require.Equal(t, fork, diverged.Fork)
	r.Stop()
	require.Equal(t, end, s2.log.Written())
	require.Equal(t, uint32(1), s2.log.Timeline())
}

// An upstream that has not heard of our timeline is waited for: it may be on its way there.
func TestReceiverWaitsForItsTimelineUpstream(t *testing.T) {
	_, s1, s2 := threeNodes(t, forks["in a segment"])
	s1.promote()
	s3 := standbyOf(t, s1)
	var upstream atomic.Pointer[testNode]
	upstream.Store(s2) // on timeline 1
	lost := make(chan error, 1000)
	follow(t, s3, (&hubUpstream{node: upstream.Load}).dial, func(o *replica.ReceiverOptions) {
		o.Events.Lost = func(err error, _ time.Duration) { lost <- err }
	})
	err := <-lost
	require.ErrorIs(t, err, replica.ErrUpstreamBehind)
	require.ErrorContains(t, err, "it is on an older timeline: 1, we are on 2")
	follow(t, s2, (&hubUpstream{node: always(s1)}).dial, nil)
	s1.commit(10)
	s3.caughtUp(s1)
	sameLog(t, s1, s3)
}

// A chain of standbys holds one log, and goes over to a new timeline link by link.
func TestCascade(t *testing.T) {
	p := newPrimary(t)
	s1, s2 := standbyOf(t, p), standbyOf(t, p)
	s3 := standbyOf(t, p)
	follow(t, s1, (&hubUpstream{node: always(p)}).dial, nil)
	r2 := follow(t, s2, (&hubUpstream{node: always(s1)}).dial, nil)
	follow(t, s3, (&hubUpstream{node: always(s2)}).dial, nil)
	for i := range 20 {
		p.commit(60_000 + i)
	}
	s3.caughtUp(p)
	sameLog(t, p, s3)
	r2.Stop()
	s2.promote()
	s2.commit(9)
	s3.caughtUp(s2)
	sameLog(t, s2, s3)
}

// What a lying or broken upstream may say of the end of a timeline leaves the log as it was.
func TestReceiverRefusesAWrongSwitch(t *testing.T) {
	for name, end := range map[string]answer{
		"an older timeline": row("1", "0/1000000"), "no timeline": row("0", "0/1000000"),
		"no number": row("x", "0/1000000"), "no position": row("2", "nowhere"),
		"behind our end": row("2", "0/1"), "beyond our end": row("2", "F/0"),
		"one column": row("2"), "nothing": {}, "an error": told("XX000", "lost"),
	} {
		t.Run(name, func(t *testing.T) {
			s := standbyOf(t, newPrimary(t))
			up := &scripted{query: matching(s)}
			up.stream = func(context.Context, string) (replica.UpstreamLink, error) {
				ours, theirs := newPipe()
				_ = theirs.CloseSend()
				return &endingLink{pipeEnd: ours, end: end}, nil
			}
			up.query["TIMELINE_HISTORY"] = func(string) answer { return row("00000002.history", "") }
			lost := make(chan error, 1000)
			r := follow(t, s, up.dial, func(o *replica.ReceiverOptions) {
				o.Events.Lost = func(err error, _ time.Duration) { lost <- err }
			})
			before := fmt.Sprint(s.log.Written(), s.log.Timeline())
			require.Error(t, <-lost)
			<-lost
			r.Stop()
			require.Equal(t, before, fmt.Sprint(s.log.Written(), s.log.Timeline()))
		})
	}
}

// halving breaks off in the midst of a message that comes once it is told to.
type halving struct {
	replica.Link
	now  *atomic.Bool
	over bool
}

func (l *halving) Receive() ([]byte, error) {
	if l.over {
		_ = l.Close()
		return nil, errCut
	}
	msg, err := l.Link.Receive()
	if err == nil && msg[0] == replica.KindData && l.now.Load() {
		l.over = true
		msg = msg[:len(msg)-100]
	}
	return msg, err
}

// The half of a record that a lost link brought is forgotten: the next upstream's log may not have
// it (R2).
func TestReceiverForgetsHalfARecord(t *testing.T) {
	p, s1, s2 := threeNodes(t, forks["in a segment"])
	var upstream atomic.Pointer[testNode]
	upstream.Store(p)
	var half atomic.Bool
	lost := make(chan error, 1000)
	up := &hubUpstream{node: upstream.Load, mangle: func(link replica.Link) replica.Link {
		return &halving{Link: link, now: &half}
	}}
	follow(t, s2, up.dial, func(o *replica.ReceiverOptions) {
		o.Events.Lost = func(err error, _ time.Duration) {
			upstream.Store(s1)
			half.Store(false)
			lost <- err
		}
	})
	s2.caughtUp(p)
	s1.promote()
	half.Store(true)
	p.commit(1000)
	p.flush()
	require.ErrorIs(t, <-lost, errCut)
	s1.commit(10)
	s2.caughtUp(s1)
	sameLog(t, s1, s2)
}
