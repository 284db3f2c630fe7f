package server_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"ackdb/pgwire"
	"ackdb/wal"
)

// replication is a session of replication commands over our own client.
func (n *node) replication(params ...string) *pgwire.Client {
	n.t.Helper()
	all := map[string]string{"user": "postgres", "application_name": "standby"}
	for i := 0; i < len(params); i += 2 {
		all[params[i]] = params[i+1]
	}
	c, err := pgwire.DialReplication(n.context(), n.report.Addr.String(), all)
	require.NoError(n.t, err)
	n.t.Cleanup(func() { _ = c.Close() })
	return c
}

// varying are the values of an answer that differ from run to run.
var varying = regexp.MustCompile(`[0-9A-F]+/[0-9A-F]+|\b[0-9]{8,}\b`)

// exchange is all that the server answers to a simple query, a message a line. A copy in both
// directions that the server ends is ended, too.
func (w *wire) exchange(sql string) string {
	w.t.Helper()
	w.front.Send(&pgproto3.Query{String: sql})
	require.NoError(w.t, w.front.Flush())
	var b strings.Builder
	both := false
	for {
		m, err := w.front.Receive()
		require.NoError(w.t, err)
		switch m := m.(type) {
		case *pgproto3.ReadyForQuery:
			return b.String()
		case *pgproto3.CopyBothResponse:
			both = true
			fmt.Fprintf(&b, "W %d %d", m.OverallFormat, len(m.ColumnFormatCodes))
		case *pgproto3.RowDescription:
			b.WriteString("T")
			for _, f := range m.Fields {
				fmt.Fprintf(&b, " %s:%d", f.Name, f.DataTypeOID)
			}
		case *pgproto3.DataRow:
			b.WriteString("D")
			for _, v := range m.Values {
				if v == nil {
					b.WriteString(" NULL")
				} else {
					fmt.Fprintf(&b, " %q", varying.ReplaceAllString(string(v), "*"))
				}
			}
		case *pgproto3.CommandComplete:
			fmt.Fprintf(&b, "C %s", m.CommandTag)
		case *pgproto3.ErrorResponse:
			fmt.Fprintf(&b, "E %s %s", m.Code, m.Message)
		case *pgproto3.CopyOutResponse:
			fmt.Fprintf(&b, "H %d %d", m.OverallFormat, len(m.ColumnFormatCodes))
		case *pgproto3.CopyData:
			fmt.Fprintf(&b, "d %c", m.Data[0])
		case *pgproto3.CopyDone:
			b.WriteString("c")
			if both {
				w.front.Send(m)
				require.NoError(w.t, w.front.Flush())
			}
		default:
			fmt.Fprintf(&b, "%T", m)
		}
		b.WriteString("\n")
	}
}

// TestReplicationCommands: the rows, types and tags that Postgres' tools expect.
func TestReplicationCommands(t *testing.T) {
	n := startNode(t)
	w := n.session("replication", "true").wire()
	for _, test := range []struct{ sql, want string }{
		{"IDENTIFY_SYSTEM", "T systemid:25 timeline:23 xlogpos:25 dbname:25\n" +
			"D \"*\" \"1\" \"*\" NULL\nC IDENTIFY_SYSTEM\n"},
		{"show data_directory_mode", "T data_directory_mode:25\nD \"0700\"\nC SHOW\n"},
		{"SHOW wal_segment_size", "T wal_segment_size:25\nD \"16MB\"\nC SHOW\n"},
		{`CREATE_REPLICATION_SLOT "s1" PHYSICAL`,
			"T slot_name:25 consistent_point:25 snapshot_name:25 output_plugin:25\n" +
				"D \"s1\" \"*\" NULL NULL\nC CREATE_REPLICATION_SLOT\n"},
		{`CREATE_REPLICATION_SLOT "s1" PHYSICAL`,
			"E 42710 replication slot \"s1\" already exists\n"},
		{"READ_REPLICATION_SLOT s1", "T slot_type:25 restart_lsn:25 restart_tli:20\n" +
			"D \"physical\" NULL NULL\nC READ_REPLICATION_SLOT\n"},
		{"READ_REPLICATION_SLOT none", "T slot_type:25 restart_lsn:25 restart_tli:20\n" +
			"D NULL NULL NULL\nC READ_REPLICATION_SLOT\n"},
		{`DROP_REPLICATION_SLOT "s1"`, "C DROP_REPLICATION_SLOT\n"},
		{`DROP_REPLICATION_SLOT "s1"`, "E 42704 replication slot \"s1\" does not exist\n"},
		{`CREATE_REPLICATION_SLOT "s2" TEMPORARY PHYSICAL ( RESERVE_WAL)`,
			"T slot_name:25 consistent_point:25 snapshot_name:25 output_plugin:25\n" +
				"D \"s2\" \"*\" NULL NULL\nC CREATE_REPLICATION_SLOT\n"},
		{"READ_REPLICATION_SLOT s2", "T slot_type:25 restart_lsn:25 restart_tli:20\n" +
			"D \"physical\" \"*\" \"1\"\nC READ_REPLICATION_SLOT\n"},
		{"TIMELINE_HISTORY 1",
			"E 58P01 could not open file \"pg_wal/00000001.history\": No such file or directory\n"},
		{"START_REPLICATION SLOT nobody 0/1000000 TIMELINE 1",
			"E 42704 replication slot \"nobody\" does not exist\n"},
		{"CREATE_REPLICATION_SLOT l LOGICAL pgoutput",
			"E 0A000 logical replication is not supported\n"},
	} {
		require.Equal(t, test.want, w.exchange(test.sql), test.sql)
	}
	require.NoError(t, w.conn.Close(w.context()))
	requireNoSlots(n)
}

