package engine

import (
	"errors"
	"fmt"
	"io"

	"ackdb/wal"
)

// replay feeds the applier with records of the log: all there are at a start, and on a standby
// those that come. The caller holds the applier's mu, and hands the batches over.
//
// Records that end at or below the marker are only looked at, for which transactions are open:
// their commits are in the store. What is kept of an open transaction is the LSN of its first data
// record; its pieces are read again from the log when its commit record comes, so the memory of a
// replay does not depend on what was open.
type replay struct {
	log     *wal.Log
	applier *applier
	from    marker

	// part hands over a batch of a large transaction that goes on, to end at the LSN.
	part func(end wal.LSN) error

	records    int64
	commits    int64
	lastCommit int64 // microseconds since 1970, 0 before the first
}

// eachRecord calls f for every record from the LSN on that ends at or below end.
func eachRecord(log *wal.Log, from, end wal.LSN, f func(*wal.Record) error) error {
	cursor, err := log.Cursor(from)
	if err != nil {
		return err
	}
	defer cursor.Close()
	for at := from; at < end; {
		rec, err := cursor.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if rec.End > end {
			return nil
		}
		if err := f(&rec); err != nil {
			return err
		}
		at = rec.End
	}
	return nil
}

// record feeds one record to the applier, whose mu is held.
func (r *replay) record(rec *wal.Record) error {
	r.records++
	a := r.applier
	applied := rec.End <= r.from.applied
	switch rec.Type {
	case wal.TypeCommit:
		if err := r.commit(rec, applied); err != nil {
			return err
		}
	case wal.TypeData:
		h, _, err := wal.DecodeData(rec)
		if err != nil {
			return err
		}
		if h.Piece == 0 {
			a.open.begin(h.First)
		}
	case wal.TypeAbort:
		first, err := wal.DecodeAbort(rec.Payload)
		if err != nil {
			return err
		}
		a.open.end(first)
	case wal.TypeEpochBegin, wal.TypeTimelineBegin:
		a.open.endAll()
	}
	if !applied {
		a.pass(rec.End)
	}
	return nil
}

// commit applies a commit record unless the store has it already.
func (r *replay) commit(rec *wal.Record, applied bool) error {
	a := r.applier
	header, ops, err := wal.DecodeCommit(rec.Payload)
	if err != nil {
		return err
	}
	if header.FirstData != 0 {
		defer a.open.end(header.FirstData)
	}
	if applied {
		return nil
	}
	r.commits++
	r.lastCommit = header.Time
	if header.FirstData == 0 {
		return a.addAll(ops, rec.End)
	}
	return r.large(header.FirstData, rec.LSN, rec.End)
}

// large applies a large transaction from its pieces in the log between first and commit. Whatever
// is in the batch already belongs to records before, but a marker for those would lie between the
// batches of this one just as well as not at all: a crash here replays all of them.
func (r *replay) large(first, commit, end wal.LSN) error {
	pieces := pieceStream{first: first, op: func(op wal.Op) error {
		a := r.applier
		if a.full() {
			if err := r.part(end); err != nil {
				return err
			}
		}
		return a.add(op, end)
	}}
	if err := eachRecord(r.log, first, commit, pieces.record); err != nil {
		return err
	}
	return pieces.finish()
}

// pieceStream joins the data records of one transaction to the stream of operations they were cut
// from. It holds at most one operation and one piece: an operation may straddle pieces.
type pieceStream struct {
	first wal.LSN
	op    func(wal.Op) error

	next uint32 // number of the piece to come
	held []byte // begins with an operation whose end has not come yet
}

// record takes in one record; those of other transactions are passed over.
func (s *pieceStream) record(rec *wal.Record) error {
	if rec.Type != wal.TypeData {
		return nil
	}
	h, piece, err := wal.DecodeData(rec)
	if err != nil || h.First != s.first {
		return err
	}
	if h.Piece != s.next {
		return fmt.Errorf("%w: data record at %s is piece %d of the transaction at %s, want %d",
			errPieces, rec.LSN, h.Piece, s.first, s.next)
	}
	s.next++
	return s.take(piece)
}

// take decodes what is whole by now and keeps the rest.
func (s *pieceStream) take(piece []byte) error {
	s.held = append(s.held, piece...)
	rest := s.held
	for len(rest) > 0 {
		op, behind, err := wal.DecodeOp(rest)
		if errors.Is(err, wal.ErrOpIncomplete) {
			break
		}
		if err != nil {
			return fmt.Errorf("engine: operations of the transaction at %s: %w", s.first, err)
		}
		if err := s.op(op); err != nil {
			return err
		}
		rest = behind
	}
	s.held = append(s.held[:0], rest...)
	return nil
}

// errPieces says that data records do not add up to the transaction their commit promises. Their
// checksums hold, so this was written by a bug.
var errPieces = errors.New("engine: data records do not fit together")

func (s *pieceStream) finish() error {
	if s.next == 0 || len(s.held) > 0 {
		return fmt.Errorf("%w: transaction at %s ends after %d pieces inside an operation",
			errPieces, s.first, s.next)
	}
	return nil
}
