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

// SenderBufferSize is all the log one sender holds in memory: the rest of what a slow peer lacks
// stays on disk (R3).
const SenderBufferSize = MaxDataSize

// silenceCheckMax is how long a change of the timeout may go unnoticed.
const silenceCheckMax = time.Second

// TimelineEnd says that a stream has given all of its timeline: the next one goes on from Start.
type TimelineEnd struct {
	Next  uint32
	Start wal.LSN
}

// SenderState is what a sender is doing, in Postgres' words.
type SenderState string

// The states of a sender.
const (
	StateStartup   SenderState = "startup"
	StateCatchup   SenderState = "catchup"
	StateStreaming SenderState = "streaming"
	StateBackup    SenderState = "backup"
)

// sender serves one peer one timeline. Three goroutines do it, and Stream awaits them all: the
// caller's supervises, so that a peer which neither reads nor writes cannot hold it up, the writer
// sends, the reader takes reports.
type sender struct {
	hub      *Hub
	peer     Peer
	timeline uint32
	from     wal.LSN
	member   *member
	slot     *slotUse // nil: none
	link     Link

	poked chan struct{} // capacity 1: the writer has something to look at
	quit  context.CancelCauseFunc

	answer atomic.Bool // the peer wants a keepalive
	ask    atomic.Bool // the supervisor wants the peer to report

	// writer only
	reader    *wal.RawReader
	buf       []byte
	head      []byte
	askedAt   wal.LSN // the segment's end the peer was last asked about
	keptAlive time.Time

	mu     sync.Mutex // a leaf but for quorum.mu, which is never taken under it
	state  SenderState
	sent   wal.LSN
	heard  time.Time // the peer was last heard
	asked  bool      // to report, since then
	report report
}

// Stream serves one START_REPLICATION. What is wrong with the request is answered before open is
// called, which puts the connection into the CopyBoth state. It returns when both sides have ended
// the copy, with the next timeline when this one has one, or with an error when the link is broken:
// then nothing but an error can follow on it.
func (h *Hub) Stream(
	ctx context.Context, open func() (Link, error), req StartReplication, peer Peer,
) (end *TimelineEnd, err error) {
	s, err := h.newSender(req, peer)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	ctx, s.quit = context.WithCancelCause(ctx)
	defer s.quit(nil)
	if err := h.enter(s); err != nil {
		return nil, err
	}
	defer h.exit(s)
	if s.link, err = open(); err != nil {
		return nil, err
	}
	if f := h.opts.Events.Started; f != nil {
		f(peer, s.timeline, s.from)
	}
	end, err = s.run(ctx)
	if f := h.opts.Events.Ended; f != nil {
		f(peer, err)
	}
	return end, err
}

// newSender checks the request and takes what the stream needs.
func (h *Hub) newSender(req StartReplication, peer Peer) (*sender, error) {
	timeline, err := h.checkStart(req)
	if err != nil {
		return nil, err
	}
	s := &sender{
		hub: h, peer: peer, timeline: timeline, from: req.From, poked: make(chan struct{}, 1),
		buf: make([]byte, SenderBufferSize), head: make([]byte, 0, dataHeaderSize),
		state: StateStartup, sent: req.From, heard: h.clock.Now(),
	}
	if req.Slot != "" {
		// Before the log is looked for: from here on the slot holds it.
		if s.slot, err = h.opts.Slots.acquire(req.Slot, peer.Conn); err != nil {
			return nil, err
		}
	}
	if s.reader, err = h.opts.Log.RawReader(timeline, req.From); err != nil {
		err = s.readFailed(err)
		if s.slot != nil {
			s.slot.release()
		}
		return nil, err
	}
	s.member = h.quorum.join(peer.App, peer.Node)
	s.report.start(req.From, peer.Node != 0)
	return s, nil
}

