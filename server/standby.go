package server

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"ackdb/pgwire"
	"ackdb/replica"
	"ackdb/wal"
)

// upstream is whom a standby follows. A setting that the files change is taken at the reload; what
// the command line, and after it the directory, said holds as long as the files do not change.
type upstream struct {
	mu sync.Mutex // held while a receiver is ended and awaited
	// Guarded by mu.
	connInfo, slot         string
	fileConnInfo, fileSlot string // as the files had them when they were last read
	// closed: no receiver is started. A promotion is under way or has been, or the server ends.
	closed bool

	// Written under mu, read by anybody: the engine's applying goroutine must not wait for mu.
	receiver atomic.Pointer[replica.Receiver]
	fresh    atomic.Pointer[time.Time] // as far as receivers before this one knew
}

// stopLocked ends and awaits the receiver. REQUIRES: mu.
func (u *upstream) stopLocked() {
	r := u.receiver.Load()
	if r == nil {
		return
	}
	r.Stop()
	at := u.freshAsOf()
	u.fresh.Store(&at)
	u.receiver.Store(nil)
}

// close ends and awaits the receiver. Nothing is received after it, whatever a reload changes.
func (u *upstream) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
	u.stopLocked()
}

// reopen takes back a close: the promotion it was for has failed.
func (u *upstream) reopen() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = false
}

// freshAsOf is a time as of which all that the primary had committed is applied here; zero when
// none is known.
func (u *upstream) freshAsOf() (at time.Time) {
	if before := u.fresh.Load(); before != nil {
		at = *before
	}
	if r := u.receiver.Load(); r != nil {
		if of := r.FreshAsOf(); of.After(at) {
			at = of
		}
	}
	return at
}

// receiver is the one that follows the primary; nil on a primary and between two.
func (srv *Server) receiver() *replica.Receiver { return srv.upstream.receiver.Load() }

// follow starts the receiver, as the settings say.
func (srv *Server) follow() error {
	u := &srv.upstream
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return nil
	}
	u.stopLocked()
	if u.connInfo == "" {
		srv.log.Warn("this standby has no primary_conninfo: it receives nothing")
		return nil
	}
	info, err := connInfoOf(u.connInfo, u.slot)
	if err != nil {
		return err
	}
	u.receiver.Store(replica.StartReceiver(replica.ReceiverOptions{
		ConnInfo: info, Slot: u.slot, Log: srv.db.Log(), Applied: srv.db.Applied,
		Timeout: func() time.Duration {
			return milliseconds(srv.settings.number(idWALReceiverTimeout))
		},
		StatusInterval: func() time.Duration {
			return time.Duration(srv.settings.number(idWALReceiverStatusInterval)) * time.Second
		},
		Fatal: srv.cannotFollow, Events: srv.receiverEvents(),
	}))
	return nil
}

// replicaName is what a replica calls itself that says nothing else.
const replicaName = "ackdb"

func connInfoOf(text, slot string) (replica.ConnInfo, error) {
	info, err := replica.ParseConnInfo(text)
	if err != nil {
		return info, fmt.Errorf("server: primary_conninfo: %w", err)
	}
	if info.ApplicationName == "" {
		info.ApplicationName = replicaName
		if slot != "" {
			info.ApplicationName = slot
		}
	}
	return info, nil
}

// cannotFollow is told by the receiver that connecting again would not help.
func (srv *Server) cannotFollow(err error) {
	var diverged *replica.DivergedError
	switch {
	case errors.Is(err, replica.ErrMustReseed):
		srv.log.Warn("the log this standby needs is gone; it seeds itself again", "err", err)
		srv.stop(fmt.Errorf("%w: %w", ErrReseed, err))
	case errors.As(err, &diverged):
		srv.log.Error("this node's log has parted from its primary's; it stops and keeps every byte",
			"code", pgwire.CodeObjectNotInPrerequisiteState, "ends", diverged.Ours,
			"fork", diverged.Fork, "err", err)
		srv.stop(err)
	default:
		srv.log.Error("this standby cannot follow its primary", "err", err)
		srv.stop(err)
	}
}

func (srv *Server) receiverEvents() replica.ReceiverEvents {
	return replica.ReceiverEvents{
		Streaming: func(from wal.LSN, timeline uint32) {
			srv.log.Info("streaming from the primary", "from", from, "timeline", timeline)
		},
		Lost: func(err error, retry time.Duration) {
			srv.log.Warn("link to the primary lost", "err", err, "retry", retry)
		},
		NoSpace: func(err error, retry time.Duration) {
			srv.log.Error("no space for the primary's log", "err", err, "retry", retry)
		},
		SlotCreated: func(slot string) { srv.log.Info("slot created", "slot", slot) },
		Followed: func(timeline uint32, fork wal.LSN) {
			srv.log.Info("following a new timeline", "timeline", timeline, "fork", fork)
		},
	}
}

