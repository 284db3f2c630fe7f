package clients

import (
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// limited runs a query through the unnamed portal, some rows at a time: what JDBC's fetch size
// does, and no driver in Go offers.
type limited struct {
	frontend *pgproto3.Frontend
	conn     *pgconn.PgConn
}

// fetch returns how many rows each Execute brought.
func (l *limited) fetch(t *testing.T, query string, limit uint32) (counts []int) {
	t.Helper()
	l.frontend.Send(&pgproto3.Parse{Query: query})
	l.frontend.Send(&pgproto3.Bind{})
	for suspended := true; suspended; {
		l.frontend.Send(&pgproto3.Execute{MaxRows: limit})
		l.frontend.Send(&pgproto3.Flush{})
		require.NoError(t, l.frontend.Flush())
		var rows int
		rows, suspended = l.rows(t)
		counts = append(counts, rows)
	}
	l.frontend.Send(&pgproto3.Sync{})
	require.NoError(t, l.frontend.Flush())
	message, err := l.frontend.Receive()
	require.NoError(t, err)
	require.IsType(t, &pgproto3.ReadyForQuery{}, message)
	return counts
}

// rows reads up to the end of one Execute.
func (l *limited) rows(t *testing.T) (rows int, suspended bool) {
	t.Helper()
	for {
		message, err := l.frontend.Receive()
		require.NoError(t, err)
		switch m := message.(type) {
		case *pgproto3.DataRow:
			rows++
		case *pgproto3.PortalSuspended:
			return rows, true
		case *pgproto3.CommandComplete:
			return rows, false
		case *pgproto3.ErrorResponse:
			t.Fatal(m.Message)
		}
	}
}
