package replica_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/pgwire"
	"ackdb/replica"
	"ackdb/wal"
	"ackdb/wal/waltest"
)

// bubble runs a test in a world whose time goes on only when everybody waits: what the tests of this
// file say of times is exact. A channel must not leave it, and the log keeps those of its waiters in
// a pool; two collections empty that.
func bubble(t *testing.T, run func(t *testing.T)) {
	t.Helper()
	emptyPools := func() {
		runtime.GC()
		runtime.GC()
	}
	emptyPools()
	defer emptyPools()
	synctest.Test(t, run)
}

// endingLink is a pipe that ends with an answer.
type endingLink struct {
	*pipeEnd
	end answer
}

func (l *endingLink) Finish(context.Context) ([]*pgwire.Result, error) {
	_ = l.CloseSend()
	if l.end.err != nil {
		return nil, l.end.err
	}
	return l.end.results(), nil
}

// pipeUpstream hands the far ends of the standby's streams to the test.
func pipeUpstream(s *testNode) (*scripted, <-chan *pipeEnd) {
	far := make(chan *pipeEnd, 10)
	up := &scripted{query: matching(s)}
	up.stream = func(ctx context.Context, _ string) (replica.UpstreamLink, error) {
		ours, theirs := newPipe()
		context.AfterFunc(ctx, func() { _ = ours.Close() })
		far <- theirs
		return &endingLink{pipeEnd: ours}, nil
	}
	return up, far
}

// status takes the next report a standby sends.
func status(t *testing.T, far *pipeEnd) replica.Status {
	t.Helper()
	msg, err := far.Receive()
	require.NoError(t, err)
	s, err := replica.DecodeStatus(msg)
	require.NoError(t, err)
	return s
}

func keepalive(t *testing.T, far *pipeEnd, k replica.Keepalive) {
	t.Helper()
	k.Time = time.Now()
	require.NoError(t, far.Send(replica.AppendKeepalive(nil, k)))
}

// raw is the primary's log as its bytes stand on disk.
func raw(t *testing.T, p *testNode, from wal.LSN) []byte {
	t.Helper()
	p.flush()
	reader, err := p.log.RawReader(p.log.Timeline(), from)
	require.NoError(t, err)
	b := make([]byte, 1<<20)
	_, n, err := reader.Read(b)
	require.NoError(t, err)
	require.NoError(t, reader.Close())
	return b[:n]
}

func sendLog(t *testing.T, p *testNode, far *pipeEnd, from wal.LSN) {
	t.Helper()
	head := replica.AppendDataHeader(nil, from, p.log.Flushed(), time.Now())
	require.NoError(t, far.Send(head, raw(t, p, from)))
}

// A link over which nothing comes is asked for a sign at half of the timeout and given up at the
// whole: a half-open connection looks just like that.
func TestReceiverGivesUpASilentUpstream(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := standbyOf(t, newPrimary(t))
		up, fars := pipeUpstream(s)
		lost := make(chan error, 10)
		begun := time.Now()
		follow(t, s, up.dial, func(o *replica.ReceiverOptions) {
			o.Timeout = func() time.Duration { return 8 * time.Second }
			o.StatusInterval = func() time.Duration { return 0 }
			o.Events.Lost = func(err error, _ time.Duration) { lost <- err }
		})
		far := <-fars
		require.False(t, status(t, far).Reply, "the first report says where we are")
		require.True(t, status(t, far).Reply)
		require.Equal(t, 4*time.Second, time.Since(begun))
		keepalive(t, far, replica.Keepalive{}) // A sign: all is well again.
		require.True(t, status(t, far).Reply)
		require.Equal(t, 8*time.Second, time.Since(begun))
		require.ErrorIs(t, <-lost, replica.ErrPeerSilent)
		require.Equal(t, 12*time.Second, time.Since(begun))
		<-fars // it connects again
	})
}

// An upstream that does not even read is given up all the same.
func TestReceiverGivesUpAnUpstreamThatDoesNotRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := standbyOf(t, newPrimary(t))
		b := &blocked{where: "send", entered: make(chan struct{}, 10)}
		b.query = matching(s)
		lost := make(chan error, 10)
		follow(t, s, b.dial, func(o *replica.ReceiverOptions) {
			o.Events.Lost = func(err error, _ time.Duration) { lost <- err }
		})
		require.ErrorIs(t, <-lost, replica.ErrPeerSilent)
	})
}

func TestReceiverWithoutTimeoutWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := standbyOf(t, newPrimary(t))
		up, fars := pipeUpstream(s)
		r := follow(t, s, up.dial, func(o *replica.ReceiverOptions) {
			o.Timeout = func() time.Duration { return 0 }
			o.StatusInterval = func() time.Duration { return 0 }
		})
		<-fars
		time.Sleep(24 * time.Hour)
		require.Equal(t, replica.ReceiverStreaming, r.Status().State)
	})
}

func TestReceiverReportsAtEveryInterval(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := standbyOf(t, newPrimary(t))
		up, fars := pipeUpstream(s)
		follow(t, s, up.dial, func(o *replica.ReceiverOptions) {
			o.StatusInterval = func() time.Duration { return 3 * time.Second }
		})
		far := <-fars
		begun := time.Now()
		for i := range 5 {
			status(t, far)
			require.Equal(t, time.Duration(i)*3*time.Second, time.Since(begun))
		}
	})
}

// Progress is reported at once, what moves within a millisecond in one report; and on request.
func TestReceiverReportsProgress(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPrimary(t)
		s := standbyOf(t, p)
		up, fars := pipeUpstream(s)
		var r *replica.Receiver
		applied := s.log.Flushed()
		apply := make(chan struct{})
		r = follow(t, s, up.dial, func(o *replica.ReceiverOptions) {
			o.StatusInterval = func() time.Duration { return 0 }
			o.Timeout = func() time.Duration { return 0 }
			o.Applied = func() wal.LSN {
				select {
				case <-apply:
					return p.log.Flushed()
				default:
					return applied
				}
			}
		})
		far := <-fars
		first := status(t, far)
		require.Equal(t, applied, first.Write)
		require.Equal(t, applied, first.Flush)
		require.Equal(t, applied, first.Apply)

		time.Sleep(time.Second)
		p.commit(1000)
		p.flush()
		sent := time.Now()
		sendLog(t, p, far, applied)
		for {
			got := status(t, far)
			require.GreaterOrEqual(t, got.Write, got.Flush)
			require.GreaterOrEqual(t, got.Flush, got.Apply)
			if got.Flush == p.log.Flushed() {
				require.Equal(t, applied, got.Apply)
				break
			}
		}
		require.Less(t, time.Since(sent), 2*time.Millisecond)

		time.Sleep(time.Second)
		sent = time.Now()
		close(apply)
		for range 100 {
			r.AppliedMoved()
		}
		require.Equal(t, p.log.Flushed(), status(t, far).Apply)
		require.Zero(t, time.Since(sent))

		keepalive(t, far, replica.Keepalive{End: p.log.Flushed()})
		keepalive(t, far, replica.Keepalive{End: p.log.Flushed(), Reply: true})
		require.Equal(t, p.log.Flushed(), status(t, far).Apply)
		require.Zero(t, time.Since(sent), "a request is answered at once")
		synctest.Wait()
		require.Empty(t, far.in, "and nothing but it")
	})
}

// How fresh a standby is follows from what upstream had when it answered a report, and how old that
// was: never from when a message came, which may have been under way for long.
func TestReceiverKnowsHowFreshItIs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPrimary(t)
		s := standbyOf(t, p)
		up, fars := pipeUpstream(s)
		r := follow(t, s, up.dial, func(o *replica.ReceiverOptions) {
			o.StatusInterval = func() time.Duration { return 0 }
			o.Timeout = func() time.Duration { return 0 }
		})
		far := <-fars
		status(t, far)
		first, from := time.Now(), s.log.Flushed()
		said := func(k replica.Keepalive) {
			k.End, k.Staled = p.log.Flushed(), true
			keepalive(t, far, k)
			synctest.Wait()
			r.AppliedMoved()
		}
		p.commit(100)
		p.flush()

		time.Sleep(time.Second)
		said(replica.Keepalive{})
		status(t, far) // each keepalive is answered
		second := time.Now()
		require.True(t, r.FreshAsOf().IsZero(), "it answers nothing: it may be of any time")

		// A message that was held up for a minute is as old as the report it answers.
		time.Sleep(time.Minute)
		said(replica.Keepalive{Heard: 1})
		require.True(t, r.FreshAsOf().IsZero(), "what it speaks of is not applied")
		sendLog(t, p, far, from)
		synctest.Wait()
		r.AppliedMoved()
		require.Equal(t, first, r.FreshAsOf())
		said(replica.Keepalive{Heard: 2})
		require.Equal(t, second, r.FreshAsOf())
		said(replica.Keepalive{Heard: 2})
		require.Equal(t, second, r.FreshAsOf(), "the same answer again is no news")

		// What upstream has is itself behind its own upstream.
		for len(far.in) > 0 {
			status(t, far)
			synctest.Wait()
		}
		time.Sleep(time.Second)
		said(replica.Keepalive{})
		status(t, far)
		third := time.Now()
		time.Sleep(time.Second)
		said(replica.Keepalive{Heard: 100, Staleness: 3 * time.Second / 2})
		require.Equal(t, third.Add(-3*time.Second/2), r.FreshAsOf())
	})
}

