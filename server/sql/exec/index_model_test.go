package exec

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"ackdb/engine"
	"ackdb/engine/enginetest"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
	"ackdb/wal"

	"github.com/stretchr/testify/require"
)

// indexedSchema has what indexes differ in: one column and several, unique and not, both
// directions, NULL on either side, over a table with a primary key and one without.
const indexedSchema = `
	CREATE TABLE m (id int PRIMARY KEY, a int, b text, c int, d numeric);
	CREATE INDEX m_a ON m (a);
	CREATE UNIQUE INDEX m_c ON m (c);
	CREATE INDEX m_ba ON m (b DESC, a);
	CREATE TABLE h (a int, b text, c int UNIQUE);
	CREATE INDEX h_a ON h (a NULLS FIRST);
	CREATE UNIQUE INDEX h_ba ON h (b, a DESC)`

// indexModel is a store that loses power, under sessions that write at random.
type indexModel struct {
	t  *testing.T
	fs *enginetest.CrashFS
	db *engine.DB
	x  *Executor
}

func (m *indexModel) open() {
	ctx := context.Background()
	db, _, err := engine.Open(ctx, engine.Options{Dir: "/data", FS: m.fs.FS(),
		Log:          wal.Options{Disk: m.fs.Disk(), SegmentSize: wal.SegmentSizeMin},
		MemTableSize: 64 << 10, Fatal: func(err error) { panic(err) }})
	require.NoError(m.t, err)
	c, err := catalog.Open(ctx, db)
	require.NoError(m.t, err)
	m.db, m.x = db, New(db, c, plan.New(c, plan.Options{}))
}

func (m *indexModel) close() { require.NoError(m.t, m.db.Close(context.Background())) }

