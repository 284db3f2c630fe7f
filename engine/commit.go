package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"ackdb/wal"
)

// CommitOptions say what a commit waits for, and who it is in the log.
type CommitOptions struct {
	Level     wal.Level
	User, App string

	// Wait makes an off commit wait so long for its flush before it is answered as what it has
	// reached by then. 0 does not wait. Above off it means nothing.
	Wait time.Duration

	// Limit is the client's own, beside the database's: the tighter counts. OnLimit says what an
	// off commit without Wait does at it.
	Limit   LossLimit
	OnLimit LimitAction

	// After is the end of another commit that the client is told of by a transaction without writes,
	// and that shall be as safe as one of its own: what a sequence gave it. With writes it means
	// nothing, since they come behind it in the log.
	After wal.LSN

	// Waiting is told when the commit begins to wait and when the wait is over; nil is fine.
	Waiting func(WaitKind)
}

// Reached is how safe a commit was when it was answered.
type Reached uint8

// What a commit can have reached.
const (
	// ReachedWritten: in the page cache and applied. It survives the process, not the power.
	ReachedWritten Reached = 1 + iota

	// ReachedFlushed: on this node's disk.
	ReachedFlushed

	// The others: flushed here, and besides written, flushed or applied on the standbys required.
	ReachedRemoteWrite
	ReachedRemoteFlush
	ReachedRemoteApply
)

func (r Reached) String() string {
	switch r {
	case ReachedWritten:
		return "written"
	case ReachedFlushed:
		return "flushed"
	case ReachedRemoteWrite:
		return "remote_write"
	case ReachedRemoteFlush:
		return "remote_flush"
	case ReachedRemoteApply:
		return "remote_apply"
	}
	return ""
}

// CommitResult is where a commit stands in the log.
type CommitResult struct {
	// LSN is where the commit record begins, End where it ends. End and EpochID make the receipt.
	LSN, End wal.LSN
	EpochID  wal.EpochID

	// ReadOnly says that there was nothing to write: no record, no receipt.
	ReadOnly bool

	// Reached in a CommitWaitError is 0 unless the wait was for standbys: ReachedFlushed then.
	Reached Reached

	// Delayed says that the limit made an off commit wait for its flush.
	Delayed bool
}

// commitRequest is one record on its way through the pipeline. It belongs to the goroutine that
// submits it, except between submit and the signal, when it is the leader's.
type commitRequest struct {
	kind wal.RecordType // TypeCommit, TypeData or TypeAbort; TypeNoop asks for a new segment
	size int            // estimate of the record's size

	// of a commit
	txn       *Txn
	opts      CommitOptions
	firstData wal.LSN // of a large one, which has its operations in data records
	opCount   int

	// of a data or abort record: encoded by the submitter
	payload []byte
	first   wal.LSN // transaction the record belongs to; 0 in piece 0

	// filled in by the leader
	ops    []byte // the commit's operations in the leader's arena
	result CommitResult
	err    error

	wake chan signal
	next *commitRequest // guarded by pipeline.mu
}

// alone says that a request gets a group of its own: the apply of a large transaction is several
// batches, and a group is one; a new segment is no record of a group.
func (r *commitRequest) alone() bool {
	return r.kind == wal.TypeNoop || r.kind == wal.TypeCommit && r.firstData != 0
}

// requests are pooled for their channels.
var requests = sync.Pool{New: func() any {
	return &commitRequest{wake: make(chan signal, 1)}
}}

func putRequest(r *commitRequest) {
	*r = commitRequest{wake: r.wake}
	requests.Put(r)
}

// submit runs one request through the pipeline and returns where its record stands. The request
// is gone afterwards.
func (db *DB) submit(req *commitRequest) (CommitResult, error) {
	taken := db.pipeline.submit(req)
	result, err := req.result, req.err
	putRequest(req)
	if !taken {
		return CommitResult{}, db.closedError()
	}
	return result, err
}

// commit makes the transaction's writes real: appended, applied, visible, and then as durable as
// opts.Level asks for. ctx ends the waiting for that level and nothing else, except in a large
// transaction, which it can still end before its commit record is appended.
//
// An error that is not a CommitWaitError means that nothing is committed; the transaction still
// has its locks.
func (db *DB) commit(ctx context.Context, t *Txn, opts CommitOptions) (CommitResult, error) {
	var result CommitResult
	var err error
	if t.writes.EncodedSize() > int64(db.opsInRecordMax) {
		result, err = db.commitLarge(ctx, t, opts)
	} else {
		req := requests.Get().(*commitRequest)
		req.kind = wal.TypeCommit
		req.txn, req.opts, req.opCount = t, opts, t.writes.Count()
		req.size = wal.RecordSize(commitHeaderRoom + int(t.writes.EncodedSize()))
		result, err = db.submit(req)
	}
	if err != nil {
		return CommitResult{}, err
	}
	err = db.answer(ctx, &result, opts)
	return result, err
}

