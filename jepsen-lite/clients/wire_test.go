package clients

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// TestWireTranscripts sends the messages of every script of testdata/wire, which no driver sends
// so, to ackdb and, where it is installed, PostgreSQL 15: both must answer what stands in the .out
// file. A line is a message and its fields, separated by bars; "ready" and "read n" await answers.
//
// Regenerate the .out files, from PostgreSQL and never from ackdb:
//
//	go test ./jepsen-lite/clients -run WireTranscripts -update
func TestWireTranscripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/wire/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, scripts)
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txt"), func(t *testing.T) {
			out := strings.TrimSuffix(script, ".txt") + ".out"
			if postgres != nil {
				theirs := playWire(t, fmt.Sprintf("127.0.0.1:%d", postgres.Port), read(t, script))
				if *update {
					require.NoError(t, os.WriteFile(out, []byte(theirs), 0o644))
				}
				require.Equal(t, read(t, out), theirs, "PostgreSQL differs from the stored one")
			}
			require.Equal(t, read(t, out), playWire(t, node.Addr, read(t, script)))
		})
	}
}

// wirePatience is how long an answer that must come may take.
const wirePatience = 10 * time.Second

// wire is a connection on which single messages are sent.
type wire struct {
	t     *testing.T
	front *pgproto3.Frontend
	log   strings.Builder
}

func playWire(t *testing.T, addr, script string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(wirePatience)))
	w := &wire{t: t, front: pgproto3.NewFrontend(conn, conn)}
	w.front.Send(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersionNumber,
		Parameters: map[string]string{"user": "postgres", "database": "postgres"}})
	require.NoError(t, w.front.Flush())
	w.receive(-1)
	w.log.Reset()
	for _, line := range strings.Split(strings.TrimSpace(script), "\n") {
		fmt.Fprintln(&w.log, line)
		if !strings.HasPrefix(line, "#") && line != "" {
			words := strings.Split(line, "|")
			for i := range words {
				words[i] = strings.TrimSpace(words[i])
			}
			w.do(words)
		}
	}
	return w.log.String()
}

// do plays one line.
func (w *wire) do(words []string) {
	field := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	verb, count, _ := strings.Cut(words[0], " ")
	switch verb {
	case "ready":
		w.receive(-1)
		return
	case "read":
		n, err := strconv.Atoi(count)
		require.NoError(w.t, err)
		w.receive(n)
		return
	}
	w.front.Send(wireMessage(w.t, verb, words, field))
	require.NoError(w.t, w.front.Flush())
}

func wireMessage(
	t *testing.T, verb string, words []string, field func(int) string,
) pgproto3.FrontendMessage {
	switch verb {
	case "query":
		return &pgproto3.Query{String: field(1)}
	case "parse":
		return &pgproto3.Parse{Name: field(1), Query: field(2)}
	case "bind":
		m := &pgproto3.Bind{DestinationPortal: field(1), PreparedStatement: field(2)}
		for _, v := range words[min(3, len(words)):] {
			m.Parameters = append(m.Parameters, []byte(v))
		}
		return m
	case "describe":
		return &pgproto3.Describe{ObjectType: field(1)[0], Name: field(2)}
	case "close":
		return &pgproto3.Close{ObjectType: field(1)[0], Name: field(2)}
	case "execute":
		limit, _ := strconv.ParseUint("0"+field(2), 10, 32)
		return &pgproto3.Execute{Portal: field(1), MaxRows: uint32(limit)}
	case "data":
		text, err := strconv.Unquote(`"` + field(1) + `"`)
		require.NoError(t, err)
		return &pgproto3.CopyData{Data: []byte(text)}
	case "done":
		return &pgproto3.CopyDone{}
	case "fail":
		return &pgproto3.CopyFail{Message: field(1)}
	case "flush":
		return &pgproto3.Flush{}
	case "sync":
		return &pgproto3.Sync{}
	}
	t.Fatalf("no such message: %q", words)
	return nil
}

// receive logs n messages, or with -1 those up to the next ReadyForQuery.
func (w *wire) receive(n int) {
	w.t.Helper()
	for ; n != 0; n-- {
		m, err := w.front.Receive()
		require.NoError(w.t, err, w.log.String())
		fmt.Fprintln(&w.log, "  "+describeMessage(w.t, m))
		if _, ready := m.(*pgproto3.ReadyForQuery); ready && n < 0 {
			return
		}
	}
}

// describeMessage shows what a message carries, but for what is nobody's promise: where in the server
// an error arose, and the numbers of tables.
func describeMessage(t *testing.T, m pgproto3.BackendMessage) string {
	switch m := m.(type) {
	case *pgproto3.ErrorResponse:
		e := *m
		e.File, e.Line, e.Routine = "", 0, ""
		return describeError("Error", &e)
	case *pgproto3.NoticeResponse:
		e := pgproto3.ErrorResponse(*m)
		return describeError("Notice", &e)
	case *pgproto3.RowDescription:
		var b strings.Builder
		b.WriteString("RowDescription")
		for _, f := range m.Fields {
			fmt.Fprintf(&b, " %s:%d/%d/%d", f.Name, f.DataTypeOID, f.DataTypeSize, f.TypeModifier)
		}
		return b.String()
	}
	text, err := json.Marshal(m)
	require.NoError(t, err)
	return string(text)
}

func describeError(kind string, e *pgproto3.ErrorResponse) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s %q", kind, e.Severity, e.Code, e.Message)
	for _, f := range [][2]string{{"detail", e.Detail}, {"hint", e.Hint}, {"where", e.Where},
		{"schema", e.SchemaName}, {"table", e.TableName}, {"column", e.ColumnName},
		{"type", e.DataTypeName}, {"constraint", e.ConstraintName}} {
		if f[1] != "" {
			fmt.Fprintf(&b, " %s=%q", f[0], f[1])
		}
	}
	if e.Position != 0 {
		fmt.Fprintf(&b, " at %d", e.Position)
	}
	return b.String()
}
