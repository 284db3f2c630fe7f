package server

import (
	"context"
	"os"
	"time"

	"ackdb/pgwire"
	"ackdb/replica"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
	"ackdb/wal"
)

// Oids of the views of replication, apart from those in virtual.go, which may grow.
const (
	oidPgStatReplication = 12150 + iota
	oidPgStatWALReceiver
	oidPgReplicationSlots
	oidPgStatProgressBasebackup
)

// replicationTables are the views of senders, receiver and slots, with PostgreSQL 15's columns.
func (srv *Server) replicationTables() []*catalog.VirtualTable {
	return []*catalog.VirtualTable{
		viewOf(oidPgStatReplication, "pg_stat_replication", standbyColumns, srv.standbyRows),
		viewOf(oidPgStatWALReceiver, "pg_stat_wal_receiver", receiverColumns, srv.receiverRows),
		viewOf(oidPgReplicationSlots, "pg_replication_slots", slotColumns, srv.slotRows),
		viewOf(oidPgStatProgressBasebackup, "pg_stat_progress_basebackup", backupColumns,
			srv.backupRows),
	}
}

var standbyColumns = columnsOf("pid", types.Int4, "usesysid", types.Oid, "usename", types.Name,
	"application_name", types.Text, "client_addr", types.Inet, "client_hostname", types.Text,
	"client_port", types.Int4, "backend_start", types.TimestampTZ, "backend_xmin", types.Xid,
	"state", types.Text, "sent_lsn", types.PgLSN, "write_lsn", types.PgLSN,
	"flush_lsn", types.PgLSN, "replay_lsn", types.PgLSN, "write_lag", types.Interval,
	"flush_lag", types.Interval, "replay_lag", types.Interval, "sync_priority", types.Int4,
	"sync_state", types.Text, "reply_time", types.TimestampTZ)

