package replica_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/pgwire"
	"ackdb/replica"
	"ackdb/wal"
	"ackdb/wal/waltest"
)

// faulty does one wrong thing to the nth 'w' that comes.
type faulty struct {
	replica.Link
	fault string
	nth   *int
	again []byte
}

func (l *faulty) Receive() ([]byte, error) {
	if l.again != nil {
		msg := l.again
		l.again = nil
		return msg, nil
	}
	msg, err := l.Link.Receive()
	if err != nil || msg[0] != replica.KindData {
		return msg, err
	}
	if *l.nth--; *l.nth != 0 {
		return msg, nil
	}
	msg = append([]byte(nil), msg...)
	switch l.fault {
	case "twice":
		l.again = append([]byte(nil), msg...)
	case "gap":
		d, _ := replica.DecodeData(msg)
		msg = append(replica.AppendDataHeader(nil, d.Start+8, d.End, d.Time), d.Bytes[8:]...)
	case "overlap":
		d, _ := replica.DecodeData(msg)
		msg = append(replica.AppendDataHeader(nil, d.Start-8, d.End, d.Time), d.Bytes...)
	case "flip":
		msg[len(msg)-9] ^= 4
	case "cut short":
		msg = msg[:10]
	case "empty":
		msg = nil
	case "foreign":
		msg[0] = 'X'
	}
	return msg, nil
}

// Whatever a link does to the bytes, the standby's log has none of it: the link is dropped, and the
// next one goes on where the log is right (R2).
func TestReceiverDropsALinkThatIsWrong(t *testing.T) {
	var sequence *wal.SequenceError
	var diverged *wal.DivergedError
	isProtocol := func(err error) bool { return errors.Is(err, replica.ErrProtocol) }
	for fault, is := range map[string]func(error) bool{
		"twice":     func(err error) bool { return errors.As(err, &sequence) },
		"gap":       func(err error) bool { return errors.As(err, &sequence) },
		"overlap":   func(err error) bool { return errors.As(err, &sequence) },
		"flip":      func(err error) bool { return errors.As(err, &diverged) },
		"cut short": isProtocol, "empty": isProtocol, "foreign": isProtocol,
	} {
		t.Run(fault, func(t *testing.T) {
			p := newPrimary(t)
			s := standbyOf(t, p)
			nth := 3
			up := &hubUpstream{node: always(p), mangle: func(link replica.Link) replica.Link {
				return &faulty{Link: link, fault: fault, nth: &nth}
			}}
			lost := make(chan error, 10)
			follow(t, s, up.dial, func(o *replica.ReceiverOptions) {
				o.Events.Lost = func(err error, _ time.Duration) { lost <- err }
			})
			for range 10 {
				p.commit(30_000)
				s.caughtUp(p) // a message each
			}
			sameLog(t, p, s)
			require.Len(t, lost, 1)
			err := <-lost
			require.True(t, is(err), "%v", err)
		})
	}
}

// Negative control: the comparison of two logs sees one byte that differs.
func TestSameLogSeesADifference(t *testing.T) {
	p := newPrimary(t)
	p.commit(1000)
	s := standbyOf(t, p)
	follow(t, s, (&hubUpstream{node: always(p)}).dial, nil)
	s.caughtUp(p)
	require.True(t, equalLogs(p, s))
	s.disk.FlipBit(nodeDir+"/wal/"+s.log.SegmentName(wal.FirstLSN), 700, 3)
	require.False(t, equalLogs(p, s))
}

func TestReceiverKeepsToItsSystem(t *testing.T) {
	p, other := newPrimary(t), newPrimary(t)
	s := standbyOf(t, p)
	lost := make(chan error, 100)
	before := s.log.Written()
	r := follow(t, s, (&hubUpstream{node: always(other)}).dial, func(o *replica.ReceiverOptions) {
		o.Events.Lost = func(err error, _ time.Duration) { lost <- err }
		o.Events.Streaming = func(wal.LSN, uint32) { t.Error("log was taken from another system") }
	})
	var system *replica.SystemError
	require.ErrorAs(t, <-lost, &system)
	require.Equal(t, p.log.Control().SystemID, system.Ours)
	require.ErrorAs(t, <-lost, &system, "it goes on trying: the address may be put right")
	r.Stop()
	require.Equal(t, before, s.log.Written())
}

