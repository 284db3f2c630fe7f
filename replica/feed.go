package replica

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"ackdb/wal"
)

// The bounds of the wait for space on a full disk.
const (
	noSpaceWaitMin = 100 * time.Millisecond
	noSpaceWaitMax = 5 * time.Second
)

// feed is one stream of log from upstream, on one timeline. The receiver's goroutine reads it; the
// reporter alone sends.
type feed struct {
	receiver *Receiver
	log      *wal.Log
	stream   UpstreamLink
	silence  silence

	broken context.CancelCauseFunc // ends the stream, for a reason
	quit   context.CancelFunc      // ends the reporter, the watch and the follower of flushed
	ended  sync.WaitGroup          // those three
	wanted chan struct{}           // a report is to be sent at once
	answer atomic.Bool             // and upstream is to answer it
	hurry  atomic.Bool             // commits wait upstream for what we report
	probes probes
}

// stream takes log from one timeline until the link is lost, with an error, or the timeline ends.
func (r *Receiver) stream(ctx context.Context, up Upstream, timeline uint32) (*switchover, error) {
	ctx, broken := context.WithCancelCause(ctx)
	defer broken(nil)
	from := r.opts.Log.ReceivePosition()
	begun := time.AfterFunc(commandTimeout, func() { broken(ErrPeerSilent) })
	stream, err := up.CopyBoth(ctx, startCommand(r.opts.Slot, from, timeline))
	begun.Stop()
	if err != nil {
		return nil, refused(err, from)
	}
	f := &feed{
		receiver: r, log: r.opts.Log, stream: stream, broken: broken, wanted: make(chan struct{}, 1),
	}
	r.began(from, timeline)
	f.start(ctx)
	if err = f.take(ctx); errors.Is(err, io.EOF) {
		f.stop(true)
		return f.finish(ctx)
	}
	// Whatever failed first is the reason; what fails because of it is not.
	broken(err)
	f.stop(false)
	return nil, fmt.Errorf("replica: receive log: %w", context.Cause(ctx))
}

// refused says what it means that upstream does not stream from a position.
func refused(err error, from wal.LSN) error {
	if isState(err, stateUndefinedFile) {
		return fmt.Errorf("%w: from %s on: %w", ErrMustReseed, from, err)
	}
	return fmt.Errorf("replica: START_REPLICATION from %s: %w", from, err)
}

// began notes a new stream.
func (r *Receiver) began(from wal.LSN, timeline uint32) {
	r.status.change(func(c *ReceiverStatus) {
		c.State = ReceiverStreaming
		c.ReceiveStart, c.ReceiveStartTLI = from, timeline
		c.Connections++
	})
	r.opts.Events.Streaming(from, timeline)
}

// start starts the goroutines of the link.
func (f *feed) start(ctx context.Context) {
	ctx, f.quit = context.WithCancel(ctx)
	f.ended.Add(3)
	go f.report(ctx)
	go f.watch(ctx)
	go f.followFlushed(ctx)
}

// stop ends and awaits them. A stream that ended in order goes on to its Finish; a reporter that
// hangs on a peer that does not read is got out by closing.
func (f *feed) stop(inOrder bool) {
	f.quit()
	patience := time.Duration(0)
	if inOrder {
		patience = commandTimeout
	}
	closing := time.AfterFunc(patience, func() { _ = f.stream.Close() })
	f.ended.Wait()
	closing.Stop()
}

// take gives the log what comes, until io.EOF.
func (f *feed) take(ctx context.Context) error {
	for {
		f.silence.reading(true, f.receiver.opts.Clock.Now())
		msg, err := f.stream.Receive()
		now := f.receiver.opts.Clock.Now()
		// While a message is worked on upstream is not silent: it is us who do not listen.
		f.silence.reading(false, now)
		if err != nil {
			return err
		}
		if err := f.message(ctx, msg, now); err != nil {
			return err
		}
	}
}

func (f *feed) message(ctx context.Context, msg []byte, now time.Time) error {
	if len(msg) == 0 {
		return protocolError("an empty message")
	}
	switch msg[0] {
	case KindData:
		data, err := DecodeData(msg)
		if err != nil {
			return err
		}
		f.receiver.status.heard(data.End, data.Time, now)
		return f.receive(ctx, data.Start, data.Bytes)
	case KindKeepalive:
		k, err := DecodeKeepalive(msg)
		if err != nil {
			return err
		}
		f.receiver.status.heard(k.End, k.Time, now)
		f.hurry.Store(k.Hurry)
		f.judgeAge(&k)
		// Whatever moved and did not say so is reported a keepalive later, not an interval.
		f.receiver.poke()
		if k.Reply || k.Staled {
			f.want(false)
		}
	default:
		return protocolError("message %q in a stream of log", msg[0])
	}
	return nil
}

// judgeAge takes from a keepalive how fresh what it speaks of is: it was looked up behind the
// sending of the newest report it answers, and was at most its staleness old then.
func (f *feed) judgeAge(k *Keepalive) {
	if !k.Staled {
		return
	}
	if at, ok := f.probes.answered(k.Heard); ok {
		f.receiver.fresh.saw(k.End, at.Add(-k.Staleness), f.receiver.opts.Applied())
	}
}

// receive gives the log a piece. A full disk loses nothing: the piece waits here, upstream behind
// it, until there is space; reports go out meanwhile, so that upstream does not give us up.
func (f *feed) receive(ctx context.Context, pos wal.LSN, b []byte) error {
	opts := &f.receiver.opts
	for wait := noSpaceWaitMin; ; wait = min(2*wait, noSpaceWaitMax) {
		err := f.log.Receive(pos, b)
		if err == nil {
			break
		}
		if !errors.Is(err, wal.ErrNoSpace) {
			return err
		}
		opts.Events.NoSpace(err, wait)
		if !pause(ctx, opts.Clock, wait) {
			return context.Cause(ctx)
		}
		// The records in front of the one that found no space have been taken.
		taken := f.log.ReceivePosition()
		if taken < pos || taken > pos+wal.LSN(len(b)) {
			return fmt.Errorf("replica: log wants %s on after a full disk, %s was offered: %w",
				taken, pos, err)
		}
		b, pos = b[taken-pos:], taken
	}
	// Nobody waits for this log to be flushed but those at upstream who wait for us.
	f.log.RequestFlush(f.log.Written())
	f.receiver.poke()
	return nil
}

// want asks the reporter for a report at once, and through it upstream for an answer.
func (f *feed) want(answer bool) {
	if answer {
		f.answer.Store(true)
	}
	select {
	case f.wanted <- struct{}{}:
	default:
	}
}

// fail ends the link from one of its goroutines.
func (f *feed) fail(why error) {
	f.broken(why)
	_ = f.stream.Close()
}
