package exec

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"ackdb/engine"
	"ackdb/engine/enginetest"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"

	"github.com/stretchr/testify/require"
)

var (
	foreignSeed  = flag.Uint64("foreign-seed", 1, "the first seed of TestForeignKeysHold")
	foreignSeeds = flag.Uint64("foreign-seeds", 3, "how many seeds TestForeignKeysHold runs")
)

// foreignSchema refers in every way: to a primary and to another unique key, by one column and two,
// with each action, with an index to find children by and without, to itself and in two steps.
const foreignSchema = `
	CREATE TABLE p (id int PRIMARY KEY, code text UNIQUE, a int, b int, UNIQUE (a, b),
		CONSTRAINT small CHECK (id < 60));
	CREATE TABLE none (id int PRIMARY KEY, pid int REFERENCES p);
	CREATE TABLE gone (id int PRIMARY KEY, pid bigint REFERENCES p ON DELETE CASCADE
		ON UPDATE CASCADE, n int CHECK (n < 50));
	CREATE INDEX ON gone (pid DESC);
	CREATE TABLE grand (id int, gid int REFERENCES gone ON DELETE CASCADE ON UPDATE RESTRICT);
	CREATE TABLE nulled (id int PRIMARY KEY, code text REFERENCES p (code) ON DELETE SET NULL
		ON UPDATE CASCADE);
	CREATE TABLE pair (id int PRIMARY KEY, x int DEFAULT 1, y int DEFAULT 1, FOREIGN KEY (y, x)
		REFERENCES p (b, a) MATCH FULL ON DELETE SET DEFAULT ON UPDATE SET NULL);
	CREATE INDEX ON pair (x, y);
	CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree ON DELETE CASCADE
		ON UPDATE CASCADE);
	INSERT INTO p SELECT n, 'c' || n, n % 4, n / 4 FROM generate_series(0, 15) n`

// mustBeEmpty are queries for rows that a constraint forbids.
var mustBeEmpty = []string{
	"SELECT * FROM none c WHERE pid IS NOT NULL AND NOT EXISTS (SELECT FROM p WHERE id = c.pid)",
	"SELECT * FROM gone c WHERE pid IS NOT NULL AND NOT EXISTS (SELECT FROM p WHERE id = c.pid)",
	"SELECT * FROM grand c WHERE gid IS NOT NULL AND NOT EXISTS (SELECT FROM gone WHERE id = c.gid)",
	"SELECT * FROM nulled c WHERE code IS NOT NULL AND NOT EXISTS (SELECT FROM p WHERE p.code = c.code)",
	"SELECT * FROM pair c WHERE x IS NOT NULL AND NOT EXISTS (SELECT FROM p WHERE a = x AND b = y)",
	"SELECT * FROM pair WHERE (x IS NULL) <> (y IS NULL)",
	"SELECT * FROM tree c WHERE up IS NOT NULL AND NOT EXISTS (SELECT FROM tree WHERE id = c.up)",
	"SELECT code FROM p GROUP BY code HAVING count(code) > 1",
	"SELECT a FROM p GROUP BY a, b HAVING count(a) > 1 AND count(b) > 1",
	"SELECT * FROM p WHERE id >= 60",
	"SELECT * FROM gone WHERE n >= 50",
}

