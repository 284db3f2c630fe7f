package exec

import (
	"context"
	"fmt"
	"testing"
	"time"

	"ackdb/engine"
	"ackdb/engine/enginetest"
	"ackdb/server/sql/catalog"
	"ackdb/wal"

	"github.com/stretchr/testify/require"
)

// filled opens a store in which table b has rows rows, and has an index made in small batches.
func filled(t *testing.T, rows int) *indexModel {
	m := &indexModel{t: t, fs: enginetest.New()}
	m.open()
	runOne(t, m.x, "CREATE TABLE b (id int PRIMARY KEY, a int, u int)")
	runOne(t, m.x, fmt.Sprintf("INSERT INTO b SELECT i, i %% 7, i FROM generate_series(1, %d) i",
		rows))
	m.x.buildBatch = 4 << 10
	return m
}

// strays counts the rows in storages that the catalog does not name.
func (m *indexModel) strays() int {
	known := map[engine.TableID]bool{}
	for _, t := range m.x.catalog.Snapshot().Tables() {
		known[t.Storage] = true
		for _, index := range t.Indexes {
			known[index.Storage] = true
		}
	}
	txn := m.db.Begin(engine.TxnOptions{ReadOnly: true})
	defer txn.Rollback()
	n := 0
	for id := engine.TableID(catalog.FirstUserOID); id < engine.TableID(catalog.FirstUserOID)+40; id++ {
		if known[id] {
			continue
		}
		it := txn.Scan(id, nil, nil, false)
		for it.Next() {
			n++
		}
		require.NoError(m.t, it.Err())
		require.NoError(m.t, it.Close())
	}
	return n
}

func (m *indexModel) hasIndex(name string) bool {
	return m.x.catalog.Snapshot().Relation(catalog.Public, name).Index != nil
}

// TestIndexLargerThanTransaction: an index is made of any number of rows, in and out of a
// transaction block, also of rows that the block has just written; what comes to nothing leaves
// nothing behind.
func TestIndexLargerThanTransaction(t *testing.T) {
	m := filled(t, 2000)
	defer m.close()
	ctx := context.Background()
	runOne(t, m.x, "CREATE INDEX b_a ON b (a)")
	runOne(t, m.x, "ALTER TABLE b ADD CONSTRAINT b_u UNIQUE (u)")
	m.requireAgreement("made in batches")
	require.Equal(t, 286, countRows(t, m.x, "SELECT * FROM b WHERE a = 3"))

	block := func(sql string) (*Txn, error) {
		txn := m.x.Begin(engine.TxnOptions{})
		return txn, attempt(m.x, txn, sql)
	}
	txn, err := block("INSERT INTO b VALUES (0, 3, 0); CREATE INDEX gone ON b (u, a)")
	require.NoError(t, err)
	require.NotZero(t, m.strays())
	txn.Rollback()
	require.Zero(t, m.strays(), "of an index that was rolled back")

	txn, err = block("INSERT INTO b VALUES (0, 3, 0)")
	require.NoError(t, err)
	before := txn.Savepoint()
	require.NoError(t, attempt(m.x, txn, "CREATE INDEX gone ON b (u, a)"))
	require.NoError(t, txn.RollbackTo(before))
	require.Zero(t, m.strays(), "of an index that a savepoint took back")
	require.NoError(t, attempt(m.x, txn,
		"CREATE INDEX kept ON b (u, a); UPDATE b SET u = u + 10000 WHERE u < 10"))
	_, err = txn.Commit(ctx, engine.CommitOptions{})
	require.NoError(t, err)
	m.requireAgreement("made in a block that went on to write")

	txn, err = block("UPDATE b SET a = id; UPDATE b SET a = 5 WHERE id = 2000;" +
		"CREATE UNIQUE INDEX late ON b (a)")
	require.ErrorContains(t, err, "could not create unique index")
	txn.Rollback()
	require.Zero(t, m.strays(), "of an index that found a duplicate late")
	require.True(t, m.hasIndex("kept"))
	m.requireAgreement("in the end")
}

// TestIndexBuildCrash: a power cut anywhere in the making of an index leaves all of it or nothing.
func TestIndexBuildCrash(t *testing.T) {
	whole, none := 0, 0
	for seed := range uint64(8) {
		m := filled(t, 1500)
		made := make(chan error, 1)
		go func() {
			txn := m.x.Begin(engine.TxnOptions{})
			defer txn.Rollback()
			if err := attempt(m.x, txn, "CREATE UNIQUE INDEX i ON b (u, a)"); err != nil {
				made <- err
				return
			}
			_, err := txn.Commit(context.Background(), engine.CommitOptions{Level: wal.LevelLocal})
			made <- err
		}()
		if seed < 6 {
			time.Sleep(time.Duration(seed*2) * time.Millisecond)
		} else {
			require.NoError(t, <-made)
			made <- nil
		}
		after := m.fs.Crash(seed, 50)
		require.NoError(t, <-made)
		m.close()
		m.fs = after
		m.open()
		if m.requireAgreement("after a power cut"); m.hasIndex("i") {
			whole++
			require.Equal(t, 1, countRows(t, m.x, "SELECT * FROM b WHERE u = 700"))
		} else {
			none++
		}
		require.Zero(t, m.strays(), "seed %d", seed)
		m.x.buildBatch = 4 << 10
		if !m.hasIndex("i") {
			runOne(t, m.x, "CREATE UNIQUE INDEX i ON b (u, a)")
		}
		m.requireAgreement("once it is there")
		m.close()
	}
	require.NotZero(t, whole)
	require.NotZero(t, none)
}
