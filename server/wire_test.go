package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// wire speaks messages on a session's connection, for what no driver does.
type wire struct {
	*session
	front *pgproto3.Frontend
}

func (s *session) wire() *wire {
	return &wire{session: s, front: s.conn.PgConn().Frontend()}
}

// roundTrip sends the messages and Sync, and describes what comes back before ReadyForQuery.
func (w *wire) roundTrip(messages ...pgproto3.FrontendMessage) (got []string) {
	w.t.Helper()
	for _, m := range messages {
		w.front.Send(m)
	}
	if _, simple := messages[len(messages)-1].(*pgproto3.Query); !simple {
		w.front.Send(&pgproto3.Sync{})
	}
	require.NoError(w.t, w.front.Flush())
	return w.untilReady()
}

// untilReady describes what comes before the next ReadyForQuery.
func (w *wire) untilReady() (got []string) {
	w.t.Helper()
	for {
		m, err := w.front.Receive()
		require.NoError(w.t, err)
		switch m := m.(type) {
		case *pgproto3.ReadyForQuery:
			return got
		case *pgproto3.ErrorResponse:
			got = append(got, "Error "+m.Code)
		case *pgproto3.DataRow:
			got = append(got, "Row "+joinValues(m.Values))
		case *pgproto3.PortalSuspended:
			got = append(got, "Suspended")
		case *pgproto3.CommandComplete:
			got = append(got, string(m.CommandTag))
		case *pgproto3.ParameterDescription:
			got = append(got, fmt.Sprint("Params ", m.ParameterOIDs))
		case *pgproto3.RowDescription:
			var b strings.Builder
			b.WriteString("Columns")
			for _, f := range m.Fields {
				fmt.Fprintf(&b, " %s:%d", f.Name, f.DataTypeOID)
			}
			got = append(got, b.String())
		case *pgproto3.NoData:
			got = append(got, "NoData")
		case *pgproto3.EmptyQueryResponse:
			got = append(got, "Empty")
		case *pgproto3.ParameterStatus:
			got = append(got, m.Name+"="+m.Value)
		case *pgproto3.NotificationResponse:
			got = append(got, fmt.Sprintf("Notify %s %s", m.Channel, m.Payload))
		}
	}
}

func joinValues(values [][]byte) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return strings.Join(texts, "|")
}

func (w *wire) parse(name, sql string, oids ...uint32) {
	w.t.Helper()
	require.Empty(w.t, w.roundTrip(&pgproto3.Parse{Name: name, Query: sql, ParameterOIDs: oids}))
}

func (w *wire) describe(name string) []string {
	w.t.Helper()
	return w.roundTrip(&pgproto3.Describe{ObjectType: 'S', Name: name})
}

func (w *wire) bind(portal, name string, params ...string) {
	w.t.Helper()
	m := &pgproto3.Bind{DestinationPortal: portal, PreparedStatement: name}
	for _, p := range params {
		m.Parameters = append(m.Parameters, []byte(p))
	}
	require.Empty(w.t, w.roundTrip(m))
}

func (w *wire) execute(portal string, rows uint32) []string {
	w.t.Helper()
	return w.roundTrip(&pgproto3.Execute{Portal: portal, MaxRows: rows})
}

func (w *wire) simple(sql string) []string {
	w.t.Helper()
	return w.roundTrip(&pgproto3.Query{String: sql})
}

// TestTimeoutBetweenMessages: the clock of a pipeline runs while the client sends nothing, and what
// is over strikes its next message, and nothing behind the Sync.
func TestTimeoutBetweenMessages(t *testing.T) {
	w := startNode(t).session().wire()
	w.do("set statement_timeout = '30ms'")
	w.front.Send(&pgproto3.Parse{Query: "select 1"})
	require.NoError(t, w.front.Flush())
	time.Sleep(60 * time.Millisecond)
	got := w.roundTrip(&pgproto3.Describe{ObjectType: 'S'}, &pgproto3.Bind{}, &pgproto3.Execute{})
	require.Equal(t, []string{"Error 57014"}, got)
	require.Equal(t, "1", w.value("select 1"))
}
