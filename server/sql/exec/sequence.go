package exec

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"sync"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
	"ackdb/wal"
)

// The stored state of a sequence:
//
//	key    its oid
//	value  the last value given out or reserved, 8 bytes big endian | 1 if it was, else 0
type sequenceState struct {
	last   int64
	called bool
}

func (s sequenceState) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(s.last))
	if s.called {
		return append(b, 1)
	}
	return append(b, 0)
}

func decodeSequence(b []byte) (sequenceState, error) {
	if len(b) != 9 {
		return sequenceState{}, fmt.Errorf("exec: state of a sequence is malformed: %x", b)
	}
	return sequenceState{last: int64(binary.BigEndian.Uint64(b)), called: b[8] == 1}, nil
}

// sequenceReserve is how many values one small commit sets aside, Postgres' SEQ_LOG_VALS. After a
// crash at most so many are skipped.
const sequenceReserve = 32

// sequence is a sequence in memory: the values set aside and not given out yet.
type sequence struct {
	mu   sync.Mutex // held over the commit that reserves
	next int64      // guarded by mu
	left int64      // guarded by mu
	made wal.LSN    // guarded by mu: the end of the commit that set them aside
}

func (x *Executor) sequenceOf(oid uint32) *sequence {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.sequences[oid]
	if s == nil {
		s = new(sequence)
		x.sequences[oid] = s
	}
	return s
}

// forgetSequence lets go of what is known of a sequence that goes. Should it stay after all, the
// values set aside are skipped.
func (x *Executor) forgetSequence(oid uint32) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.sequences, oid)
}

// describe finds a sequence by oid, as nextval's argument gave it.
func (r *run) describe(oid uint32) (*catalog.Sequence, error) {
	snapshot := r.env.Txn.Catalog()
	if q := snapshot.SequenceByOID(oid); q != nil {
		return q, nil
	}
	if t := snapshot.TableByOID(oid); t != nil {
		return nil, types.Errorf(types.CodeWrongObjectType, "\"%s\" is not a sequence", t.Name)
	}
	return nil, types.Errorf(types.CodeUndefinedTable,
		"could not open relation with OID %d", oid)
}

// Nextval implements plan.Sequences.
func (r *run) Nextval(e *plan.Eval, oid uint32) (int64, error) {
	q, err := r.holdSequence(e.Ctx, oid, "nextval()")
	if err != nil {
		return 0, err
	}
	var value int64
	if r.env.Txn.ddl.Touched(oid) {
		value, err = advance(e.Ctx, r.txn, q, 1)
	} else {
		value, err = r.x.nextval(e.Ctx, q, r.env.Txn)
	}
	if err != nil {
		return 0, err
	}
	r.env.Session.currval[oid] = value
	r.env.Session.lastval = oid
	return value, nil
}

// holdSequence takes the lock that keeps an ALTER, a DROP or a RESTART of a sequence away until this
// transaction ends, and gives the sequence as it is behind one that was under way.
func (r *run) holdSequence(
	ctx context.Context, oid uint32, what string,
) (*catalog.Sequence, error) {
	q, err := r.describe(oid)
	if err != nil {
		return nil, err
	}
	if err := r.refuseReadOnly(what); err != nil {
		return nil, err
	}
	table := engine.TableID(oid)
	if err := r.txn.LockTable(ctx, table, engine.RowExclusiveLock, engine.Wait); err != nil {
		return nil, lockError(err, q.Name)
	}
	if err := r.x.catalog.AwaitSettled(ctx, oid); err != nil {
		return nil, err
	}
	return r.describe(oid)
}

func (r *run) refuseReadOnly(what string) error {
	if !r.env.Txn.opts.ReadOnly {
		return nil
	}
	return types.Errorf("25006", "cannot execute %s in a read-only transaction", what)
}

// nextval gives a transaction a value from those set aside, and sets more aside when there are none.
func (x *Executor) nextval(ctx context.Context, q *catalog.Sequence, to *Txn) (int64, error) {
	s := x.sequenceOf(q.OID)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == 0 {
		n := reservable(q)
		var first int64
		end, err := x.small(ctx, func(t *engine.Txn) (err error) {
			first, err = advance(ctx, t, q, n)
			return err
		})
		if err != nil {
			return 0, err
		}
		s.next, s.left, s.made = first, countFrom(q, first, n), end
	}
	to.handed = max(to.handed, s.made)
	value := s.next
	s.next, s.left = s.next+q.Increment, s.left-1
	return value, nil
}

func reservable(q *catalog.Sequence) int64 { return max(sequenceReserve, min(q.Cache, 1<<20)) }

// countFrom says how many of n values from first on lie within the sequence's bounds.
func countFrom(q *catalog.Sequence, first, n int64) int64 {
	var room uint64
	if q.Increment > 0 {
		room = uint64(q.Max-first) / uint64(q.Increment)
	} else {
		room = uint64(first-q.Min) / uint64(-q.Increment)
	}
	if room >= uint64(n) {
		return n
	}
	return int64(room) + 1
}

