package clients

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	jepsenlite "ackdb/jepsen-lite"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
)

// pqDSN speaks the words lib/pq knows; it has no default of sslmode=disable on loopback.
func pqDSN(t *testing.T, n *jepsenlite.Node, settings string) string {
	t.Helper()
	host, port, err := net.SplitHostPort(n.Addr)
	require.NoError(t, err)
	return fmt.Sprintf("host=%s port=%s user=postgres dbname=postgres sslmode=disable %s",
		host, port, settings)
}

func openPQ(t *testing.T, settings string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", pqDSN(t, node, settings))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func pqExec(t *testing.T, db *sql.DB, query string, args ...any) sql.Result {
	t.Helper()
	result, err := db.ExecContext(t.Context(), query, args...)
	require.NoError(t, err, query)
	return result
}

func pqCode(t *testing.T, err error) string {
	t.Helper()
	var pg *pq.Error
	require.ErrorAs(t, err, &pg)
	return string(pg.Code)
}

// TestPQ: prepared statements, transactions and what an error carries; in text and, with
// binary_parameters, in one round trip with binary arguments.
func TestPQ(t *testing.T) {
	for _, settings := range []string{"", "binary_parameters=yes"} {
		t.Run(settings, func(t *testing.T) {
			db := openPQ(t, settings)
			pqExec(t, db, "DROP TABLE IF EXISTS lp")
			pqExec(t, db, "CREATE TABLE lp (k int PRIMARY KEY, v text NOT NULL, b bytea, at timestamptz)")
			at := time.Date(2024, 2, 29, 12, 0, 0, 123456000, time.UTC)
			put, err := db.PrepareContext(t.Context(), "INSERT INTO lp VALUES ($1, $2, $3, $4)")
			require.NoError(t, err)
			defer put.Close()
			for k := range 5 {
				_, err := put.ExecContext(t.Context(), k, fmt.Sprintf("v%d", k), []byte{0, byte(k)}, at)
				require.NoError(t, err)
			}
			var v string
			var b []byte
			var back time.Time
			err = db.QueryRowContext(t.Context(), "SELECT v, b, at FROM lp WHERE k = $1", 3).
				Scan(&v, &b, &back)
			require.NoError(t, err)
			require.Equal(t, "v3", v)
			require.Equal(t, []byte{0, 3}, b)
			require.True(t, at.Equal(back))

			_, err = put.ExecContext(t.Context(), 3, "again", nil, nil)
			require.Equal(t, "23505", pqCode(t, err))
			var pg *pq.Error
			require.True(t, errors.As(err, &pg))
			require.Equal(t, []string{"lp", "lp_pkey", "Key (k)=(3) already exists."},
				[]string{pg.Table, pg.Constraint, pg.Detail})
			err = db.QueryRowContext(t.Context(), "SELECT v FROM lp WHERE k = $1", 77).Scan(&v)
			require.ErrorIs(t, err, sql.ErrNoRows)
			pqTransaction(t, db)
		})
	}
}

func pqTransaction(t *testing.T, db *sql.DB) {
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSerializable})
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "DELETE FROM lp")
	require.NoError(t, err)
	require.NoError(t, tx.Rollback())
	tx, err = db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "DELETE FROM lp")
	require.Equal(t, "25006", pqCode(t, err))
	require.Error(t, tx.Commit(), "a failed transaction cannot be committed")
	var count int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM lp").Scan(&count))
	require.Equal(t, 5, count)
}

