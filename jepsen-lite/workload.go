package jepsenlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Modes are the durability levels a session may run in.
var Modes = []string{"off", "local", "on", "remote_write", "remote_apply"}

// retireAfter is how many transactions an entry lives before its session deletes it again: it keeps
// the tables small over a long run, and puts deletions among what must survive.
const retireAfter = 20

// widePieces is the number of rows of a wide transaction, which must be there whole or not at all.
const widePieces = 25

// schema has an index of each kind, whose entries must survive with their rows: checkIndexes.
const schema = `
CREATE TABLE entry (session int, n bigint, piece int, body text, PRIMARY KEY (session, n, piece));
CREATE TABLE register (session int PRIMARY KEY, n bigint NOT NULL);
CREATE TABLE ticks (tick bigint PRIMARY KEY, session int NOT NULL, n bigint NOT NULL);
CREATE TABLE ticker (id int PRIMARY KEY, n bigint NOT NULL);
CREATE INDEX ON entry (n DESC, session);
CREATE INDEX ON register (n);
CREATE UNIQUE INDEX ON ticks (session, n);
INSERT INTO ticker VALUES (1, 0)`

// CreateSchema makes the workload's tables.
func CreateSchema(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("workload: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, schema); err != nil {
		return fmt.Errorf("workload: create schema: %w", err)
	}
	return nil
}

// Workload is a mixed load of small transactions by several sessions, each in its own mode.
type Workload struct {
	Sessions int
	Seed     uint64
	Journal  *Journal
	Wait     string // mode of the waits for a commit; empty: primary_flush
}

// Run drives every session until the server goes away or ctx ends, which lets each session finish
// the transaction it is in: a commit that is still under way when somebody looks would be found by
// half of those who look. next is, by session, the number
// of its next transaction. It returns the first error that the end of the server does not explain.
func (w *Workload) Run(ctx context.Context, dsn string, next map[int]int64) error {
	var wg sync.WaitGroup
	errs := make([]error, w.Sessions)
	for i := range w.Sessions {
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[i] = w.session(ctx, dsn, i+1, next[i+1])
		}()
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (w *Workload) session(ctx context.Context, dsn string, id int, n int64) error {
	whole := context.WithoutCancel(ctx)
	s, err := newSession(whole, dsn, id, n, Modes[id%len(Modes)], w.Seed, w.Journal)
	if err != nil {
		return serverGone(err)
	}
	defer s.conn.Close(whole)
	if w.Wait != "" {
		s.waitMode = w.Wait
	}
	for ctx.Err() == nil {
		if err := s.transaction(whole, n); err != nil {
			return serverGone(err)
		}
		n++
	}
	return nil
}

// newSession connects session id in the given mode; n, its next transaction, goes into its seed.
func newSession(ctx context.Context, dsn string, id int, n int64, mode string, seed uint64,
	journal *Journal) (*session, error) {
	conn, err := pgx.Connect(ctx, fmt.Sprintf("%s&application_name=s%d&ack.report_commit=on"+
		"&options=-c%%20synchronous_commit%%3D%s", dsn, id, mode))
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(seed, uint64(id)<<32|uint64(n)))
	return &session{id: id, mode: mode, waitMode: "primary_flush", conn: conn, journal: journal,
		rng: rng}, nil
}

