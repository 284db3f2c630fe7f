package server

import (
	"errors"
	"fmt"
	"time"

	"ackdb/engine"
	"ackdb/pgwire"
	"ackdb/replica"
	"ackdb/wal"
)

// wireEvents writes connections to the log. Probes of load balancers, cancel requests and whatever
// else knocks without wanting a session are for debugging only.
func (srv *Server) wireEvents() pgwire.Events {
	return pgwire.Events{
		Accepted: func(pid int32, remote string) {
			srv.log.Debug("connection accepted", "pid", pid, "remote", remote)
		},
		Closed: func(pid int32, remote string, err error) {
			srv.log.Debug("connection closed", "pid", pid, "remote", remote, "err", err)
		},
		Refused: func(remote string, err error) {
			if errors.Is(err, pgwire.ErrProbe) || errors.Is(err, pgwire.ErrCancelRequest) ||
				errors.Is(err, pgwire.ErrGarbage) {
				srv.log.Debug("no session", "remote", remote, "err", err)
				return
			}
			srv.log.Info("connection refused", "remote", remote, "err", err)
		},
	}
}

func (srv *Server) engineEvents() engine.Events {
	return engine.Events{
		RecoveryProgress: func(p engine.RecoveryProgress) {
			srv.log.Info("recovering", "applied", p.Applied, "end", p.End,
				"elapsed", p.Elapsed.Round(time.Millisecond))
		},
		Checkpointed: func(c engine.CheckpointInfo) {
			srv.log.Debug("store durable", "applied", c.Applied, "redo", c.Redo)
		},
		StoreError: func(err error) { srv.log.Error("store", "err", err) },
		WriteStall: func(reason string) {
			if reason != "" {
				srv.log.Warn("store holds back writes", "reason", reason)
			}
		},
	}
}

// logStatementError logs what is not the client's fault as an error, the rest for debugging.
func (srv *Server) logStatementError(s *session, err *pgwire.Error) {
	if err.Code == pgwire.CodeDeadlockDetected {
		srv.metrics.deadlocks.Add(1)
	}
	switch class(err.Code) {
	case "53", "58", "XX":
		srv.log.Error("statement failed", "pid", s.conn.PID(), "code", err.Code,
			"message", err.Message, "err", err.Cause)
	default:
		srv.log.Debug("statement failed", "pid", s.conn.PID(), "code", err.Code,
			"message", err.Message)
	}
}

// class is the first two characters of a SQLSTATE.
func class(code string) string { return code[:min(2, len(code))] }

// logSlow measures a statement for log_min_duration_statement and log_statement; call what it
// returns when the statement has ended.
func (s *session) logSlow(sql string) func() {
	if s.settings.number(idLogStatement) != 0 {
		s.server.log.Info("statement", "pid", s.conn.PID(), "sql", sql)
	}
	limit := s.settings.number(idLogMinDuration)
	if limit < 0 {
		return nothing
	}
	began := time.Now()
	return func() {
		if took := time.Since(began); took >= milliseconds(limit) {
			s.server.log.Info("duration", "pid", s.conn.PID(), "took", took, "sql", sql)
		}
	}
}

func nothing() {}

// isConnectionError tells what must reach pgwire as it is.
func isConnectionError(err error) bool { return errors.Is(err, pgwire.ErrClientGone) }

func (srv *Server) walEvents() wal.Events {
	return wal.Events{
		SegmentFailed: func(err error) { srv.log.Error("cannot prepare a log segment", "err", err) },
		ControlFailed: func(err error) { srv.log.Error("cannot rewrite control", "err", err) },
		Recovering: func(lsn wal.LSN) {
			srv.log.Info("verifying the log", "at", lsn)
		},
	}
}

func (srv *Server) hubEvents() replica.HubEvents {
	return replica.HubEvents{
		Started: func(peer replica.Peer, timeline uint32, from wal.LSN) {
			srv.log.Info("standby is streaming", "application_name", peer.App, "addr", peer.Addr,
				"timeline", timeline, "from", from)
		},
		Ended: func(peer replica.Peer, err error) {
			srv.log.Info("standby has left", "application_name", peer.App, "addr", peer.Addr,
				"err", err)
		},
		Diverged: func(asked replica.Handshake, said replica.HandshakeReply) {
			srv.log.Error("a replica's log has parted from this node's",
				"code", pgwire.CodeObjectNotInPrerequisiteState,
				"node", fmt.Sprintf("%016x", asked.Node), "ends", asked.Position,
				"fork", said.Fork, "reason", said.Message)
		},
	}
}

func (srv *Server) slotEvents() replica.SlotEvents {
	return replica.SlotEvents{
		NearLimit: func(slot replica.SlotInfo, held, limit int64) {
			srv.log.Warn("a slot will be lost soon: it holds back almost max_slot_wal_keep_size",
				"slot", slot.Name, "held", held, "limit", limit)
		},
		Lost: func(slot replica.SlotInfo, held, limit int64) {
			srv.log.Error("slot lost: it held back more than max_slot_wal_keep_size",
				"slot", slot.Name, "held", held, "limit", limit)
		},
		SaveFailed: func(err error) { srv.log.Error("cannot write the slots", "err", err) },
	}
}
