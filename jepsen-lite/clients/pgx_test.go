package clients

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	jepsenlite "ackdb/jepsen-lite"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
)

// pgxModes are the five ways in which pgx sends a query with arguments.
var pgxModes = map[string]pgx.QueryExecMode{
	"cache_statement": pgx.QueryExecModeCacheStatement,
	"cache_describe":  pgx.QueryExecModeCacheDescribe,
	"describe_exec":   pgx.QueryExecModeDescribeExec,
	"exec":            pgx.QueryExecModeExec,
	"simple_protocol": pgx.QueryExecModeSimpleProtocol,
}

func dial(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func do(t *testing.T, conn *pgx.Conn, sql string, args ...any) pgconn.CommandTag {
	t.Helper()
	tag, err := conn.Exec(t.Context(), sql, args...)
	require.NoError(t, err, sql)
	return tag
}

func code(t *testing.T, err error) string {
	t.Helper()
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg)
	return pg.Code
}

// inEveryMode runs a test once in each mode, on a connection of its own.
func inEveryMode(t *testing.T, run func(t *testing.T, conn *pgx.Conn)) {
	for name, mode := range pgxModes {
		t.Run(name, func(t *testing.T) {
			config, err := pgx.ParseConfig(node.DSN())
			require.NoError(t, err)
			config.DefaultQueryExecMode = mode
			conn, err := pgx.ConnectConfig(t.Context(), config)
			require.NoError(t, err)
			defer conn.Close(t.Context())
			run(t, conn)
		})
	}
}

func TestPgxInItsFiveModes(t *testing.T) {
	inEveryMode(t, func(t *testing.T, conn *pgx.Conn) {
		require.NoError(t, conn.Ping(t.Context()))
		roundTrip(t, conn)
	})
}

func roundTrip(t *testing.T, conn *pgx.Conn) {
	do(t, conn, "DROP TABLE IF EXISTS rt")
	do(t, conn, "CREATE TABLE rt (k text PRIMARY KEY, i4 int, i8 bigint, f float8, b bytea, ok bool,"+
		" ts timestamptz, n numeric, u uuid, d date)")
	stamp := time.Date(2024, 2, 29, 12, 34, 56, 789000, time.UTC)
	const put = "INSERT INTO rt VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
	id := "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
	tag := do(t, conn, put, "key 'quoted'", 42, int64(1)<<40, 1.25, []byte{0, 1, 255}, true, stamp,
		"123.4500", id, "2024-02-29")
	require.Equal(t, "INSERT 0 1", tag.String())
	do(t, conn, put, "nulls", nil, nil, nil, nil, nil, nil, nil, nil, nil)

	var (
		k, n, u string
		i4      int32
		i8      int64
		f       float64
		b       []byte
		ok      bool
		ts, d   time.Time
	)
	row := conn.QueryRow(t.Context(), "SELECT k, i4, i8, f, b, ok, ts, n::text, u::text, d FROM rt"+
		" WHERE k = $1 AND i4 = $2", "key 'quoted'", 42)
	require.NoError(t, row.Scan(&k, &i4, &i8, &f, &b, &ok, &ts, &n, &u, &d))
	require.Equal(t, int64(1)<<40, i8)
	require.Equal(t, []byte{0, 1, 255}, b)
	require.True(t, ok)
	require.True(t, stamp.Equal(ts))
	require.Equal(t, "123.4500", n)
	require.Equal(t, id, u)
	require.Equal(t, "2024-02-29", d.Format(time.DateOnly))

	var missing *int32
	err := conn.QueryRow(t.Context(), "SELECT i4 FROM rt WHERE k = $1", "nulls").Scan(&missing)
	require.NoError(t, err)
	require.Nil(t, missing)
	tag = do(t, conn, "UPDATE rt SET i4 = i4 + $1 WHERE k = $2", 8, "key 'quoted'")
	require.Equal(t, "UPDATE 1", tag.String())
	err = conn.QueryRow(t.Context(), "SELECT i4 FROM rt WHERE k = $1", "absent").Scan(&missing)
	require.ErrorIs(t, err, pgx.ErrNoRows)
	_, err = conn.Exec(t.Context(), put, "nulls", nil, nil, nil, nil, nil, nil, nil, nil, nil)
	require.Equal(t, "23505", code(t, err))
	require.Equal(t, "DELETE 2", do(t, conn, "DELETE FROM rt WHERE i8 > $1 OR i8 IS NULL", 0).String())
}

