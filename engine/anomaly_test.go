package engine

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// One test an anomaly of the literature (Berenson et al., Adya, Fekete et al.): which levels
// allow it is the meaning of the levels.

var everyLevel = []Isolation{ReadCommitted, RepeatableRead, Serializable}

func eachLevel(t *testing.T, f func(t *testing.T, db *DB, level Isolation)) {
	for _, level := range everyLevel {
		t.Run(level.String(), func(t *testing.T) { f(t, openTxnTest(t), level) })
	}
}

// P0: of two writers one comes second, whole.
func TestDirtyWrite(t *testing.T) {
	eachLevel(t, func(t *testing.T, db *DB, level Isolation) {
		load(t, db, "x", "0", "y", "0")
		a, b := begin(t, db, level), begin(t, db, level)
		a.mustUpdate("x", "a")
		done := make(chan error)
		go func() {
			err := b.update("x", "b")
			if err == nil {
				err = b.update("y", "b")
			}
			done <- err
		}()
		a.mustUpdate("y", "a")
		a.mustCommit()
		if err := <-done; err == nil {
			b.mustCommit()
			require.Equal(t, []string{"x=b", "y=b"}, committedRows(t, db))
		} else {
			requireSerialization(t, err, ConcurrentUpdate)
			b.rollback()
			require.Equal(t, []string{"x=a", "y=a"}, committedRows(t, db))
		}
	})
}

// P1, G1a: nobody sees what is not committed, nor what never will be.
func TestDirtyRead(t *testing.T) {
	eachLevel(t, func(t *testing.T, db *DB, level Isolation) {
		load(t, db, "x", "old")
		writer, reader := begin(t, db, level), begin(t, db, level)
		writer.mustUpdate("x", "new")
		require.Equal(t, "new", writer.get("x"))
		require.Equal(t, "old", reader.get("x"))
		require.Equal(t, []string{"x=old"}, reader.scan("", ""))
		writer.rollback()
		require.Equal(t, "old", reader.get("x"))
		reader.rollback()
	})
}

// G1b: nobody sees a value that its writer has replaced before committing.
func TestIntermediateRead(t *testing.T) {
	eachLevel(t, func(t *testing.T, db *DB, level Isolation) {
		writer := begin(t, db, level)
		writer.mustUpdate("x", "first")
		writer.mustUpdate("x", "last")
		reader := begin(t, db, level)
		require.Empty(t, reader.get("x"))
		writer.mustCommit()
		reader.rollback()
		require.Equal(t, []string{"x=last"}, committedRows(t, db))
	})
}

// P2: READ COMMITTED sees each commit, the others their snapshot.
func TestNonRepeatableRead(t *testing.T) {
	eachLevel(t, func(t *testing.T, db *DB, level Isolation) {
		load(t, db, "x", "old")
		reader := begin(t, db, level)
		require.Equal(t, "old", reader.get("x"))
		load(t, db, "x", "new")
		want := "old"
		if level == ReadCommitted {
			want = "new"
		}
		require.Equal(t, want, reader.get("x"))
		reader.mustCommit()
	})
}

// A statement of READ COMMITTED is not torn by a commit in its middle.
func TestStatementSeesOneState(t *testing.T) {
	db := openTxnTest(t)
	load(t, db, "x", "0", "y", "0")
	reader := begin(t, db, ReadCommitted)
	require.Equal(t, "0", reader.get("x"))
	load(t, db, "x", "1", "y", "1")
	require.Equal(t, "0", reader.read("y"))
	require.Equal(t, "1", reader.get("y"))
	reader.rollback()
}

