package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"ackdb/pgwire"
	"ackdb/replica"
	"ackdb/server/sql/types"
	"ackdb/wal"
)

// replicationSession is a client that asked for replication: a standby, pg_receivewal,
// pg_basebackup. It is a session that takes replication commands besides, and, unless it named a
// database, nothing else but SHOW.
type replicationSession struct {
	*session
	// node is the replica at the other end, once its handshake has matched; 0 for everybody else.
	node uint64
}

// backendFor is the session as its client asked for it.
func backendFor(s *session) pgwire.Backend {
	if s.conn.Replication() == pgwire.NoReplication {
		return s
	}
	return &replicationSession{session: s}
}

// Query implements pgwire.Backend.
func (r *replicationSession) Query(
	ctx context.Context, sql string, w *pgwire.Writer,
) (err error) {
	defer r.contain(&err)
	command, err := replica.ParseCommand(sql)
	if errors.Is(err, replica.ErrNotCommand) {
		return r.sql(ctx, sql, w)
	}
	// No statement_timeout: a stream is no statement, and lasts.
	r.writer = w
	r.becomesActive(sql)
	if err == nil {
		err = r.run(ctx, command, w)
	}
	if errors.Is(err, pgwire.ErrEndSession) {
		return err
	}
	return r.asError(ctx, err)
}

// sql runs what is no replication command.
func (r *replicationSession) sql(ctx context.Context, sql string, w *pgwire.Writer) error {
	if r.conn.Replication() == pgwire.PhysicalReplication && !r.isShow(sql) {
		return pgwire.Errorf(pgwire.CodeFeatureNotSupported,
			"cannot execute SQL commands in WAL sender for physical replication")
	}
	return r.session.Query(ctx, sql, w)
}

// isShow tells a single SHOW from everything else.
func (r *replicationSession) isShow(sql string) bool {
	if r.tokens.Lex(sql) != nil || r.tokens.Len() != 1 {
		return false
	}
	st := r.tokens.Stmt(0)
	return st.Len() > 0 && strings.EqualFold(st.TokenText(0), "show")
}

// Parse implements pgwire.Backend. Everything else of the extended protocol comes behind one.
func (r *replicationSession) Parse(
	context.Context, string, []uint32,
) (pgwire.Statement, error) {
	return nil, pgwire.Errorf(pgwire.CodeProtocolViolation,
		"extended query protocol not supported in a replication connection")
}

// Close implements pgwire.Backend.
func (r *replicationSession) Close() {
	r.server.hub.ReleaseSession(r.conn.PID())
	r.session.Close()
}

// run dispatches a command and completes it.
func (r *replicationSession) run(
	ctx context.Context, command replica.Command, w *pgwire.Writer,
) error {
	if err := r.forbidIn(command); err != nil {
		return err
	}
	var err error
	switch c := command.(type) {
	case replica.IdentifySystem:
		err = r.identifySystem(w)
	case replica.CreateSlot:
		err = r.createSlot(c, w)
	case replica.ReadSlot:
		err = r.readSlot(c, w)
	case replica.DropSlot:
		err = r.server.hub.DropSlot(ctx, c)
	case replica.TimelineHistory:
		err = r.timelineHistory(c, w)
	case replica.Handshake:
		err = r.shakeHands(c, w)
	case replica.StartReplication:
		err = r.stream(ctx, c, w)
	case replica.BaseBackup:
		err = r.baseBackup(ctx, c, w)
	default:
		err = errUnsupported("%s", command.Tag())
	}
	if err != nil {
		return err
	}
	w.CommandComplete(command.Tag())
	return nil
}

// forbidIn keeps what lasts, and what a rollback would not take back, out of a transaction.
func (r *replicationSession) forbidIn(command replica.Command) error {
	if r.txn.block == blockFailed {
		return errAborted()
	}
	switch command.(type) {
	case replica.BaseBackup, replica.StartReplication, replica.TimelineHistory:
		return r.forbidBlock(command.Tag())
	}
	return nil
}

func (r *replicationSession) identifySystem(w *pgwire.Writer) error {
	log := r.server.db.Log()
	// pg_receivewal takes a database for the sign of a logical connection, and leaves.
	var database any
	if r.conn.Replication() == pgwire.DatabaseReplication {
		database = databaseName
	}
	return writeResult(w, []pgwire.Column{textColumn("systemid"), int4Column("timeline"),
		textColumn("xlogpos"), textColumn("dbname")},
		strconv.FormatUint(log.Control().SystemID, 10), log.Timeline(), log.Flushed(), database)
}

func (r *replicationSession) timelineHistory(c replica.TimelineHistory, w *pgwire.Writer) error {
	name, content, err := r.server.db.Log().HistoryFile(c.Timeline)
	if errors.Is(err, wal.ErrUnknownTimeline) {
		return causedBy(err, codeUndefinedFile, fmt.Sprintf(
			"could not open file \"pg_wal/%08X.history\": No such file or directory", c.Timeline))
	}
	if err != nil {
		return err
	}
	return writeResult(w, []pgwire.Column{textColumn("filename"), textColumn("content")},
		name, string(content))
}

const codeUndefinedFile = "58P01"

// shakeHands answers a replica of ours, and remembers that it is one.
func (r *replicationSession) shakeHands(h replica.Handshake, w *pgwire.Writer) error {
	reply, err := r.server.hub.Handshake(h)
	if err != nil {
		return err
	}
	r.node = 0
	if reply.Relation == replica.RelationMatch {
		r.node = h.Node
	}
	var columns []pgwire.Column
	for _, name := range replica.HandshakeColumns() {
		columns = append(columns, textColumn(name))
	}
	var values []any
	for _, value := range reply.Row() {
		values = append(values, value)
	}
	return writeResult(w, columns, values...)
}

// peer is what the hub knows of the client.
func (r *replicationSession) peer() replica.Peer {
	peer := replica.Peer{Conn: r.conn.PID(), User: r.user, App: r.appName(),
		Addr: r.conn.RemoteAddr().String(), Since: r.started, Node: r.node}
	if tcp, ok := r.conn.RemoteAddr().(*net.TCPAddr); ok {
		peer.Host, peer.Port = tcp.IP.String(), tcp.Port
	}
	return peer
}

// senderTimeout bounds the wait for a client's goodbye; 0 is for ever.
func (r *replicationSession) senderTimeout() time.Duration {
	return milliseconds(r.settings.number(idWALSenderTimeout))
}

// writeResult writes a result set of one row. A nil value is NULL.
func writeResult(w *pgwire.Writer, columns []pgwire.Column, values ...any) error {
	w.RowDescription(columns, nil)
	w.BeginRow(len(columns))
	for _, v := range values {
		if v == nil {
			w.Null()
		} else {
			w.EndValue(fmt.Append(w.BeginValue(), v))
		}
	}
	return w.EndRow()
}

func int4Column(name string) pgwire.Column {
	return pgwire.Column{Name: name, TypeOID: uint32(types.Int4), TypeSize: 4, TypeMod: -1}
}

func int8Column(name string) pgwire.Column {
	return pgwire.Column{Name: name, TypeOID: uint32(types.Int8), TypeSize: 8, TypeMod: -1}
}
