package server

import (
	"time"

	"ackdb/server/sql/exec"
	"ackdb/server/sql/types"
)

var indexBuildColumns = columnsOf("pid", types.Int4, "datid", types.Oid, "datname", types.Name,
	"relid", types.Oid, "index_relid", types.Oid, "command", types.Text, "phase", types.Text,
	"lockers_total", types.Int8, "lockers_done", types.Int8, "current_locker_pid", types.Int8,
	"blocks_total", types.Int8, "blocks_done", types.Int8, "tuples_total", types.Int8,
	"tuples_done", types.Int8, "partitions_total", types.Int8, "partitions_done", types.Int8)

// indexBuildRows shows the indexes that are being made. How many rows are still to come nobody
// knows: there are no statistics.
func (srv *Server) indexBuildRows(_ *viewEnv, yield func([]types.Datum) error) error {
	none := types.NewInt8(0)
	for _, b := range srv.executor.IndexBuilds() {
		err := yield([]types.Datum{types.NewInt4(b.PID), types.NewOID(databaseOID),
			types.NewString(types.Name, databaseName), types.NewOID(types.OID(b.TableOID)),
			types.NewOID(types.OID(b.IndexOID)), types.NewText("CREATE INDEX"),
			types.NewText("building index: scanning table"), none, none, none, none, none, none,
			types.NewInt8(b.Rows), none, none})
		if err != nil {
			return err
		}
	}
	return nil
}

// logIndexBuild tells the log once a second how far the making of an index has come.
func (srv *Server) logIndexBuild(b exec.IndexBuild) {
	srv.log.Info("building an index", "index", b.Index, "table", b.Table, "pid", b.PID,
		"rows", b.Rows, "for", time.Since(b.Started).Round(time.Second))
}