// A full disk loses nothing and ends nothing: the link stays, and goes on once there is space.
func TestReceiverWaitsForSpace(t *testing.T) {
	p := newPrimary(t)
	s := standbyOf(t, p)
	full := make(chan error, 1000)
	r := follow(t, s, (&hubUpstream{node: always(p)}).dial, func(o *replica.ReceiverOptions) {
		o.Events.NoSpace = func(err error, _ time.Duration) { full <- err }
		o.Events.Lost = func(err error, _ time.Duration) { t.Errorf("link lost: %v", err) }
	})
	s.caughtUp(p)
	s.disk.Fail(waltest.Fault{Op: waltest.OpWrite, Path: "*.new*", Err: syscall.ENOSPC, Sticky: true})
	s.disk.Fail(waltest.Fault{Op: waltest.OpCreate, Err: syscall.ENOSPC, Sticky: true})
	for range 60 {
		p.commit(100_000)
	}
	p.flush()
	require.ErrorIs(t, <-full, wal.ErrNoSpace)
	<-full
	s.disk.Heal()
	s.caughtUp(p)
	sameLog(t, p, s)
	require.Equal(t, uint64(1), r.Status().Connections)
}

func TestReceiverStopsInTheWaitForSpace(t *testing.T) {
	p := newPrimary(t)
	s := standbyOf(t, p)
	full := make(chan error, 1000)
	r := follow(t, s, (&hubUpstream{node: always(p)}).dial, func(o *replica.ReceiverOptions) {
		o.Events.NoSpace = func(err error, _ time.Duration) { full <- err }
	})
	s.disk.Fail(waltest.Fault{Op: waltest.OpCreate, Err: syscall.ENOSPC, Sticky: true})
	for range 60 {
		p.commit(100_000)
	}
	p.flush()
	<-full
	r.Stop()
	s.disk.Heal()
}

// The log a standby needs is gone at upstream: it says so and ends.
func TestReceiverMustReseedBehindARecycledLog(t *testing.T) {
	p := newPrimary(t)
	s := standbyOf(t, p)
	for range 40 {
		p.commit(100_000)
	}
	p.flush()
	p.log.SetDurableApplied(p.log.Flushed(), p.log.Flushed())
	require.NoError(t, p.log.Recycle(p.log.Flushed()))
	require.Greater(t, p.log.Oldest(), s.log.Flushed())
	fatal := make(chan error, 1)
	before := s.log.Written()
	r := follow(t, s, (&hubUpstream{node: always(p)}).dial, func(o *replica.ReceiverOptions) {
		o.Fatal = func(err error) { fatal <- err }
	})
	require.ErrorIs(t, <-fatal, replica.ErrMustReseed)
	r.Stop()
	require.ErrorIs(t, r.Status().LastError, replica.ErrMustReseed)
	require.Equal(t, before, s.log.Written())
}

// A slot is made when it is missing, and keeps the log from being recycled.
func TestReceiverMakesItsSlot(t *testing.T) {
	p := newPrimary(t)
	s := standbyOf(t, p)
	made := make(chan string, 1)
	up := (&hubUpstream{node: always(p)}).dial
	withSlot := func(o *replica.ReceiverOptions) {
		o.Slot = "s1"
		o.Events.SlotCreated = func(name string) { made <- name }
	}
	r := follow(t, s, up, withSlot)
	require.Equal(t, "s1", <-made)
	s.caughtUp(p)
	r.Stop()
	for range 40 {
		p.commit(100_000)
	}
	p.flush()
	p.log.SetDurableApplied(p.log.Flushed(), p.log.Flushed())
	require.NoError(t, p.log.Recycle(p.log.Flushed()))
	follow(t, s, up, withSlot)
	s.caughtUp(p)
	require.Empty(t, made, "it was there")
}

// A primary that lies about its flushes comes back without what its standby has. The standby stops,
// says where, and keeps every byte.
func TestReceiverStopsWhereHistoriesParted(t *testing.T) {
	p := newPrimary(t)
	p.commit(100)
	p.flush()
	old := p.disk.Crash(1)
	s := standbyOf(t, p)
	r := follow(t, s, (&hubUpstream{node: always(p)}).dial, nil)
	p.commit(5000)
	s.caughtUp(p)
	r.Stop()
	p.close()
	fork := wal.LSN(0)
	p = openNode(t, old)
	for _, e := range p.log.Epochs() {
		fork = e.Begin
	}
	p.commit(100_000)
	p.flush()
	fatal := make(chan error, 1)
	before, end := s.disk.Content(nodeDir+"/wal/"+s.log.SegmentName(wal.FirstLSN)), s.log.Written()
	r = follow(t, s, (&hubUpstream{node: always(p)}).dial, func(o *replica.ReceiverOptions) {
		o.Fatal = func(err error) { fatal <- err }
	})
	var diverged *replica.DivergedError
	require.ErrorAs(t, <-fatal, &diverged)
	require.Equal(t, fork, diverged.Fork)
	require.Equal(t, end, diverged.Ours.LSN)
	require.Equal(t, p.log.Flushed(), diverged.Theirs.LSN)
	require.Contains(t, diverged.Error(), fork.String())
	r.Stop()
	require.Equal(t, end, s.log.Written())
	require.Equal(t, before, s.disk.Content(nodeDir+"/wal/"+s.log.SegmentName(wal.FirstLSN)))
}

