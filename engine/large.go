package engine

import (
	"context"
	"sync"

	"ackdb/wal"
)

// dataUnflushedMax is how much of one large transaction's data may be written and not flushed: a
// disk slower than memory slows down who fills it, and not the commits between its pieces.
const dataUnflushedMax = 4 << 20

// largeCommit writes a transaction that is too large for a record: its operations go into data
// records while COMMIT runs, the records of others in between, and its commit record makes them
// real. Until that is appended the commit can fail, and then an abort record says so.
type largeCommit struct {
	db    *DB
	ctx   context.Context
	first wal.LSN // of piece 0, once that is appended
	count uint32  // pieces appended
	piece []byte  // payload under construction: header room, then operations
	op    []byte  // one operation, encoded; it may be longer than a piece
}

// commitLarge appends the data records, then the commit record, and returns as commit does.
func (db *DB) commitLarge(
	ctx context.Context, t *Txn, opts CommitOptions,
) (CommitResult, error) {
	if err := db.refuse(opts, 0, t.writes.EncodedSize()); err != nil {
		return CommitResult{}, err
	}
	l := &largeCommit{db: db, ctx: ctx, piece: make([]byte, 0, db.log.MaxPayload())}
	l.resetPiece()
	err := t.writes.each(l.write)
	if err == nil {
		err = l.flushPiece()
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		l.abort()
		return CommitResult{}, err
	}
	req := requests.Get().(*commitRequest)
	req.kind = wal.TypeCommit
	req.txn, req.opts, req.opCount = t, opts, t.writes.Count()
	req.firstData = l.first
	req.size = wal.RecordSize(commitHeaderRoom)
	result, err := db.submit(req)
	if err != nil {
		l.abort()
	}
	return result, err
}

// write puts one operation into the stream. The pieces joined are the stream, so an operation is
// cut wherever a piece is full.
func (l *largeCommit) write(op wal.Op) error {
	l.op = wal.AppendOp(l.op[:0], op)
	for rest := l.op; len(rest) > 0; {
		room := cap(l.piece) - len(l.piece)
		n := min(room, len(rest))
		l.piece = append(l.piece, rest[:n]...)
		rest = rest[n:]
		if n == room {
			if err := l.flushPiece(); err != nil {
				return err
			}
		}
	}
	return nil
}

// flushPiece appends the piece as a data record. The commit can still be cancelled here.
func (l *largeCommit) flushPiece() error {
	if len(l.piece) == wal.DataHeaderSize {
		return nil
	}
	if err := l.ctx.Err(); err != nil {
		return err
	}
	wal.AppendData(l.piece[:0], wal.DataHeader{First: l.first, Piece: l.count}, nil)
	req := requests.Get().(*commitRequest)
	req.kind, req.payload, req.first = wal.TypeData, l.piece, l.first
	req.size = wal.RecordSize(len(l.piece))
	result, err := l.db.submit(req)
	if err != nil {
		return err
	}
	if l.count == 0 {
		l.first = result.LSN
	}
	l.count++
	l.resetPiece()
	if l.db.opts.hooks.pieceAppended != nil {
		l.db.opts.hooks.pieceAppended()
	}
	return l.pause(result.End)
}

// pause waits while more than dataUnflushedMax of the log up to end is unflushed.
func (l *largeCommit) pause(end wal.LSN) error {
	if end < dataUnflushedMax {
		return nil
	}
	return l.db.log.WaitFlushed(l.ctx, end-dataUnflushedMax)
}

// resetPiece leaves room for the header in front.
func (l *largeCommit) resetPiece() { l.piece = l.piece[:wal.DataHeaderSize] }

// abort says in the log that the data records mean nothing, so that redo need not stay behind
// them. When even that finds no space the next group that does takes it along.
func (l *largeCommit) abort() {
	if l.count == 0 {
		return
	}
	req := requests.Get().(*commitRequest)
	req.kind, req.first = wal.TypeAbort, l.first
	req.payload = wal.AppendAbort(nil, l.first)
	req.size = wal.RecordSize(len(req.payload))
	if _, err := l.db.submit(req); err != nil {
		l.db.orphans.add(l.first)
	}
}

// A group takes along at most orphanAbortsTaken aborts, for which its bound leaves this room.
const (
	orphanAbortsTaken = 16
	orphanAbortsRoom  = orphanAbortsTaken * (wal.HeaderSize + 8)
)

// orphanAborts are large transactions that ended without being able to say so in the log. They
// are bounded by the transactions that failed while the disk was full.
type orphanAborts struct {
	mu    sync.Mutex
	first []wal.LSN // guarded by mu
}

func (o *orphanAborts) add(firsts ...wal.LSN) {
	if len(firsts) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.first = append(o.first, firsts...)
}

func (o *orphanAborts) take() []wal.LSN {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := min(len(o.first), orphanAbortsTaken)
	firsts := o.first[:n:n]
	o.first = o.first[n:]
	return firsts
}

// applyLarge puts a large transaction into the store in batches, the last of which is left to
// finish, with its marker. From the first one on readers are sent to a view from before it. The
// caller holds the applier's mu.
func (db *DB) applyLarge(req *commitRequest, end wal.LSN) error {
	a := db.applier
	err := req.txn.writes.each(func(op wal.Op) error {
		if a.full() {
			if err := db.applyPart(end); err != nil {
				return err
			}
		}
		return a.add(op, end)
	})
	a.open.end(req.firstData)
	return err
}

func (db *DB) applyPart(end wal.LSN) error {
	if !db.largeRunning && !db.opts.hooks.showParts {
		v, err := db.openView(db.store.NewSnapshot())
		if err != nil {
			return err
		}
		db.visible.pin(v)
		db.largeRunning = true
	}
	if err := db.applier.part(end); err != nil {
		return err
	}
	if db.opts.hooks.batchCommitted != nil {
		db.opts.hooks.batchCommitted()
	}
	return nil
}

// endLarge shows readers the store's newest state again, now that the last batch is in it.
func (db *DB) endLarge() {
	if db.largeRunning {
		db.largeRunning = false
		db.visible.unpin()
	}
}
