package replica

import (
	"context"
	"errors"
	"fmt"

	"ackdb/pgwire"
	"ackdb/wal"
)

// connect makes one connection to upstream and follows it, over as many timelines as there are,
// until it is lost.
func (r *Receiver) connect(ctx context.Context) error {
	r.status.state(ReceiverStarting)
	up, err := r.opts.Dial(ctx, r.opts.ConnInfo)
	if err != nil {
		return fmt.Errorf("replica: connect to upstream: %w", err)
	}
	defer func() { _ = up.Close() }()
	if err := r.introduce(ctx, up); err != nil {
		return err
	}
	timeline := r.opts.Log.Timeline()
	for {
		next, err := r.stream(ctx, up, timeline)
		if err != nil {
			return err
		}
		if err := r.goOver(ctx, up, next); err != nil {
			return err
		}
		timeline = next.timeline
	}
}

// introduce finds out whether upstream's log is one that ours goes on with.
func (r *Receiver) introduce(ctx context.Context, up Upstream) error {
	id, err := identify(ctx, up)
	if err != nil {
		return err
	}
	control := r.opts.Log.Control()
	if id.system != control.SystemID {
		return &SystemError{Ours: control.SystemID, Theirs: id.system}
	}
	if ours := r.opts.Log.Timeline(); id.timeline < ours {
		return fmt.Errorf("%w: %d, we are on %d", ErrOlderTimeline, id.timeline, ours)
	}
	if err := r.compare(ctx, up, control); err != nil {
		return err
	}
	if r.opts.Slot == "" {
		return nil
	}
	created, err := ensureSlot(ctx, up, r.opts.Slot)
	if created {
		r.opts.Events.SlotCreated(r.opts.Slot)
	}
	return err
}

// compare shakes hands: bytes are asked for only of a log that holds ours (R4).
func (r *Receiver) compare(ctx context.Context, up Upstream, control wal.Control) error {
	tail := r.opts.Log.Tail()
	ours := wal.Token{EpochID: tail.EpochID, LSN: tail.End}
	reply, err := shakeHands(ctx, up, Handshake{
		Version: HandshakeVersion, Node: control.NodeID, System: control.SystemID,
		Position: ours, CRC: tail.CRC,
	})
	if err != nil {
		return err
	}
	r.status.change(func(c *ReceiverStatus) {
		c.UpstreamNode, c.UpstreamTimeline = reply.Node, reply.Timeline
	})
	theirs := wal.Token{EpochID: reply.EpochID, LSN: reply.Flushed}
	switch reply.Relation {
	case RelationMatch:
		return nil
	case RelationAhead:
		return fmt.Errorf("%w: it is at %s, we are at %s", ErrUpstreamBehind, theirs, ours)
	case RelationRemoved:
		return fmt.Errorf("%w: ours ends at %s: %s", ErrMustReseed, ours, reply.Message)
	default:
		return &DivergedError{
			Ours: ours, Theirs: theirs, Upstream: reply.Node, Fork: reply.Fork, Message: reply.Message,
		}
	}
}

// switchover is where one timeline ends and the next begins.
type switchover struct {
	timeline uint32
	fork     wal.LSN
}

// finish ends a stream that upstream has ended, and reads why it did.
func (f *feed) finish(ctx context.Context) (*switchover, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	results, err := f.stream.Finish(ctx)
	if err != nil {
		return nil, fmt.Errorf("replica: end of stream: %w", err)
	}
	return parseSwitchover(results)
}

func parseSwitchover(results []*pgwire.Result) (*switchover, error) {
	row := firstRow(results)
	if row == nil {
		return nil, ErrUpstreamEnded
	}
	timeline, err := parseTimeline(text(row, 0))
	if err != nil {
		return nil, protocolError("end of a timeline: %v", err)
	}
	fork, err := wal.ParseLSN(text(row, 1))
	if err != nil {
		return nil, protocolError("end of a timeline: %v", err)
	}
	return &switchover{timeline: timeline, fork: fork}, nil
}

// goOver has the log go on on the next timeline. Upstream ends its stream exactly at the fork: the log
// refuses a fork that is not its tail (R2).
func (r *Receiver) goOver(ctx context.Context, up Upstream, next *switchover) error {
	r.status.state(ReceiverRestarting)
	if ours := r.opts.Log.Timeline(); next.timeline <= ours {
		return protocolError("timeline %d is to follow timeline %d", next.timeline, ours)
	}
	row, err := command(ctx, up, fmt.Sprintf("TIMELINE_HISTORY %d", next.timeline))
	if err != nil {
		return err
	}
	if len(row) < 2 || row[1] == nil {
		return protocolError("TIMELINE_HISTORY %d: no content", next.timeline)
	}
	if err := r.followTimeline(ctx, next, []byte(*row[1])); err != nil {
		return fmt.Errorf("replica: follow timeline %d from %s on: %w", next.timeline, next.fork, err)
	}
	r.opts.Events.Followed(next.timeline, next.fork)
	r.poke()
	return nil
}

// followTimeline tries again for as long as the disk is full: upstream keeps the connection.
func (r *Receiver) followTimeline(ctx context.Context, next *switchover, history []byte) error {
	for wait := noSpaceWaitMin; ; wait = min(2*wait, noSpaceWaitMax) {
		err := r.opts.Log.FollowTimeline(ctx, next.timeline, next.fork, history)
		if err == nil || !errors.Is(err, wal.ErrNoSpace) {
			return err
		}
		r.opts.Events.NoSpace(err, wait)
		if !pause(ctx, r.opts.Clock, wait) {
			return context.Cause(ctx)
		}
	}
}
