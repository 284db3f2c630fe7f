package clients

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"
)

// TestPgxTypesInItsFiveModes: the same values come back in every mode, which differ in whether a
// value travels as text or binary and in who infers its type.
func TestPgxTypesInItsFiveModes(t *testing.T) {
	inEveryMode(t, func(t *testing.T, conn *pgx.Conn) {
		typesRoundTrip(t, conn)
	})
}

func typesRoundTrip(t *testing.T, conn *pgx.Conn) {
	do(t, conn, "DROP TABLE IF EXISTS pgxty")
	do(t, conn, "CREATE TABLE pgxty (k int PRIMARY KEY, n numeric(30, 10), ns numeric[], ts text[],"+
		" i interval, at timestamptz[], j jsonb, u uuid, days date[])")
	n := pgtype.Numeric{Int: big.NewInt(-123456789012345), Exp: -5, Valid: true}
	ns := []pgtype.Numeric{{Int: big.NewInt(15), Exp: -1, Valid: true}, {NaN: true, Valid: true}}
	span := pgtype.Interval{Months: 14, Days: 3, Microseconds: 4_000_005, Valid: true}
	at := []time.Time{time.Date(2024, 2, 29, 1, 2, 3, 4000, time.UTC)}
	id := pgtype.UUID{Bytes: [16]byte{1, 2, 3}, Valid: true}
	do(t, conn, "INSERT INTO pgxty VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", 1, n, ns,
		[]string{`a"b`, "", "NULL"}, span, at, `{"a": [1.5, null]}`, id, at)

	var (
		backN    pgtype.Numeric
		backNs   []pgtype.Numeric
		backTs   []string
		backSpan pgtype.Interval
		backAt   []time.Time
		backJ    map[string]any
		backID   pgtype.UUID
		days     []time.Time
	)
	row := conn.QueryRow(t.Context(), "SELECT n, ns, ts, i, at, j, u, days FROM pgxty WHERE k = $1", 1)
	require.NoError(t, row.Scan(&backN, &backNs, &backTs, &backSpan, &backAt, &backJ, &backID, &days))
	require.Equal(t, "-1234567890.1234500000", numericText(t, backN))
	require.Len(t, backNs, 2)
	require.Equal(t, "1.5", numericText(t, backNs[0]))
	require.True(t, backNs[1].NaN)
	require.Equal(t, []string{`a"b`, "", "NULL"}, backTs)
	require.Equal(t, span, backSpan)
	require.True(t, at[0].Equal(backAt[0]))
	require.Equal(t, map[string]any{"a": []any{1.5, nil}}, backJ)
	require.Equal(t, id, backID)
	require.Equal(t, "2024-02-29", days[0].Format(time.DateOnly))

	var names []string
	row = conn.QueryRow(t.Context(), "SELECT array_agg(x ORDER BY x) FROM unnest($1::text[]) x",
		[]string{"b", "a"})
	require.NoError(t, row.Scan(&names))
	require.Equal(t, []string{"a", "b"}, names)
}

func numericText(t *testing.T, n pgtype.Numeric) string {
	t.Helper()
	v, err := n.Value()
	require.NoError(t, err)
	return fmt.Sprint(v)
}

// pgx asks the catalog for types it does not know, by LoadTypes in a recursive query.
func TestPgxLoadsTypes(t *testing.T) {
	conn := dial(t, node.DSN())
	do(t, conn, "DROP TABLE IF EXISTS loaded")
	do(t, conn, "CREATE TABLE loaded (k int PRIMARY KEY, v text)")
	array, err := conn.LoadType(t.Context(), "_int8")
	require.NoError(t, err)
	require.EqualValues(t, pgtype.Int8ArrayOID, array.OID)
	_, err = conn.LoadType(t.Context(), "nosuchtype")
	require.Error(t, err)
	loaded, err := conn.LoadTypes(t.Context(), []string{"_text", "_numeric"})
	require.NoError(t, err)
	names := make([]string, len(loaded))
	for i, of := range loaded {
		names[i] = of.Name
	}
	require.Subset(t, names, []string{"_text", "_numeric"})
	conn.TypeMap().RegisterTypes(loaded)
	_, err = conn.LoadType(t.Context(), "loaded")
	require.Equal(t, "42704", code(t, err), "a table has no type of its rows")
}

