package server

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"ackdb/engine"
	"ackdb/replica"
	"ackdb/wal"
)

// Every node has a hub and slots: a standby hands its primary's log on, no further than it has
// flushed it itself, and once promoted goes on for its own replicas.

// role is what this node is to others.
type role struct {
	standby atomic.Bool

	// promoted ends when a standby has become a primary.
	promoted     context.Context
	markPromoted context.CancelFunc

	promotion promotion
	upstream  upstream
	quorum    lateQuorum

	// Set once by recover, before there are sessions.
	hub   *replica.Hub
	slots *replica.Slots

	// stopping is closed once the server cannot go on and nobody has asked it to stop; reason is
	// why, read only afterwards.
	stopping chan struct{}
	stopOnce sync.Once
	reason   error
}

func (r *role) init() {
	r.stopping = make(chan struct{})
	r.promoted, r.markPromoted = context.WithCancel(context.Background())
}

// Stopping is closed when the server can serve no longer, for what Reason says: whoever started it
// shuts it down. A failed log is no such case: it ends the process (W4).
func (srv *Server) Stopping() <-chan struct{} { return srv.stopping }

// Reason is why the server stops: a *replica.DivergedError, or ErrReseed. nil while it does not.
func (srv *Server) Reason() error {
	select {
	case <-srv.stopping:
		return srv.reason
	default:
		return nil
	}
}

func (srv *Server) stop(reason error) {
	srv.stopOnce.Do(func() {
		srv.reason = reason
		close(srv.stopping)
	})
}

// lateQuorum is the hub as commits ask it. The engine is opened first, as the hub needs its log;
// nobody commits before both are there.
type lateQuorum struct{ hub atomic.Pointer[replica.Hub] }

// Required implements engine.Quorum.
func (q *lateQuorum) Required(level wal.Level) bool {
	hub := q.hub.Load()
	return hub != nil && hub.Required(level)
}

// Wait implements engine.Quorum.
func (q *lateQuorum) Wait(ctx context.Context, end wal.LSN, level wal.Level) error {
	return q.hub.Load().Wait(ctx, end, level)
}

// openSlots reads the slots, which hold the log from the moment it is opened.
func (srv *Server) openSlots() error {
	slots, err := replica.OpenSlots(replica.SlotsOptions{
		Dir: srv.opts.Dir, Disk: srv.disk(), Limits: srv.slotLimits, Events: srv.slotEvents()})
	if err != nil {
		return err
	}
	srv.slots = slots
	return nil
}

// maxSenders is max_wal_senders as pgwire has it, where 0 means its default.
func maxSenders(n int64) int {
	if n == 0 {
		return -1
	}
	return int(n)
}

func (srv *Server) slotLimits() replica.SlotLimits {
	limits := replica.SlotLimits{
		Max:      int(srv.settings.number(idMaxReplicationSlots)),
		MaxKeep:  srv.settings.number(idMaxSlotWALKeepSize),
		KeepSize: srv.settings.number(idWALKeepSize) << 20,
		MaxWAL:   srv.settings.number(idMaxWALSize) << 20,
	}
	if limits.MaxKeep >= 0 {
		limits.MaxKeep <<= 20
	}
	return limits
}

// openHub lets replicas in, and commits wait for them.
func (srv *Server) openHub() error {
	names, err := srv.standbyNames()
	if err != nil {
		return err
	}
	srv.hub = replica.NewHub(replica.HubOptions{
		Dir: srv.opts.Dir, Log: srv.db.Log(), Slots: srv.slots, Settings: srv.hubSettings,
		Events: srv.hubEvents()})
	srv.hub.SetStandbyNames(names)
	srv.quorum.hub.Store(srv.hub)
	return nil
}

func (srv *Server) hubSettings() replica.HubSettings {
	return replica.HubSettings{
		SenderTimeout: milliseconds(srv.settings.number(idWALSenderTimeout)),
		Staleness:     srv.staleness,
	}
}

// standbyNames is synchronous_standby_names of the moment.
func (srv *Server) standbyNames() (replica.StandbyNames, error) {
	text := srv.settings.current.Load().values[idSynchronousStandbyNames].text
	return replica.ParseStandbyNames(text)
}

// closeSenders ends the senders, once the sessions and the receiver are gone and nothing is added
// to the log any more: what is flushed then is sent before they go. A log that has failed, or a
// replica that does not read, is not waited for longer than ctx: the directory is as clean without
// them, and a log that failed is found out by closing the database.
func (srv *Server) closeSenders(ctx context.Context) {
	log := srv.db.Log()
	if err := log.WaitFlushed(ctx, log.Inserted()); err != nil {
		srv.log.Warn("the end of the log is not flushed for the replicas", "err", err)
	}
	if err := srv.hub.Close(ctx); err != nil {
		srv.log.Warn("a replica has not taken the end of the log", "err", err)
	}
}

// commitWaits shows in pg_stat_activity what a commit waits for.
func (s *session) commitWaits(kind engine.WaitKind) {
	switch kind {
	case engine.WaitStandby:
		s.waitsFor("IPC", "SyncRep")
	case engine.WaitFlush:
		s.waitsFor("IO", "WALSync")
	default:
		s.waitsFor("", "")
	}
}

// timeSince is how long ago something was, at least 0.
func timeSince(t time.Time) time.Duration { return max(0, time.Since(t)) }