// commitHeaderRoom is what a commit's payload spends at most besides its operations.
const commitHeaderRoom = 24 + 2*wal.NameSizeMax

// commitGroup is the leader's work. Its order is the design: validate while nothing is decided,
// append, apply, publish, release the row locks (safe before any of it is durable, W7). The
// pipeline wakes the members behind it.
func (db *DB) commitGroup(group []*commitRequest) {
	if req := group[0]; req.kind == wal.TypeNoop {
		req.result, req.err = db.switchSegment()
		return
	}
	g := &db.group
	g.reset(time.Now().UnixMicro())
	for _, req := range group {
		if req.err = db.admit(g, req); req.err == nil {
			g.add(req)
		}
	}
	g.addAborts(db.orphans.take())
	if len(g.entries) == 0 {
		return
	}
	if err := db.appendGroup(g); err != nil {
		db.failGroup(g, err)
		return
	}
	if err := db.applyGroup(g); err != nil {
		// The log has it and the store does not: nothing may be answered from here on.
		db.fail(err)
		g.setError(err)
		return
	}
	if db.opts.hooks.applied != nil {
		db.opts.hooks.applied()
	}
	db.publish(g)
	db.keepFlushedView(g)
	db.lender.lendGroup(g)
}

// admit validates a commit against what was committed since its snapshot and against the members
// of this group before it.
func (db *DB) admit(g *commitGroup, req *commitRequest) error {
	if err := db.failure(); err != nil {
		return err
	}
	if req.txn == nil {
		return nil
	}
	// A large one has been asked before its first piece: now something of it is in the log.
	if req.firstData == 0 {
		if err := db.refuse(req.opts, g.size, int64(req.size)); err != nil {
			return err
		}
	}
	return db.conflicts.validate(req.txn)
}

// appendGroup gives the group its LSNs and gets it into the page cache.
func (db *DB) appendGroup(g *commitGroup) error {
	if err := db.awaitLogSpace(g.size); err != nil {
		return err
	}
	err := db.log.Append(g.entries)
	if errors.Is(err, wal.ErrNoSpace) {
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	if err != nil {
		return err
	}
	g.setResults(db.epoch)
	return nil
}

// failGroup undoes the admission of a group of which nothing was appended.
func (db *DB) failGroup(g *commitGroup, err error) {
	for _, req := range g.members {
		if req.txn != nil {
			db.conflicts.withdraw(req.txn)
		}
	}
	g.setError(err)
	db.orphans.add(g.aborts...)
}

// applyGroup applies the group as one batch with one marker, or a large transaction as several.
func (db *DB) applyGroup(g *commitGroup) error {
	a := db.applier
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, req := range g.members {
		end := g.entries[i].End
		switch {
		case req.kind == wal.TypeData && req.first == 0:
			a.open.begin(g.entries[i].LSN)
		case req.kind == wal.TypeAbort:
			a.open.end(req.first)
		case req.firstData != 0:
			if err := db.applyLarge(req, end); err != nil {
				return err
			}
		default:
			if err := a.addAll(req.ops, end); err != nil {
				return err
			}
		}
		a.pass(end)
	}
	for i, first := range g.aborts {
		a.open.end(first)
		a.pass(g.entries[len(g.members)+i].End)
	}
	if err := a.finish(); err != nil {
		return err // readers stay on the view from before: the store may hold a part
	}
	db.endLarge()
	return nil
}

// publish makes the group the past: applied covers it, the conflict checks to come know it, its
// rows can be locked by others. The conflict window learns of it only now that new views contain
// it: a reader registers first and takes its view then, so whoever has a view without this group
// is registered by now.
func (db *DB) publish(g *commitGroup) {
	end := g.entries[len(g.entries)-1].End
	db.applied.publish(end)
	for _, req := range g.members {
		if req.txn != nil {
			db.conflicts.publish(req.txn, req.result.End)
		}
	}
	for _, req := range g.members {
		if req.txn != nil {
			db.locks.release(req.txn)
		}
	}
	db.metrics.group(g)
	db.askCheckpoint(end)
}