// checkStart says which timeline is asked for and whether it has the position.
func (h *Hub) checkStart(req StartReplication) (uint32, error) {
	log := h.opts.Log
	list := log.Timelines()
	timeline := req.Timeline
	if timeline == 0 {
		timeline = list[len(list)-1].ID
	}
	for i, t := range list {
		if t.ID != timeline {
			continue
		}
		if i+1 == len(list) {
			if flushed := log.Flushed(); req.From > flushed {
				return 0, errorf(codeNotInState, "requested starting point %s is ahead of the WAL "+
					"flush position of this server %s", req.From, flushed)
			}
			return timeline, nil
		}
		if fork := list[i+1].Fork; req.From > fork {
			e := errorf(codeNotInState, "requested starting point %s on timeline %d is not in "+
				"this server's history", req.From, timeline)
			e.Detail = fmt.Sprintf("This server's history forked from timeline %d at %s.",
				timeline, fork)
			return 0, e
		}
		return timeline, nil
	}
	return 0, errorf(codeNotInState, "requested timeline %d is not in this server's history",
		timeline)
}

// readFailed turns a failure to read the log into what the peer is told.
func (s *sender) readFailed(err error) error {
	if errors.Is(err, wal.ErrRecycled) {
		log := s.hub.opts.Log
		return errorf(codeFileGone, "requested WAL segment %s has already been removed",
			wal.SegmentName(s.timeline, s.position(), log.SegmentSize()))
	}
	return fmt.Errorf("replica: read timeline %d at %s: %w", s.timeline, s.position(), err)
}

func (s *sender) position() wal.LSN {
	if s.reader == nil {
		return s.from
	}
	return s.reader.Position()
}

// close gives back what newSender took.
func (s *sender) close() error {
	s.hub.quorum.leave(s.member)
	if s.slot != nil {
		s.slot.release()
	}
	return s.reader.Close()
}

// abandon breaks the link, whatever it is doing.
func (s *sender) abandon() { s.quit(ErrHubClosed) }

// writeEnd is how the writer ended. In order means that the peer has been told.
type writeEnd struct {
	next    *TimelineEnd
	err     error
	inOrder bool
}

// run supervises: it starts reader and writer, judges the peer's silence, and returns when both
// have ended.
func (s *sender) run(ctx context.Context) (next *TimelineEnd, err error) {
	stop := make(chan struct{})
	stopWriter := sync.OnceFunc(func() { close(stop) })
	wrote, read := make(chan writeEnd, 1), make(chan error, 1)
	go func() { wrote <- s.write(stop) }()
	go func() { read <- s.read() }()

	var lost <-chan struct{}
	if s.slot != nil {
		lost = s.slot.lost
	}
	ended := ctx.Done()
	fail := func(cause error) {
		if err == nil {
			err = cause
		}
		// Neither of the two can be told in another way while it is blocked in the link.
		err = errors.Join(err, s.link.Close())
		stopWriter()
		ended, lost = nil, nil
	}
	for wrote != nil || read != nil {
		fired, cancel := s.hub.clock.Timer(s.untilSilent())
		select {
		case w := <-wrote:
			wrote, next = nil, w.next
			if w.inOrder {
				err = errors.Join(err, w.err)
			} else {
				fail(w.err)
			}
		case cause := <-read:
			read = nil
			if cause == io.EOF {
				stopWriter()
			} else {
				fail(cause)
			}
		case <-ended:
			fail(context.Cause(ctx))
		case <-lost:
			fail(slotLostError(s.slot.slot.name))
		case <-fired:
			if cause := s.checkSilence(); cause != nil {
				fail(cause)
			}
		}
		cancel()
	}
	if err != nil {
		return nil, err
	}
	return next, nil
}

// untilSilent is when to look next whether the peer has been silent for too long.
func (s *sender) untilSilent() time.Duration {
	timeout := s.hub.opts.Settings().SenderTimeout
	if timeout <= 0 {
		return silenceCheckMax
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	due := timeout
	if !s.asked {
		due /= 2
	}
	return min(max(due-s.hub.clock.Now().Sub(s.heard), 0), silenceCheckMax)
}

// checkSilence asks a peer to report after half of the timeout, and gives it up after all of it.
func (s *sender) checkSilence() error {
	timeout := s.hub.opts.Settings().SenderTimeout
	if timeout <= 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	silent := s.hub.clock.Now().Sub(s.heard)
	switch {
	case silent >= timeout && s.asked:
		return fmt.Errorf("%w: %q, for %s", ErrPeerSilent, s.peer.App, timeout)
	case silent >= timeout/2 && !s.asked:
		s.asked = true
		s.ask.Store(true)
		nudge(s.poked)
	}
	return nil
}