func TestPgxArrays(t *testing.T) {
	conn := dial(t, node.DSN())
	do(t, conn, "DROP TABLE IF EXISTS arr")
	do(t, conn, "CREATE TABLE arr (k int PRIMARY KEY, ta text[], ia int[])")
	do(t, conn, "INSERT INTO arr VALUES ($1, $2, $3)", 1, []string{"a", "b c", `d"e`}, []int32{1, 2})
	var ta []string
	var ia []int32
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT ta, ia FROM arr WHERE k = ANY($1)", []int32{1, 7}).
		Scan(&ta, &ia))
	require.Equal(t, []string{"a", "b c", `d"e`}, ta)
	require.Equal(t, []int32{1, 2}, ia)
}

func TestPgxTransactions(t *testing.T) {
	ctx := t.Context()
	conn := dial(t, node.DSN())
	do(t, conn, "DROP TABLE IF EXISTS ptx")
	do(t, conn, "CREATE TABLE ptx (k int PRIMARY KEY)")
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.Serializable})
	require.NoError(t, err)
	_, err = tx.Exec(ctx, "INSERT INTO ptx VALUES (1)")
	require.NoError(t, err)
	nested, err := tx.Begin(ctx)
	require.NoError(t, err)
	_, err = nested.Exec(ctx, "INSERT INTO ptx VALUES (2)")
	require.NoError(t, err)
	require.NoError(t, nested.Rollback(ctx))
	require.NoError(t, tx.Commit(ctx))

	// COMMIT of a failed transaction is a rollback, and pgx must be told so.
	tx, err = conn.Begin(ctx)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, "INSERT INTO ptx VALUES (1)")
	require.Equal(t, "23505", code(t, err))
	_, err = tx.Exec(ctx, "SELECT 1")
	require.Equal(t, "25P02", code(t, err))
	require.ErrorIs(t, tx.Commit(ctx), pgx.ErrTxCommitRollback)

	tx, err = conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	require.NoError(t, err)
	_, err = tx.Exec(ctx, "INSERT INTO ptx VALUES (3)")
	require.Equal(t, "25006", code(t, err))
	require.NoError(t, tx.Rollback(ctx))
	var count int
	require.NoError(t, conn.QueryRow(ctx, "SELECT count(*) FROM ptx").Scan(&count))
	require.Equal(t, 1, count)
}

// A batch is one implicit transaction that ends at its Sync: a failure in the middle undoes all.
func TestPgxBatchIsOneTransaction(t *testing.T) {
	inEveryMode(t, func(t *testing.T, conn *pgx.Conn) {
		do(t, conn, "DROP TABLE IF EXISTS bt")
		do(t, conn, "CREATE TABLE bt (k int PRIMARY KEY)")
		batch := &pgx.Batch{}
		for k := range 10 {
			batch.Queue("INSERT INTO bt VALUES ($1)", k)
		}
		require.NoError(t, conn.SendBatch(t.Context(), batch).Close())
		batch = &pgx.Batch{}
		batch.Queue("INSERT INTO bt VALUES ($1)", 100)
		batch.Queue("INSERT INTO bt VALUES ($1)", 5)
		batch.Queue("INSERT INTO bt VALUES ($1)", 101)
		require.Equal(t, "23505", code(t, conn.SendBatch(t.Context(), batch).Close()))
		var count int
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM bt").Scan(&count))
		require.Equal(t, 10, count)
	})
}

func TestPgxCopyFrom(t *testing.T) {
	conn := dial(t, node.DSN())
	do(t, conn, "DROP TABLE IF EXISTS cf")
	do(t, conn, "CREATE TABLE cf (k text PRIMARY KEY, v bytea, n int, ts timestamptz, x numeric)")
	const rows = 20_000
	stamp := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	source := pgx.CopyFromSlice(rows, func(i int) ([]any, error) {
		return []any{fmt.Sprintf("key%06d", i), []byte{byte(i)}, i, stamp, pgtype.Numeric{
			Int: nil, Valid: false}}, nil
	})
	n, err := conn.CopyFrom(t.Context(), pgx.Identifier{"cf"}, []string{"k", "v", "n", "ts", "x"}, source)
	require.NoError(t, err)
	require.EqualValues(t, rows, n)
	var sum int64
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT sum(n) FROM cf").Scan(&sum))
	require.EqualValues(t, rows*(rows-1)/2, sum)

	boom := errors.New("boom")
	failing := pgx.CopyFromFunc(func() ([]any, error) { return nil, boom })
	_, err = conn.CopyFrom(t.Context(), pgx.Identifier{"cf"}, []string{"k"}, failing)
	require.Error(t, err)
	again := pgx.CopyFromRows([][]any{{"key000001", 1}})
	_, err = conn.CopyFrom(t.Context(), pgx.Identifier{"cf"}, []string{"k", "n"}, again)
	require.Equal(t, "23505", code(t, err))
	require.NoError(t, conn.Ping(t.Context()), "the connection survives a failed COPY")
}

