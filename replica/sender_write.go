package replica

import (
	"errors"
	"fmt"

	"ackdb/wal"
)

// write sends the log as it grows, until the timeline ends, the peer wants no more (stop), or the
// node shuts down and all is sent.
func (s *sender) write(stop <-chan struct{}) writeEnd {
	for {
		select {
		case <-stop:
			return s.finish(writeEnd{})
		default:
		}
		moved, err := s.sendLog()
		var end *wal.TimelineEndError
		switch {
		case errors.As(err, &end):
			return s.finish(writeEnd{next: &TimelineEnd{Next: end.Next, Start: end.Fork}})
		case err != nil:
			return writeEnd{err: err}
		}
		if err := s.keepAlive(!moved); err != nil {
			return writeEnd{err: err}
		}
		if moved {
			continue
		}
		s.caughtUp()
		fired, cancel := s.hub.clock.Timer(keepaliveInterval)
		select {
		case <-s.hub.stopping:
			cancel()
			return s.finish(writeEnd{err: ErrHubClosed})
		case <-stop:
		case <-s.poked:
		case <-fired:
		}
		cancel()
	}
}

// finish tells the peer that nothing more comes.
func (s *sender) finish(end writeEnd) writeEnd {
	if err := s.link.CloseSend(); err != nil {
		return writeEnd{err: err}
	}
	end.inOrder = true
	return end
}

// sendLog sends the next piece of the log, if there is one.
func (s *sender) sendLog() (moved bool, err error) {
	pos, n, err := s.reader.Read(s.buf)
	if err != nil {
		var end *wal.TimelineEndError
		if errors.As(err, &end) {
			return false, err
		}
		return false, s.readFailed(err)
	}
	if n == 0 {
		return false, nil
	}
	end, now, flushed := pos+wal.LSN(n), s.hub.clock.Now(), s.hub.opts.Log.Flushed()
	if end > flushed {
		return false, fmt.Errorf("replica: R1: read up to %s, flushed is %s", end, flushed)
	}
	s.mu.Lock()
	// Before it is sent: a report of it may be here before Send has returned, and what a peer says
	// it has beyond sent is not believed.
	s.sent = end
	if s.state == StateStartup {
		s.state = StateCatchup
	}
	s.report.lags.sample(flushed, now)
	s.mu.Unlock()
	s.head = AppendDataHeader(s.head[:0], pos, flushed, now)
	return true, s.link.Send(s.head, s.buf[:n])
}

// caughtUp says that the peer has been sent all there is. From the first time on it counts for
// those who wait for standbys. A stream of a timeline that has ended never comes here: it ends
// instead.
func (s *sender) caughtUp() {
	s.mu.Lock()
	before := s.state
	s.state = StateStreaming
	s.mu.Unlock()
	if before != StateStreaming {
		s.hub.quorum.stream(s.member)
	}
}

// heardReports is how many reports have come.
func (s *sender) heardReports() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.report.taken
}

// keepAlive sends a keepalive if one is due.
func (s *sender) keepAlive(idle bool) error {
	now := s.hub.clock.Now()
	answer, ask := s.answer.Swap(false), s.ask.Swap(false)
	// A receiver that has just closed a segment reports at its next interval only, seconds away,
	// unless it is asked; commits may wait for just that.
	pos, size := s.position(), wal.LSN(s.hub.opts.Log.SegmentSize())
	if idle && pos%size == 0 && pos != s.from && pos != s.askedAt {
		s.askedAt, ask = pos, true
	}
	shaken := s.peer.Node != 0
	if !answer && !ask && (!shaken || now.Sub(s.keptAlive) < keepaliveInterval) {
		return nil
	}
	s.keptAlive = now
	k := Keepalive{Time: now, Reply: ask, Staled: shaken}
	k.Hurry = shaken && s.hub.quorum.required.Load()
	if shaken {
		k.Heard = s.heardReports()
	}
	if stale := s.hub.opts.Settings().Staleness; shaken && stale != nil {
		k.Staleness = stale()
	}
	// Last: it has to cover what the two above say of it.
	k.End = s.hub.opts.Log.Flushed()
	s.head = AppendKeepalive(s.head[:0], k)
	return s.link.Send(s.head)
}