// Attempts that fail come at growing distances, up to a bound.
func TestReceiverBacksOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := standbyOf(t, newPrimary(t))
		var tries []time.Time
		tried := make(chan struct{}, 100)
		refuse := func(context.Context, replica.ConnInfo) (replica.Upstream, error) {
			tries = append(tries, time.Now())
			tried <- struct{}{}
			return nil, errCut
		}
		r := follow(t, s, refuse, func(o *replica.ReceiverOptions) {
			o.Rand = func() float64 { return 0.999999999 }
		})
		for range 10 {
			<-tried
		}
		synctest.Wait() // the tenth has been counted, too
		r.Stop()
		var gaps []time.Duration
		for i := range tries[1:] {
			gaps = append(gaps, tries[i+1].Sub(tries[i]).Round(time.Millisecond))
		}
		ms := time.Millisecond
		require.Equal(t, []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms,
			5000 * ms, 5000 * ms, 5000 * ms}, gaps)
		require.Equal(t, 10, r.Status().Failures)
	})
}

// The report that log is written does not hold up the one that it is flushed; those of one kind keep
// their distance.
func TestReceiverReportsEachKindOfProgressAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPrimary(t)
		s := standbyOf(t, p)
		up, fars := pipeUpstream(s)
		applied := s.log.Flushed()
		follow(t, s, up.dial, func(o *replica.ReceiverOptions) {
			o.StatusInterval = func() time.Duration { return 0 }
			o.Applied = func() wal.LSN { return applied }
		})
		far := <-fars
		status(t, far)
		time.Sleep(time.Second)
		gate := s.disk.Stall(waltest.OpSync, s.log.SegmentName(applied))
		send := func() (written wal.LSN) {
			from := s.log.Written()
			p.commit(100)
			p.flush()
			sendLog(t, p, far, from)
			return p.log.Flushed()
		}
		begun := time.Now()
		first := send()
		require.Equal(t, first, status(t, far).Write, "written is told while the disk stalls")
		require.Zero(t, time.Since(begun))
		second := send()
		// Else the gate may open before the receiver has written what was sent last.
		synctest.Wait()
		gate.Open()
		got := status(t, far)
		require.Equal(t, second, got.Write)
		require.GreaterOrEqual(t, got.Flush, first)
		require.Zero(t, time.Since(begun), "so is flushed, though written was told just before")
		for got.Flush != second {
			got = status(t, far)
		}
		require.LessOrEqual(t, time.Since(begun), time.Millisecond)
	})
}

// Where commits wait for the standby nothing it has to report waits.
func TestReceiverReportsWithoutSpacingInAHurry(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPrimary(t)
		s := standbyOf(t, p)
		up, fars := pipeUpstream(s)
		follow(t, s, up.dial, nil)
		far := <-fars
		status(t, far)
		keepalive(t, far, replica.Keepalive{Staled: true, Hurry: true})
		time.Sleep(time.Millisecond)
		begun := time.Now()
		for range 20 {
			from := s.log.Flushed()
			p.commit(100)
			p.flush()
			sendLog(t, p, far, from)
			for status(t, far).Flush != p.log.Flushed() {
			}
		}
		require.Zero(t, time.Since(begun))
	})
}

// What was seen of an upstream that is gone does not hide what the next one, at a lower position, has.
func TestReceiverForgetsAnUpstreamsEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := standbyOf(t, newPrimary(t))
		up, fars := pipeUpstream(s)
		at := s.log.Flushed()
		var applied atomic.Uint64
		applied.Store(uint64(at))
		r := follow(t, s, up.dial, func(o *replica.ReceiverOptions) {
			o.Applied = func() wal.LSN { return wal.LSN(applied.Load()) }
		})
		far := <-fars
		status(t, far)
		keepalive(t, far, replica.Keepalive{End: at + 1000, Staled: true, Heard: 1})
		synctest.Wait()
		require.NoError(t, far.Close())
		far = <-fars
		status(t, far)
		seen := time.Now()
		keepalive(t, far, replica.Keepalive{End: at + 100, Staled: true, Heard: 1})
		synctest.Wait()
		time.Sleep(time.Second)
		applied.Store(uint64(at + 100))
		r.AppliedMoved()
		require.Equal(t, seen, r.FreshAsOf())
	})
}
