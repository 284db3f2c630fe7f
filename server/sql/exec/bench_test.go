package exec_test

import (
	"context"
	"fmt"
	"testing"

	"ackdb/engine"
	"ackdb/server/sql/exec"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"

	"github.com/stretchr/testify/require"
)

// The stages of a statement in a hurry: finding the plan of a text by its fingerprint, and running
// a prepared plan within a transaction that is already there. What the store costs by itself is
// measured beside it, so that the difference is what this floor adds.

const benchRows = 1000

func benchSession(b testing.TB) *session {
	s := newNode(b).session()
	ctx := context.Background()
	s.run(ctx, fmt.Sprintf("INSERT INTO kv SELECT 'key' || n, 'value' || n FROM"+
		" generate_series(1, %d) n", benchRows))
	s.run(ctx, "CREATE TABLE acc (id int PRIMARY KEY, bid int, balance int, filler char(84))")
	s.run(ctx, fmt.Sprintf("INSERT INTO acc SELECT n, 1, 0, '' FROM generate_series(1, %d) n",
		benchRows))
	return s
}

func (s *session) prepared(t testing.TB, sql string) *plan.Prepared {
	stmt, err := parse.ParseOne(sql)
	require.NoError(t, err)
	s.begin()
	p, err := s.n.planner.Prepare(s.env(nil).Plan(), stmt, nil)
	require.NoError(t, err)
	return p
}

