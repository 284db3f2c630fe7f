package enginetest

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Level is an isolation level, numbered as the engine numbers them.
type Level int

// The isolation levels.
const (
	ReadCommitted Level = iota
	RepeatableRead
	Serializable
)

// OpKind says what an Op does.
type OpKind int

// The kinds of Op. All but the last belong to one transaction.
const (
	OpBegin OpKind = iota
	OpStatement
	OpPointStatement
	OpGet
	OpScan
	OpLock
	OpLockTable
	OpWrite  // lock the row, then put
	OpUpsert // both at once, without reading
	OpDelete
	OpDeleteRange
	OpBulk // many rows too large for one record
	OpSavepoint
	OpRollbackTo
	OpRelease
	OpCommit
	OpRollback
	OpRestart
	opKinds
)

// Op is one step of a metamorphic run: a call on one of several open transactions, all driven
// from one goroutine, so that nothing ever has to wait and every answer is determined.
type Op struct {
	Kind      OpKind
	Txn       int // slot; an op on an empty slot begins a transaction first
	Level     Level
	ReadOnly  bool
	Table     int
	Key, Hi   string
	Value     string
	Reverse   bool
	Limit     int // rows a scan takes; below 0 all
	RowMode   int // 1 to 4, of a row lock
	Skip      bool
	Mode      int // 1 to 8, a table lock
	Savepoint int // position among the open ones
}

// Slots, Tables and Keys are small, so that transactions meet.
const (
	Slots  = 4
	Tables = 2
	Keys   = 8
)

// BulkRows and BulkRowSize make a bulk larger than one record of the smallest segment.
const (
	BulkRows    = 40
	BulkRowSize = 12 << 10
)

// BulkKey is the key of a bulk's i-th row.
func BulkKey(i int) string { return fmt.Sprintf("bulk%02d", i) }

// BulkValue is the value of its rows, given the op's own.
func BulkValue(value string) string {
	return strings.Repeat(value, BulkRowSize/len(value))
}

// opWeights say how often each kind is drawn.
var opWeights = [opKinds]int{
	OpBegin: 8, OpStatement: 24, OpPointStatement: 10, OpGet: 40, OpScan: 24, OpLock: 20,
	OpLockTable: 1, OpWrite: 30, OpUpsert: 15, OpDelete: 24, OpDeleteRange: 2, OpBulk: 1,
	OpSavepoint: 14, OpRollbackTo: 12, OpRelease: 4, OpCommit: 30, OpRollback: 2, OpRestart: 1,
}

// Generate draws a list of ops.
func Generate(rng *rand.Rand, n int) []Op {
	total := 0
	for _, w := range opWeights {
		total += w
	}
	ops := make([]Op, n)
	for i := range ops {
		ops[i] = draw(rng, total)
		ops[i].Value = fmt.Sprintf("v%d.", i)
	}
	return ops
}

func draw(rng *rand.Rand, total int) Op {
	kind := OpKind(0)
	for n := rng.IntN(total); n >= opWeights[kind]; kind++ {
		n -= opWeights[kind]
	}
	op := Op{
		Kind: kind, Txn: rng.IntN(Slots), Level: Level(rng.IntN(3)), ReadOnly: rng.IntN(10) == 0,
		Table: rng.IntN(Tables), Key: drawKey(rng), Reverse: rng.IntN(2) == 0,
		Limit: rng.IntN(6) - 1, RowMode: 1 + rng.IntN(4), Skip: rng.IntN(2) == 0,
		Mode: 1 + rng.IntN(8), Savepoint: rng.IntN(3),
	}
	if rng.IntN(3) > 0 {
		op.Hi = drawKey(rng)
	}
	return op
}

func drawKey(rng *rand.Rand) string { return fmt.Sprintf("k%02d", rng.IntN(Keys)) }

var opNames = [opKinds]string{
	"begin", "statement", "point statement", "get", "scan", "lock", "lock table", "write",
	"upsert", "delete", "delete range", "bulk", "savepoint", "rollback to", "release", "commit",
	"rollback", "restart",
}

func (o Op) String() string {
	s := fmt.Sprintf("txn %d: %s", o.Txn, opNames[o.Kind])
	switch o.Kind {
	case OpBegin:
		return fmt.Sprintf("%s level %d read-only %t", s, o.Level, o.ReadOnly)
	case OpGet, OpWrite, OpUpsert, OpDelete:
		return fmt.Sprintf("%s %d/%s %s", s, o.Table, o.Key, o.Value)
	case OpLock:
		return fmt.Sprintf("%s %d/%s mode %d skip %t", s, o.Table, o.Key, o.RowMode, o.Skip)
	case OpScan, OpDeleteRange:
		return fmt.Sprintf("%s %d/[%s, %s) reverse %t limit %d",
			s, o.Table, o.Key, o.Hi, o.Reverse, o.Limit)
	case OpLockTable:
		return fmt.Sprintf("%s %d mode %d", s, o.Table, o.Mode)
	}
	return s
}