// serverGone passes on only errors that the end of the server, or of the run, does not explain.
func serverGone(err error) error {
	var broken brokenPromise
	if errors.As(err, &broken) {
		return err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && !slices.Contains(endings, pg.Code) {
		return err
	}
	return nil
}

// brokenPromise is what a client was shown and must not have been.
type brokenPromise string

func (b brokenPromise) Error() string { return string(b) }

// endings are the codes of a server that stops, starts, or has lost its disk.
var endings = []string{"57P01", "57P03", "58030"}

// session is one client. Everything here belongs to one goroutine.
type session struct {
	id       int
	mode     string
	waitMode string
	conn     *pgx.Conn
	journal  *Journal
	rng      *rand.Rand
}

// transaction runs transaction n of the session: entries, sometimes wide, sometimes a tick, the
// session's register, and the deletion of an old entry. It journals the invocation and the outcome.
func (s *session) transaction(ctx context.Context, n int64) error {
	op := s.draw(n)
	s.journal.Add(op)
	var err error
	switch op.Op {
	case "single":
		err = s.single(ctx, &op)
	default:
		err = s.explicit(ctx, &op)
	}
	if err != nil {
		op.Err = err.Error()
	} else if err = s.receipt(&op); err != nil {
		return err
	}
	s.journal.Add(op)
	if err != nil || s.rng.IntN(8) != 0 {
		return err
	}
	return s.wait(ctx, op)
}

// receipt takes the token of the commit that was just acknowledged.
func (s *session) receipt(op *Event) error {
	op.Token = s.conn.PgConn().ParameterStatus("ack.commit_lsn")
	_, lsn, ok := strings.Cut(op.Token, "/")
	if !ok {
		return fmt.Errorf("session %d: commit %d has no receipt: %q", s.id, op.N, op.Token)
	}
	op.LSN = lsn
	return nil
}

// wait has the server say that the commit is on disk, here or on a replica.
func (s *session) wait(ctx context.Context, op Event) error {
	_, err := s.conn.Exec(ctx, "WAIT FOR LSN '"+op.Token+"' WITH (MODE '"+s.waitMode+"')")
	if err == nil {
		s.journal.Add(Event{Type: Flushed, How: "waited", LSN: op.LSN})
	}
	return err
}

func (s *session) draw(n int64) Event {
	op := Event{Type: Invoke, Session: s.id, N: n, Mode: s.mode, Pieces: 1}
	switch p := s.rng.IntN(100); {
	case p < 40:
		op.Op = "single"
	case p < 65:
		op.Op = "explicit"
	case p < 80:
		op.Op = "tick"
	case p < 90:
		op.Op, op.Pieces = "wide", widePieces
	default:
		op.Op = "rolled back first"
	}
	return op
}

// single is one autocommit statement: no COMMIT is sent, so every broken connection is unknown.
func (s *session) single(ctx context.Context, op *Event) error {
	_, err := s.conn.Exec(ctx, "INSERT INTO entry VALUES ($1, $2, 1, $3)", s.id, op.N, s.body())
	op.Type = outcome(err)
	return err
}

func (s *session) explicit(ctx context.Context, op *Event) error {
	if op.Op == "rolled back first" {
		if err := s.rollback(ctx, op.N); err != nil {
			op.Type = Fail
			return err
		}
	}
	tx, err := s.conn.Begin(ctx)
	if err != nil {
		op.Type = Fail
		return err
	}
	if err := s.statements(ctx, tx, op); err != nil {
		op.Type = Fail
		return err
	}
	err = tx.Commit(ctx)
	op.Type = outcome(err)
	if err == nil && s.rng.IntN(4) == 0 {
		err = s.conn.QueryRow(ctx, "SELECT pg_current_wal_insert_lsn()::text").Scan(&op.Shown)
	}
	return err
}

func (s *session) statements(ctx context.Context, tx pgx.Tx, op *Event) error {
	batch := &pgx.Batch{}
	for piece := 1; piece <= op.Pieces; piece++ {
		batch.Queue("INSERT INTO entry VALUES ($1, $2, $3, $4)", s.id, op.N, piece, s.body())
	}
	batch.Queue("INSERT INTO register VALUES ($1, $2)"+
		" ON CONFLICT (session) DO UPDATE SET n = excluded.n", s.id, op.N)
	batch.Queue("DELETE FROM entry WHERE session = $1 AND n <= $2", s.id, op.N-retireAfter)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	if op.Op != "tick" {
		return nil
	}
	// The row lock of the ticker is held until the commit is applied: ticks are commit order.
	err := tx.QueryRow(ctx, "UPDATE ticker SET n = n + 1 WHERE id = 1 RETURNING n").Scan(&op.Tick)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO ticks VALUES ($1, $2, $3)", op.Tick, s.id, op.N)
	return err
}

// rollback writes what must never be seen: entries of a session number that no session has, which
// no later transaction deletes either.
func (s *session) rollback(ctx context.Context, n int64) error {
	tx, err := s.conn.Begin(ctx)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "INSERT INTO entry VALUES ($1, $2, 1, 'ghost')", -s.id, n); err != nil {
		return err
	}
	return tx.Rollback(ctx)
}

func (s *session) body() string {
	return strings.Repeat(string(rune('a'+s.rng.IntN(26))), 20+s.rng.IntN(200))
}

// outcome of a commit: an ErrorResponse says that it did not happen, unless it says that nobody
// knows; anything else says nothing.
func outcome(err error) string {
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return OK
	case errors.As(err, &pg) && pg.Code != "40003" && !slices.Contains(endings, pg.Code):
		return Fail
	default:
		return Unknown
	}
}

// Read returns everything the workload left, as one reader sees it.
func Read(ctx context.Context, dsn string) (*Seen, error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	defer conn.Close(ctx)
	seen := &Seen{Entries: map[int]map[int64]int{}, Last: map[int]int64{}}
	var session int
	var n, tick int64
	rows, _ := conn.Query(ctx, "SELECT session, n FROM entry")
	_, err = pgx.ForEachRow(rows, []any{&session, &n}, func() error {
		if seen.Entries[session] == nil {
			seen.Entries[session] = map[int64]int{}
		}
		seen.Entries[session][n]++
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read entries: %w", err)
	}
	rows, _ = conn.Query(ctx, "SELECT session, n FROM register")
	_, err = pgx.ForEachRow(rows, []any{&session, &n}, func() error {
		seen.Last[session] = n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read registers: %w", err)
	}
	rows, _ = conn.Query(ctx, "SELECT tick FROM ticks ORDER BY tick")
	_, err = pgx.ForEachRow(rows, []any{&tick}, func() error {
		seen.Ticks = append(seen.Ticks, tick)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read ticks: %w", err)
	}
	err = conn.QueryRow(ctx, "SELECT n, pg_current_wal_insert_lsn()::text FROM ticker WHERE id = 1").
		Scan(&seen.TickTop, &seen.LSN)
	if err != nil {
		return nil, fmt.Errorf("read ticker: %w", err)
	}
	return seen, checkIndexes(ctx, conn)
}
