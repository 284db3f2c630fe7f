package server

import (
	"context"
	"sync"
	"time"

	"ackdb/wal"
)

// durableInterval is the least time between two watermarks. A log that is flushed thousands of
// times a second would otherwise cost each listener a write to its socket each time; what comes
// later covers what came before.
const durableInterval = time.Millisecond

// durableWatch tells the listeners on ack_durable that flushed has moved. It follows the log and
// does not hurry it, and while nobody listens it does nothing at all.
type durableWatch struct {
	joined chan struct{} // somebody listens; holds one

	mu        sync.Mutex
	listeners map[*session]struct{} // guarded by mu
}

func (d *durableWatch) init() {
	d.joined = make(chan struct{}, 1)
	d.listeners = make(map[*session]struct{})
}

func (d *durableWatch) join(s *session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.listeners[s] = struct{}{}
	select {
	case d.joined <- struct{}{}:
	default:
	}
}

func (d *durableWatch) leave(s *session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.listeners, s)
}

// run follows the log until ctx ends or the log has failed. It is owned by the exchange.
func (d *durableWatch) run(ctx context.Context, log *wal.Log) {
	pause := time.NewTimer(durableInterval)
	defer pause.Stop()
	at := wal.LSN(0)
	for {
		for !d.tell() {
			select {
			case <-d.joined:
			case <-ctx.Done():
				return
			}
			// The first to join is told again behind this, or an advance between its own look at
			// the position and this one would be nobody's news.
			at = log.Flushed()
		}
		flushed, err := log.AwaitFlushed(ctx, at)
		if err != nil {
			return
		}
		at = flushed
		d.tell()
		pause.Reset(durableInterval)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
	}
}

// tell wakes every listener that has not been told since it last looked; false when there is none.
func (d *durableWatch) tell() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for s := range d.listeners {
		if !s.durableDue.Swap(true) {
			s.conn.Wake()
		}
	}
	return len(d.listeners) > 0
}
