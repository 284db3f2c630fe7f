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

func benchSession(b *testing.B) *session {
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

// benchExecute runs a prepared statement over and over, a new transaction every few statements;
// beginning and ending those is not counted.
func benchExecute(b *testing.B, sql string, params func(i int, dst []types.Datum)) {
	s := benchSession(b)
	p := s.prepared(b, sql)
	args := make([]types.Datum, len(p.ParamOIDs))
	env := s.env(args)
	ctx := context.Background()
	var txn exec.Txn
	env.Txn = &txn
	s.n.exec.BeginInto(&txn, engine.TxnOptions{})
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if i++; i%benchTxnRows == 0 {
			b.StopTimer()
			txn.Rollback()
			s.n.exec.BeginInto(&txn, engine.TxnOptions{})
			b.StartTimer()
		}
		params(i, args)
		c, err := s.n.exec.Open(ctx, p, env)
		if err != nil {
			b.Fatal(err)
		}
		for {
			row, err := c.Next(ctx)
			if err != nil {
				b.Fatal(err)
			}
			if row == nil {
				break
			}
		}
		c.Close()
		s.state.Recycle(c)
	}
	txn.Rollback()
}

func keyOf(i int) types.Datum { return types.NewText(benchKeys[i%benchRows]) }

var benchKeys = func() []string {
	keys := make([]string, benchRows)
	for i := range keys {
		keys[i] = fmt.Sprintf("key%d", i+1)
	}
	return keys
}()

func BenchmarkExecute(b *testing.B) {
	b.Run("get", func(b *testing.B) {
		benchExecute(b, "SELECT value FROM kv WHERE key = $1",
			func(i int, dst []types.Datum) { dst[0] = keyOf(i) })
	})
	b.Run("upsert", func(b *testing.B) {
		benchExecute(b, "INSERT INTO kv VALUES ($1, $2) ON CONFLICT (key) DO UPDATE"+
			" SET value = excluded.value",
			func(i int, dst []types.Datum) { dst[0], dst[1] = keyOf(i), types.NewText("new") })
	})
	b.Run("update", func(b *testing.B) {
		benchExecute(b, "UPDATE acc SET balance = balance + $1 WHERE id = $2",
			func(i int, dst []types.Datum) {
				dst[0], dst[1] = types.NewInt4(1), types.NewInt4(int32(i%benchRows+1))
			})
	})
	b.Run("insert", func(b *testing.B) {
		benchExecute(b, "INSERT INTO acc VALUES ($1, 1, 0, '')",
			func(i int, dst []types.Datum) { dst[0] = types.NewInt4(int32(benchRows + i)) })
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