func TestPgxBatchOfEverything(t *testing.T) {
	conn := dial(t, node.DSN())
	batch := &pgx.Batch{}
	batch.Queue("DROP TABLE IF EXISTS batched")
	batch.Queue("CREATE TABLE batched (k int PRIMARY KEY, v text)")
	require.NoError(t, conn.SendBatch(t.Context(), batch).Close())
	batch = &pgx.Batch{}
	for k := range 100 {
		batch.Queue("INSERT INTO batched VALUES ($1, $2)", k, fmt.Sprint(k))
	}
	batch.Queue("SELECT sum(k) FROM batched").QueryRow(func(row pgx.Row) error {
		var sum int
		require.NoError(t, row.Scan(&sum))
		require.Equal(t, 4950, sum)
		return nil
	})
	batch.Queue("SELECT k, v FROM batched WHERE k = ANY ($1) ORDER BY k DESC", []int{3, 70}).
		Query(func(rows pgx.Rows) error {
			kept, err := pgx.CollectRows(rows, pgx.RowToMap)
			require.NoError(t, err)
			require.Equal(t, "70", kept[0]["v"])
			return err
		})
	require.NoError(t, conn.SendBatch(t.Context(), batch).Close())
}

func TestPgxListens(t *testing.T) {
	listener, other := dial(t, node.DSN()), dial(t, node.DSN())
	do(t, listener, `LISTEN "Mixed Case"`)
	tx, err := other.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `NOTIFY "Mixed Case", 'first'`)
	require.NoError(t, err)
	require.NoError(t, tx.Commit(t.Context()))
	n, err := listener.WaitForNotification(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"Mixed Case", "first"}, []string{n.Channel, n.Payload})
	require.Equal(t, other.PgConn().PID(), n.PID)
}

// A primary is what these ask for; a standby is refused, and so is a read-only server.
func TestPgxTargetSessionAttrs(t *testing.T) {
	for attrs, accepted := range map[string]bool{"any": true, "read-write": true, "primary": true,
		"prefer-standby": true, "read-only": false, "standby": false} {
		conn, err := pgx.Connect(t.Context(), node.DSN("target_session_attrs="+attrs))
		if !accepted {
			require.Error(t, err, attrs)
			continue
		}
		require.NoError(t, err, attrs)
		require.NoError(t, conn.Close(t.Context()))
	}
}

// A portal with a row limit is suspended and goes on where it stopped.
func TestPortalWithARowLimit(t *testing.T) {
	conn := dial(t, node.DSN())
	do(t, conn, "BEGIN")
	rows := &limited{frontend: conn.PgConn().Frontend(), conn: conn.PgConn()}
	require.Equal(t, []int{3, 3, 1}, rows.fetch(t, "SELECT generate_series(1, 7)", 3))
	do(t, conn, "COMMIT")
}

func TestPgxRowsAreTyped(t *testing.T) {
	conn := dial(t, node.DSN())
	rows, err := conn.Query(t.Context(), "SELECT 1 AS a, 'x' AS b, now() AS c, 1.5 AS d, NULL AS e")
	require.NoError(t, err)
	var oids []uint32
	for _, f := range rows.FieldDescriptions() {
		oids = append(oids, f.DataTypeOID)
	}
	rows.Close()
	require.NoError(t, rows.Err())
	require.Equal(t, []uint32{pgtype.Int4OID, pgtype.TextOID, pgtype.TimestamptzOID, pgtype.NumericOID,
		pgtype.TextOID}, oids)
}

// An error carries what PostgreSQL's carries.
func TestPgxErrorFields(t *testing.T) {
	conn := dial(t, node.DSN())
	_, err := conn.Exec(t.Context(), "SELECT nope FROM pg_class")
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg)
	require.Equal(t, "42703", pg.Code)
	require.EqualValues(t, 8, pg.Position)
	require.Equal(t, "ERROR", pg.SeverityUnlocalized)
}
