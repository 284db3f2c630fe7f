package wal

import (
	"context"
	"slices"
)

// choose reads the log along the newest timeline that has a valid timeline-begin, reached through
// its parents. A promotion, or a follower's switch, that was cut off before that leaves segments
// which lead nowhere: they are passed over here and dropped by settle. There is at most one such
// timeline, so the log is read twice at worst.
func (r *recovery) choose(ctx context.Context) error {
	files, err := r.segs.files()
	if err != nil {
		return err
	}
	list := r.d.Epochs()
	certain := r.certain(list)
	for _, timeline := range r.candidates(list, files, certain) {
		r.segs.timeline = along(list, files, timeline, r.segs.size)
		if err := r.begin(); err != nil {
			return err
		}
		if err := r.walk(ctx); err != nil {
			return err
		}
		r.report.Timeline = timeline
		if timeline == certain || r.hasBegun(timeline) {
			break
		}
	}
	return nil
}

// certain is the newest timeline whose begin is known to be durable without reading it. A primary
// lists it behind its flush. A standby lists it before, so there the log must have been durable
// beyond it too.
func (r *recovery) certain(list EpochList) uint32 {
	control := r.d.Control()
	if control.Role == RolePrimary {
		return max(list.Last().Timeline, firstTimeline)
	}
	durable := max(r.from(), control.Flushed, r.start.Applied)
	if control.Role == RoleBackup {
		durable = max(durable, control.BackupEnd)
	}
	return list.timelineOf(durable)
}

// candidates is certain and every timeline above it that is listed or has a segment, newest first.
func (r *recovery) candidates(list EpochList, files []segmentFile, certain uint32) []uint32 {
	out := []uint32{certain}
	for _, e := range list {
		out = append(out, max(e.Timeline, certain))
	}
	for _, f := range files {
		out = append(out, max(f.timeline, certain))
	}
	slices.Sort(out)
	out = slices.Compact(out)
	slices.Reverse(out)
	return out
}

// along gives the timeline in the name of each segment if the log is on timeline. The fork of one
// that is not listed is in the lowest segment it has.
func along(
	list EpochList, files []segmentFile, timeline uint32, size int64,
) func(start LSN) uint32 {
	n := slices.IndexFunc(list, func(e Epoch) bool { return e.Timeline >= timeline })
	if n < 0 || list[n].Timeline != timeline {
		if n >= 0 {
			list = list[:n:n]
		}
		i := slices.IndexFunc(files, func(f segmentFile) bool { return f.timeline == timeline })
		if i >= 0 && timeline != firstTimeline {
			list = list.with(Epoch{EpochID: EpochID{Timeline: timeline}, Begin: files[i].start})
		}
	} else if n = slices.IndexFunc(list, func(e Epoch) bool { return e.Timeline > timeline }); n >= 0 {
		list = list[:n:n]
	}
	return func(start LSN) uint32 { return list.timelineOf(start + LSN(size)) }
}

// hasBegun says whether the begin of a timeline was read.
func (r *recovery) hasBegun(timeline uint32) bool {
	return slices.ContainsFunc(r.forks, func(b Begin) bool { return b.Timeline == timeline })
}

// finishTimelines does what a promotion or a follower's switch had still to do: the history files,
// and the role of a node that began its own timeline.
//
// That it did is told by the list, which has every begin but one whose promotion was cut off: a
// primary lists it last, behind the role, and a standby lists what it receives before the record.
// So a node that was promoted once, and is a standby again, finds its old begin listed and stays
// what it is.
func (r *recovery) finishTimelines() error {
	control := r.d.Control()
	for i := range r.forks {
		b := &r.forks[i]
		if err := r.d.beganTimeline(b); err != nil {
			return err
		}
		promoted := b.Node == control.NodeID && r.d.Epochs().find(b.EpochID) < 0
		if promoted && control.Role != RolePrimary {
			if err := r.d.becomePrimary(b); err != nil {
				return err
			}
		}
	}
	return nil
}