// beginRole makes of the opened database what it is: a primary, or a standby that follows.
func (srv *Server) beginRole() error {
	standby := srv.db.Role() == wal.RoleStandby
	srv.standby.Store(standby)
	if !standby {
		return nil
	}
	srv.setInternal(map[string]string{settingInHotStandby: "on"})
	srv.upstream.adopt(srv.db.Log().Control().PrimaryConn)
	srv.db.OnApplied(func(wal.LSN) {
		if r := srv.receiver(); r != nil {
			r.AppliedMoved()
		}
	})
	return srv.follow()
}

// adopt takes what the directory says of the primary, if nobody said anything.
func (u *upstream) adopt(connInfo string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.connInfo == "" {
		u.connInfo = connInfo
	}
}

// readUpstream takes what command line and files say of the primary, the first time.
func (srv *Server) readUpstream() {
	u := &srv.upstream
	u.mu.Lock()
	defer u.mu.Unlock()
	values := srv.settings.current.Load().values
	u.fileConnInfo, u.fileSlot = values[idPrimaryConnInfo].text, values[idPrimarySlotName].text
	u.connInfo, u.slot = srv.opts.ReplicaOf, srv.opts.Slot
	if u.connInfo == "" {
		u.connInfo = u.fileConnInfo
	}
	if u.slot == "" {
		u.slot = u.fileSlot
	}
}

// followSettings takes what a reload changed.
func (srv *Server) followSettings() {
	names, err := srv.standbyNames()
	if err != nil {
		panic("server: synchronous_standby_names: " + err.Error()) // checked by checkStandbyNames
	}
	srv.hub.SetStandbyNames(names)
	if !srv.changeUpstream() || !srv.inRecovery() {
		return
	}
	srv.log.Info("primary_conninfo or primary_slot_name changed; connecting again")
	if err := srv.follow(); err != nil {
		srv.log.Error("cannot follow the primary", "err", err)
	}
}

func (srv *Server) changeUpstream() (changed bool) {
	u := &srv.upstream
	u.mu.Lock()
	defer u.mu.Unlock()
	values := srv.settings.current.Load().values
	conn, slot := values[idPrimaryConnInfo].text, values[idPrimarySlotName].text
	if conn != u.fileConnInfo {
		u.connInfo, u.fileConnInfo, changed = conn, conn, true
	}
	if slot != u.fileSlot {
		u.slot, u.fileSlot, changed = slot, slot, true
	}
	return changed
}

// staleness is how old what this node shows may be: 0 on a primary, the longest Duration when
// nobody knows.
func (srv *Server) staleness() time.Duration {
	if !srv.inRecovery() {
		return 0
	}
	at := srv.upstream.freshAsOf()
	if at.IsZero() {
		return math.MaxInt64
	}
	return timeSince(at)
}

// showStaleness is SHOW ack.staleness.
func (s *session) showStaleness() string {
	age := s.server.staleness()
	if age == math.MaxInt64 {
		return "unknown"
	}
	return fmt.Sprintf("%d ms", age.Milliseconds())
}

// refuseStale keeps ack.max_staleness: the age is taken before the statement has its snapshot, so
// that what it sees is no older.
func (s *session) refuseStale() error {
	limit := milliseconds(s.settings.number(idMaxStaleness))
	if limit == 0 {
		return nil
	}
	at := s.server.upstream.freshAsOf()
	if !at.IsZero() && timeSince(at) <= limit {
		return nil
	}
	e := pgwire.Errorf(pgwire.CodeObjectNotInPrerequisiteState,
		"this standby is older than ack.max_staleness allows")
	if at.IsZero() {
		e.Detail = fmt.Sprintf("It has not heard from its primary since it started; the limit is "+
			"%d ms.", limit.Milliseconds())
	} else {
		e.Detail = fmt.Sprintf("What it shows is up to %d ms old, the limit is %d ms.",
			timeSince(at).Milliseconds(), limit.Milliseconds())
	}
	e.Hint = "Read from the primary, or from another standby."
	return e
}

// PauseReplay implements builtin.Replication.
func (h *host) PauseReplay(pause bool) error {
	if pause {
		return h.server.db.PauseReplay()
	}
	return h.server.db.ResumeReplay()
}

// CreateSlot implements builtin.Replication.
func (h *host) CreateSlot(
	_ context.Context, name string, reserve, temporary bool,
) (uint64, error) {
	lsn, err := h.server.slots.Create(replica.CreateSlot{
		Name: name, Temporary: temporary, Reserve: reserve}, h.conn.PID())
	h.ownsSlot = h.ownsSlot || temporary && err == nil
	return uint64(lsn), err
}

// DropSlot implements builtin.Replication.
func (h *host) DropSlot(ctx context.Context, name string) error {
	return h.server.slots.Drop(ctx, name, false)
}

// receiverStatus is the state of the link to the primary; false when this node has none.
func (srv *Server) receiverStatus() (replica.ReceiverStatus, bool) {
	r := srv.receiver()
	if r == nil {
		return replica.ReceiverStatus{}, false
	}
	return r.Status(), true
}
