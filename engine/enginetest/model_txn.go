package enginetest

import (
	"maps"
	"slices"
	"strings"
)

// modelTxn is one open transaction.
type modelTxn struct {
	m        *Model
	level    Level
	readOnly bool

	view  *modelView // nil until the first read
	point struct {
		active, read bool
		at           int
	}
	reads modelReads

	own        ownWrites
	savepoints []modelSavepoint
	journal    []modelLock
}

type modelView struct {
	rows map[string]modelRow
	at   int
}

// ownWrites is what the transaction has written.
type ownWrites struct {
	rows   map[string]ownRow
	ranges []modelSpan
}

type ownRow struct {
	value   string
	deleted bool
}

func (o ownWrites) clone() ownWrites {
	return ownWrites{maps.Clone(o.rows), slices.Clone(o.ranges)}
}

// get returns the transaction's own state of a key, false if it has none.
func (o ownWrites) get(key string) (ownRow, bool) {
	if r, ok := o.rows[key]; ok {
		return r, true
	}
	if slices.ContainsFunc(o.ranges, func(s modelSpan) bool { return s.has(key) }) {
		return ownRow{deleted: true}, true
	}
	return ownRow{}, false
}

type modelSavepoint struct {
	own     ownWrites
	journal int
}

func newModelTxn(m *Model, op Op) *modelTxn {
	return &modelTxn{
		m: m, level: op.Level, readOnly: op.ReadOnly,
		own: ownWrites{rows: map[string]ownRow{}},
	}
}

// tracked says whether the transaction is validated at commit.
func (t *modelTxn) tracked() bool {
	return t.level == Serializable && !t.readOnly && t.view != nil
}

func (t *modelTxn) needView() *modelView {
	if t.view == nil {
		t.view = &modelView{maps.Clone(t.m.rows), len(t.m.commits)}
	}
	return t.view
}

func (t *modelTxn) run(op Op) string {
	switch op.Kind {
	case OpStatement, OpPointStatement:
		return t.statement(op.Kind == OpPointStatement)
	case OpGet:
		return t.get(rowKey(op.Table, op.Key))
	case OpScan:
		return t.scan(op)
	case OpLock:
		return t.lock(op)
	case OpLockTable:
		if !t.m.locks.try(t, tableTarget(op.Table), op.Mode) {
			return AnswerLocked
		}
		return AnswerOK
	case OpSavepoint:
		t.savepoints = append(t.savepoints, modelSavepoint{t.own.clone(), len(t.journal)})
		return AnswerOK
	case OpRollbackTo, OpRelease:
		return t.leave(op)
	}
	return t.write(op)
}

func (t *modelTxn) statement(point bool) string {
	if t.level == ReadCommitted {
		t.view = nil
		t.point.active, t.point.read, t.point.at = point, false, 0
	}
	return AnswerOK
}

func (t *modelTxn) get(key string) string {
	if own, ok := t.own.get(key); ok {
		return Found(own.value, !own.deleted)
	}
	if t.point.active && t.view == nil {
		row, ok := t.m.rows[key]
		t.point.read, t.point.at = true, row.at
		return Found(row.value, ok)
	}
	row, ok := t.needView().rows[key]
	t.reads.keys = append(t.reads.keys, key)
	return Found(row.value, ok)
}

