package replica

import (
	"errors"
	"fmt"
	"io"

	"ackdb/wal"
)

// sendLog sends the segments from the one that holds start up to end, the last with zeros behind
// end, and the history files of every timeline but the first.
func (b *backup) sendLog(history []wal.Timeline, start, end wal.LSN) error {
	log := b.hub.opts.Log
	b.hub.mu.Lock()
	b.progress.Phase = phaseLog
	b.hub.mu.Unlock()
	if err := b.directory("wal"); err != nil {
		return err
	}
	size := wal.LSN(log.SegmentSize())
	for at := segmentOf(log, start); at < end; at += size {
		if err := b.sendSegment(history, at, end); err != nil {
			return err
		}
	}
	for _, t := range history[1:] {
		name, content, err := log.HistoryFile(t.ID)
		if err == nil {
			err = b.content("wal/"+name, content)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sendSegment sends the segment that begins at start as the newest timeline that has it holds it:
// the one a fork lies in begins with a copy of what it left, so that one suffices.
func (b *backup) sendSegment(history []wal.Timeline, start, end wal.LSN) error {
	log := b.hub.opts.Log
	size := log.SegmentSize()
	timeline := history[0].ID
	for _, t := range history[1:] {
		if segmentOf(log, t.Fork) <= start {
			timeline = t.ID
		}
	}
	reader, err := log.RawReader(timeline, start)
	if err != nil {
		return fmt.Errorf("read timeline %d at %s: %w", timeline, start, err)
	}
	name := "wal/" + wal.SegmentName(timeline, start, size)
	err = b.file(name, size, b.hub.clock.Now(), func(w io.Writer) error {
		upTo := min(start+wal.LSN(size), end)
		if err := copyLog(w, reader, upTo); err != nil {
			return err
		}
		return writeZeros(w, size-int64(upTo-start))
	})
	return errors.Join(err, reader.Close())
}

// copyLog writes what reader gives up to a position that is flushed.
func copyLog(w io.Writer, reader *wal.RawReader, upTo wal.LSN) error {
	buf := make([]byte, backupChunkSize)
	for reader.Position() < upTo {
		left := int64(upTo - reader.Position())
		_, n, err := reader.Read(buf[:min(left, int64(len(buf)))])
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("the log ends at %s, before %s", reader.Position(), upTo)
		}
		if _, err := w.Write(buf[:n]); err != nil {
			return err
		}
	}
	return nil
}

func writeZeros(w io.Writer, n int64) error {
	zeros := make([]byte, min(n, backupChunkSize))
	for n > 0 {
		m := min(n, int64(len(zeros)))
		if _, err := w.Write(zeros[:m]); err != nil {
			return err
		}
		n -= m
	}
	return nil
}
