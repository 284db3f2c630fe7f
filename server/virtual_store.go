package server

import (
	"sort"

	"ackdb/pgwire"
	"ackdb/server/sql/types"
)

// Views of what the floors below count.

var locksColumns = columnsOf("locktype", types.Text, "database", types.Oid, "relation", types.Oid,
	"page", types.Int4, "tuple", types.Int2, "virtualxid", types.Text, "transactionid", types.Xid,
	"classid", types.Oid, "objid", types.Oid, "objsubid", types.Int2,
	"virtualtransaction", types.Text, "pid", types.Int4, "mode", types.Text, "granted", types.Bool,
	"fastpath", types.Bool, "waitstart", types.TimestampTZ)

// lockRows shows a table by its oid: locks are taken on storage, which is another number once a
// table was re-keyed.
func (srv *Server) lockRows(env *viewEnv, yield func([]types.Datum) error) error {
	relations := make(map[uint32]uint32)
	for _, t := range env.snapshot.Tables() {
		relations[uint32(t.Storage)] = t.OID
	}
	for _, l := range srv.db.Locks() {
		relation, ok := relations[uint32(l.Table)]
		if !ok {
			relation = uint32(l.Table)
		}
		kind := "relation"
		if l.Row {
			kind = "tuple"
		}
		object := [4]types.Datum{types.NewOID(types.OID(relation))} // and classid, objid, objsubid
		if l.Advisory {
			kind, object = "advisory", advisoryObject(l.AdvisoryKey)
		}
		row := []types.Datum{types.NewText(kind), types.NewOID(databaseOID), object[0],
			types.Null, types.Null, types.Null, types.Null, object[1], object[2], object[3],
			types.Null, types.NewInt4(int32(l.Session)),
			types.NewText(l.Mode), types.NewBool(l.Granted), types.NewBool(l.Fast),
			timeOrNull(l.Since)}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

var walColumns = columnsOf("wal_records", types.Int8, "wal_fpi", types.Int8,
	"wal_bytes", types.Numeric, "wal_buffers_full", types.Int8, "wal_write", types.Int8,
	"wal_sync", types.Int8, "wal_write_time", types.Float8, "wal_sync_time", types.Float8,
	"stats_reset", types.TimestampTZ)

func (srv *Server) walRows(_ *viewEnv, yield func([]types.Datum) error) error {
	log := srv.db.Stats().Log
	return yield([]types.Datum{types.NewInt8(int64(log.Records)), types.NewInt8(0),
		types.NumericFromInt(int64(log.Bytes)), types.NewInt8(0), types.NewInt8(int64(log.Groups)),
		types.NewInt8(int64(log.Flushes)), types.NewFloat8(0),
		types.NewFloat8(float64(log.FlushMicros.Sum) / 1e3), types.NewTimestampTZ(srv.started)})
}

var databaseColumns = columnsOf("datid", types.Oid, "datname", types.Name,
	"numbackends", types.Int4, "xact_commit", types.Int8, "xact_rollback", types.Int8,
	"blks_read", types.Int8, "blks_hit", types.Int8, "deadlocks", types.Int8,
	"sessions", types.Int8, "stats_reset", types.TimestampTZ)

// databaseRows leaves the store's figures out: reading them waits for its lock, which a stalled
// disk may hold for as long as it stalls.
func (srv *Server) databaseRows(_ *viewEnv, yield func([]types.Datum) error) error {
	m := srv.metrics
	return yield([]types.Datum{types.NewOID(databaseOID), types.NewString(types.Name, databaseName),
		types.NewInt4(int32(srv.endpoint.Connections())), types.NewInt8(m.commits.Load()),
		types.NewInt8(m.rollbacks.Load()), types.NewInt8(0), types.NewInt8(0),
		types.NewInt8(m.deadlocks.Load()), types.NewInt8(m.sessions.Load()),
		types.NewTimestampTZ(srv.started)})
}

// namedStatement is a row of pg_prepared_statements.
type namedStatement struct {
	name string
	stmt *statement
}

func (s *session) preparedList() (list []namedStatement) {
	s.conn.EachPrepared(func(name string, stmt pgwire.Statement) {
		list = append(list, namedStatement{name: name, stmt: stmt.(*statement)})
	})
	sort.Slice(list, func(i, j int) bool { return list[i].name < list[j].name })
	return list
}
