package server_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"ackdb/server"
)

const patience = 30 * time.Second

// node is a server of a test, in this process.
type node struct {
	t      *testing.T
	opts   server.Options
	server *server.Server
	report server.Report
}

// startNode starts a server on a directory of its own, stopped when the test ends.
func startNode(t *testing.T, settings ...string) *node {
	t.Helper()
	n := prepareNode(t, settings...)
	n.start()
	return n
}

// prepareNode makes a server that has yet to be started.
func prepareNode(t *testing.T, settings ...string) *node {
	t.Helper()
	n := &node{t: t, opts: server.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0",
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Settings: settings,
		Fatal: func(err error) { panic(err) }}}
	t.Cleanup(n.stop)
	return n
}

func (n *node) start() {
	n.t.Helper()
	var err error
	n.server, n.report, err = server.Start(n.t.Context(), n.opts)
	require.NoError(n.t, err)
}

func (n *node) stop() {
	if n.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(n.t, n.server.Shutdown(ctx))
	n.server = nil
}

func (n *node) restart() {
	n.t.Helper()
	n.stop()
	n.start()
}

func (n *node) url() string {
	return "postgres://postgres@" + n.report.Addr.String() + "/postgres?sslmode=disable"
}

// notices collects what a connection is told besides its results.
type notices struct{ list []*pgconn.Notice }

func (n *node) connect(params ...string) (*pgx.Conn, *notices) {
	n.t.Helper()
	config, err := pgx.ParseConfig(n.url())
	require.NoError(n.t, err)
	for i := 0; i < len(params); i += 2 {
		config.RuntimeParams[params[i]] = params[i+1]
	}
	heard := &notices{}
	config.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) {
		heard.list = append(heard.list, notice)
	}
	c, err := pgx.ConnectConfig(n.context(), config)
	require.NoError(n.t, err)
	n.t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c, heard
}

func (n *node) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	n.t.Cleanup(cancel)
	return ctx
}

// session is a connection that speaks the simple protocol in plain text.
type session struct {
	*node
	conn  *pgx.Conn
	heard *notices
}

func (n *node) session(params ...string) *session {
	n.t.Helper()
	conn, heard := n.connect(params...)
	return &session{node: n, conn: conn, heard: heard}
}

// try runs a simple query of any number of statements and returns all rows as text, and the last
// tag.
func (s *session) try(sql string) (rows [][]string, tag string, err error) {
	results, err := s.conn.PgConn().Exec(s.context(), sql).ReadAll()
	for _, r := range results {
		if r.Err != nil {
			continue
		}
		tag = r.CommandTag.String()
		for _, row := range r.Rows {
			texts := make([]string, len(row))
			for i, v := range row {
				if v == nil {
					texts[i] = "NULL"
				} else {
					texts[i] = string(v)
				}
			}
			rows = append(rows, texts)
		}
	}
	return rows, tag, err
}

// do runs what must succeed and returns the last tag.
func (s *session) do(sql string) string {
	s.t.Helper()
	_, tag, err := s.try(sql)
	require.NoError(s.t, err, sql)
	return tag
}

// rows runs what must succeed and returns its rows.
func (s *session) rows(sql string) [][]string {
	s.t.Helper()
	rows, _, err := s.try(sql)
	require.NoError(s.t, err, sql)
	return rows
}

// value is the one value of the one row.
func (s *session) value(sql string) string {
	s.t.Helper()
	rows := s.rows(sql)
	require.Len(s.t, rows, 1, sql)
	require.Len(s.t, rows[0], 1, sql)
	return rows[0][0]
}

// fails runs what must fail with this SQLSTATE and returns the error.
func (s *session) fails(code, sql string) *pgconn.PgError {
	s.t.Helper()
	_, _, err := s.try(sql)
	var e *pgconn.PgError
	require.ErrorAs(s.t, err, &e, sql)
	require.Equal(s.t, code, e.Code, "%s: %s", sql, e.Message)
	return e
}

// status is the transaction status of the last ReadyForQuery.
func (s *session) status() string { return string(s.conn.PgConn().TxStatus()) }

// gone requires that the server has ended the session with this SQLSTATE.
func (s *session) gone(code string) {
	s.t.Helper()
	_, err := s.conn.WaitForNotification(s.context())
	var e *pgconn.PgError
	if errors.As(err, &e) {
		require.Equal(s.t, code, e.Code)
	} else {
		require.Error(s.t, err)
	}
	require.True(s.t, s.conn.IsClosed())
}

// warned returns the SQLSTATEs of the notices since the last call.
func (s *session) warned() (codes []string) {
	for _, n := range s.heard.list {
		codes = append(codes, n.Severity+" "+n.Code)
	}
	s.heard.list = nil
	return codes
}