// An upstream that has less than the standby, of the same epoch, is waited for.
func TestReceiverWaitsForAnUpstreamBehindIt(t *testing.T) {
	p := newPrimary(t)
	s1, s2 := standbyOf(t, p), standbyOf(t, p)
	direct := (&hubUpstream{node: always(p)}).dial
	r := follow(t, s2, direct, nil)
	p.commit(10_000)
	s2.caughtUp(p)
	r.Stop()
	lost := make(chan error, 1000)
	follow(t, s2, (&hubUpstream{node: always(s1)}).dial, func(o *replica.ReceiverOptions) {
		o.Events.Lost = func(err error, _ time.Duration) { lost <- err }
	})
	require.ErrorIs(t, <-lost, replica.ErrUpstreamBehind)
	follow(t, s1, direct, nil)
	p.commit(10_000)
	s2.caughtUp(p)
	sameLog(t, p, s2)
}

// R1: a standby never has what an unclean restart of its primary takes away.
func TestAPrimaryPowerCutNeverDiverges(t *testing.T) {
	eachSeed(t, 8, func(t *testing.T, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 3))
		p := newPrimary(t)
		s := standbyOf(t, p)
		for round := range 4 {
			up := &hubUpstream{node: always(p)}
			r := follow(t, s, up.dial, nil)
			for range rng.IntN(40) {
				p.commit(rng.IntN(60_000))
			}
			if rng.IntN(2) == 0 {
				p.flush()
			}
			after := p.powerCut(seed*100 + uint64(round))
			r.Stop()
			p.close()
			p = openNode(t, after)
		}
		follow(t, s, (&hubUpstream{node: always(p)}).dial, nil)
		s.caughtUp(p)
		sameLog(t, p, s)
	})
}

// blocked hangs in one place until its context ends or it is closed.
type blocked struct {
	scripted
	where   string
	entered chan struct{}
}

func (b *blocked) hang(ctx context.Context) error {
	b.entered <- struct{}{}
	<-ctx.Done()
	return ctx.Err()
}

func (b *blocked) dial(ctx context.Context, _ replica.ConnInfo) (replica.Upstream, error) {
	if b.where == "dial" {
		return nil, b.hang(ctx)
	}
	return b, nil
}

func (b *blocked) Query(ctx context.Context, sql string) ([]*pgwire.Result, error) {
	if b.where == "query" {
		return nil, b.hang(ctx)
	}
	return b.scripted.Query(ctx, sql)
}

func (b *blocked) CopyBoth(ctx context.Context, _ string) (replica.UpstreamLink, error) {
	if b.where == "start" {
		return nil, b.hang(ctx)
	}
	ours, theirs := newPipe()
	context.AfterFunc(ctx, func() { _ = ours.Close() })
	if b.where == "finish" {
		_ = theirs.CloseSend()
	}
	return &blockedLink{pipeEnd: ours, b: b}, nil
}

type blockedLink struct {
	*pipeEnd
	b *blocked
}

func (l *blockedLink) Send(parts ...[]byte) error {
	if l.b.where == "send" {
		l.b.entered <- struct{}{}
		<-l.closed
		return errCut
	}
	return nil
}

func (l *blockedLink) Receive() ([]byte, error) {
	if l.b.where == "receive" {
		l.b.entered <- struct{}{}
	}
	return l.pipeEnd.Receive()
}

func (l *blockedLink) Finish(ctx context.Context) ([]*pgwire.Result, error) {
	return nil, l.b.hang(ctx)
}

func TestReceiverStopsWhereverItIsBlocked(t *testing.T) {
	p := newPrimary(t)
	for _, where := range []string{"dial", "query", "start", "receive", "send", "finish"} {
		t.Run(where, func(t *testing.T) {
			s := standbyOf(t, p)
			b := &blocked{where: where, entered: make(chan struct{}, 10)}
			b.query = matching(s)
			r := follow(t, s, b.dial, nil)
			<-b.entered
			r.Stop()
			require.Equal(t, replica.ReceiverStopped, r.Status().State)
		})
	}
}

func TestReceiverStopsWhileItBacksOff(t *testing.T) {
	s := standbyOf(t, newPrimary(t))
	lost := make(chan struct{}, 1000)
	refuse := func(context.Context, replica.ConnInfo) (replica.Upstream, error) { return nil, errCut }
	r := follow(t, s, refuse, func(o *replica.ReceiverOptions) {
		o.Events.Lost = func(error, time.Duration) { lost <- struct{}{} }
	})
	<-lost
	r.Stop()
	require.ErrorIs(t, r.Status().LastError, errCut)
}