func TestPQArrays(t *testing.T) {
	db := openPQ(t, "")
	pqExec(t, db, "DROP TABLE IF EXISTS lparr")
	pqExec(t, db, "CREATE TABLE lparr (k int PRIMARY KEY, s text[], i bigint[], f float8[], b bool[])")
	texts := []string{"a b", `q"uote`, `back\slash`, "NULL", ""}
	pqExec(t, db, "INSERT INTO lparr VALUES (1, $1, $2, $3, $4)", pq.Array(texts),
		pq.Array([]int64{1, -2}), pq.Array([]float64{0.5}), pq.Array([]bool{true, false}))
	var s []string
	var i []int64
	var f []float64
	var b []bool
	row := db.QueryRowContext(t.Context(), "SELECT s, i, f, b FROM lparr WHERE k = ANY ($1)",
		pq.Array([]int64{1, 9}))
	require.NoError(t, row.Scan(pq.Array(&s), pq.Array(&i), pq.Array(&f), pq.Array(&b)))
	require.Equal(t, texts, s)
	require.Equal(t, []int64{1, -2}, i)
	require.Equal(t, []float64{0.5}, f)
	require.Equal(t, []bool{true, false}, b)
}

func TestPQCopyIn(t *testing.T) {
	db := openPQ(t, "")
	pqExec(t, db, "DROP TABLE IF EXISTS lpcopy")
	pqExec(t, db, "CREATE TABLE lpcopy (k int PRIMARY KEY, v text)")
	copyRows := func(first int) error {
		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		defer func() { _ = tx.Rollback() }()
		in, err := tx.PrepareContext(t.Context(), "COPY lpcopy (k, v) FROM STDIN")
		require.NoError(t, err)
		for k := first; k < first+1000; k++ {
			if _, err := in.ExecContext(t.Context(), k, "tab\there"); err != nil {
				return err
			}
		}
		if _, err := in.ExecContext(t.Context()); err != nil {
			return err
		}
		require.NoError(t, in.Close())
		return tx.Commit()
	}
	require.NoError(t, copyRows(0))
	require.Equal(t, "23505", pqCode(t, copyRows(500)), "a key that is there")
	require.NoError(t, copyRows(1000))
	var count int
	require.NoError(t, db.QueryRowContext(t.Context(),
		"SELECT count(*) FROM lpcopy WHERE v = E'tab\\there'").Scan(&count))
	require.Equal(t, 2000, count)
}

func TestPQListener(t *testing.T) {
	listener := pq.NewListener(pqDSN(t, node, ""), time.Second, time.Minute, nil)
	defer listener.Close()
	require.NoError(t, listener.Listen("news"))
	require.ErrorIs(t, listener.Listen("news"), pq.ErrChannelAlreadyOpen)
	db := openPQ(t, "")
	pqExec(t, db, "SELECT pg_notify($1, $2)", "news", "payload 'quoted'")
	select {
	case n := <-listener.Notify:
		require.Equal(t, "news", n.Channel)
		require.Equal(t, "payload 'quoted'", n.Extra)
	case <-time.After(10 * time.Second):
		t.Fatal("no notification")
	}
	require.NoError(t, listener.Ping())
	require.NoError(t, listener.Unlisten("news"))
}

func TestPQContextCancels(t *testing.T) {
	db := openPQ(t, "")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := db.ExecContext(ctx, "SELECT pg_sleep(600)")
	require.Error(t, err)
	pqExec(t, db, "SELECT 1")
}

// A schema change under a prepared statement is told, as PostgreSQL tells it.
func TestPQSchemaChangeUnderAPreparedStatement(t *testing.T) {
	db := openPQ(t, "")
	db.SetMaxOpenConns(1)
	pqExec(t, db, "DROP TABLE IF EXISTS lpsc")
	pqExec(t, db, "CREATE TABLE lpsc (k int PRIMARY KEY)")
	all, err := db.PrepareContext(t.Context(), "SELECT * FROM lpsc")
	require.NoError(t, err)
	defer all.Close()
	pqExec(t, db, "DROP TABLE lpsc")
	pqExec(t, db, "CREATE TABLE lpsc (k int PRIMARY KEY, more text)")
	rows, err := all.QueryContext(t.Context())
	if err == nil {
		for rows.Next() {
			t.Fatal("a row")
		}
		err = rows.Err()
		rows.Close()
	}
	require.Equal(t, "0A000", pqCode(t, err))
	require.ErrorContains(t, err, "cached plan must not change result type")
}