// requireNoSlots: a temporary slot goes with its session, whose end is not the client's.
func requireNoSlots(n *node) {
	n.t.Helper()
	s := n.session()
	require.Eventually(n.t, func() bool {
		return len(s.rows("select slot_name from pg_replication_slots")) == 0
	}, patience, time.Millisecond)
}

// TestReplicationSessionRefuses what Postgres refuses, in its words.
func TestReplicationSessionRefuses(t *testing.T) {
	n := startNode(t)
	physical := n.session("replication", "on", "database", "whatever").wire()
	const refused = "E 0A000 cannot execute SQL commands in WAL sender for physical replication\n"
	for _, sql := range []string{"select 1", "", "show work_mem; select 1", "begin", "vacuum"} {
		require.Equal(t, refused, physical.exchange(sql), sql)
	}
	require.Equal(t, []string{"Error 08P01"}, physical.roundTrip(&pgproto3.Parse{Query: "select 1"}))

	database := n.session("replication", "database").wire()
	require.Equal(t, "T ?column?:23\nD \"1\"\nC SELECT 1\n", database.exchange("select 1"))
	require.Contains(t, database.exchange("IDENTIFY_SYSTEM"), `"postgres"`)
	require.Equal(t, []string{"Error 08P01"}, database.roundTrip(&pgproto3.Parse{Query: "select 1"}))
	database.exchange("begin")
	require.Equal(t, "E 25001 BASE_BACKUP cannot run inside a transaction block\n",
		database.exchange("BASE_BACKUP"))
	require.Equal(t, "E 25P02 current transaction is aborted, commands ignored until end of "+
		"transaction block\n", database.exchange("BASE_BACKUP"))

	config, err := pgx.ParseConfig(n.url())
	require.NoError(t, err)
	config.RuntimeParams["replication"] = "sideways"
	_, err = pgx.ConnectConfig(n.context(), config)
	var e *pgconn.PgError
	require.ErrorAs(t, err, &e)
	require.Equal(t, "22023", e.Code)
}

// TestReplicationSenderLimit: max_wal_senders, apart from max_connections.
func TestReplicationSenderLimit(t *testing.T) {
	n := startNode(t, "max_wal_senders=1", "max_connections=1")
	n.replication()
	_, err := pgwire.DialReplication(n.context(), n.report.Addr.String(),
		map[string]string{"user": "postgres"})
	var e *pgwire.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "53300", e.Code)
	require.Equal(t, "number of requested standby connections exceeds max_wal_senders (currently 1)",
		e.Message)
	require.Equal(t, "1", n.session().value("select 1"))
}

// stream is a START_REPLICATION whose bytes are gathered.
type stream struct {
	t    *testing.T
	both *pgwire.ClientCopyBoth
	from wal.LSN
	log  []byte
}

func (n *node) stream(c *pgwire.Client, slot string, from wal.LSN) *stream {
	n.t.Helper()
	both, err := c.CopyBoth(n.context(),
		fmt.Sprintf("START_REPLICATION %s %s TIMELINE 1", slot, from))
	require.NoError(n.t, err)
	return &stream{t: n.t, both: both, from: from}
}

// next takes one message.
func (s *stream) next() error {
	piece, err := s.both.Receive()
	if err != nil {
		return err
	}
	if piece[0] == 'w' {
		require.Equal(s.t, uint64(s.from)+uint64(len(s.log)), binary.BigEndian.Uint64(piece[1:]))
		s.log = append(s.log, piece[25:]...)
	}
	return nil
}

func (s *stream) until(lsn wal.LSN) {
	s.t.Helper()
	for s.from+wal.LSN(len(s.log)) < lsn {
		require.NoError(s.t, s.next())
	}
}

