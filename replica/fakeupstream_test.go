package replica_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"ackdb/pgwire"
	"ackdb/replica"
)

// errCut is what a link says that a test has cut.
var errCut = errors.New("the link was cut")

// answer is what a scripted upstream gives to a command.
type answer struct {
	rows [][]*string // of one result
	err  error
}

func row(values ...string) answer {
	r := make([]*string, len(values))
	for i := range values {
		r[i] = &values[i]
	}
	return answer{rows: [][]*string{r}}
}

// nulls is a row of n NULLs.
func nulls(n int) answer { return answer{rows: [][]*string{make([]*string, n)}} }

func told(code, message string) answer {
	return answer{err: &pgwire.Error{Code: code, Message: message}}
}

func (a answer) results() []*pgwire.Result {
	return []*pgwire.Result{{Columns: []string{}, Rows: a.rows}}
}

// scripted is an upstream that answers each command by its first word.
type scripted struct {
	query  map[string]func(sql string) answer
	stream func(ctx context.Context, sql string) (replica.UpstreamLink, error)
	backup func(sql string) (replica.UpstreamCopy, error)

	mu     sync.Mutex
	heard  []string // guarded by mu; every command
	closed int      // guarded by mu
}

func (s *scripted) dial(context.Context, replica.ConnInfo) (replica.Upstream, error) { return s, nil }

func (s *scripted) note(sql string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, sql)
}

func (s *scripted) commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.heard...)
}

func (s *scripted) Query(ctx context.Context, sql string) ([]*pgwire.Result, error) {
	s.note(sql)
	word, _, _ := strings.Cut(sql, " ")
	f := s.query[word]
	if f == nil {
		return nil, &pgwire.Error{Code: "42601", Message: "syntax error at " + word}
	}
	a := f(sql)
	if a.err != nil {
		return nil, a.err
	}
	return a.results(), ctx.Err()
}

func (s *scripted) CopyBoth(ctx context.Context, sql string) (replica.UpstreamLink, error) {
	s.note(sql)
	return s.stream(ctx, sql)
}

func (s *scripted) CopyOut(_ context.Context, sql string) (replica.UpstreamCopy, error) {
	s.note(sql)
	return s.backup(sql)
}

func (s *scripted) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed++
	return nil
}

// backupCopy is a base backup of these bytes, cut into messages by a seed.
type backupCopy struct {
	archive []byte
	rng     *rand.Rand
	kb      string
	fail    error // instead of the end
	after   answer
	begun   bool
}

func newBackupCopy(archive []byte, seed uint64) *backupCopy {
	return &backupCopy{
		archive: archive, rng: rand.New(rand.NewPCG(seed, 1)), kb: "300", after: row("0/2000000", "1"),
	}
}

func (c *backupCopy) Before() []*pgwire.Result {
	sizes := row("", "", c.kb)
	sizes.rows[0][0], sizes.rows[0][1] = nil, nil
	return append(row("0/1000028", "1").results(), sizes.results()...)
}

func (c *backupCopy) Next() ([]byte, error) {
	switch {
	case !c.begun:
		c.begun = true
		return []byte("nbase.tar\x00\x00"), nil
	case len(c.archive) == 0 && c.fail != nil:
		return nil, c.fail
	case len(c.archive) == 0:
		return nil, io.EOF
	case c.rng.IntN(4) == 0:
		return []byte("p\x00\x00\x00\x00\x00\x00\x00\x07"), nil
	}
	n := min(len(c.archive), c.rng.IntN(1500))
	msg := append([]byte{'d'}, c.archive[:n]...)
	c.archive = c.archive[n:]
	return msg, nil
}

func (c *backupCopy) SetDeadline(time.Time) error { return nil }

func (c *backupCopy) Finish() ([]*pgwire.Result, error) { return c.after.results(), c.after.err }