// foreignStatement makes up one statement. Few values, so that rows and sessions meet.
func foreignStatement(r *rand.Rand) string {
	id, other, p, q := r.IntN(24), r.IntN(24), r.IntN(18), r.IntN(18)
	list := []string{
		fmt.Sprintf("INSERT INTO p VALUES (%d, 'c%d', %d, %d)", p, q, p%4, q%5),
		fmt.Sprintf("INSERT INTO p VALUES (%d, 'c%d') ON CONFLICT (id) DO UPDATE SET code = 'c%d'",
			p, q, other),
		fmt.Sprintf("INSERT INTO none VALUES (%d, %d)", id, p),
		fmt.Sprintf("INSERT INTO none VALUES (%d, %d) ON CONFLICT (id) DO UPDATE SET pid = %d",
			id, p, q),
		fmt.Sprintf("INSERT INTO gone VALUES (%d, %d, %d), (%d, %d, 1)", id, p, 3*p, other, q),
		fmt.Sprintf("INSERT INTO grand VALUES (%d, %d), (1, NULL)", id, other),
		fmt.Sprintf("INSERT INTO nulled VALUES (%d, 'c%d')", id, p),
		fmt.Sprintf("INSERT INTO pair VALUES (%d, %d, %d)", id, p%4, q%5),
		fmt.Sprintf("INSERT INTO tree VALUES (%d, NULL), (%d, %d)", id, other, id),
		fmt.Sprintf("INSERT INTO tree VALUES (%d, %d)", id, other),
		fmt.Sprintf("DELETE FROM p WHERE id = %d", p),
		fmt.Sprintf("DELETE FROM p WHERE a = %d AND b > 2", p%4),
		fmt.Sprintf("UPDATE p SET id = %d WHERE id = %d", q, p),
		fmt.Sprintf("UPDATE p SET id = id + 20 WHERE id > %d", 10+p),
		fmt.Sprintf("UPDATE p SET code = 'c%d' WHERE id = %d", q, p),
		fmt.Sprintf("UPDATE p SET a = %d, b = %d WHERE id = %d", p%4, q%5, p),
		fmt.Sprintf("UPDATE p SET id = id, a = a, code = code WHERE a = %d", p%4),
		fmt.Sprintf("UPDATE none SET pid = %d WHERE id = %d", p, id),
		fmt.Sprintf("UPDATE gone SET pid = %d, n = n + 9 WHERE id = %d", p, id),
		fmt.Sprintf("UPDATE gone SET id = %d WHERE id = %d", other, id),
		fmt.Sprintf("UPDATE gone SET pid = p.id FROM p WHERE p.id = %d AND gone.id < 5", p),
		fmt.Sprintf("UPDATE tree SET up = %d WHERE id = %d", other, id),
		fmt.Sprintf("UPDATE tree SET id = %d WHERE id = %d", other, id),
		fmt.Sprintf("DELETE FROM tree WHERE id = %d", id),
		fmt.Sprintf("DELETE FROM none WHERE id = %d", other),
		fmt.Sprintf("DELETE FROM gone USING none WHERE none.pid = gone.pid AND gone.id = %d", id),
		fmt.Sprintf("SELECT * FROM p WHERE id = %d FOR UPDATE", p),
	}
	if r.IntN(700) == 0 {
		return "TRUNCATE p CASCADE"
	}
	if r.IntN(3) == 0 {
		return list[r.IntN(10)] // so that there is something to delete
	}
	return list[r.IntN(len(list))]
}

// isRefusal says whether an error is what a constraint is there for.
func isRefusal(err error) bool {
	var e *types.Error
	return isLoss(err) || errors.As(err, &e) && (e.Code == plan.CodeForeignKey ||
		e.Code == plan.CodeCheckViolation || e.Code == plan.CodeNotNullViolation)
}

// foreignSession runs transactions of every isolation, some of which are taken back, whole or in
// part.
func (m *indexModel) foreignSession(seed, number uint64, transactions int) error {
	return m.transactions(rand.New(rand.NewPCG(seed, number)), transactions, everyIsolation,
		m.foreignTransaction, isRefusal)
}

