package exec_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/exec"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
	"ackdb/wal"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what the scripts give as what they expect")

// node is a store with the SQL floor on it, in this process.
type node struct {
	t       testing.TB
	dir     string
	db      *engine.DB
	catalog *catalog.Catalog
	planner *plan.Planner
	exec    *exec.Executor
}

func openNode(t testing.TB, dir string) *node {
	ctx := context.Background()
	db, _, err := engine.Open(ctx, engine.Options{Dir: dir,
		Log:   wal.Options{SegmentSize: 1 << 20, SyncMethod: "fdatasync"},
		Fatal: func(err error) { panic(err) },
	})
	require.NoError(t, err)
	n := &node{t: t, dir: dir, db: db}
	n.catalog, err = catalog.Open(ctx, db)
	require.NoError(t, err)
	n.planner = plan.New(n.catalog, plan.Options{})
	n.exec = exec.New(db, n.catalog, n.planner)
	return n
}

func newNode(t testing.TB) *node {
	n := openNode(t, t.TempDir())
	t.Cleanup(func() { require.NoError(t, n.db.Close(context.Background())) })
	return n
}

// restart closes the store and opens it again.
func (n *node) restart() {
	require.NoError(n.t, n.db.Close(context.Background()))
	fresh := openNode(n.t, n.dir)
	fresh.t = n.t
	*n = *fresh
}

// session runs statements one after another, as a connection does, with transactions of its own.
type session struct {
	n         *node
	state     *exec.Session
	txn       *exec.Txn // nil outside a transaction
	explicit  bool
	failed    bool
	isolation engine.Isolation
	save      []savepoint
	tokens    parse.Tokens
	now       int64
	simple    bool // use the fingerprint cache
	notices   []string
	path      []string
}

type savepoint struct {
	name string
	at   exec.Savepoint
}

// startTime is what now() gives in tests: 2026-01-02 03:04:05 UTC.
var startTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).
	Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).Microseconds()

func (n *node) session() *session {
	return &session{n: n, state: n.exec.NewSession(nil), now: startTime,
		path: []string{"public"}}
}

func (s *session) env(params []types.Datum) *exec.Env {
	return &exec.Env{Txn: s.txn, Session: s.state, SearchPath: s.path, User: "postgres",
		Params: params, TxnTime: s.now, StmtTime: s.now,
		Notice: func(e *types.Error) {
			s.notices = append(s.notices, fmt.Sprintf("NOTICE %s: %s", e.Code, e.Message))
		}}
}

func (s *session) begin() {
	if s.txn == nil {
		s.txn = s.n.exec.Begin(engine.TxnOptions{Isolation: s.isolation})
	}
}

func (s *session) end(commit bool) error {
	txn := s.txn
	s.txn, s.explicit, s.failed, s.save = nil, false, false, nil
	s.isolation = engine.ReadCommitted
	if txn == nil {
		return nil
	}
	defer txn.Rollback()
	if !commit {
		return nil
	}
	_, err := txn.Commit(context.Background(), engine.CommitOptions{Level: wal.LevelOff})
	return err
}

// run runs a text of any number of statements and gives what a client would see.
func (s *session) run(ctx context.Context, sql string) string {
	var out bytes.Buffer
	stmts, err := parse.Parse(sql)
	if err == nil && len(stmts) == 1 && s.simple {
		err = s.runSimple(ctx, &out, sql)
	} else if err == nil {
		for i := range stmts {
			if err = s.one(ctx, &out, &stmts[i], nil); err != nil {
				break
			}
		}
	}
	for _, notice := range s.notices {
		fmt.Fprintln(&out, notice)
	}
	s.notices = nil
	if err != nil {
		fmt.Fprintln(&out, describe(err))
	}
	return out.String()
}

// one runs a statement in the transaction there is, or in one of its own.
func (s *session) one(
	ctx context.Context, out *bytes.Buffer, stmt *parse.Stmt, params []types.Datum,
) error {
	if t, ok := stmt.Tree.(*parse.TransactionStmt); ok {
		return s.transaction(out, t)
	}
	if s.failed {
		return types.Errorf("25P02", "current transaction is aborted, commands ignored until end"+
			" of transaction block")
	}
	if !plan.Handles(stmt.Tree) {
		return fmt.Errorf("the harness has no %T", stmt.Tree)
	}
	s.begin()
	err := s.statement(ctx, out, stmt, params)
	return s.after(err)
}

func (s *session) after(err error) error {
	if s.explicit {
		s.failed = err != nil
		return err
	}
	return errors.Join(err, s.end(err == nil))
}

func (s *session) statement(
	ctx context.Context, out *bytes.Buffer, stmt *parse.Stmt, params []types.Datum,
) error {
	p, err := s.n.planner.Prepare(s.env(nil).Plan(), stmt, nil)
	if err != nil {
		return err
	}
	return s.execute(ctx, out, p, params)
}

func (s *session) runSimple(ctx context.Context, out *bytes.Buffer, sql string) error {
	require.NoError(s.n.t, s.tokens.Lex(sql))
	s.begin()
	p, args, ok := s.n.planner.Simple(s.env(nil).Plan(), s.tokens.Stmt(0), nil)
	if !ok {
		stmt, err := parse.ParseOne(sql)
		if err != nil {
			return err
		}
		return s.one(ctx, out, stmt, nil)
	}
	return s.after(s.execute(ctx, out, p, args))
}