func TestPgxPool(t *testing.T) {
	pool, err := pgxpool.New(t.Context(), node.DSN("pool_max_conns=8"))
	require.NoError(t, err)
	defer pool.Close()
	_, err = pool.Exec(t.Context(), "DROP TABLE IF EXISTS pl")
	require.NoError(t, err)
	_, err = pool.Exec(t.Context(), "CREATE TABLE pl (k int PRIMARY KEY, n int NOT NULL)")
	require.NoError(t, err)
	_, err = pool.Exec(t.Context(), "INSERT INTO pl VALUES (1, 0)")
	require.NoError(t, err)
	const workers, each = 16, 50
	errs := make(chan error, workers)
	for range workers {
		go func() {
			var err error
			for range each {
				if _, e := pool.Exec(t.Context(), "UPDATE pl SET n = n + 1 WHERE k = $1", 1); e != nil {
					err = e
				}
			}
			errs <- err
		}()
	}
	for range workers {
		require.NoError(t, <-errs)
	}
	var n int
	require.NoError(t, pool.QueryRow(t.Context(), "SELECT n FROM pl WHERE k = 1").Scan(&n))
	require.Equal(t, workers*each, n, "an update was lost")
}

// A context that ends cancels the statement at the server: it stops holding its lock.
func TestPgxContextCancelReachesTheServer(t *testing.T) {
	config, err := pgx.ParseConfig(node.DSN("application_name=sleeper"))
	require.NoError(t, err)
	config.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: time.Minute}
	}
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := conn.Exec(ctx, "SELECT pg_sleep(600)")
		done <- err
	}()
	watcher := dial(t, node.DSN())
	require.Eventually(t, func() bool {
		var active int
		err := watcher.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity"+
			" WHERE application_name = 'sleeper' AND state = 'active'").Scan(&active)
		return err == nil && active == 1
	}, 10*time.Second, 5*time.Millisecond)
	cancel()
	require.Equal(t, "57014", code(t, <-done))
}

func TestPgxStatementTimeout(t *testing.T) {
	conn := dial(t, node.DSN("statement_timeout=20"))
	_, err := conn.Exec(t.Context(), "SELECT pg_sleep(600)")
	require.Equal(t, "57014", code(t, err))
	require.Contains(t, err.Error(), "canceling statement due to statement timeout")
	require.NoError(t, conn.Ping(t.Context()))
}

func TestPgxSchemaChangeUnderACachedStatement(t *testing.T) {
	conn, other := dial(t, node.DSN()), dial(t, node.DSN())
	do(t, conn, "DROP TABLE IF EXISTS sc")
	do(t, conn, "CREATE TABLE sc (k int PRIMARY KEY)")
	var k int
	for range 2 {
		err := conn.QueryRow(t.Context(), "SELECT * FROM sc WHERE k = $1", 1).Scan(&k)
		require.ErrorIs(t, err, pgx.ErrNoRows)
	}
	do(t, other, "DROP TABLE sc")
	do(t, other, "CREATE TABLE sc (k int PRIMARY KEY, more text)")
	err := conn.QueryRow(t.Context(), "SELECT * FROM sc WHERE k = $1", 1).Scan(&k)
	require.Equal(t, "0A000", code(t, err))
	require.Contains(t, err.Error(), "cached plan must not change result type")
	var more string
	err = conn.QueryRow(t.Context(), "SELECT * FROM sc WHERE k = $1", 1).Scan(&k, &more)
	require.ErrorIs(t, err, pgx.ErrNoRows, "pgx prepares it again, and it runs")
}

func TestPgxDurabilityPerServerSessionTransactionAndStartup(t *testing.T) {
	show := func(conn *pgx.Conn) (v string) {
		require.NoError(t, conn.QueryRow(t.Context(), "SHOW synchronous_commit").Scan(&v))
		return v
	}
	require.Equal(t, "off", show(dial(t, node.DSN())))
	dsn := node.DSN("options=-c%20synchronous_commit%3Dremote_apply")
	require.Equal(t, "remote_apply", show(dial(t, dsn)))
	conn := dial(t, node.DSN("synchronous_commit=local"))
	require.Equal(t, "local", show(conn))
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "SET LOCAL synchronous_commit = off")
	require.NoError(t, err)
	require.Equal(t, "off", show(conn))
	require.NoError(t, tx.Commit(t.Context()))
	require.Equal(t, "local", show(conn))
	require.Equal(t, "on", show(dial(t, fresh(t, "-c", "synchronous_commit=on").DSN())))
}