// report says that everything up to lsn is written and flushed.
func (s *stream) report(lsn wal.LSN) {
	s.t.Helper()
	status := []byte{'r'}
	for range 3 {
		status = binary.BigEndian.AppendUint64(status, uint64(lsn))
	}
	status = binary.BigEndian.AppendUint64(status, 0)
	require.NoError(s.t, s.both.Send(append(status, 0)))
}

// requireSegment: what came is what the server's file holds.
func (s *stream) requireSegment(n *node) {
	s.t.Helper()
	file, err := os.ReadFile(filepath.Join(n.opts.Dir, "wal", wal.SegmentName(1, s.from, 16<<20)))
	require.NoError(s.t, err)
	require.Equal(s.t, file[:len(s.log)], s.log)
}

const firstLSN wal.LSN = 0x1000000

// TestReplicationStream: the stream is our log byte for byte; the client ends it, and the session
// goes on.
func TestReplicationStream(t *testing.T) {
	n := startNode(t)
	n.session().do("set synchronous_commit = local; insert into kv values ('a', 'b')")
	c := n.replication()
	for range 2 {
		s := n.stream(c, "", firstLSN)
		s.until(n.flushed(n.session()))
		s.requireSegment(n)
		behind, err := s.both.Finish(n.context())
		require.NoError(t, err)
		require.Len(t, behind, 2)
		require.Equal(t, "START_STREAMING", behind[0].Tag)
		require.Equal(t, "START_REPLICATION", behind[1].Tag)
	}
}

// TestReplicationStreamEndsLast: a server that shuts down sends what its sessions committed last,
// and only then ends the stream.
func TestReplicationStreamEndsLast(t *testing.T) {
	n := startNode(t)
	s := n.stream(n.replication(), "", firstLSN)
	s.until(n.flushed(n.session()))
	n.session().do("set synchronous_commit = off; insert into kv values ('last', 'words')")
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		n.stop()
	}()
	for {
		err := s.next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
	}
	_, err := s.both.Finish(n.context())
	require.Error(t, err, "the server hangs up behind the completion")
	<-stopped
	require.Contains(t, string(s.log), "words")
	s.requireSegment(n)
}

// TestReplicationStreamCancelled: by cancel and terminate, from another session.
func TestReplicationStreamCancelled(t *testing.T) {
	n := startNode(t)
	for function, code := range map[string]string{
		"pg_cancel_backend": "57014", "pg_terminate_backend": "57P01",
	} {
		s := n.stream(n.replication(), "", firstLSN)
		other := n.session()
		require.Eventually(t, func() bool {
			return other.value("select count(*) from pg_stat_replication") == "1"
		}, patience, time.Millisecond)
		other.do("select " + function + "(pid) from pg_stat_replication")
		err := s.next()
		for err == nil {
			err = s.next()
		}
		var e *pgwire.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, code, e.Code)
		require.Eventually(t, func() bool {
			return other.value("select count(*) from pg_stat_replication") == "0"
		}, patience, time.Millisecond)
	}
}