func (srv *Server) standbyRows(_ *viewEnv, yield func([]types.Datum) error) error {
	for _, s := range srv.hub.Standbys() {
		row := []types.Datum{types.NewInt4(s.Peer.Conn), types.NewOID(superuserOID),
			types.NewString(types.Name, s.Peer.User), types.NewText(s.Peer.App),
			addrOrNull(s.Peer.Host), types.Null, types.NewInt4(int32(s.Peer.Port)),
			types.NewTimestampTZ(s.Peer.Since), types.Null, types.NewText(string(s.State)),
			lsnOrNull(s.Sent), lsnOrNull(s.Write), lsnOrNull(s.Flush), lsnOrNull(s.Replay),
			lagOrNull(s.WriteLag), lagOrNull(s.FlushLag), lagOrNull(s.ReplayLag),
			types.NewInt4(int32(s.SyncPriority)), types.NewText(string(s.SyncState)),
			timeOrNull(s.ReplyTime)}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

var receiverColumns = columnsOf("pid", types.Int4, "status", types.Text,
	"receive_start_lsn", types.PgLSN, "receive_start_tli", types.Int4, "written_lsn", types.PgLSN,
	"flushed_lsn", types.PgLSN, "received_tli", types.Int4,
	"last_msg_send_time", types.TimestampTZ, "last_msg_receipt_time", types.TimestampTZ,
	"latest_end_lsn", types.PgLSN, "latest_end_time", types.TimestampTZ, "slot_name", types.Text,
	"sender_host", types.Text, "sender_port", types.Int4, "conninfo", types.Text)

// receiverRows: no row while nothing is received, as in Postgres. The process is the server's own:
// monitors look for one.
func (srv *Server) receiverRows(_ *viewEnv, yield func([]types.Datum) error) error {
	s, ok := srv.receiverStatus()
	if !ok {
		return nil
	}
	return yield([]types.Datum{types.NewInt4(int32(os.Getpid())), types.NewText(string(s.State)),
		lsnOrNull(s.ReceiveStart), timelineOrNull(s.ReceiveStartTLI), lsnOrNull(s.Written),
		lsnOrNull(s.Flushed), timelineOrNull(s.ReceivedTLI), timeOrNull(s.LastMsgSend),
		timeOrNull(s.LastMsgReceipt), lsnOrNull(s.LatestEnd), timeOrNull(s.LatestEndTime),
		orNull(s.Slot), orNull(s.Host), types.NewInt4(int32(s.Port)), types.NewText(s.ConnInfo)})
}

var slotColumns = columnsOf("slot_name", types.Name, "plugin", types.Name,
	"slot_type", types.Text, "datoid", types.Oid, "database", types.Name, "temporary", types.Bool,
	"active", types.Bool, "active_pid", types.Int4, "xmin", types.Xid, "catalog_xmin", types.Xid,
	"restart_lsn", types.PgLSN, "confirmed_flush_lsn", types.PgLSN, "wal_status", types.Text,
	"safe_wal_size", types.Int8, "two_phase", types.Bool)

func (srv *Server) slotRows(_ *viewEnv, yield func([]types.Datum) error) error {
	for _, s := range srv.hub.ListSlots() {
		pid, safe := types.Null, types.Null
		if s.Active != 0 {
			pid = types.NewInt4(s.Active)
		}
		if s.Limited && s.Status != replica.SlotLost {
			safe = types.NewInt8(s.SafeWALSize)
		}
		row := []types.Datum{types.NewString(types.Name, s.Name), types.Null,
			types.NewText("physical"), types.Null, types.Null, types.NewBool(s.Temporary),
			types.NewBool(s.Active != 0), pid, types.Null, types.Null, lsnOrNull(s.Restart),
			types.Null, orNull(string(s.Status)), safe, types.NewBool(false)}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

var backupColumns = columnsOf("pid", types.Int4, "phase", types.Text, "backup_total", types.Int8,
	"backup_streamed", types.Int8, "tablespaces_total", types.Int8,
	"tablespaces_streamed", types.Int8)

func (srv *Server) backupRows(_ *viewEnv, yield func([]types.Datum) error) error {
	for _, b := range srv.hub.Backups() {
		row := []types.Datum{types.NewInt4(b.Peer.Conn), types.NewText(b.Phase),
			types.NewInt8(b.Total), types.NewInt8(b.Done), types.NewInt8(1), types.NewInt8(0)}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

// viewOf makes a view of what this floor knows.
func viewOf(
	oid uint32, name string, columns []catalog.Column, rows viewRows,
) *catalog.VirtualTable {
	return &catalog.VirtualTable{Schema: catalog.PgCatalog, Name: name, OID: oid, Columns: columns,
		Rows: func(
			ctx context.Context, env *catalog.VirtualEnv, yield func([]types.Datum) error,
		) error {
			s, _ := env.Host.(*session)
			return rows(&viewEnv{ctx: ctx, session: s, snapshot: env.Snapshot}, yield)
		}}
}

func lsnOrNull(lsn wal.LSN) types.Datum {
	if lsn == 0 {
		return types.Null
	}
	return types.NewInt(types.PgLSN, int64(lsn))
}

func timelineOrNull(timeline uint32) types.Datum {
	if timeline == 0 {
		return types.Null
	}
	return types.NewInt4(int32(timeline))
}

func lagOrNull(lag *time.Duration) types.Datum {
	if lag == nil {
		return types.Null
	}
	return types.NewSpan(types.Span{Micros: lag.Microseconds()})
}

// placeInActivity is where pg_stat_activity places a session. One that asked for the log alone is
// in no database.
func (s *session) placeInActivity() (datid, datname, kind types.Datum) {
	datid, datname = types.NewOID(databaseOID), types.NewString(types.Name, databaseName)
	switch s.conn.Replication() {
	case pgwire.PhysicalReplication:
		return types.Null, types.Null, types.NewText("walsender")
	case pgwire.DatabaseReplication:
		return datid, datname, types.NewText("walsender")
	}
	return datid, datname, types.NewText("client backend")
}

func addrOrNull(host string) types.Datum {
	addr, err := types.ParseText(types.Of(types.Inet), host, nil)
	if err != nil {
		return types.Null
	}
	return addr
}
