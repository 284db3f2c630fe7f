package wal

import (
	"encoding/binary"
	"errors"
)

// durablePoint is D: the log is known to have been durable up to lsn, because says says so.
type durablePoint struct {
	lsn  LSN
	says string
}

func (p *durablePoint) raise(lsn LSN, says string) {
	if lsn > p.lsn {
		p.lsn, p.says = lsn, says
	}
}

// findDurable finds D. Control lags by up to a second, so on a primary the records themselves are
// asked too: each carries flushed as of its append, and those behind the bad frame may tell that
// it was durable once. Only this node's epochs count: a standby's records carry the flushed of
// another medium.
func (r *recovery) findDurable() error {
	control := r.d.Control()
	r.durable.raise(control.Flushed, "control")
	r.durable.raise(r.start.Applied, "the store's marker")
	if control.Role == RoleBackup {
		r.durable.raise(control.BackupEnd, "the backup's end")
	}
	if control.Role != RolePrimary {
		return nil
	}
	own := map[EpochID]bool{}
	for _, list := range []EpochList{r.d.Epochs(), r.begun} {
		for _, e := range list {
			own[e.EpochID] = e.Node == control.NodeID
		}
	}
	for _, e := range r.d.Epochs() {
		if e.Node == control.NodeID {
			// The list is written once the record behind Begin is durable.
			r.durable.raise(e.Begin+1, "the list of epochs")
		}
	}
	starts, err := r.segs.starts()
	if err != nil {
		return err
	}
	if err := r.scan(r.bad+recordAlign, segmentEnd(r.bad, r.segs.size), own); err != nil {
		return err
	}
	for _, start := range starts {
		if start <= r.bad {
			continue
		}
		if err := r.scan(start, start+LSN(r.segs.size), own); err != nil {
			return err
		}
	}
	return nil
}

// scan looks for records at every place one could begin from pos to end, all of one segment.
func (r *recovery) scan(pos, end LSN, own map[EpochID]bool) error {
	for pos+HeaderSize <= end {
		b, err := r.reader.peek(pos, HeaderSize)
		if err != nil {
			return unlessBad(err)
		}
		i, found := findPosition(b, pos)
		pos += LSN(i)
		if !found {
			continue
		}
		rec, err := r.reader.frame(pos, noLimit)
		if err != nil {
			pos += recordAlign
			if err := unlessBad(err); err != nil {
				return err
			}
			continue
		}
		if own[rec.EpochID] {
			r.durable.raise(rec.Flushed, "the record at "+rec.LSN.String())
		}
		pos = rec.End
	}
	return nil
}

// unlessBad keeps errors of reading and drops those of what was read.
func unlessBad(err error) error {
	var bad *frameError
	var unsupported *UnsupportedError
	if errors.As(err, &bad) || errors.As(err, &unsupported) || errors.Is(err, errPayload) {
		return nil
	}
	return err
}

// findPosition returns the first index in b, which begins at pos, where a header would name its
// own position, or how far b was searched. It rejects almost everything with one comparison.
func findPosition(b []byte, pos LSN) (int, bool) {
	i := 0
	for ; i+HeaderSize <= len(b); i += recordAlign {
		if LSN(binary.LittleEndian.Uint64(b[i+16:])) == pos+LSN(i) {
			return i, true
		}
	}
	return i, false
}
