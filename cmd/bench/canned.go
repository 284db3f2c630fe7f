package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"ackdb/pgwire"
)

// cannedCmd serves the ceiling: everything of our wire floor, nothing behind it.
type cannedCmd struct{}

func (*cannedCmd) Run(ctx context.Context) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "canned: ready on %s\n", l.Addr())
	go func() {
		<-ctx.Done()
		l.Close()
	}()
	return pgwire.Serve(l, canned{})
}

type canned struct{}

func (canned) Connect(context.Context, *pgwire.StartupInfo, *pgwire.Conn) (pgwire.Backend, error) {
	return canned{}, nil
}

func (canned) Greet(w *pgwire.Writer) {
	for _, p := range [][2]string{{"server_version", "15.0 (canned)"}, {"client_encoding", "UTF8"},
		{"standard_conforming_strings", "on"}, {"integer_datetimes", "on"}} {
		w.ParameterStatus(p[0], p[1])
	}
}

func (canned) Query(_ context.Context, _ string, w *pgwire.Writer) error {
	w.CommandComplete("SELECT 0")
	return nil
}

func (canned) Parse(_ context.Context, sql string, _ []uint32) (pgwire.Statement, error) {
	s := &cannedStatement{tag: "INSERT 0 1", params: make([]uint32, strings.Count(sql, "$"))}
	for i := range s.params {
		s.params[i] = 23
	}
	if strings.HasPrefix(strings.ToUpper(strings.TrimSpace(sql)), "SELECT") {
		s.tag = "SELECT 1"
		s.columns = []pgwire.Column{{Name: "value", TypeOID: 25, TypeSize: -1, TypeMod: -1}}
	}
	return s, nil
}

func (canned) Bind(_ context.Context, stmt pgwire.Statement, _ *pgwire.BindArgs) (pgwire.Portal, error) {
	return stmt.(*cannedStatement), nil
}

func (canned) Sync(context.Context, *pgwire.Writer) error { return nil }
func (canned) Fail(*pgwire.Error)                         {}
func (canned) TxStatus() pgwire.TxStatus                  { return pgwire.TxIdle }
func (canned) Ready(*pgwire.Writer)                       {}
func (canned) Woken(*pgwire.Writer)                       {}
func (canned) IdleLimit() (time.Duration, *pgwire.Error)  { return 0, nil }
func (canned) Close()                                     {}

type cannedStatement struct {
	tag     string
	params  []uint32
	columns []pgwire.Column
}

var cannedValue = []byte(strings.Repeat("x", 100))

func (s *cannedStatement) ParamOIDs() []uint32      { return s.params }
func (s *cannedStatement) Columns() []pgwire.Column { return s.columns }
func (s *cannedStatement) Close()                   {}

func (s *cannedStatement) Execute(_ context.Context, w *pgwire.Writer, _ int) (pgwire.Execution, error) {
	if s.columns != nil {
		w.BeginRow(1)
		w.Value(cannedValue)
		if err := w.EndRow(); err != nil {
			return 0, err
		}
	}
	w.CommandComplete(s.tag)
	return pgwire.Completed, nil
}