func BenchmarkPlan(b *testing.B) {
	texts := []struct{ name, sql string }{
		{"get", "SELECT value FROM kv WHERE key = 'key77'"},
		{"upsert", "INSERT INTO kv VALUES ('key77', 'x') ON CONFLICT (key) DO UPDATE" +
			" SET value = excluded.value"},
		{"update", "UPDATE acc SET balance = balance + -77 WHERE id = 77"},
	}
	for _, text := range texts {
		b.Run(text.name+"/fingerprint", func(b *testing.B) {
			s := benchSession(b)
			s.begin()
			defer s.end(false)
			env := s.env(nil).Plan()
			var args []types.Datum
			b.ReportAllocs()
			for b.Loop() {
				if err := s.tokens.Lex(text.sql); err != nil {
					b.Fatal(err)
				}
				var ok bool
				if _, args, ok = s.n.planner.Simple(env, s.tokens.Stmt(0), args); !ok {
					b.Fatal("not planned by fingerprint")
				}
			}
		})
		b.Run(text.name+"/parsed", func(b *testing.B) {
			s := benchSession(b)
			s.begin()
			defer s.end(false)
			env := s.env(nil).Plan()
			b.ReportAllocs()
			for b.Loop() {
				stmt, err := parse.ParseOne(text.sql)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := s.n.planner.Prepare(env, stmt, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// benchTxnRows is how many statements a benchmarked transaction takes: few, as real ones do, so
// that its write set stays small.
const benchTxnRows = 16

// shortPath runs a prepared statement of one key over and over.
type shortPath struct {
	t      testing.TB
	s      *session
	p      *plan.Prepared
	params func(i int, dst []types.Datum)
	args   []types.Datum
	env    *exec.Env
	txn    exec.Txn
	i      int
}

func newShortPath(t testing.TB, sql string, params func(i int, dst []types.Datum)) *shortPath {
	x := &shortPath{t: t, s: benchSession(t), params: params}
	x.p = x.s.prepared(t, sql)
	x.args = make([]types.Datum, len(x.p.ParamOIDs))
	x.env = x.s.env(x.args)
	x.env.Txn = &x.txn
	x.s.n.exec.BeginInto(&x.txn, engine.TxnOptions{})
	return x
}

// renew begins a new transaction.
func (x *shortPath) renew() {
	x.txn.Rollback()
	x.s.n.exec.BeginInto(&x.txn, engine.TxnOptions{})
}

func (x *shortPath) run() {
	ctx := context.Background()
	x.i++
	x.params(x.i, x.args)
	c, err := x.s.n.exec.Open(ctx, x.p, x.env)
	if err != nil {
		x.t.Fatal(err)
	}
	for {
		row, err := c.Next(ctx)
		if err != nil {
			x.t.Fatal(err)
		}
		if row == nil {
			break
		}
	}
	c.Close()
	x.s.state.Recycle(c)
}

func keyOf(i int) types.Datum { return types.NewText(benchKeys[i%benchRows]) }

var benchKeys = func() []string {
	keys := make([]string, benchRows)
	for i := range keys {
		keys[i] = fmt.Sprintf("key%d", i+1)
	}
	return keys
}()

var shortPaths = []struct {
	name, sql string
	params    func(i int, dst []types.Datum)
}{
	{"get", "SELECT value FROM kv WHERE key = $1",
		func(i int, dst []types.Datum) { dst[0] = keyOf(i) }},
	{"upsert", "INSERT INTO kv VALUES ($1, $2) ON CONFLICT (key) DO UPDATE" +
		" SET value = excluded.value",
		func(i int, dst []types.Datum) { dst[0], dst[1] = keyOf(i), types.NewText("new") }},
	{"update", "UPDATE acc SET balance = balance + $1 WHERE id = $2",
		func(i int, dst []types.Datum) {
			dst[0], dst[1] = types.NewInt4(1), types.NewInt4(int32(i%benchRows+1))
		}},
	{"insert", "INSERT INTO acc VALUES ($1, 1, 0, '')",
		func(i int, dst []types.Datum) { dst[0] = types.NewInt4(int32(benchRows + i)) }},
}

// BenchmarkExecute runs them, a new transaction every few statements; beginning and ending those is
// not counted.
func BenchmarkExecute(b *testing.B) {
	for _, path := range shortPaths {
		b.Run(path.name, func(b *testing.B) {
			x := newShortPath(b, path.sql, path.params)
			defer x.txn.Rollback()
			b.ReportAllocs()
			for b.Loop() {
				if x.i%benchTxnRows == 0 {
					b.StopTimer()
					x.renew()
					b.StartTimer()
				}
				x.run()
			}
		})
	}
}

// TestShortPathsAllocateNothing: what they cost in time is for the benchmark to say.
func TestShortPathsAllocateNothing(t *testing.T) {
	for _, path := range shortPaths {
		t.Run(path.name, func(t *testing.T) {
			x := newShortPath(t, path.sql, path.params)
			defer x.txn.Rollback()
			allocated := testing.AllocsPerRun(50*benchTxnRows, func() {
				if x.i%benchTxnRows == 0 {
					x.renew()
				}
				x.run()
			})
			if !raceEnabled { // the detector allocates
				require.Zero(t, allocated)
			}
		})
	}
	t.Run("one that does", func(t *testing.T) {
		x := newShortPath(t, "SELECT value FROM kv WHERE key LIKE $1 LIMIT 1", shortPaths[0].params)
		defer x.txn.Rollback()
		require.NotZero(t, testing.AllocsPerRun(benchTxnRows, x.run))
	})
}

// BenchmarkStore is what the same work costs without this floor.
func BenchmarkStore(b *testing.B) {
	bench := func(b *testing.B, do func(t *engine.Txn, table engine.TableID, key []byte) error) {
		s := benchSession(b)
		table := s.n.catalog.Snapshot().Relation("public", "kv").Table.Storage
		var txn engine.Txn
		s.n.db.BeginInto(&txn, engine.TxnOptions{})
		key := make([]byte, 0, 64)
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			if i++; i%benchTxnRows == 0 {
				b.StopTimer()
				txn.Rollback()
				s.n.db.BeginInto(&txn, engine.TxnOptions{})
				b.StartTimer()
			}
			txn.StartPointStatement()
			key = types.EncodeKey(key[:0], keyOf(i), types.KeyOrder{})
			if err := do(&txn, table, key); err != nil {
				b.Fatal(err)
			}
		}
		txn.Rollback()
	}
	ctx := context.Background()
	b.Run("get", func(b *testing.B) {
		bench(b, func(t *engine.Txn, table engine.TableID, key []byte) error {
			_, _, err := t.Get(ctx, table, key)
			return err
		})
	})
	value := []byte("value")
	b.Run("upsert", func(b *testing.B) {
		bench(b, func(t *engine.Txn, table engine.TableID, key []byte) error {
			if err := t.LockTable(ctx, table, engine.RowExclusiveLock, engine.Wait); err != nil {
				return err
			}
			return t.Upsert(ctx, table, key, value)
		})
	})
	b.Run("update", func(b *testing.B) {
		bench(b, func(t *engine.Txn, table engine.TableID, key []byte) error {
			if err := t.LockTable(ctx, table, engine.RowExclusiveLock, engine.Wait); err != nil {
				return err
			}
			if _, err := t.LockRow(ctx, table, key, engine.RowUpdate, engine.Wait); err != nil {
				return err
			}
			return t.Put(table, key, value)
		})
	})
}
