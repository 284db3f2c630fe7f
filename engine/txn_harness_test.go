package engine

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/engine/enginetest"
)

const testTable = FirstUserTable

// openTxnTest opens a database in memory whose deadlock search comes at once.
func openTxnTest(t testing.TB) *DB {
	t.Helper()
	db := mustOpen(t, crashOptions(enginetest.New()))
	db.locks.deadlockTimeout = testTick
	t.Cleanup(func() {
		require.Empty(t, db.Locks())
		require.Zero(t, db.conflicts.readers.Load())
		require.Empty(t, db.conflicts.recent)
		mustClose(t, db)
	})
	return db
}

// session drives one transaction after another on one table, in terms short enough for a test to
// read like the schedule it is about.
type session struct {
	t   testing.TB
	db  *DB
	txn *Txn
}

func begin(t testing.TB, db *DB, level Isolation) *session {
	s := &session{t: t, db: db}
	s.begin(level)
	return s
}

func (s *session) begin(level Isolation) { s.txn = s.db.Begin(TxnOptions{Isolation: level}) }

// get is a statement of its own; a row that is not there is "".
func (s *session) get(key string) string {
	s.t.Helper()
	s.txn.StartStatement()
	return s.read(key)
}

// read goes on with the statement.
func (s *session) read(key string) string {
	s.t.Helper()
	value, found, err := s.txn.Get(context.Background(), testTable, []byte(key))
	require.NoError(s.t, err)
	if !found {
		require.Empty(s.t, value)
	}
	return string(value)
}

// scan is a statement that reads [lo, hi) as "key=value" lines.
func (s *session) scan(lo, hi string) []string {
	s.t.Helper()
	s.txn.StartStatement()
	return scanAll(s.t, s.txn, lo, hi, false)
}

func scanAll(t testing.TB, txn *Txn, lo, hi string, reverse bool) []string {
	t.Helper()
	end := []byte(hi)
	if hi == "" {
		end = nil
	}
	it := txn.Scan(testTable, []byte(lo), end, reverse)
	rows := []string{}
	for it.Next() {
		rows = append(rows, string(it.Key())+"="+string(it.Value()))
	}
	require.NoError(t, it.Err())
	require.NoError(t, it.Close())
	return rows
}

// update is `UPDATE .. SET value = .. WHERE key = ..`, or an insert: lock, look, write.
func (s *session) update(key, value string) error {
	s.txn.StartStatement()
	_, err := s.txn.LockRow(context.Background(), testTable, []byte(key), RowUpdate, Wait)
	if err != nil {
		return err
	}
	return s.txn.Put(testTable, []byte(key), []byte(value))
}

func (s *session) mustUpdate(key, value string) {
	s.t.Helper()
	require.NoError(s.t, s.update(key, value))
}

func (s *session) mustDelete(key string) {
	s.t.Helper()
	s.txn.StartStatement()
	_, err := s.txn.LockRow(context.Background(), testTable, []byte(key), RowUpdate, Wait)
	require.NoError(s.t, err)
	require.NoError(s.t, s.txn.Delete(testTable, []byte(key)))
}

func (s *session) commit() error {
	_, err := s.txn.Commit(context.Background(), CommitOptions{})
	return err
}

func (s *session) mustCommit() {
	s.t.Helper()
	require.NoError(s.t, s.commit())
}

func (s *session) rollback() { s.txn.Rollback() }

// load commits rows, given as key, value, key, value.
func load(t testing.TB, db *DB, rows ...string) {
	t.Helper()
	s := begin(t, db, ReadCommitted)
	for i := 0; i < len(rows); i += 2 {
		s.mustUpdate(rows[i], rows[i+1])
	}
	s.mustCommit()
}

// committedRows is what a new transaction sees.
func committedRows(t testing.TB, db *DB) []string {
	t.Helper()
	s := begin(t, db, ReadCommitted)
	defer s.rollback()
	return s.scan("", "")
}

func requireSerialization(t testing.TB, err error, reason SerializationReason) {
	t.Helper()
	var failure *SerializationError
	require.ErrorAs(t, err, &failure)
	require.Equal(t, reason, failure.Reason)
}
