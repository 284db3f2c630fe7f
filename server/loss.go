package server

import (
	"fmt"
	"time"

	"ackdb/server/sql/types"
)

// The gauge: what a power cut now would take, and what the disk below is like. Reading it takes no
// lock that a stalled disk could hold.

// lossScopeLocal is this node's disk, lossScopeReplica begins the scope of a replica.
const (
	lossScopeLocal   = "local"
	lossScopeReplica = "replica "
)

// showLossWindow is SHOW ack.loss_window.
func (s *session) showLossWindow() string {
	w := s.server.db.LossWindow()
	return fmt.Sprintf("%.3f ms, %d bytes, %d commits", inMilliseconds(w.Age), w.Bytes, w.Commits)
}

func inMilliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1e3
}

var lossColumns = columnsOf("scope", types.Text, "commits", types.Int8, "bytes", types.Int8,
	"age_ms", types.Float8, "oldest_lsn", types.PgLSN, "since_start_max_ms", types.Float8)

func (srv *Server) lossRows(_ *viewEnv, yield func([]types.Datum) error) error {
	w := srv.db.LossWindow()
	oldest := types.Null
	if w.Commits > 0 {
		oldest = types.NewInt(types.PgLSN, int64(w.Oldest))
	}
	err := yield([]types.Datum{types.NewText(lossScopeLocal), types.NewInt8(w.Commits),
		types.NewInt8(w.Bytes), types.NewFloat8(inMilliseconds(w.Age)), oldest,
		types.NewFloat8(inMilliseconds(w.MaxAge))})
	if err != nil {
		return err
	}
	return srv.replicaLossRows(yield)
}

// replicaLossRows shows, for each replica, what its promotion now would take: the log it has not
// flushed. How many commits that is, only the log could tell; the age is of the oldest byte it
// lacks, as measured by its answers.
func (srv *Server) replicaLossRows(yield func([]types.Datum) error) error {
	end := srv.db.Applied()
	for _, s := range srv.hub.Standbys() {
		if s.Flush == 0 {
			continue // it has not reported: a backup, an archiver that just began
		}
		behind, oldest, age := types.NewInt8(0), types.Null, types.NewFloat8(0)
		if s.Flush < end {
			behind = types.NewInt8(int64(end - s.Flush))
			oldest = types.NewInt(types.PgLSN, int64(s.Flush))
			age = types.Null
			if s.FlushLag != nil {
				age = types.NewFloat8(inMilliseconds(*s.FlushLag))
			}
		}
		row := []types.Datum{types.NewText(lossScopeReplica + s.Peer.App), types.Null, behind, age,
			oldest, types.Null}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

var flusherColumns = columnsOf("backend", types.Text, "reason", types.Text, "flushes", types.Int8,
	"fsync_p50_us", types.Int8, "fsync_p99_us", types.Int8, "fsync_max_us", types.Int8,
	"fsync_floor_us", types.Int8, "group_p50", types.Int8, "group_p99", types.Int8,
	"flush_p50_bytes", types.Int8, "flush_p99_bytes", types.Int8)

// flusherRows shows one row. Groups are counted in records, which commits mostly are one of; their
// sizes and those of flushes are right within a factor of two.
func (srv *Server) flusherRows(_ *viewEnv, yield func([]types.Datum) error) error {
	log := srv.db.Log().Stats()
	micros := func(d time.Duration) types.Datum { return types.NewInt8(d.Microseconds()) }
	return yield([]types.Datum{types.NewText(log.SyncMethod), types.NewText(log.SyncReason),
		types.NewInt8(int64(log.Flushes)), micros(log.Sync.P50), micros(log.Sync.P99),
		micros(log.Sync.Max), micros(log.Sync.Floor),
		types.NewInt8(int64(log.GroupSize.Quantile(0.5))),
		types.NewInt8(int64(log.GroupSize.Quantile(0.99))),
		types.NewInt8(int64(log.FlushedBytes.Quantile(0.5))),
		types.NewInt8(int64(log.FlushedBytes.Quantile(0.99)))})
}