func (s *session) execute(
	ctx context.Context, out *bytes.Buffer, p *plan.Prepared, params []types.Datum,
) error {
	env := s.env(params)
	if p.Kind == plan.KindCopyOut {
		return s.copyOut(ctx, out, p, env)
	}
	c, err := s.n.exec.Open(ctx, p, env)
	if err != nil {
		return err
	}
	defer c.Close()
	described := p.Columns == nil
	describe := func() {
		if !described {
			fmt.Fprintln(out, header(p.Columns))
		}
		described = true
	}
	if p.Kind != plan.KindDMLReturning { // which runs before the first row is there to be described
		describe()
	}
	for {
		row, err := c.Next(ctx)
		if err != nil {
			return err
		}
		describe()
		if row == nil {
			break
		}
		fmt.Fprintln(out, showRow(row))
	}
	fmt.Fprintln(out, c.Tag())
	return nil
}

func (s *session) copyOut(
	ctx context.Context, out *bytes.Buffer, p *plan.Prepared, env *exec.Env,
) error {
	c, err := s.n.exec.CopyOut(ctx, p, env)
	if err != nil {
		return err
	}
	defer c.Close()
	var rows bytes.Buffer
	for {
		line, ok, err := c.Next(ctx, nil)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		rows.Write(line)
	}
	out.WriteString(showCopied(rows.Bytes()))
	fmt.Fprintln(out, c.Tag())
	return nil
}

// showCopied makes what COPY ... TO gave legible.
func showCopied(data []byte) string {
	if bytes.HasPrefix(data, []byte("PGCOPY")) {
		return fmt.Sprintf("%x\n", data)
	}
	return strings.NewReplacer("\t", "<tab>", "\r", "<cr>").Replace(string(data))
}

// copyIn sends data in pieces of the given size.
func (s *session) copyIn(sql string, data []byte, piece int) (string, error) {
	ctx := context.Background()
	stmt, err := parse.ParseOne(sql)
	if err != nil {
		return "", err
	}
	s.begin()
	tag, err := func() (string, error) {
		p, err := s.n.planner.Prepare(s.env(nil).Plan(), stmt, nil)
		if err != nil {
			return "", err
		}
		c, err := s.n.exec.CopyIn(ctx, p, s.env(nil))
		if err != nil {
			return "", err
		}
		defer c.Close()
		for len(data) > 0 {
			n := min(piece, len(data))
			if err := c.Write(ctx, bytes.Clone(data[:n])); err != nil {
				return "", err
			}
			data = data[n:]
		}
		return c.Finish(ctx)
	}()
	return tag, s.after(err)
}

func (s *session) transaction(out *bytes.Buffer, t *parse.TransactionStmt) error {
	switch t.Kind {
	case parse.TransBegin, parse.TransStart:
		switch t.Modes.Isolation {
		case "repeatable read":
			s.isolation = engine.RepeatableRead
		case "serializable":
			s.isolation = engine.Serializable
		}
		s.begin()
		s.explicit = true
		fmt.Fprintln(out, "BEGIN")
		return nil
	case parse.TransCommit:
		if s.failed {
			fmt.Fprintln(out, "ROLLBACK")
			return s.end(false)
		}
		if err := s.end(true); err != nil {
			return err
		}
		fmt.Fprintln(out, "COMMIT")
		return nil
	case parse.TransRollback:
		fmt.Fprintln(out, "ROLLBACK")
		return s.end(false)
	case parse.TransSavepoint:
		s.save = append(s.save, savepoint{t.Savepoint, s.txn.Savepoint()})
		fmt.Fprintln(out, "SAVEPOINT")
		return nil
	case parse.TransRollbackTo:
		for i := len(s.save) - 1; i >= 0; i-- {
			if s.save[i].name == t.Savepoint {
				s.save, s.failed = s.save[:i+1], false
				fmt.Fprintln(out, "ROLLBACK")
				return s.txn.RollbackTo(s.save[i].at)
			}
		}
	}
	return fmt.Errorf("the harness has no transaction command %d", t.Kind)
}

func header(columns []plan.Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name + " " + types.FormatType(c.Type.OID, c.Type.Mod)
	}
	return "-- " + strings.Join(names, ", ")
}

func showRow(row []types.Datum) string {
	cells := make([]string, len(row))
	for i, d := range row {
		cells[i] = d.String()
	}
	return strings.Join(cells, " | ")
}

// describe shows an error as a client sees it, whichever floor it is of.
func describe(err error) string {
	var e *types.Error
	var syntax *parse.SyntaxError
	var feature *parse.FeatureError
	switch {
	case errors.As(err, &e):
		out := fmt.Sprintf("ERROR %s: %s", e.Code, e.Message)
		if e.Position > 0 {
			out += fmt.Sprintf(" (at %d)", e.Position)
		}
		for _, part := range [][2]string{{"DETAIL", e.Detail}, {"HINT", e.Hint}, {"CONTEXT", e.Context},
			{"CONSTRAINT", e.Constraint}, {"COLUMN", e.Column}} {
			if part[1] != "" {
				out += "\n" + part[0] + ": " + part[1]
			}
		}
		return out
	case errors.As(err, &syntax):
		return fmt.Sprintf("ERROR %s: %s (at %d)", syntax.SQLSTATE, syntax.Message, syntax.Position)
	case errors.As(err, &feature):
		return fmt.Sprintf("ERROR 0A000: %s (at %d)", feature, feature.Position)
	}
	return "ERROR: " + err.Error()
}

// TestMain lets -update stand for the name the script runner gives the same thing.
func TestMain(m *testing.M) {
	flag.Parse()
	if *update {
		if err := flag.Set("rewrite", "true"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
