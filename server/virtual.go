package server

import (
	"context"
	"net"
	"strconv"
	"time"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/pgcatalog"
	"ackdb/server/sql/types"
)

// Oids of the views, those of PostgreSQL 15 where they matter to nobody: above all fixed, and below
// the oids of users' objects.
const (
	oidPgSettings = 12100 + iota
	oidPgStatActivity
	oidPgLocks
	oidPgStatWAL
	oidPgStatDatabase
	oidPgPreparedStatements
	oidPgPreparedXacts
	oidPgFileSettings
	oidAckEpochs
	oidAckLossWindow
	oidAckFlusher
	oidPgStatProgressCreateIndex
	oidPgCursors
)

// virtualTables are the views of what this floor knows.
func (srv *Server) virtualTables() []*catalog.VirtualTable {
	view := func(
		oid uint32, name string, columns []catalog.Column, rows viewRows,
	) *catalog.VirtualTable {
		return &catalog.VirtualTable{Schema: catalog.PgCatalog, Name: name, OID: oid,
			Columns: columns,
			Rows: func(
				ctx context.Context, env *catalog.VirtualEnv, yield func([]types.Datum) error,
			) error {
				s, _ := env.Host.(*session)
				return rows(&viewEnv{ctx: ctx, session: s, snapshot: env.Snapshot}, yield)
			}}
	}
	return append(pgcatalog.Tables(site), []*catalog.VirtualTable{
		view(oidPgSettings, "pg_settings", settingsColumns, srv.settingsRows),
		view(oidPgStatActivity, "pg_stat_activity", activityColumns, srv.activityRows),
		view(oidPgLocks, "pg_locks", locksColumns, srv.lockRows),
		view(oidPgStatWAL, "pg_stat_wal", walColumns, srv.walRows),
		view(oidPgStatDatabase, "pg_stat_database", databaseColumns, srv.databaseRows),
		view(oidPgPreparedStatements, "pg_prepared_statements", preparedColumns, preparedRows),
		view(oidPgCursors, "pg_cursors", cursorColumns, cursorRows),
		view(oidPgPreparedXacts, "pg_prepared_xacts", preparedXactsColumns, noRows),
		view(oidPgFileSettings, "pg_file_settings", fileSettingsColumns, srv.fileSettingsRows),
		view(oidAckEpochs, "ack_epochs", epochColumns, srv.epochRows),
		view(oidAckLossWindow, "ack_loss_window", lossColumns, srv.lossRows),
		view(oidAckFlusher, "ack_flusher", flusherColumns, srv.flusherRows),
		view(oidPgStatProgressCreateIndex, "pg_stat_progress_create_index", indexBuildColumns,
			srv.indexBuildRows),
	}...)
}

// viewEnv is what a view may look at; session is nil when nobody asks (a plan being made).
type viewEnv struct {
	ctx      context.Context
	session  *session
	snapshot *catalog.Snapshot
}

type viewRows func(env *viewEnv, yield func([]types.Datum) error) error

func noRows(*viewEnv, func([]types.Datum) error) error { return nil }

// columnsOf makes columns of pairs of name and type.
func columnsOf(pairs ...any) []catalog.Column {
	columns := make([]catalog.Column, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		columns = append(columns, catalog.Column{
			Name: pairs[i].(string), Type: types.Of(pairs[i+1].(types.OID))})
	}
	return columns
}

// orNull is a text, or NULL for an empty one.
func orNull(text string) types.Datum {
	if text == "" {
		return types.Null
	}
	return types.NewText(text)
}

func timeOrNull(t time.Time) types.Datum {
	if t.IsZero() {
		return types.Null
	}
	return types.NewTimestampTZ(t)
}

var settingsColumns = columnsOf("name", types.Text, "setting", types.Text, "unit", types.Text,
	"category", types.Text, "short_desc", types.Text, "extra_desc", types.Text,
	"context", types.Text, "vartype", types.Text, "source", types.Text, "min_val", types.Text,
	"max_val", types.Text, "enumvals", types.TextArray, "boot_val", types.Text,
	"reset_val", types.Text, "sourcefile", types.Text, "sourceline", types.Int4,
	"pending_restart", types.Bool)