func (t *modelTxn) scan(op Op) string {
	span := spanOf(op.Table, op.Key, op.Hi)
	var keys []string
	for _, rows := range []map[string]modelRow{t.needView().rows, ownKeys(t.own)} {
		for k := range rows {
			if span.has(k) && !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	slices.Sort(keys)
	if op.Reverse {
		slices.Reverse(keys)
	}
	rows, read, exhausted := []string{}, span, op.Limit != 0
	for _, k := range keys {
		value := t.view.rows[k].value
		if own, ok := t.own.get(k); ok && own.deleted {
			continue
		} else if ok {
			value = own.value
		}
		if len(rows) == op.Limit {
			exhausted = false
			break
		}
		rows = append(rows, strings.TrimPrefix(k, tableTarget(op.Table)+"/")+"="+value)
		if len(rows) == op.Limit {
			exhausted = false
			if op.Reverse {
				read.lo = k
			} else {
				read.hi = k + "\x00"
			}
			break
		}
	}
	if op.Limit != 0 && span.lo < span.hi {
		t.reads.spans = append(t.reads.spans, read)
	}
	return Scanned(rows, exhausted)
}

func ownKeys(own ownWrites) map[string]modelRow {
	rows := map[string]modelRow{}
	for k := range own.rows {
		rows[k] = modelRow{}
	}
	return rows
}

func (t *modelTxn) lock(op Op) string {
	if t.readOnly {
		return AnswerReadOnly
	}
	if !t.m.locks.tryRow(t, op.Table, op.Key, op.RowMode) {
		if op.Skip {
			return AnswerSkipped
		}
		return AnswerLocked
	}
	key := rowKey(op.Table, op.Key)
	if own, ok := t.own.get(key); ok {
		return Found(own.value, !own.deleted)
	}
	row, ok := t.m.rows[key]
	if t.level != ReadCommitted && op.RowMode+modesOfTables == modeKeyShare {
		return t.checkKeyStands(key)
	}
	if t.level != ReadCommitted {
		if answer := t.checkFirstUpdater(key); answer != AnswerOK {
			return answer
		}
		return Found(row.value, ok)
	}
	changed := false
	switch {
	case t.view == nil:
		changed = t.point.read && t.point.at != row.at
	case ok:
		changed = row.at > t.view.at
	default:
		_, changed = t.view.rows[key]
	}
	return Locked(row.value, ok, changed)
}

func (t *modelTxn) checkFirstUpdater(key string) string {
	view := t.needView()
	row, ok := t.m.rows[key]
	_, was := view.rows[key]
	switch {
	case row.at > view.at:
		return AnswerConcurrentWrite
	case was && !ok:
		return AnswerConcurrentGone
	}
	t.reads.keys = append(t.reads.keys, key)
	return AnswerOK
}

// checkKeyStands answers one who cares only that the row is there, as it was in the snapshot.
func (t *modelTxn) checkKeyStands(key string) string {
	_, is := t.m.rows[key]
	row, was := t.needView().rows[key]
	switch {
	case is && !was:
		return AnswerConcurrentWrite
	case was && !is:
		return AnswerConcurrentGone
	case !is:
		t.reads.keys = append(t.reads.keys, key)
	}
	return Found(row.value, is)
}

// leave rolls back to a savepoint or releases it.
func (t *modelTxn) leave(op Op) string {
	i := op.Savepoint
	if i >= len(t.savepoints) {
		return AnswerNoSavepoint
	}
	if op.Kind == OpRelease {
		t.savepoints = t.savepoints[:i]
		return AnswerOK
	}
	t.savepoints = t.savepoints[:i+1]
	t.own = t.savepoints[i].own.clone()
	t.m.locks.releaseTo(t, t.savepoints[i].journal)
	return AnswerOK
}

// write does what the writing statements do: lock the table, lock the row, write.
func (t *modelTxn) write(op Op) string {
	mode := modeRowExclusiveTable
	if op.Kind == OpDeleteRange || op.Kind == OpBulk {
		mode = modeExclusiveTable
	}
	if !t.m.locks.try(t, tableTarget(op.Table), mode) {
		return AnswerLocked
	}
	if t.readOnly {
		return AnswerReadOnly
	}
	switch key := rowKey(op.Table, op.Key); op.Kind {
	case OpBulk:
		for i := range BulkRows {
			t.own.rows[rowKey(op.Table, BulkKey(i))] = ownRow{value: BulkValue(op.Value)}
		}
	case OpDeleteRange:
		t.deleteRange(spanOf(op.Table, op.Key, op.Hi))
	case OpUpsert:
		if !t.m.locks.tryRow(t, op.Table, op.Key, modeNoKeyUpdate-modesOfTables) {
			return AnswerLocked
		}
		if t.level != ReadCommitted {
			if answer := t.checkFirstUpdater(key); answer != AnswerOK {
				return answer
			}
		}
		t.own.rows[key] = ownRow{value: op.Value}
	default:
		answer := t.lock(Op{Table: op.Table, Key: op.Key,
			RowMode: modeUpdate - modesOfTables})
		if !strings.HasPrefix(answer, "=") && !strings.HasPrefix(answer, AnswerAbsent) {
			return answer
		}
		t.own.rows[key] = ownRow{value: op.Value, deleted: op.Kind == OpDelete}
		return answer
	}
	return AnswerOK
}

func (t *modelTxn) deleteRange(s modelSpan) {
	if s.lo >= s.hi {
		return
	}
	for k := range t.own.rows {
		if s.has(k) {
			t.own.rows[k] = ownRow{deleted: true}
		}
	}
	t.own.ranges = append(t.own.ranges, s)
}
