package enginetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Answers that an engine under test has to give word for word.
const (
	AnswerOK              = "ok"
	AnswerAbsent          = "absent"
	AnswerLocked          = "lock not available"
	AnswerSkipped         = "skipped"
	AnswerReadOnly        = "read-only"
	AnswerNothing         = "nothing to commit"
	AnswerNoSavepoint     = "no such savepoint"
	AnswerConcurrentWrite = "could not serialize: concurrent update"
	AnswerConcurrentGone  = "could not serialize: concurrent delete"
	AnswerReadWrite       = "could not serialize: read/write dependencies"
)

// Model says what a database with transactions answers, by the plainest means: the committed rows
// are a map, a snapshot is a copy of it, and a commit is checked against every commit before.
type Model struct {
	rows    map[string]modelRow
	commits []modelCommit
	txns    [Slots]*modelTxn
	locks   modelLocks
}

// modelRow is a committed row and the number of the commit that wrote it, from 1.
type modelRow struct {
	value string
	at    int
}

// modelCommit is what one commit wrote.
type modelCommit struct {
	keys  []string
	spans []modelSpan
}

// modelSpan is [lo, hi) of row keys; they begin with the table, so a span never leaves it.
type modelSpan struct{ lo, hi string }

func (s modelSpan) has(key string) bool { return key >= s.lo && key < s.hi }

func (s modelSpan) meets(o modelSpan) bool { return s.lo < o.hi && o.lo < s.hi }

// NewModel returns an empty database.
func NewModel() *Model {
	return &Model{
		rows:  map[string]modelRow{},
		locks: modelLocks{held: map[string]map[*modelTxn]map[int]bool{}},
	}
}

func rowKey(table int, key string) string { return fmt.Sprintf("%d/%s", table, key) }

// spanOf is a range of a table; an empty hi is its end. "0" follows "/" in ASCII.
func spanOf(table int, lo, hi string) modelSpan {
	if hi == "" {
		return modelSpan{rowKey(table, lo), fmt.Sprintf("%d0", table)}
	}
	return modelSpan{rowKey(table, lo), rowKey(table, hi)}
}

// Run performs one op and returns its answer.
func (m *Model) Run(op Op) string {
	if op.Kind == OpRestart {
		for i := range m.txns {
			m.end(i)
		}
		return AnswerOK
	}
	if op.Kind == OpBegin {
		m.end(op.Txn)
	}
	if m.txns[op.Txn] == nil {
		m.txns[op.Txn] = newModelTxn(m, op)
	}
	t := m.txns[op.Txn]
	switch op.Kind {
	case OpBegin:
		return AnswerOK
	case OpCommit:
		return m.commit(op.Txn)
	case OpRollback:
		m.end(op.Txn)
		return AnswerOK
	}
	return t.run(op)
}

// end rolls a transaction back.
func (m *Model) end(slot int) {
	if t := m.txns[slot]; t != nil {
		m.locks.releaseTo(t, 0)
		m.txns[slot] = nil
	}
}

func (m *Model) commit(slot int) string {
	t := m.txns[slot]
	defer m.end(slot)
	if len(t.own.rows) == 0 && len(t.own.ranges) == 0 {
		return AnswerNothing
	}
	if t.tracked() {
		for _, c := range m.commits[t.view.at:] {
			if t.reads.meet(c) {
				return AnswerReadWrite
			}
		}
	}
	m.apply(t.own)
	return AnswerOK
}

func (m *Model) apply(own ownWrites) {
	c := modelCommit{spans: own.ranges, keys: slices.Collect(maps.Keys(own.rows))}
	m.commits = append(m.commits, c)
	for _, s := range own.ranges {
		maps.DeleteFunc(m.rows, func(k string, _ modelRow) bool { return s.has(k) })
	}
	for k, w := range own.rows {
		if w.deleted {
			delete(m.rows, k)
		} else {
			m.rows[k] = modelRow{w.value, len(m.commits)}
		}
	}
}

// Rows returns the committed rows as sorted "table/key=value" lines.
func (m *Model) Rows() []string {
	lines := make([]string, 0, len(m.rows))
	for k, row := range m.rows {
		lines = append(lines, k+"="+row.value)
	}
	slices.Sort(lines)
	return lines
}

// modelReads is what a SERIALIZABLE transaction has read of its snapshot.
type modelReads struct {
	keys  []string
	spans []modelSpan
}

func (r *modelReads) meet(c modelCommit) bool {
	for _, k := range c.keys {
		if slices.Contains(r.keys, k) ||
			slices.ContainsFunc(r.spans, func(s modelSpan) bool { return s.has(k) }) {
			return true
		}
	}
	for _, w := range c.spans {
		if slices.ContainsFunc(r.keys, w.has) || slices.ContainsFunc(r.spans, w.meets) {
			return true
		}
	}
	return false
}

// Scanned is how a scan's answer is written: the rows, then whether it came to its end.
func Scanned(rows []string, exhausted bool) string {
	end := "..."
	if exhausted {
		end = "."
	}
	return strings.Join(rows, " ") + end
}

// Found is how the answer to a read is written.
func Found(value string, exists bool) string {
	if !exists {
		return AnswerAbsent
	}
	return "=" + value
}

// Locked is how the answer to a lock is written.
func Locked(value string, exists, changed bool) string {
	s := Found(value, exists)
	if changed {
		s += " (changed)"
	}
	return s
}
