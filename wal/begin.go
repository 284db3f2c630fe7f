package wal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// BeginEpoch begins this run's epoch, as a primary does at every start: the record first, flushed,
// then the list, then control. Nothing can be appended before it.
func (l *Log) BeginEpoch(ctx context.Context) error {
	if l.epoch.Load() != nil {
		return errors.New("wal: the epoch has begun already")
	}
	control := l.dir.Control()
	if control.Role != RolePrimary {
		return fmt.Errorf("wal: a %s begins no epoch: its log is its primary's (W1)", control.Role)
	}
	id, err := l.drawEpoch(max(l.head.id.Timeline, firstTimeline))
	if err != nil {
		return err
	}
	b := Begin{
		EpochID: id, Previous: l.head.id, Ended: l.head.end,
		Node: control.NodeID, Time: l.opts.Clock.Now().UnixMicro(), Clean: l.head.clean,
	}
	group := []Entry{{Type: TypeEpochBegin, Payload: AppendBegin(nil, &b)}}
	if err := l.append(id, group); err != nil {
		return fmt.Errorf("wal: begin epoch %s: %w", id, err)
	}
	if err := l.WaitFlushed(ctx, group[0].End); err != nil {
		return fmt.Errorf("wal: begin epoch %s: %w", id, err)
	}
	// Log first, then the list: an entry whose record a power cut took would have receipts of the
	// epoch before it judged by a history that never was.
	entry := Epoch{EpochID: id, Begin: b.Ended, Node: b.Node}
	if err := l.dir.saveEpochs(l.dir.Epochs().with(entry)); err != nil {
		return fmt.Errorf("wal: begin epoch %s: %w", id, err)
	}
	l.epoch.Store(&id)
	return l.saveControl(false)
}

// drawEpoch gives an epoch above every one this node has heard of, in the log or out of it.
func (l *Log) drawEpoch(timeline uint32) (EpochID, error) {
	counter := max(l.dir.Epochs().Last().Counter(), l.dir.Control().Counter(),
		l.head.id.Counter())
	var random [4]byte
	if _, err := io.ReadFull(l.opts.Rand, random[:]); err != nil {
		return EpochID{}, fmt.Errorf("wal: draw an epoch: %w", err)
	}
	low := uint64(binary.LittleEndian.Uint32(random[:]))
	return EpochID{Timeline: timeline, Epoch: uint64(counter+1)<<32 | low}, nil
}
