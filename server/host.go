package server

import (
	"context"
	"net"

	"ackdb/pgwire"
	"ackdb/server/sql/builtin"
	"ackdb/server/sql/types"
)

// host is a session as functions see it: builtin.Host.
type host session

func (h *host) session() *session { return (*session)(h) }

// Identity implements builtin.Host.
func (h *host) Identity() builtin.Identity {
	id := builtin.Identity{
		User: h.user, SessionUser: h.user, Database: databaseName,
		Version: "PostgreSQL " + serverVersion + " on " + platform + ", 64-bit",
		PID:     h.conn.PID(), ServerStart: h.server.started,
		ConfigLoad: *h.server.configLoaded.Load(),
	}
	if a, ok := h.conn.RemoteAddr().(*net.TCPAddr); ok {
		id.ClientAddr, id.ClientPort = a.IP.String(), a.Port
	}
	if a, ok := h.server.listener.Addr().(*net.TCPAddr); ok {
		id.ServerAddr, id.ServerPort = a.IP.String(), a.Port
	}
	return id
}

// Setting implements builtin.Host.
func (h *host) Setting(name string) (string, bool) { return h.session().lookupSetting(name) }

// SetSetting implements builtin.Host.
func (h *host) SetSetting(name, text string, local bool) (string, error) {
	at := scopeSession
	if local {
		at = scopeLocal
	}
	s := h.session()
	if err := s.setSetting(name, text, at); err != nil {
		return "", err
	}
	shown, _ := s.lookupSetting(name)
	return shown, nil
}

// SearchPath implements builtin.Host.
func (h *host) SearchPath() []string {
	s := h.session()
	s.refreshText()
	return s.text.path[s.text.implicit:]
}

// TempSchema implements builtin.Host.
func (h *host) TempSchema() string { return h.temp.name }

// Positions implements builtin.Host.
func (h *host) Positions() (builtin.LogPositions, error) {
	log := h.server.db.Log()
	stats := h.server.db.Stats()
	control := log.Control()
	replay := h.server.db.Replay()
	received, _ := h.server.receiverStatus()
	return builtin.LogPositions{
		Insert: uint64(log.Inserted()), Write: uint64(log.Written()), Flush: uint64(log.Flushed()),
		InRecovery: h.server.inRecovery(), Receive: uint64(received.Flushed),
		Replay: uint64(replay.Applied), LastReplay: replay.LastCommit, ReplayPaused: replay.Paused,
		Timeline: log.Timeline(), SegmentSize: uint64(log.SegmentSize()),
		SystemID: control.SystemID, CheckpointLSN: uint64(stats.DurableApplied),
		RedoLSN: uint64(stats.DurableRedo),
	}, nil
}

// SwitchSegment implements builtin.Host.
func (h *host) SwitchSegment() (uint64, error) {
	lsn, err := h.server.db.SwitchSegment(context.Background())
	return uint64(lsn), err
}

// Signal implements builtin.Host. A session may signal itself: it then fails as if from outside.
func (h *host) Signal(pid int32, terminate bool) (bool, error) {
	conn := h.server.endpoint.Find(pid)
	if conn == nil {
		h.session().notice(warning(pgwire.CodeWarning,
			"PID %d is not a PostgreSQL backend process", pid))
		return false, nil
	}
	if terminate {
		conn.Terminate(errShuttingDown)
	} else {
		conn.Cancel(0, pgwire.Errorf(pgwire.CodeQueryCanceled,
			"canceling statement due to user request"))
	}
	return true, nil
}

// TxnID implements builtin.Host. Transactions have no numbers here until they commit; what clients
// want is one that grows, and that differs between transactions.
func (h *host) TxnID(assign bool) (uint64, bool) {
	t := &h.session().txn
	if t.number == 0 && assign {
		t.number = h.server.txnNumbers.Add(1)
	}
	return t.number, t.number != 0
}

// Catalog implements builtin.Host.
func (h *host) Catalog() builtin.Catalog { return (*hostCatalog)(h) }

// Reload implements builtin.Host.
func (h *host) Reload() error { return h.server.reload() }

// Sequence implements builtin.Host. Plans call the executor for sequences and never come here.
func (h *host) Sequence(context.Context, builtin.SequenceOp) (int64, error) {
	return 0, types.Errorf(types.CodeFeatureNotSupported,
		"a sequence function is not supported here")
}

// CheckIndex implements builtin.IndexChecker.
func (h *host) CheckIndex(ctx context.Context, relation types.OID) (int64, error) {
	return h.server.executor.CheckIndex(ctx, h.session().txn.tx, uint32(relation))
}
