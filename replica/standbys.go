package replica

import (
	"time"

	"ackdb/wal"
)

// StandbyStatus is one row of pg_stat_replication.
type StandbyStatus struct {
	Peer     Peer
	State    SenderState
	Timeline uint32 // 0 of a backup
	Slot     string // "": none

	// Sent is how far the peer has been sent, the others how far it says it is; 0: it has not said.
	Sent, Write, Flush, Replay wal.LSN

	// The lags are how long ago what the peer last confirmed had been flushed here; nil: not known,
	// or all is confirmed and nothing happens.
	WriteLag, FlushLag, ReplayLag *time.Duration

	SyncPriority int
	SyncState    SyncState
	ReplyTime    time.Time // by the peer's clock; zero: it has not reported
}

// Standbys is everyone connected, in the order they connected.
func (h *Hub) Standbys() []StandbyStatus {
	// A standby's own standbys confirm nothing to anybody.
	standby := h.opts.Log.Control().Role == wal.RoleStandby
	h.mu.Lock()
	defer h.mu.Unlock()
	rows := make([]StandbyStatus, 0, len(h.senders)+len(h.backups))
	for _, s := range h.senders {
		row := s.status()
		if row.SyncState = SyncAsync; !standby {
			row.SyncPriority, row.SyncState = h.quorum.standing(s.member)
		}
		rows = append(rows, row)
	}
	for _, b := range h.backups {
		rows = append(rows, StandbyStatus{
			Peer: b.peer, State: StateBackup, SyncState: SyncAsync,
		})
	}
	return rows
}

func (s *sender) status() StandbyStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	row := StandbyStatus{
		Peer: s.peer, State: s.state, Timeline: s.timeline, Sent: s.sent,
		Write: s.report.last.Write, Flush: s.report.last.Flush, Replay: s.report.last.Apply,
	}
	if s.slot != nil {
		row.Slot = s.slot.slot.name
	}
	if s.report.any {
		row.ReplyTime = s.report.last.Time
	}
	for r, lag := range []**time.Duration{&row.WriteLag, &row.FlushLag, &row.ReplayLag} {
		if d, ok := s.report.lags.lag(rung(r)); ok {
			*lag = &d
		}
	}
	return row
}