// local waits for the disk: the log is flushed up to the commit when it returns.
func TestLocalCommitIsFlushedWhenItReturns(t *testing.T) {
	n := fresh(t, "-c", "wal_writer_delay=10s")
	conn := dial(t, n.DSN())
	do(t, conn, "CREATE TABLE fl (k int PRIMARY KEY)")
	behind := func() (bytes int64) {
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(),"+
			" pg_current_wal_flush_lsn())::bigint").Scan(&bytes))
		return bytes
	}
	require.Zero(t, behind(), "DDL is always flushed")
	do(t, conn, "INSERT INTO fl VALUES (1)")
	require.Positive(t, behind(), "the negative control: off does not wait")
	do(t, conn, "SET synchronous_commit = local")
	do(t, conn, "INSERT INTO fl VALUES (2)")
	require.Zero(t, behind(), "W7: and everything before it")
}

func TestDatabaseSQL(t *testing.T) {
	db, err := sql.Open("pgx", node.DSN())
	require.NoError(t, err)
	defer db.Close()
	ctx := t.Context()
	_, err = db.ExecContext(ctx, "DROP TABLE IF EXISTS dbs")
	require.NoError(t, err)
	_, err = db.ExecContext(ctx, "CREATE TABLE dbs (k int PRIMARY KEY, v text)")
	require.NoError(t, err)
	stmt, err := db.PrepareContext(ctx, "INSERT INTO dbs VALUES ($1, $2)")
	require.NoError(t, err)
	defer stmt.Close()
	for k := range 5 {
		res, err := stmt.ExecContext(ctx, k, strings.Repeat("v", k))
		require.NoError(t, err)
		n, err := res.RowsAffected()
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	}
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
	require.NoError(t, err)
	_, err = tx.ExecContext(ctx, "DELETE FROM dbs WHERE k >= $1", 3)
	require.NoError(t, err)
	require.NoError(t, tx.Rollback())
	rows, err := db.QueryContext(ctx, "SELECT k, v FROM dbs WHERE k > $1 ORDER BY k DESC", 2)
	require.NoError(t, err)
	defer rows.Close()
	var keys []int
	for rows.Next() {
		var k int
		var v sql.NullString
		require.NoError(t, rows.Scan(&k, &v))
		keys = append(keys, k)
	}
	require.NoError(t, rows.Err())
	require.Equal(t, []int{4, 3}, keys)
}

func TestMaxConnectionsAnswers53300(t *testing.T) {
	n := fresh(t, "-c", "max_connections=3")
	for range 3 {
		dial(t, n.DSN())
	}
	_, err := pgx.Connect(t.Context(), n.DSN())
	require.Equal(t, "53300", code(t, err))
}

// A server that was killed cannot clear up after its sessions, and does so when it is back.
func TestTempTablesAfterAKill(t *testing.T) {
	n := fresh(t)
	conn := dial(t, n.DSN())
	do(t, conn, "CREATE TEMP TABLE t (a serial PRIMARY KEY)")
	do(t, conn, "INSERT INTO t DEFAULT VALUES")
	do(t, conn, "CREATE TABLE flushes_the_log (a int)")
	n.Kill()
	require.NoError(t, n.Start(t.Context()))
	conn = dial(t, n.DSN())
	var left int
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_class"+
		" WHERE relpersistence = 't'").Scan(&left))
	require.Zero(t, left)
	do(t, conn, "CREATE TEMP TABLE t (a serial PRIMARY KEY)")
}

// On SIGTERM sessions hear 57P01 and the server exits 0.
func TestShutdownTellsSessions(t *testing.T) {
	n := fresh(t)
	conn := dial(t, n.DSN())
	require.NoError(t, n.Stop())
	_, err := conn.Exec(t.Context(), "SELECT 1")
	require.Equal(t, "57P01", code(t, err))
}

func TestSecondServerOnTheDirectoryIsRefused(t *testing.T) {
	n := fresh(t)
	second := &jepsenlite.Node{Bin: n.Bin, Dir: n.Dir}
	err := second.Start(t.Context())
	require.Error(t, err)
	require.Contains(t, err.Error(), "lock")
	require.NoError(t, dial(t, n.DSN()).Ping(t.Context()))
}

func TestOtherAddressesNeedInsecure(t *testing.T) {
	cmd := command(t, "0", node.Bin, "start", "--data", t.TempDir(), "--listen", "0.0.0.0:0")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "--insecure")
}