// attempt runs the statements of a text in a transaction. A loser of a conflict is no failure.
func attempt(x *Executor, txn *Txn, sql string) error {
	ctx := context.Background()
	stmts, err := parse.Parse(sql)
	if err != nil {
		return err
	}
	for i := range stmts {
		env := &Env{Txn: txn, Session: x.NewSession(nil), SearchPath: []string{catalog.Public}}
		p, err := x.planner.Prepare(env.Plan(), &stmts[i], nil)
		if err != nil {
			return err
		}
		c, err := x.Open(ctx, p, env)
		if err != nil {
			return err
		}
		for row := []types.Datum{{}}; row != nil && err == nil; {
			row, err = c.Next(ctx)
		}
		c.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func isLoss(err error) bool {
	var e *types.Error
	if errors.As(err, &e) {
		return e.Code == plan.CodeUniqueViolation || e.Code == plan.CodeCardinality
	}
	return errors.Is(err, engine.ErrSerialization) || errors.Is(err, engine.ErrDeadlock) ||
		errors.Is(err, engine.ErrLockNotAvailable)
}

// statement makes up one statement. Few values, so that rows and sessions meet.
func statement(r *rand.Rand) string {
	n := func(k int) string {
		if r.IntN(8) == 0 {
			return "NULL"
		}
		return fmt.Sprint(r.IntN(k))
	}
	id, a, c, b := r.IntN(30), n(5), n(40), "'b"+fmt.Sprint(r.IntN(3))+"'"
	m := fmt.Sprintf("INSERT INTO m VALUES (%d, %s, %s, %s, 1.%s)", id, a, b, c, n(3)[:1])
	if m[len(m)-2] == 'N' {
		m = m[:len(m)-4] + "NULL)"
	}
	h := fmt.Sprintf("INSERT INTO h VALUES (%s, %s, %s), (%s, %s, %s)", a, b, c, n(5), b, n(40))
	list := []string{
		m, m, h, h,
		m + " ON CONFLICT DO NOTHING",
		m + " ON CONFLICT (id) DO UPDATE SET a = excluded.a, c = excluded.c",
		m + " ON CONFLICT (c) DO UPDATE SET a = m.a + 1, b = excluded.b",
		m + " ON CONFLICT (c) DO UPDATE SET id = excluded.id + 1",
		h + " ON CONFLICT (a, b) DO UPDATE SET c = excluded.c",
		h + " ON CONFLICT DO NOTHING",
		fmt.Sprintf("UPDATE m SET a = a + 1 WHERE a = %s", a),
		fmt.Sprintf("UPDATE m SET a = %s, b = %s WHERE a > %s", n(5), b, a),
		fmt.Sprintf("UPDATE m SET c = c + 1 WHERE c = %s", c),
		fmt.Sprintf("UPDATE m SET c = %s WHERE id = %d", c, id),
		fmt.Sprintf("UPDATE m SET id = id + 3 WHERE b = %s AND a = %s", b, a),
		fmt.Sprintf("UPDATE m SET a = a + 1 WHERE a IN (1, %s, 3)", a),
		fmt.Sprintf("UPDATE h SET b = 'x' || c WHERE a = %s", a),
		fmt.Sprintf("UPDATE h SET c = h.c + 1 FROM m WHERE m.a = h.a AND m.id = %d", id),
		fmt.Sprintf("DELETE FROM m WHERE c = %s", c),
		fmt.Sprintf("DELETE FROM m WHERE b = %s AND a < %s", b, a),
		fmt.Sprintf("DELETE FROM h WHERE a = %s AND b > 'b0'", a),
		fmt.Sprintf("DELETE FROM h USING m WHERE m.c = h.c AND m.a = %s", a),
		"INSERT INTO h SELECT a, 'm' || id, c FROM m WHERE a = " + a + " ON CONFLICT DO NOTHING",
	}
	if r.IntN(60) == 0 {
		return "TRUNCATE h"
	}
	return list[r.IntN(len(list))]
}

// session runs transactions of a few statements, some of which are taken back, whole or in part.
func (m *indexModel) session(seed, number uint64, transactions int) error {
	r := rand.New(rand.NewPCG(seed, number))
	levels := []engine.Isolation{engine.ReadCommitted, engine.ReadCommitted,
		engine.RepeatableRead, engine.Serializable}
	for range transactions {
		txn := m.x.Begin(engine.TxnOptions{Isolation: levels[r.IntN(len(levels))],
			LockTimeout: 5 * time.Second})
		err := m.transaction(r, txn)
		if err == nil && r.IntN(6) > 0 {
			_, err = txn.Commit(context.Background(), engine.CommitOptions{Level: wal.LevelOff})
		}
		txn.Rollback()
		if err != nil && !isLoss(err) {
			return err
		}
	}
	return nil
}

func (m *indexModel) transaction(r *rand.Rand, txn *Txn) error {
	for range 1 + r.IntN(4) {
		before := txn.Savepoint()
		sql := statement(r)
		err := attempt(m.x, txn, sql)
		if err != nil && !isLoss(err) {
			return fmt.Errorf("%s: %w", sql, err)
		}
		time.Sleep(time.Duration(r.IntN(300)) * time.Microsecond) // so that others come between
		if err == nil && r.IntN(8) > 0 {
			continue
		}
		if err := txn.RollbackTo(before); err != nil {
			return err
		}
	}
	return nil
}

// remake makes an index and drops it again and again, all the while others write to its table, and
// leaves it there.
func (m *indexModel) remake(times int) error {
	const create, drop = "CREATE INDEX late ON m (b, c DESC)", "DROP INDEX late"
	for next, done := create, 0; done < 2*times+1; {
		txn := m.x.Begin(engine.TxnOptions{})
		err := attempt(m.x, txn, next)
		if err == nil {
			_, err = txn.Commit(context.Background(), engine.CommitOptions{})
		}
		txn.Rollback()
		switch {
		case err == nil && next == create:
			next, done = drop, done+1
		case err == nil:
			next, done = create, done+1
		case !isLoss(err):
			return fmt.Errorf("%s: %w", next, err)
		}
	}
	return nil
}

// contradictions says where an index is not what its table says: an entry too many, one too few, or
// two rows of one key.
func contradictions(x *Executor) ([]string, error) {
	txn := x.db.Begin(engine.TxnOptions{})
	defer txn.Rollback()
	var list []string
	for _, t := range x.catalog.Snapshot().Tables() {
		for _, index := range t.Indexes {
			want := map[string]string{}
			codec, row, e := newRowCodec(t), make([]types.Datum, len(t.Columns)), entry{}
			it := txn.Scan(t.Storage, nil, nil, false)
			for it.Next() {
				if err := codec.decode(row, it.Key(), it.Value()); err != nil {
					return nil, err
				}
				e.encode(index, row, it.Key())
				if _, twice := want[string(e.key)]; twice {
					list = append(list, fmt.Sprintf("%s: two rows of key %x", index.Name, e.key))
				}
				want[string(e.key)] = string(e.value)
			}
			if err := errors.Join(it.Err(), it.Close()); err != nil {
				return nil, err
			}
			it = txn.Scan(index.Storage, nil, nil, false)
			for it.Next() {
				if value, found := want[string(it.Key())]; !found || value != string(it.Value()) {
					list = append(list, fmt.Sprintf("%s: entry %x = %x", index.Name, it.Key(), it.Value()))
				}
				delete(want, string(it.Key()))
			}
			if err := errors.Join(it.Err(), it.Close()); err != nil {
				return nil, err
			}
			for key := range want {
				list = append(list, fmt.Sprintf("%s: no entry %x", index.Name, key))
			}
		}
	}
	return list, nil
}

func (m *indexModel) requireAgreement(when string) {
	m.t.Helper()
	list, err := contradictions(m.x)
	require.NoError(m.t, err)
	require.Empty(m.t, list, when)
}

// TestIndexesAgree: whatever sessions do at once, every index says what its table says, at once,
// after a power cut and after a restart.
func TestIndexesAgree(t *testing.T) {
	const sessions, transactions, seeds = 4, 150, 3
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			m := &indexModel{t: t, fs: enginetest.New()}
			m.open()
			for _, stmt := range must(t)(parse.Parse(indexedSchema)) {
				runOne(t, m.x, stmt.Text)
			}
			var wg sync.WaitGroup
			failures := make(chan error, sessions+1)
			for n := range uint64(sessions) {
				wg.Go(func() { failures <- m.session(seed, n, transactions) })
			}
			wg.Go(func() { failures <- m.remake(5) })
			wg.Wait()
			for range sessions + 1 {
				require.NoError(t, <-failures)
			}
			m.requireAgreement("while it runs")
			rows := countRows(t, m.x, "SELECT * FROM m") + countRows(t, m.x, "SELECT * FROM h")
			require.NotZero(t, rows, "a test of empty tables shows nothing")
			after := m.fs.Crash(seed, 50)
			m.close()
			m.fs = after
			m.open()
			m.requireAgreement("after a power cut")
			m.close()
			m.open()
			m.requireAgreement("after a restart")
			m.close()
		})
	}
}