// TestReplicationSilentPeer: one that is never heard is asked, and then given up.
func TestReplicationSilentPeer(t *testing.T) {
	n := startNode(t, "wal_sender_timeout=100ms")
	s := n.stream(n.replication(), "", firstLSN)
	err := s.next()
	for err == nil {
		err = s.next()
	}
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

// TestReplicationHostile: what is no standby message ends the stream; a report of what was never
// sent holds up nobody.
func TestReplicationHostile(t *testing.T) {
	n := startNode(t)
	for name, message := range map[string][]byte{
		"empty": {}, "unknown": []byte("?"), "short": []byte("r\x00"),
	} {
		t.Run(name, func(t *testing.T) {
			s := n.stream(n.replication(), "", firstLSN)
			require.NoError(t, s.both.Send(message))
			err := s.next()
			for err == nil {
				err = s.next()
			}
			require.Error(t, err)
		})
	}
	s := n.stream(n.replication(), "", firstLSN)
	s.report(1 << 60)
	s.until(n.flushed(n.session()))
	require.Equal(t, "1", n.session().value("select 1"))
}

// TestReplicationViews: the columns and types of PostgreSQL 15, and a row for each stream, slot and
// backend.
func TestReplicationViews(t *testing.T) {
	n := startNode(t)
	for view, want := range map[string]string{
		"pg_stat_replication": "pid:23 usesysid:26 usename:19 application_name:25 client_addr:869 " +
			"client_hostname:25 client_port:23 backend_start:1184 backend_xmin:28 state:25 " +
			"sent_lsn:3220 write_lsn:3220 flush_lsn:3220 replay_lsn:3220 write_lag:1186 " +
			"flush_lag:1186 replay_lag:1186 sync_priority:23 sync_state:25 reply_time:1184",
		"pg_stat_wal_receiver": "pid:23 status:25 receive_start_lsn:3220 receive_start_tli:23 " +
			"written_lsn:3220 flushed_lsn:3220 received_tli:23 last_msg_send_time:1184 " +
			"last_msg_receipt_time:1184 latest_end_lsn:3220 latest_end_time:1184 slot_name:25 " +
			"sender_host:25 sender_port:23 conninfo:25",
		"pg_replication_slots": "slot_name:19 plugin:19 slot_type:25 datoid:26 database:19 " +
			"temporary:16 active:16 active_pid:23 xmin:28 catalog_xmin:28 restart_lsn:3220 " +
			"confirmed_flush_lsn:3220 wal_status:25 safe_wal_size:20 two_phase:16",
		"pg_stat_progress_basebackup": "pid:23 phase:25 backup_total:20 backup_streamed:20 " +
			"tablespaces_total:20 tablespaces_streamed:20",
	} {
		got := n.session().wire().exchange("select * from " + view + " where false")
		require.Equal(t, "T "+want+"\nC SELECT 0\n", got, view)
	}
	c := n.replication()
	_, err := c.Query(n.context(), "CREATE_REPLICATION_SLOT s PHYSICAL")
	require.NoError(t, err)
	s := n.stream(c, "SLOT s", firstLSN)
	s.until(n.flushed(n.session()))
	s.report(n.flushed(n.session()))
	other := n.session()
	require.Eventually(t, func() bool {
		return other.value("select count(*) from pg_stat_replication where state = 'streaming' "+
			"and flush_lsn is not null") == "1"
	}, patience, time.Millisecond)
	require.Equal(t, [][]string{{"standby", "postgres", "127.0.0.1", "async", "0", "0"}}, other.rows(
		"select application_name, usename, client_addr, sync_state, sync_priority, "+
			"pg_wal_lsn_diff(sent_lsn, flush_lsn) from pg_stat_replication"))
	require.Equal(t, [][]string{{"s", "physical", "f", "t", "t", "reserved"}}, other.rows(
		"select slot_name, slot_type, temporary, active, "+
			"active_pid is not null, wal_status from pg_replication_slots"))
	require.Equal(t, [][]string{{"active", "WalSenderMain", "t"}}, other.rows(
		"select state, wait_event, datname is null from pg_stat_activity "+
			"where backend_type = 'walsender'"))
	require.Empty(t, other.rows("select * from pg_stat_wal_receiver"))
	_, err = n.replication().CopyBoth(n.context(), "START_REPLICATION SLOT s 0/1000000")
	var e *pgwire.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "55006", e.Code)
}

// TestReplicationBaseBackupMessages: the order pg_basebackup wants.
func TestReplicationBaseBackupMessages(t *testing.T) {
	n := startNode(t)
	n.session().do("insert into kv values ('a', 'b')")
	w := n.session("replication", "true").wire()
	got := w.exchange("BASE_BACKUP ( LABEL 'x',  PROGRESS,  WAIT 0,  MANIFEST 'yes',  " +
		"TARGET 'client')")
	got = regexp.MustCompile(`(d [dp]\n)+`).ReplaceAllString(got, "d ...\n")
	require.Equal(t, "T recptr:25 tli:20\nD \"*\" \"1\"\nC SELECT\n"+
		"T spcoid:26 spclocation:25 size:20\nD NULL NULL \"SIZE\"\nC SELECT\n"+
		"H 0 0\nd n\nd ...\nd m\nd ...\nc\n"+
		"T recptr:25 tli:20\nD \"*\" \"1\"\nC SELECT\nC BASE_BACKUP\n",
		regexp.MustCompile(`NULL NULL "[0-9]+"`).ReplaceAllString(got, `NULL NULL "SIZE"`))
	require.Equal(t, "E 42601 unrecognized base backup option: \"tablespaces\"\n",
		w.exchange("BASE_BACKUP (TABLESPACES 1)"))
}

// TestReplicationBaseBackupUnread: a client that does not read its backup does not hold the log for
// ever.
func TestReplicationBaseBackupUnread(t *testing.T) {
	n := startNode(t, "wal_sender_timeout=100ms")
	s := n.session()
	// More than the sockets' buffers hold.
	s.do("insert into kv select 'k' || g, repeat(md5(g::text), 1000) from generate_series(1, 700) g")
	w := n.session("replication", "true").wire()
	w.front.Send(&pgproto3.Query{String: "BASE_BACKUP"})
	require.NoError(t, w.front.Flush())
	count := "select count(*) from pg_stat_progress_basebackup"
	require.Eventually(t, func() bool { return s.value(count) == "1" }, patience, time.Millisecond)
	require.Eventually(t, func() bool { return s.value(count) == "0" }, patience, time.Millisecond)
	var err error
	for err == nil {
		_, err = w.front.Receive()
	}
}