// small runs a transaction of its own and says where it ends. Its commit is not waited for: a commit
// that uses one of the values comes later in the log, and what makes that durable makes this durable
// too (W7). One that only shows them waits for this (Txn.handed).
func (x *Executor) small(ctx context.Context, do func(*engine.Txn) error) (wal.LSN, error) {
	t := x.db.Begin(engine.TxnOptions{})
	defer t.Rollback()
	t.StartPointStatement()
	if err := do(t); err != nil {
		return 0, err
	}
	result, err := t.Commit(ctx, engine.CommitOptions{Level: wal.LevelOff})
	return result.End, err
}

// advance moves the stored state n values on, or as far as the bounds allow, and gives the first.
func advance(ctx context.Context, t *engine.Txn, q *catalog.Sequence, n int64) (int64, error) {
	key := catalog.SequenceKey(q.OID)
	row, err := t.LockRow(ctx, catalog.SequenceTable, key, engine.RowUpdate, engine.Wait)
	if err != nil {
		return 0, lockRowError(err, q.Name)
	}
	state := sequenceState{last: q.Start}
	if row.Exists {
		if state, err = decodeSequence(row.Value); err != nil {
			return 0, err
		}
	}
	first := state.last
	if state.called {
		if first, err = following(q, state.last); err != nil {
			return 0, err
		}
	}
	count := countFrom(q, first, n)
	state = sequenceState{last: first + (count-1)*q.Increment, called: true}
	if err := t.Put(catalog.SequenceTable, key, state.encode()); err != nil {
		return 0, fmt.Errorf("exec: advance sequence %s: %w", q.Name, err)
	}
	return first, nil
}

// following gives the value after one, around the end when the sequence cycles.
func following(q *catalog.Sequence, value int64) (int64, error) {
	up := q.Increment > 0
	switch {
	case up && (value > math.MaxInt64-q.Increment || value+q.Increment > q.Max):
		if q.Cycle {
			return q.Min, nil
		}
		return 0, types.Errorf(plan.CodeSequenceLimit,
			"nextval: reached maximum value of sequence \"%s\" (%d)", q.Name, q.Max)
	case !up && (value < math.MinInt64-q.Increment || value+q.Increment < q.Min):
		if q.Cycle {
			return q.Max, nil
		}
		return 0, types.Errorf(plan.CodeSequenceLimit,
			"nextval: reached minimum value of sequence \"%s\" (%d)", q.Name, q.Min)
	}
	return value + q.Increment, nil
}

// Currval implements plan.Sequences.
func (r *run) Currval(_ *plan.Eval, oid uint32) (int64, error) {
	q, err := r.describe(oid)
	if err != nil {
		return 0, err
	}
	value, ok := r.env.Session.currval[oid]
	if !ok {
		return 0, types.Errorf(types.CodeNotInPrerequisiteState,
			"currval of sequence \"%s\" is not yet defined in this session", q.Name)
	}
	return value, nil
}

// Lastval implements plan.Sequences.
func (r *run) Lastval(*plan.Eval) (int64, error) {
	s := r.env.Session
	if s.lastval == 0 || r.env.Txn.Catalog().SequenceByOID(s.lastval) == nil {
		return 0, types.Errorf(types.CodeNotInPrerequisiteState,
			"lastval is not yet defined in this session")
	}
	return s.currval[s.lastval], nil
}

// Setval implements plan.Sequences.
func (r *run) Setval(e *plan.Eval, oid uint32, value int64, called bool) error {
	q, err := r.holdSequence(e.Ctx, oid, "setval()")
	if err != nil {
		return err
	}
	if value < q.Min || value > q.Max {
		return types.Errorf(types.CodeNumericOutOfRange,
			"setval: value %d is out of bounds for sequence \"%s\" (%d..%d)",
			value, q.Name, q.Min, q.Max)
	}
	state := sequenceState{last: value, called: called}
	if r.env.Txn.ddl.Touched(oid) {
		err = store(e.Ctx, r.txn, oid, state)
	} else {
		s := r.x.sequenceOf(oid)
		s.mu.Lock()
		defer s.mu.Unlock()
		var end wal.LSN
		end, err = r.x.small(e.Ctx, func(t *engine.Txn) error { return store(e.Ctx, t, oid, state) })
		s.left = 0
		r.env.Txn.handed = max(r.env.Txn.handed, end)
	}
	if err == nil && called {
		r.env.Session.currval[oid] = value
	}
	return err
}

// store writes the state of a sequence.
func store(ctx context.Context, t *engine.Txn, oid uint32, state sequenceState) error {
	key := catalog.SequenceKey(oid)
	_, err := t.LockRow(ctx, catalog.SequenceTable, key, engine.RowUpdate, engine.Wait)
	if err != nil {
		return lockRowError(err, "a sequence")
	}
	if err := t.Put(catalog.SequenceTable, key, state.encode()); err != nil {
		return fmt.Errorf("exec: set a sequence: %w", err)
	}
	return nil
}