func must(t *testing.T) func([]parse.Stmt, error) []parse.Stmt {
	return func(stmts []parse.Stmt, err error) []parse.Stmt {
		require.NoError(t, err)
		return stmts
	}
}

// TestIndexCheckNotices: the eyes of TestIndexesAgree see each step of the upkeep that is left out.
func TestIndexCheckNotices(t *testing.T) {
	key := types.EncodeKey(nil, types.NewInt4(1), types.KeyOrder{})
	row := func(a int32) []types.Datum {
		return []types.Datum{types.NewInt4(1), types.NewInt4(a), types.NewText("b"), types.Null,
			types.Null}
	}
	for _, c := range []struct {
		name string
		do   func(w *writer, r *run) error
		sees int
	}{
		{"insert", func(w *writer, r *run) error {
			fresh := row(1)
			fresh[0] = types.NewInt4(2)
			return w.insert(r, fresh)
		}, 3},
		{"update", func(w *writer, r *run) error {
			return w.replace(r, key, row(1), row(2), false)
		}, 4},
		{"delete", func(w *writer, r *run) error { return w.remove(r, key, row(1)) }, 3},
	} {
		for _, skip := range []bool{false, true} {
			t.Run(fmt.Sprint(c.name, " skipped=", skip), func(t *testing.T) {
				x := openExecutor(t)
				for _, stmt := range must(t)(parse.Parse(indexedSchema)) {
					runOne(t, x, stmt.Text)
				}
				runOne(t, x, "INSERT INTO m VALUES (1, 1, 'b')")
				txn := x.Begin(engine.TxnOptions{})
				defer txn.Rollback()
				env := &Env{Txn: txn, Session: x.NewSession(nil)}
				r := env.Session.take(x, context.Background(), env)
				w := changer(x.catalog.Snapshot().Relation(catalog.Public, "m").Table)
				if skip {
					w.indexes = nil
				}
				require.NoError(t, c.do(w, r))
				_, err := txn.Commit(context.Background(), engine.CommitOptions{})
				require.NoError(t, err)
				list, err := contradictions(x)
				require.NoError(t, err)
				if skip {
					require.Len(t, list, c.sees)
				} else {
					require.Empty(t, list)
				}
			})
		}
	}
}
