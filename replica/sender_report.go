package replica

import (
	"fmt"
	"time"

	"ackdb/wal"
)

// lagsKept is how long the last lags are shown of a peer that has everything.
const lagsKept = 10 * time.Second

// report is what a peer has said of itself, and what of that is believed. It is guarded by the
// sender's lock.
type report struct {
	last  Status
	any   bool
	taken uint64 // reports
	lags  lagTracker
	full  time.Time // reports confirm all that had been sent since then; zero: the last did not
	floor positions

	// trusted says that the peer shook hands, so that whatever it reports is in its log.
	trusted bool
}

// start prepares for a peer that begins at from.
func (r *report) start(from wal.LSN, trusted bool) {
	r.trusted = trusted
	for i := range r.floor {
		r.floor[i] = from
	}
}

// take takes a report in and returns what it proves.
//
// A replica that shook hands is believed what it says, up to what it was sent. Any other peer
// begins by reporting where it begins, or where an earlier process of it had come on another
// timeline: that is no proof of anything, so only what is beyond its first report counts.
func (r *report) take(s Status, sent wal.LSN, now time.Time) (proven positions, flush wal.LSN) {
	said := positions{min(s.Write, sent), min(s.Flush, sent), min(s.Apply, sent)}
	for i := range said {
		switch {
		case r.trusted:
			proven[i] = said[i]
		case !r.any:
			r.floor[i] = max(r.floor[i], said[i])
		case said[i] > r.floor[i]:
			proven[i] = said[i]
		}
	}
	r.lags.report(said, now)
	switch full := said[rungApply] == sent; {
	case !full:
		r.full = time.Time{}
	case r.full.IsZero():
		r.full = now
	case now.Sub(r.full) >= lagsKept:
		r.lags.clear()
	}
	r.last, r.any = s, true
	r.taken++
	return proven, said[rungFlush]
}

// read takes what the peer reports, until it ends its direction.
func (s *sender) read() error {
	for {
		msg, err := s.link.Receive()
		if err != nil {
			return err
		}
		if len(msg) == 0 {
			return fmt.Errorf("%w: empty", ErrProtocol)
		}
		switch msg[0] {
		case KindStatus:
			status, err := DecodeStatus(msg)
			if err != nil {
				return err
			}
			s.reported(status)
		case KindFeedback:
			if err := CheckFeedback(msg); err != nil {
				return err
			}
			s.hear()
		default:
			return fmt.Errorf("%w: unexpected %q from a receiver", ErrProtocol, msg[0])
		}
	}
}

// hear notes that the peer is alive.
func (s *sender) hear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard, s.asked = s.hub.clock.Now(), false
}

func (s *sender) reported(status Status) {
	now := s.hub.clock.Now()
	s.mu.Lock()
	s.heard, s.asked = now, false
	proven, flush := s.report.take(status, s.sent, now)
	s.mu.Unlock()
	if s.slot != nil && flush != 0 {
		s.slot.advance(flush)
	}
	s.hub.quorum.report(s.member, proven)
	if status.Reply {
		s.answer.Store(true)
		nudge(s.poked)
	}
}
