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
	CREATE UNIQUE INDEX h_ba ON h (b, a DESC);
	CREATE UNIQUE INDEX m_part ON m ((a + c) DESC, upper(b)) INCLUDE (d) WHERE a > 1;
	CREATE INDEX h_part ON h ((c % 3), a) WHERE b IS NOT NULL;
	CREATE UNIQUE INDEX m_nulls ON m (a, b, c) NULLS NOT DISTINCT WHERE id % 5 = 0`

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
		m + " ON CONFLICT ((a + c), upper(b)) WHERE a > 2 DO UPDATE SET c = m.c + 1, a = excluded.a",
		fmt.Sprintf("UPDATE m SET a = a + 2 WHERE upper(b) = 'B1' AND a + c = %s AND a > 1", c),
		fmt.Sprintf("DELETE FROM h WHERE c %% 3 = 1 AND a = %s AND b = %s", a, b),
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
	return m.transactions(rand.New(rand.NewPCG(seed, number)), transactions, everyIsolation,
		m.transaction, isLoss)
}

var everyIsolation = []engine.Isolation{engine.ReadCommitted, engine.ReadCommitted,
	engine.RepeatableRead, engine.Serializable}

// transactions runs one session's transactions, some of which are taken back; an error that is not
// expected ends them.
func (m *indexModel) transactions(
	r *rand.Rand, n int, levels []engine.Isolation,
	one func(*rand.Rand, *Txn) error, expected func(error) bool,
) error {
	for range n {
		txn := m.x.Begin(engine.TxnOptions{Isolation: levels[r.IntN(len(levels))],
			LockTimeout: 5 * time.Second})
		err := one(r, txn)
		if err == nil && r.IntN(6) > 0 {
			_, err = txn.Commit(context.Background(), engine.CommitOptions{Level: wal.LevelOff})
		}
		txn.Rollback()
		if err != nil && !expected(err) {
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

// checkIndexes walks every index of the store against its table.
func checkIndexes(x *Executor) (entries int64, err error) {
	for _, t := range x.catalog.Snapshot().Tables() {
		txn := x.Begin(engine.TxnOptions{})
		n, err := x.CheckIndex(context.Background(), txn, t.OID)
		txn.Rollback()
		if err != nil {
			return entries, err
		}
		entries += n
	}
	return entries, nil
}

func (m *indexModel) requireAgreement(when string) (entries int64) {
	m.t.Helper()
	entries, err := checkIndexes(m.x)
	require.NoError(m.t, err, when)
	return entries
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
			entries := m.requireAgreement("while it runs")
			require.NotZero(t, entries, "a test of empty tables shows nothing")
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
		sees string
	}{
		{"insert", func(w *writer, r *run) error {
			fresh := row(1)
			fresh[0] = types.NewInt4(2)
			return w.insert(r, fresh)
		}, "lacks a row"},
		{"update", func(w *writer, r *run) error {
			return w.replace(r, key, row(1), row(2), false)
		}, "lacks a row"},
		{"delete", func(w *writer, r *run) error { return w.remove(r, key, row(1)) },
			"leads to a row that is not"},
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
				_, err = checkIndexes(x)
				if skip {
					require.ErrorContains(t, err, c.sees)
				} else {
					require.NoError(t, err)
				}
			})
		}
	}
}

// TestIndexCheckNames: each way in which keys and rows can contradict one another is found, by an
// error that says which.
func TestIndexCheckNames(t *testing.T) {
	entryOf := func(x *Executor, index string, row []types.Datum, key []byte) (entry, engine.TableID) {
		table := x.catalog.Snapshot().Relation(catalog.Public, "m").Table
		var e entry
		w := &indexWriter{table: table, index: table.IndexNamed(index)}
		require.NoError(t, e.encode(nil, w, row, key))
		return e, table.IndexNamed(index).Storage
	}
	keyOf := func(id int32) []byte {
		return types.EncodeKey(nil, types.NewInt4(id), types.KeyOrder{})
	}
	row := func(id, a, c int32) []types.Datum {
		return []types.Datum{types.NewInt4(id), types.NewInt4(a), types.NewText("b"),
			types.NewInt4(c), types.Null}
	}
	for _, c := range []struct {
		sees   string
		damage func(x *Executor, txn *engine.Txn) error
	}{
		{`index "m_a" lacks a row of table "m"`, func(x *Executor, txn *engine.Txn) error {
			e, storage := entryOf(x, "m_a", row(1, 1, 1), keyOf(1))
			return txn.Delete(storage, e.key)
		}},
		{`index "m_c" has another row of table "m" in the place of this`,
			func(x *Executor, txn *engine.Txn) error {
				e, storage := entryOf(x, "m_c", row(1, 1, 1), keyOf(2))
				return txn.Put(storage, e.key, e.value)
			}},
		{`index "m_ba" has an entry that its row of table "m" has not`,
			func(x *Executor, txn *engine.Txn) error {
				e, storage := entryOf(x, "m_ba", row(1, 7, 1), keyOf(1))
				return txn.Put(storage, e.key, e.value)
			}},
		{`entry of index "m_a" is malformed`, func(x *Executor, txn *engine.Txn) error {
			_, storage := entryOf(x, "m_a", row(1, 1, 1), keyOf(1))
			return txn.Put(storage, []byte{1}, []byte{200, 1})
		}},
		{`index "m_c" leads to a row that is not in table "m"`,
			func(x *Executor, txn *engine.Txn) error {
				e, storage := entryOf(x, "m_c", row(3, 1, 3), keyOf(3))
				return txn.Put(storage, e.key, e.value)
			}},
	} {
		t.Run(c.sees, func(t *testing.T) {
			x := openExecutor(t)
			for _, stmt := range must(t)(parse.Parse(indexedSchema)) {
				runOne(t, x, stmt.Text)
			}
			runOne(t, x, "INSERT INTO m VALUES (1, 1, 'b', 1), (2, 2, 'b', 2)")
			entries, err := checkIndexes(x)
			require.NoError(t, err)
			require.EqualValues(t, 4*2+1, entries, "of the primary key, three indexes and m_part")
			txn := x.db.Begin(engine.TxnOptions{})
			defer txn.Rollback()
			require.NoError(t, c.damage(x, txn))
			_, err = txn.Commit(context.Background(), engine.CommitOptions{})
			require.NoError(t, err)
			_, err = checkIndexes(x)
			require.ErrorContains(t, err, c.sees)
		})
	}
}

// TestIndexCheckFindsRowUnderFalseKey, which no index would show.
func TestIndexCheckFindsRowUnderFalseKey(t *testing.T) {
	x := openExecutor(t)
	runOne(t, x, "CREATE TABLE n (id numeric PRIMARY KEY)")
	runOne(t, x, "INSERT INTO n VALUES (1.50)")
	_, err := checkIndexes(x)
	require.NoError(t, err)
	table := x.catalog.Snapshot().Relation(catalog.Public, "n").Table
	txn := x.db.Begin(engine.TxnOptions{})
	defer txn.Rollback()
	it := txn.Scan(table.Storage, nil, nil, false)
	require.True(t, it.Next())
	two, err := types.ParseText(types.Type{OID: types.Numeric, Mod: types.NoMod}, "2", nil)
	require.NoError(t, err)
	key := types.EncodeKey(nil, two, types.KeyOrder{})
	require.NoError(t, txn.Put(table.Storage, key, it.Value()))
	_, err = txn.Commit(context.Background(), engine.CommitOptions{})
	require.NoError(t, err)
	_, err = checkIndexes(x)
	require.ErrorContains(t, err, `a row of table "n" does not lie under its key`)
}
