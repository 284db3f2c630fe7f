package replica

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ackdb/pgwire"
	"ackdb/wal"
)

// Upstream is a connection to the node that a standby follows. It belongs to one goroutine.
type Upstream interface {
	// Query runs one replication command and gives what each of its statements answered.
	Query(ctx context.Context, sql string) ([]*pgwire.Result, error)
	// CopyBoth begins a stream, which ctx bounds until its Finish.
	CopyBoth(ctx context.Context, sql string) (UpstreamLink, error)
	// CopyOut begins a base backup, which ctx bounds as a whole.
	CopyOut(ctx context.Context, sql string) (UpstreamCopy, error)
	Close() error
}

// UpstreamLink is a stream of log.
type UpstreamLink interface {
	Link
	// Finish ends the stream in order and gives what upstream says behind it; then the Upstream takes
	// commands again.
	Finish(ctx context.Context) ([]*pgwire.Result, error)
}

// UpstreamCopy is a base backup under way.
type UpstreamCopy interface {
	// Before gives the result sets in front of the copy.
	Before() []*pgwire.Result
	// Next gives the next message, valid until the following call, and io.EOF behind the last.
	Next() ([]byte, error)
	// SetDeadline bounds Next.
	SetDeadline(t time.Time) error
	// Finish gives the result sets behind the copy.
	Finish() ([]*pgwire.Result, error)
}

// DialFunc connects to an upstream. The connection must be made, and greeted, before ctx ends.
type DialFunc func(ctx context.Context, to ConnInfo) (Upstream, error)

// commandTimeout bounds one command on a replication connection, none of which works long.
const commandTimeout = 30 * time.Second

// The SQLSTATEs of upstream that decide what is done next.
const (
	stateDuplicateObject = "42710"
	stateUndefinedFile   = "58P01"
)

// isState says whether err is upstream's answer with this SQLSTATE.
func isState(err error, code string) bool {
	var told *pgwire.Error
	return errors.As(err, &told) && told.Code == code
}

// command runs one command and gives the first row of its last result set.
func command(ctx context.Context, up Upstream, sql string) ([]*string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	results, err := up.Query(ctx, sql)
	if err != nil {
		return nil, fmt.Errorf("replica: %s: %w", firstWord(sql), err)
	}
	return firstRow(results), nil
}

// firstRow is the first row of the last result set that has one.
func firstRow(results []*pgwire.Result) []*string {
	for i := len(results) - 1; i >= 0; i-- {
		if len(results[i].Rows) > 0 {
			return results[i].Rows[0]
		}
	}
	return nil
}

func firstWord(sql string) string {
	word, _, _ := strings.Cut(sql, " ")
	return word
}

// text is column i of a row, "" when it is NULL or not there.
func text(row []*string, i int) string {
	if i >= len(row) || row[i] == nil {
		return ""
	}
	return *row[i]
}

// identity is the answer to IDENTIFY_SYSTEM.
type identity struct {
	system   uint64
	timeline uint32
	flushed  wal.LSN
}

func identify(ctx context.Context, up Upstream) (identity, error) {
	row, err := command(ctx, up, "IDENTIFY_SYSTEM")
	if err != nil {
		return identity{}, err
	}
	return parseIdentity(row)
}

func parseIdentity(row []*string) (id identity, err error) {
	if id.system, err = strconv.ParseUint(text(row, 0), 10, 64); err != nil {
		return identity{}, protocolError("IDENTIFY_SYSTEM: system identifier: %v", err)
	}
	timeline, err := parseTimeline(text(row, 1))
	if err != nil {
		return identity{}, protocolError("IDENTIFY_SYSTEM: %v", err)
	}
	id.timeline = timeline
	if id.flushed, err = wal.ParseLSN(text(row, 2)); err != nil {
		return identity{}, protocolError("IDENTIFY_SYSTEM: %v", err)
	}
	return id, nil
}

func parseTimeline(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("timeline %q is not a number above 0", s)
	}
	return uint32(n), nil
}

// shakeHands tells upstream where our log ends and hears what that means there.
func shakeHands(ctx context.Context, up Upstream, h Handshake) (HandshakeReply, error) {
	row, err := command(ctx, up, h.String())
	if err != nil {
		return HandshakeReply{}, err
	}
	columns := make([]string, len(row))
	for i := range row {
		columns[i] = text(row, i)
	}
	return ParseHandshakeReply(columns)
}

// ensureSlot makes the slot when upstream has none of that name, keeping log from upstream's redo on.
func ensureSlot(ctx context.Context, up Upstream, slot string) (created bool, err error) {
	row, err := command(ctx, up, "READ_REPLICATION_SLOT "+quoteName(slot))
	if err != nil || text(row, 0) != "" {
		return false, err
	}
	return createSlot(ctx, up, slot)
}

// renewSlot makes a slot that keeps log. One that is there and keeps none was lost, and is no use to
// anybody: what it stood for is gone.
func renewSlot(ctx context.Context, up Upstream, slot string) error {
	row, err := command(ctx, up, "READ_REPLICATION_SLOT "+quoteName(slot))
	if err != nil {
		return err
	}
	if text(row, 0) != "" {
		if text(row, 1) != "" {
			return nil
		}
		if _, err := command(ctx, up, "DROP_REPLICATION_SLOT "+quoteName(slot)); err != nil {
			return err
		}
	}
	_, err = createSlot(ctx, up, slot)
	return err
}

func createSlot(ctx context.Context, up Upstream, slot string) (created bool, err error) {
	sql := "CREATE_REPLICATION_SLOT " + quoteName(slot) + " PHYSICAL ( RESERVE_WAL )"
	_, err = command(ctx, up, sql)
	if isState(err, stateDuplicateObject) {
		return false, nil // another was faster; START_REPLICATION says whether it may be shared
	}
	return err == nil, err
}

func quoteName(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// startCommand asks for log from a position on.
func startCommand(slot string, from wal.LSN, timeline uint32) string {
	if slot != "" {
		slot = "SLOT " + quoteName(slot) + " "
	}
	return fmt.Sprintf("START_REPLICATION %sPHYSICAL %s TIMELINE %d", slot, from, timeline)
}