// P4: two transactions read x and write x+1. In READ COMMITTED the second reads again after its
// wait, elsewhere it fails.
func TestLostUpdate(t *testing.T) {
	eachLevel(t, func(t *testing.T, db *DB, level Isolation) {
		load(t, db, "x", "0")
		increment := func(s *session) error {
			s.txn.StartStatement()
			key := []byte("x")
			row, err := s.txn.LockRow(context.Background(), testTable, key, RowUpdate, Wait)
			if err != nil {
				return err
			}
			n, err := strconv.Atoi(string(row.Value))
			if err != nil {
				return err
			}
			return s.txn.Put(testTable, key, []byte(strconv.Itoa(n+1)))
		}
		a, b := begin(t, db, level), begin(t, db, level)
		require.Equal(t, "0", a.get("x"))
		require.Equal(t, "0", b.get("x"))
		require.NoError(t, increment(a))
		done := make(chan error)
		go func() { done <- increment(b) }()
		a.mustCommit()
		if err := <-done; level == ReadCommitted {
			require.NoError(t, err)
			b.mustCommit()
			require.Equal(t, []string{"x=2"}, committedRows(t, db))
		} else {
			requireSerialization(t, err, ConcurrentUpdate)
			b.rollback()
			require.Equal(t, []string{"x=1"}, committedRows(t, db))
		}
	})
}

func TestUpdateOfADeletedRow(t *testing.T) {
	eachLevel(t, func(t *testing.T, db *DB, level Isolation) {
		load(t, db, "x", "0")
		a, b := begin(t, db, level), begin(t, db, level)
		require.Equal(t, "0", b.get("x"))
		a.mustDelete("x")
		a.mustCommit()
		key := []byte("x")
		row, err := b.txn.LockRow(context.Background(), testTable, key, RowUpdate, Wait)
		if level == ReadCommitted {
			require.NoError(t, err)
			require.Equal(t, RowState{Changed: true}, RowState{Exists: row.Exists, Changed: row.Changed})
		} else {
			requireSerialization(t, err, ConcurrentDelete)
		}
		b.rollback()
	})
}

// A5A: a sees x before and y after b's commit, were it not for snapshots.
func TestReadSkew(t *testing.T) {
	for _, level := range []Isolation{RepeatableRead, Serializable} {
		t.Run(level.String(), func(t *testing.T) {
			db := openTxnTest(t)
			load(t, db, "x", "50", "y", "50")
			a := begin(t, db, level)
			require.Equal(t, "50", a.get("x"))
			load(t, db, "x", "25", "y", "75")
			require.Equal(t, "50", a.get("y"))
			require.Equal(t, []string{"x=50", "y=50"}, a.scan("", ""))
			a.mustCommit()
		})
	}
}

// A5B: each reads both and writes the other's. Snapshots allow it, serializability does not.
func TestWriteSkew(t *testing.T) {
	for _, level := range []Isolation{RepeatableRead, Serializable} {
		t.Run(level.String(), func(t *testing.T) {
			db := openTxnTest(t)
			load(t, db, "x", "1", "y", "1")
			a, b := begin(t, db, level), begin(t, db, level)
			for _, s := range []*session{a, b} {
				require.Equal(t, "1", s.get("x"))
				require.Equal(t, "1", s.get("y"))
			}
			a.mustUpdate("x", "0")
			b.mustUpdate("y", "0")
			a.mustCommit()
			if level == RepeatableRead {
				b.mustCommit()
				return
			}
			requireSerialization(t, b.commit(), ReadWriteDependency)
			require.Equal(t, []string{"x=0", "y=1"}, committedRows(t, db))
		})
	}
}

// P3, as a write skew over a range: each counts the rows and adds one.
func TestPhantom(t *testing.T) {
	for _, level := range []Isolation{RepeatableRead, Serializable} {
		t.Run(level.String(), func(t *testing.T) {
			db := openTxnTest(t)
			load(t, db, "a1", "")
			a, b := begin(t, db, level), begin(t, db, level)
			require.Len(t, a.scan("a", "b"), 1)
			require.Len(t, b.scan("a", "b"), 1)
			a.mustUpdate("a2", "")
			b.mustUpdate("a3", "")
			a.mustCommit()
			require.Len(t, b.scan("a", "b"), 2, "its snapshot and its own row")
			if level == RepeatableRead {
				b.mustCommit()
				return
			}
			requireSerialization(t, b.commit(), ReadWriteDependency)
		})
	}
}

