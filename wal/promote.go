package wal

import (
	"context"
	"fmt"
)

// Promote begins a timeline of this node's own at the tail of a standby's log. In order:
//
//	the tail F is flushed
//	<new timeline><segment of F>: a copy below F, zeros behind, fsynced with its name
//	timeline-begin at F, flushed            from here on the promotion has happened
//	the history file, fsynced
//	control: primary                        before the list, see finishPromotion
//	the list of epochs
//
// A power cut before timeline-begin is durable leaves the standby as it was. Whatever is missing
// behind it recovery makes up for. An error before it leaves the standby as it was too; behind it
// the log is poisoned, for what has happened cannot be taken back and must not be denied. ctx ends
// only what comes before. Receive has ended, and does not begin again.
func (l *Log) Promote(ctx context.Context, reason string) (Begin, error) {
	l.receiving.Lock()
	defer l.receiving.Unlock()
	if err := l.takesLog(); err != nil {
		return Begin{}, fmt.Errorf("wal: promote: %w", err)
	}
	control := l.dir.Control()
	if control.Role == RolePrimary {
		return Begin{}, fmt.Errorf("wal: promote: %w", ErrNotStandby)
	}
	l.resetReceive()
	if err := l.WaitFlushed(ctx, l.head.end); err != nil {
		return Begin{}, fmt.Errorf("wal: promote: %w", err)
	}
	begin := Begin{
		Previous: l.head.id, Ended: l.head.end, Node: control.NodeID,
		Time: l.opts.Clock.Now().UnixMicro(), Reason: oneLine(reason),
	}
	// As it stands in the record, from which recovery would make the history file.
	begin.Reason = begin.Reason[:min(len(begin.Reason), reasonSizeMax)]
	end, err := l.beginTimeline(ctx, &begin)
	if err != nil {
		return Begin{}, fmt.Errorf("wal: promote at %s: %w", begin.Ended, err)
	}
	if err := l.WaitFlushed(context.WithoutCancel(ctx), end); err != nil {
		return Begin{}, fmt.Errorf("wal: promote at %s: %w", begin.Ended, err)
	}
	if err := l.establish(&begin); err != nil {
		l.poison(fmt.Errorf("promoted to timeline %d at %s: %w", begin.Timeline, begin.Ended, err))
		return Begin{}, l.err()
	}
	return begin, nil
}

// beginTimeline draws timeline and epoch and writes timeline-begin, which is not flushed yet.
func (l *Log) beginTimeline(ctx context.Context, begin *Begin) (end LSN, err error) {
	timeline, err := l.dir.nextTimeline()
	if err != nil {
		return 0, err
	}
	if begin.EpochID, err = l.drawEpoch(timeline); err != nil {
		return 0, err
	}
	b, err := l.makeBranch(timeline)
	if err != nil {
		return 0, err
	}
	group := []Entry{{Type: TypeTimelineBegin, Payload: AppendBegin(nil, begin)}}
	if err = ctx.Err(); err == nil {
		err = l.reserve(begin.EpochID, group)
	}
	if err != nil {
		l.dropBranch(b)
		return 0, err
	}
	// Before the first byte can be flushed: readers of the old timeline must stop at the fork,
	// and those who go on beyond it must find the segment under its new name.
	l.dir.fork.Store(&fork{timeline: timeline, at: begin.Ended})
	if err := l.enterBranch(b); err != nil {
		l.poison(err)
		return 0, l.err()
	}
	return group[0].End, l.put(begin.EpochID, group)
}

// establish does what follows once timeline-begin is durable.
func (l *Log) establish(begin *Begin) error {
	if err := l.dir.beganTimeline(begin); err != nil {
		return err
	}
	if err := l.dir.becomePrimary(begin); err != nil {
		return err
	}
	entry := Epoch{EpochID: begin.EpochID, Begin: begin.Ended, Node: begin.Node}
	if err := l.dir.saveEpochs(l.dir.Epochs().with(entry)); err != nil {
		return err
	}
	l.dir.loadHistory()
	l.dir.fork.Store(nil)
	l.head.clean = false
	id := begin.EpochID
	l.epoch.Store(&id)
	l.nudge() // readers of the old timeline, to be told how it ended
	return nil
}

// becomePrimary says in control that this node's own timeline has begun.
func (d *Dir) becomePrimary(begin *Begin) error {
	if err := d.SetRole(RolePrimary, ""); err != nil {
		return err
	}
	return d.control.updateBoth(func(c *Control) { c.EpochID, c.Clean = begin.EpochID, false })
}

// FollowTimeline prepares a standby for the timeline next, in which its primary's history goes on
// from the tail of this log on. history is the timeline's history file, empty if there is none.
// What Receive is given then must be that timeline's. Of a timeline announced, and of which no
// record has come, nothing is left after ResetReceive or a restart but its history file, so that
// this node never gives its number to another.
func (l *Log) FollowTimeline(
	ctx context.Context, next uint32, fork LSN, history []byte,
) error {
	l.receiving.Lock()
	defer l.receiving.Unlock()
	if err := l.takesLog(); err != nil {
		return fmt.Errorf("wal: follow timeline %d: %w", next, err)
	}
	l.resetReceive()
	tail := l.head.link
	if fork != tail.end {
		return &SequenceError{Want: tail.end, Got: fork}
	}
	if err := l.checkHistory(next, history); err != nil {
		return err
	}
	if err := l.WaitFlushed(ctx, tail.end); err != nil {
		return fmt.Errorf("wal: follow timeline %d: %w", next, err)
	}
	if len(history) > 0 {
		if err := l.dir.writeHistory(next, history); err != nil {
			return l.refused(fullDisk(err))
		}
	}
	b, err := l.makeBranch(next)
	if err != nil {
		return fmt.Errorf("wal: follow timeline %d: %w", next, err)
	}
	l.in.branch = b
	return nil
}

// checkHistory checks that timeline next, by its history file, begins where this log ends.
func (l *Log) checkHistory(next uint32, history []byte) error {
	tail := l.head.link
	if next <= tail.id.Timeline {
		return &DivergedError{At: tail.end, Reason: fmt.Sprintf(
			"timeline %d cannot follow timeline %d", next, tail.id.Timeline)}
	}
	if len(history) == 0 {
		return nil
	}
	told, err := parseHistory(next, history)
	if err != nil {
		return err
	}
	want := append(l.Timelines()[1:],
		Timeline{ID: next, Parent: tail.id.Timeline, Fork: tail.end})
	if !sameForks(told, want) {
		return &DivergedError{At: tail.end, Reason: fmt.Sprintf(
			"the history of timeline %d does not go through here", next)}
	}
	return nil
}