func (srv *Server) settingsRows(env *viewEnv, yield func([]types.Datum) error) error {
	s := env.session
	for i := range settings {
		def := &settings[i]
		v := s.settings.get(def.id)
		text := v.text
		if def.live != nil {
			text = def.live(s)
		}
		row := []types.Datum{types.NewText(def.name), types.NewText(text), orNull(def.unit.String()),
			types.NewText(def.category), types.NewText(def.short), types.Null,
			types.NewText(def.context.String()), types.NewText(def.kind.String()),
			types.NewText(v.source), limitText(def, def.min), limitText(def, def.max),
			enumArray(def), types.NewText(def.boot),
			types.NewText(s.settings.resetValue(def.id).text), types.Null, types.Null,
			types.NewBool(false)}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

func limitText(def *setting, limit float64) types.Datum {
	if def.kind != kindInteger && def.kind != kindReal {
		return types.Null
	}
	return types.NewText(strconv.FormatFloat(limit, 'f', -1, 64))
}

func enumArray(def *setting) types.Datum {
	if def.kind != kindEnum {
		return types.Null
	}
	return types.NewTextArray(def.enum...)
}

var fileSettingsColumns = columnsOf("sourcefile", types.Text, "sourceline", types.Int4,
	"seqno", types.Int4, "name", types.Text, "setting", types.Text, "applied", types.Bool,
	"error", types.Text)

func (srv *Server) fileSettingsRows(_ *viewEnv, yield func([]types.Datum) error) error {
	lines, err := configLines(srv.opts.Dir)
	if err != nil {
		return yield([]types.Datum{types.Null, types.Null, types.NewInt4(1), types.Null, types.Null,
			types.NewBool(false), types.NewText(err.Error())})
	}
	for i, l := range lines {
		problem := types.Null
		if def, err := findSetting(l.name); err != nil && !isCustomName(l.name) {
			problem = types.NewText(err.Error())
		} else if def != nil {
			if _, bad := def.parse(l.text); bad != nil {
				problem = types.NewText(bad.Message)
			}
		}
		row := []types.Datum{types.NewText(l.file), types.NewInt4(int32(l.line)),
			types.NewInt4(int32(i + 1)), types.NewText(l.name), types.NewText(l.text),
			types.NewBool(problem.IsNull()), problem}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

var activityColumns = columnsOf("datid", types.Oid, "datname", types.Name, "pid", types.Int4,
	"leader_pid", types.Int4, "usesysid", types.Oid, "usename", types.Name,
	"application_name", types.Text, "client_addr", types.Inet, "client_hostname", types.Text,
	"client_port", types.Int4, "backend_start", types.TimestampTZ,
	"xact_start", types.TimestampTZ, "query_start", types.TimestampTZ,
	"state_change", types.TimestampTZ, "wait_event_type", types.Text, "wait_event", types.Text,
	"state", types.Text, "backend_xid", types.Xid, "backend_xmin", types.Xid,
	"query_id", types.Int8, "query", types.Text, "backend_type", types.Text)

func (srv *Server) activityRows(_ *viewEnv, yield func([]types.Datum) error) error {
	waiting := make(map[uint64]bool)
	for _, l := range srv.db.Locks() {
		if !l.Granted {
			waiting[l.Session] = true
		}
	}
	var failed error
	srv.eachSession(func(s *session) {
		if failed == nil {
			failed = yield(s.activityRow(waiting[s.commonID]))
		}
	})
	return failed
}

func (s *session) activityRow(waits bool) []types.Datum {
	s.mu.Lock()
	a := s.activity
	s.mu.Unlock()
	eventType, event := types.Null, types.Null
	switch {
	case waits:
		eventType, event = types.NewText("Lock"), types.NewText("tuple")
	case a.waitEvent != "":
		eventType, event = types.NewText(a.waitType), types.NewText(a.waitEvent)
	case a.state != "active":
		eventType, event = types.NewText("Client"), types.NewText("ClientRead")
	}
	addr, port := types.Null, types.Null
	if tcp, ok := s.conn.RemoteAddr().(*net.TCPAddr); ok {
		d, err := types.ParseText(types.Of(types.Inet), tcp.IP.String(), nil)
		if err == nil {
			addr = d
		}
		port = types.NewInt4(int32(tcp.Port))
	}
	datid, datname, kind := s.placeInActivity()
	return []types.Datum{datid, datname,
		types.NewInt4(s.conn.PID()), types.Null, types.NewOID(superuserOID),
		types.NewString(types.Name, s.user), types.NewText(a.app), addr, types.Null, port,
		timeOrNull(s.started), timeOrNull(a.txnStart), timeOrNull(a.queryStart),
		timeOrNull(a.stateChange), eventType, event, types.NewText(a.state), types.Null, types.Null,
		types.Null, types.NewText(a.query), kind}
}

var preparedColumns = columnsOf("name", types.Text, "statement", types.Text,
	"prepare_time", types.TimestampTZ, "parameter_types", types.RegTypeArray,
	"from_sql", types.Bool, "generic_plans", types.Int8, "custom_plans", types.Int8)

func preparedRows(env *viewEnv, yield func([]types.Datum) error) error {
	if env.session == nil {
		return nil
	}
	for _, p := range env.session.preparedList() {
		oids := make([]types.Datum, len(p.stmt.oids))
		for i, oid := range p.stmt.oids {
			oids[i] = types.NewInt(types.RegType, int64(oid))
		}
		row := []types.Datum{types.NewText(p.name), types.NewText(p.stmt.sql),
			types.NewTimestampTZ(p.stmt.made), types.NewArray(types.RegType, oids),
			types.NewBool(p.stmt.bySQL), types.NewInt8(0), types.NewInt8(0)}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

var preparedXactsColumns = columnsOf("transaction", types.Xid, "gid", types.Text,
	"prepared", types.TimestampTZ, "owner", types.Name, "database", types.Name)