// A row that was looked for and not found counts as read.
func TestPhantomOfOneKey(t *testing.T) {
	db := openTxnTest(t)
	a, b := begin(t, db, Serializable), begin(t, db, Serializable)
	require.Empty(t, a.get("y"))
	require.Empty(t, b.get("x"))
	a.mustUpdate("x", "1")
	b.mustUpdate("y", "1")
	b.mustCommit()
	requireSerialization(t, a.commit(), ReadWriteDependency)
}

// Fekete, O'Neil, O'Neil 2004: a deposit, a withdrawal that overdraws by a snapshot without the
// deposit, and a reader between the two. Without the reader the order is withdrawal, deposit; the
// reader sees the deposit and no withdrawal. The withdrawal has to fail.
func TestReadOnlyAnomaly(t *testing.T) {
	db := openTxnTest(t)
	load(t, db, "checking", "0", "savings", "0")
	withdraw := begin(t, db, Serializable)
	require.Equal(t, "0", withdraw.get("checking"))
	require.Equal(t, "0", withdraw.get("savings"))
	deposit := begin(t, db, Serializable)
	require.Equal(t, "0", deposit.get("savings"))
	deposit.mustUpdate("savings", "20")
	deposit.mustCommit()

	report := begin(t, db, Serializable)
	require.Equal(t, "0", report.get("checking"))
	require.Equal(t, "20", report.get("savings"))
	report.mustCommit()

	withdraw.mustUpdate("checking", "-11")
	requireSerialization(t, withdraw.commit(), ReadWriteDependency)
}

// A transaction that wrote nothing read one prefix of the log: it always stands in the order.
func TestSerializableReaderNeverFails(t *testing.T) {
	db := openTxnTest(t)
	load(t, db, "x", "0", "y", "0")
	reader := begin(t, db, Serializable)
	require.Equal(t, "0", reader.get("x"))
	load(t, db, "x", "1", "y", "1")
	require.Equal(t, "0", reader.get("y"))
	reader.mustCommit()

	declared := db.Begin(TxnOptions{Isolation: Serializable, ReadOnly: true})
	_, _, err := declared.Get(context.Background(), testTable, []byte("x"))
	require.NoError(t, err)
	require.Zero(t, db.conflicts.readers.Load(), "a READ ONLY transaction is not tracked")
	declared.Rollback()
}

// What was not looked at does not matter: another key, and a scan that stopped early.
func TestSerializableIsNotNeedlessly(t *testing.T) {
	db := openTxnTest(t)
	load(t, db, "a", "", "b", "", "c", "", "d", "")
	for _, reverse := range []bool{false, true} {
		s := begin(t, db, Serializable)
		it := s.txn.Scan(testTable, nil, nil, reverse)
		require.True(t, it.Next())
		require.True(t, it.Next())
		require.NoError(t, it.Close())
		beyond := map[bool]string{false: "c", true: "b"}[reverse]
		load(t, db, beyond, "changed")
		s.mustUpdate("mine", "")
		s.mustCommit()
	}
	s := begin(t, db, Serializable)
	it := s.txn.Scan(testTable, nil, nil, false)
	require.True(t, it.Next())
	require.True(t, it.Next())
	load(t, db, "b", "again")
	s.mustUpdate("mine", "")
	requireSerialization(t, s.commit(), ReadWriteDependency)
}

// The conflicting commit may come from any level, and may be a range delete.
func TestSerializableAgainstOtherLevels(t *testing.T) {
	db := openTxnTest(t)
	load(t, db, "x", "1")
	s := begin(t, db, Serializable)
	require.Equal(t, "1", s.get("x"))
	truncate := db.Begin(TxnOptions{})
	require.NoError(t, truncate.DeleteTable(testTable))
	_, err := truncate.Commit(context.Background(), CommitOptions{})
	require.NoError(t, err)
	s.mustUpdate("y", "1")
	requireSerialization(t, s.commit(), ReadWriteDependency)
}
