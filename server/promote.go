package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"ackdb/pgwire"
	"ackdb/server/sql/types"
)

// promotion is the one there can be at a time.
type promotion struct {
	mu   sync.Mutex
	done chan struct{} // of the one under way; guarded by mu; nil when there is none
	err  error         // of the last one; read once its done is closed
	over bool          // the server ends: none begins any more; guarded by mu

	owned sync.WaitGroup
}

// Promote makes a standby a primary: nothing is received any more, what was received is applied,
// and a new timeline begins at the log's end. It returns once writes are accepted, or when ctx
// ends; the promotion goes on then.
func (srv *Server) Promote(ctx context.Context, reason string) error {
	done, err := srv.beginPromotion(reason)
	if err != nil {
		return err
	}
	select {
	case <-done:
		return srv.promotion.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// beginPromotion starts a promotion, or finds the one under way.
func (srv *Server) beginPromotion(reason string) (<-chan struct{}, error) {
	p := &srv.promotion
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done != nil {
		return p.done, nil
	}
	switch {
	case p.over:
		return nil, errShuttingDown
	case !srv.inRecovery():
		return nil, errNotInRecovery()
	}
	done := make(chan struct{})
	p.done = done
	p.owned.Add(1)
	go func() {
		defer p.owned.Done()
		err := srv.promote(reason)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.err, p.done = err, nil
		close(done)
	}()
	return done, nil
}

// close ends and awaits a promotion under way, whose context has ended, and lets none begin.
func (p *promotion) close() {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	p.owned.Wait()
}

func errNotInRecovery() error {
	return types.Errorf(types.CodeNotInPrerequisiteState, "recovery is not in progress").
		WithHint("Recovery control functions can only be executed during recovery.")
}

// promote runs on the promotion's goroutine. Until the engine has begun the new timeline the node
// is a standby, and on an error stays one; after that there is no way back, and nothing left that
// can fail but the disk.
func (srv *Server) promote(reason string) error {
	began := time.Now()
	srv.log.Info("promotion requested", "reason", reason, "applied", srv.db.Applied(),
		"flushed", srv.db.Log().Flushed())
	srv.upstream.close()
	begin, err := srv.db.Promote(srv.life, reason)
	if err != nil {
		srv.log.Error("promotion failed; the node is still a standby", "err", err)
		if srv.life.Err() == nil {
			srv.upstream.reopen()
			err = errors.Join(err, srv.follow())
		}
		return err
	}
	srv.openForWrites()
	took := time.Since(began)
	srv.metrics.promoted(took)
	srv.log.Info("promoted: this node accepts writes", "timeline", srv.db.Log().Timeline(),
		"fork", begin.Ended, "took", took.Round(time.Microsecond))
	return nil
}

// openForWrites tells everybody. The catalog comes first: from then on it changes by this node's
// own commits, which publish into it. Sessions are told last, since they act on it.
func (srv *Server) openForWrites() {
	if err := srv.catalog.Refresh(context.Background()); err != nil {
		// It was readable a moment ago, and the store has not changed since: only the disk can
		// have failed, and statements will say so.
		srv.log.Error("catalog not read after the promotion", "err", err)
	}
	srv.catalog.Follow(false)
	if err := srv.catalog.SweepBuilds(srv.life); err != nil {
		srv.log.Error("entries of unfinished indexes not removed after the promotion", "err", err)
	}
	if err := srv.catalog.SweepTemp(srv.life); err != nil {
		srv.log.Error("temporary tables of the old primary not removed after the promotion", "err", err)
	}
	srv.executor.Forget()
	srv.standby.Store(false)
	srv.setInternal(map[string]string{settingInHotStandby: "off"})
	srv.markPromoted()
	srv.eachSession(func(s *session) { s.conn.Wake() })
}

const settingInHotStandby = "in_hot_standby"

// Promote implements builtin.Host.
func (h *host) Promote(ctx context.Context, wait bool, timeout time.Duration) (bool, error) {
	srv := h.server
	if !wait {
		_, err := srv.beginPromotion("pg_promote()")
		return err == nil, err
	}
	waiting, cancel := context.WithTimeoutCause(ctx, timeout, errWaitTimeout)
	defer cancel()
	h.session().waitsFor("IPC", "Promote")
	defer h.session().waitsFor("", "")
	err := srv.Promote(waiting, "pg_promote()")
	if errors.Is(err, errWaitTimeout) {
		h.session().notice(warning(pgwire.CodeWarning,
			"server did not promote within %d seconds", int(timeout.Seconds())))
		return false, nil
	}
	return err == nil, err
}