func (m *indexModel) foreignTransaction(r *rand.Rand, txn *Txn) error {
	for range 1 + r.IntN(4) {
		before := txn.Savepoint()
		sql := foreignStatement(r)
		err := attempt(m.x, txn, sql)
		if err != nil && !isRefusal(err) {
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

// forbidden lists the queries of mustBeEmpty that find something.
func forbidden(t *testing.T, x *Executor) []string {
	var list []string
	for _, sql := range mustBeEmpty {
		if n := countRows(t, x, sql); n > 0 {
			list = append(list, fmt.Sprintf("%d rows: %s", n, sql))
		}
	}
	return list
}

func openForeignModel(t *testing.T) *indexModel {
	m := &indexModel{t: t, fs: enginetest.New()}
	m.open()
	for _, stmt := range must(t)(parse.Parse(foreignSchema)) {
		runOne(t, m.x, stmt.Text)
	}
	return m
}

func (m *indexModel) runForeign(t *testing.T, seed uint64, sessions, transactions int) {
	var wg sync.WaitGroup
	failures := make(chan error, sessions)
	for n := range uint64(sessions) {
		wg.Go(func() { failures <- m.foreignSession(seed, n, transactions) })
	}
	over := make(chan struct{})
	go func() { wg.Wait(); close(over) }()
	for running := true; running; {
		select {
		case <-over:
			running = false
		default:
		}
		require.Empty(t, forbidden(t, m.x), "while it runs") // later statements may mend it
	}
	for range sessions {
		require.NoError(t, <-failures)
	}
}

// TestForeignKeysHold: whatever sessions do at once and at whatever isolation, no row refers to one
// that is not there, no key is there twice and no CHECK is violated, at once, after a power cut and
// after a restart.
func TestForeignKeysHold(t *testing.T) {
	for seed := *foreignSeed; seed < *foreignSeed+*foreignSeeds; seed++ {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("again: go test ./server/sql/exec -run TestForeignKeysHold -args"+
						" -foreign-seed %d -foreign-seeds 1", seed)
				}
			}()
			m := openForeignModel(t)
			m.runForeign(t, seed, 5, 150)
			m.requireAgreement("while it runs")
			rows := 0
			for _, table := range []string{"p", "none", "gone", "nulled", "pair", "tree"} {
				rows += countRows(t, m.x, "SELECT * FROM "+table)
			}
			require.Greater(t, rows, 10, "a test of empty tables shows nothing")
			after := m.fs.Crash(seed, 50)
			m.close()
			m.fs = after
			m.open()
			require.Empty(t, forbidden(t, m.x), "after a power cut")
			m.close()
			m.open()
			require.Empty(t, forbidden(t, m.x), "after a restart")
			m.runForeign(t, seed+1000, 3, 30)
			require.Empty(t, forbidden(t, m.x), "after a restart, written to again")
			m.close()
		})
	}
}

// TestForeignModelNotices: without the checks of one statement TestForeignKeysHold would see it.
func TestForeignModelNotices(t *testing.T) {
	for _, c := range []struct{ name, setup, sql string }{
		{"child inserted", "", "INSERT INTO none VALUES (1, 50)"},
		{"child updated", "INSERT INTO nulled VALUES (1, 'c1')", "UPDATE nulled SET code = 'nope'"},
		{"parent deleted", "INSERT INTO gone VALUES (1, 1, 1)", "DELETE FROM p WHERE id = 1"},
		{"unique key changed", "INSERT INTO pair VALUES (1, 1, 1)",
			"UPDATE p SET a = 30 WHERE a = 1 AND b = 1"},
		{"upsert", "INSERT INTO nulled VALUES (1, 'c1')",
			"INSERT INTO p (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET code = 'new'"},
	} {
		for _, broken := range []bool{false, true} {
			t.Run(fmt.Sprint(c.name, " broken=", broken), func(t *testing.T) {
				m := openForeignModel(t)
				defer m.close()
				if c.setup != "" {
					runOne(t, m.x, c.setup)
				}
				txn := m.x.Begin(engine.TxnOptions{})
				defer txn.Rollback()
				err := attemptUnchecked(m.x, txn, c.sql, broken)
				if err == nil {
					_, err = txn.Commit(context.Background(), engine.CommitOptions{})
				}
				if broken {
					require.NoError(t, err)
					require.Len(t, forbidden(t, m.x), 1)
					return
				}
				require.True(t, err == nil || isRefusal(err), "%v", err)
				require.Empty(t, forbidden(t, m.x))
			})
		}
	}
}

// attemptUnchecked runs one statement, without its foreign keys if it is to be broken.
func attemptUnchecked(x *Executor, txn *Txn, sql string, broken bool) error {
	ctx := context.Background()
	env := &Env{Txn: txn, Session: x.NewSession(nil), SearchPath: []string{"public"}}
	stmt, err := parse.ParseOne(sql)
	if err != nil {
		return err
	}
	p, err := x.planner.Prepare(env.Plan(), stmt, nil)
	if err != nil {
		return err
	}
	if broken {
		switch n := p.Root.(type) {
		case *plan.Insert:
			n.Foreign = nil
		case *plan.Update:
			n.Foreign = nil
		case *plan.Delete:
			n.Foreign = nil
		}
	}
	c, err := x.Open(ctx, p, env)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Next(ctx)
	return err
}
