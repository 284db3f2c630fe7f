package pgwire_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/pgwire"
)

// toyServer answers a language of a few verbs, enough to reach every state of the protocol:
//
//	select N        N rows of one column, 0 to N-1
//	echo $1         one row holding the parameters
//	begin, commit   an explicit transaction
//	fail CODE       an error
//	die             a FATAL error
//	copyin          counts the bytes of a COPY FROM STDIN
//	copyfail        fails in the middle of one
//	copyout N       N pieces
//	set V           reports ParameterStatus toy=V before the next ReadyForQuery
//	notice          a notice
//	wait            until cancelled
//	big N           one row of N bytes
//	copyboth        echoes what comes; see toyPortal.copyBoth
//	over            ends the session in order
//	hold            holds what follows until toyServer.gate lets it go
//	release, drop   of what is held
type toyServer struct {
	mu       sync.Mutex
	sessions []*toySession
	refuse   *pgwire.Error
	idle     time.Duration
	// hasty: nobody listens on waiting, and nobody cancels.
	hasty bool
	gate  func() error
}

type toySession struct {
	server  *toyServer
	conn    *pgwire.Conn
	info    *pgwire.StartupInfo
	status  pgwire.TxStatus
	pending string
	// implicit: something ran since the last Sync outside a transaction.
	implicit bool
	failed   bool
	closed   bool
	waiting  chan struct{}
	// flooded has the error that ended the flood of a copyboth.
	flooded chan error
}

func (s *toyServer) Connect(
	_ context.Context, info *pgwire.StartupInfo, conn *pgwire.Conn,
) (pgwire.Backend, error) {
	if s.refuse != nil {
		return nil, s.refuse
	}
	t := &toySession{server: s, conn: conn, info: info, status: pgwire.TxIdle,
		waiting: make(chan struct{}, 16), flooded: make(chan error, 1)}
	s.mu.Lock()
	s.sessions = append(s.sessions, t)
	s.mu.Unlock()
	return t, nil
}

func (s *toyServer) session(i int) *toySession {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[i]
}

func (t *toySession) Greet(w *pgwire.Writer) { w.ParameterStatus("server_version", "15.0 (toy)") }

func (t *toySession) Query(ctx context.Context, sql string, w *pgwire.Writer) error {
	defer func() {
		if t.status == pgwire.TxIdle {
			t.conn.ClosePortals()
		}
	}()
	if strings.TrimSpace(sql) == "" {
		w.EmptyQuery()
		return nil
	}
	for _, part := range strings.Split(sql, ";") {
		p := &toyPortal{session: t, stmt: newToyStatement(part, nil)}
		if columns := p.Columns(); columns != nil {
			w.RowDescription(columns, nil)
		}
		if _, err := p.Execute(ctx, w, 0); err != nil {
			return err
		}
	}
	return nil
}

func (t *toySession) Parse(_ context.Context, sql string, oids []uint32) (pgwire.Statement, error) {
	if strings.HasPrefix(sql, "syntax") {
		return nil, pgwire.Errorf(pgwire.CodeSyntaxError, "syntax error")
	}
	return newToyStatement(sql, oids), nil
}

func (t *toySession) Bind(
	_ context.Context, stmt pgwire.Statement, args *pgwire.BindArgs,
) (pgwire.Portal, error) {
	p := &toyPortal{session: t, stmt: stmt.(*toyStatement)}
	for _, v := range args.Params {
		p.params = append(p.params, string(v))
	}
	return p, nil
}

func (t *toySession) Sync(context.Context, *pgwire.Writer) error {
	failed := t.failed
	t.implicit, t.failed = false, false
	if failed && t.status == pgwire.TxOpen {
		t.status = pgwire.TxFailed
	}
	return nil
}

func (t *toySession) Fail(*pgwire.Error) {
	if t.status == pgwire.TxOpen {
		t.status = pgwire.TxFailed
	}
}

func (t *toySession) TxStatus() pgwire.TxStatus { return t.status }

func (t *toySession) Ready(w *pgwire.Writer) {
	if t.pending != "" {
		w.ParameterStatus("toy", t.pending)
		t.pending = ""
	}
}

func (t *toySession) Woken(w *pgwire.Writer) { w.Notification(t.conn.PID(), "toy", "woken") }

func (t *toySession) IdleLimit() (time.Duration, *pgwire.Error) {
	return t.server.idle, pgwire.Fatalf(pgwire.CodeIdleSessionTimeout, "idle for too long")
}

func (t *toySession) Close() { t.closed = true }

type toyStatement struct {
	verb, arg string
	oids      []uint32
}

func newToyStatement(sql string, oids []uint32) *toyStatement {
	verb, arg, _ := strings.Cut(strings.TrimSpace(sql), " ")
	s := &toyStatement{verb: verb, arg: arg, oids: oids}
	for n := strings.Count(arg, "$"); len(s.oids) < n; {
		s.oids = append(s.oids, 25)
	}
	return s
}

func (s *toyStatement) ParamOIDs() []uint32 { return s.oids }

func (s *toyStatement) Columns() []pgwire.Column {
	switch s.verb {
	case "select", "big":
		return []pgwire.Column{{Name: "n", TypeOID: 23, TypeSize: 4, TypeMod: -1}}
	case "echo":
		columns := make([]pgwire.Column, len(s.oids))
		for i := range columns {
			columns[i] = pgwire.Column{Name: fmt.Sprint("p", i+1), TypeOID: 25, TypeSize: -1, TypeMod: -1}
		}
		return columns
	}
	return nil
}

type toyPortal struct {
	session *toySession
	stmt    *toyStatement
	params  []string
	next    int
	closed  bool
}

func (p *toyPortal) Columns() []pgwire.Column { return p.stmt.Columns() }
func (p *toyPortal) Close()                   { p.closed = true }

func (p *toyPortal) Execute(
	ctx context.Context, w *pgwire.Writer, maxRows int,
) (pgwire.Execution, error) {
	t := p.session
	if t.status == pgwire.TxFailed && p.stmt.verb != "commit" {
		return 0, pgwire.Errorf(pgwire.CodeInFailedSQLTransaction, "current transaction is aborted")
	}
	n, _ := strconv.Atoi(p.stmt.arg)
	if t.server.hasty {
		n = min(n, 1000)
	}
	switch p.stmt.verb {
	case "":
		w.EmptyQuery()
		return pgwire.Completed, nil
	case "select":
		return p.rows(w, n, maxRows)
	case "echo":
		w.BeginRow(len(p.params))
		for _, v := range p.params {
			w.Value([]byte(v))
		}
		if err := w.EndRow(); err != nil {
			return 0, err
		}
	case "big":
		w.BeginRow(1)
		w.EndValue(append(w.BeginValue(), make([]byte, n)...))
		if err := w.EndRow(); err != nil {
			return 0, err
		}
	case "begin":
		t.status = pgwire.TxOpen
	case "commit":
		t.status = pgwire.TxIdle
		t.conn.ClosePortals()
	case "fail":
		return 0, pgwire.Errorf(p.stmt.arg, "as you wish")
	case "half":
		w.BeginRow(2)
		w.Value([]byte("only one"))
		return 0, pgwire.Errorf("22003", "the second value cannot be printed")
	case "die":
		return 0, pgwire.Fatalf(pgwire.CodeAdminShutdown, "as you wish")
	case "set":
		t.pending = p.stmt.arg
	case "hold":
		w.Hold(t.server.gate)
	case "release":
		w.Release()
	case "drop":
		w.DropHeld()
	case "notice":
		w.Notice(&pgwire.Error{Severity: pgwire.SeverityNotice, Code: "00000", Message: "heed\x00this"})
	case "deallocate":
		t.conn.DeallocateAll()
	case "wait":
		if t.server.hasty {
			break
		}
		t.waiting <- struct{}{}
		<-ctx.Done()
		return 0, context.Cause(ctx)
	case "over":
		w.CommandComplete("COPY 0")
		return 0, pgwire.ErrEndSession
	case "copyboth":
		return p.copyBoth(ctx, w)
	case "copyin", "copyfail", "copyout":
		return p.copy(ctx, w, n)
	default:
		return 0, pgwire.Errorf(pgwire.CodeSyntaxError, "syntax error at or near %q", p.stmt.verb)
	}
	w.CommandComplete(strings.ToUpper(p.stmt.verb))
	return pgwire.Completed, nil
}

func (p *toyPortal) rows(w *pgwire.Writer, n, maxRows int) (pgwire.Execution, error) {
	sent := 0
	for ; p.next < n; p.next++ {
		if maxRows > 0 && sent == maxRows {
			return pgwire.Suspended, nil
		}
		w.BeginRow(1)
		w.EndValue(strconv.AppendInt(w.BeginValue(), int64(p.next), 10))
		if err := w.EndRow(); err != nil {
			return 0, err
		}
		sent++
	}
	if maxRows > 0 && sent == maxRows {
		return pgwire.Suspended, nil
	}
	w.CommandComplete(fmt.Sprint("SELECT ", sent))
	return pgwire.Completed, nil
}

func (p *toyPortal) copy(ctx context.Context, w *pgwire.Writer, n int) (pgwire.Execution, error) {
	if p.stmt.verb == "copyout" {
		w.CopyOut(false, 1)
		for i := range n {
			if err := w.EndCopyData(fmt.Append(w.BeginCopyData(), i, "\n")); err != nil {
				return 0, err
			}
		}
		w.CopyDone()
		w.CommandComplete(fmt.Sprint("COPY ", n))
		return pgwire.Completed, nil
	}
	r, err := w.CopyIn(false, 1)
	if err != nil {
		return 0, err
	}
	if !p.session.server.hasty {
		p.session.waiting <- struct{}{}
	}
	total := 0
	for {
		piece, err := r.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, err
		}
		total += len(piece)
		if p.stmt.verb == "copyfail" {
			return 0, pgwire.Errorf(pgwire.CodeBadCopyFileFormat, "bad row")
		}
	}
	w.CommandComplete(fmt.Sprint("COPY ", total))
	return pgwire.Completed, nil
}

// start runs a toy server and returns its address. Everything has ended when the test has.
func start(t *testing.T, server *toyServer, opts pgwire.Options) (string, *pgwire.Endpoint) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	e := pgwire.NewEndpoint(server, opts)
	served := make(chan error, 1)
	go func() { served <- e.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		e.Shutdown(ctx, pgwire.Fatalf(pgwire.CodeAdminShutdown, "test over"))
		require.NoError(t, ctx.Err(), "shutdown had to close sockets")
		require.NoError(t, <-served)
	})
	return l.Addr().String(), e
}
