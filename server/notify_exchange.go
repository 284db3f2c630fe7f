package server

import (
	"context"
	"sync"

	"ackdb/wal"
)

// exchangeBytesMax is what may wait to be handed out. A session that finds it full waits, after its
// commit.
const exchangeBytesMax = 64 << 20

// heldBatchesMax bounds the transactions whose notifications wait for a flush that the session does
// not wait for any more.
const heldBatchesMax = 1024

// exchange hands notifications from the sessions that commit them to those that listen. Handing out
// is the work of a goroutine of its own, so that a commit costs its session no more when hundreds
// listen, and no lock is held while anybody commits.
type exchange struct {
	log    *wal.Log
	ctx    context.Context
	cancel context.CancelFunc
	owned  sync.WaitGroup

	durable durableWatch
	held    chan struct{} // one for each batch that is held

	mu sync.Mutex
	// Guarded by mu.
	listeners map[string]map[*session]struct{}
	queue     []batch
	bytes     int
	work      sync.Cond // the queue has something, or closed
	room      sync.Cond // the queue has room again, or closed
	closed    bool
}

// batch is what one transaction has notified.
type batch struct {
	from  *session
	list  []notification
	bytes int
}

func newExchange(log *wal.Log) *exchange {
	x := &exchange{log: log, listeners: make(map[string]map[*session]struct{}),
		held: make(chan struct{}, heldBatchesMax)}
	x.ctx, x.cancel = context.WithCancel(context.Background())
	x.work.L, x.room.L = &x.mu, &x.mu
	x.owned.Add(2)
	go func() {
		defer x.owned.Done()
		x.handOut()
	}()
	x.durable.init()
	go func() {
		defer x.owned.Done()
		x.durable.run(x.ctx, log)
	}()
	return x
}

// close ends and awaits the goroutines. What waits is dropped with the sessions it was for.
func (x *exchange) close() {
	x.cancel()
	x.mu.Lock()
	x.closed = true
	x.work.Broadcast()
	x.room.Broadcast()
	x.mu.Unlock()
	x.owned.Wait()
}

func (x *exchange) join(s *session, channel string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	m := x.listeners[channel]
	if m == nil {
		m = make(map[*session]struct{})
		x.listeners[channel] = m
	}
	m[s] = struct{}{}
}

func (x *exchange) leave(s *session, channel string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	m := x.listeners[channel]
	delete(m, s)
	if len(m) == 0 {
		delete(x.listeners, channel)
	}
}

// publish sends what a committed transaction has notified. The session hears itself at once, so
// that its own notifications stand before ReadyForQuery. With after, the commit has not reached
// what it promised, and neither do they leave before it has.
func (x *exchange) publish(s *session, list []notification, after wal.LSN) {
	if after == 0 || x.log.Flushed() >= after {
		x.send(s, list)
		return
	}
	select {
	case x.held <- struct{}{}:
	case <-x.ctx.Done():
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return
	}
	x.owned.Add(1)
	go func() {
		defer x.owned.Done()
		defer func() { <-x.held }()
		if x.log.WaitFlushed(x.ctx, after) == nil {
			x.send(s, list)
		}
	}()
}

func (x *exchange) send(s *session, list []notification) {
	b := batch{from: s}
	for _, n := range list {
		self, others := x.heardBy(s, n.channel)
		if self {
			s.hear(n)
		}
		if others {
			b.list = append(b.list, n)
			b.bytes += n.size()
		}
	}
	if b.list == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for x.bytes > 0 && x.bytes+b.bytes > exchangeBytesMax && !x.closed {
		x.room.Wait()
	}
	x.queue = append(x.queue, b)
	x.bytes += b.bytes
	x.work.Signal()
}

func (x *exchange) heardBy(s *session, channel string) (self, others bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	m := x.listeners[channel]
	_, self = m[s]
	return self, len(m) > 1 || len(m) == 1 && !self
}

func (x *exchange) handOut() {
	var hearers []*session
	for {
		b, ok := x.next()
		if !ok {
			return
		}
		for _, n := range b.list {
			hearers = x.hearers(hearers[:0], n.channel, b.from)
			for _, s := range hearers {
				s.hear(n)
			}
			clear(hearers)
		}
	}
}

func (x *exchange) next() (batch, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for len(x.queue) == 0 && !x.closed {
		x.work.Wait()
	}
	if x.closed {
		return batch{}, false
	}
	b := x.queue[0]
	x.queue[0] = batch{}
	x.queue = x.queue[1:]
	if len(x.queue) == 0 {
		x.queue = nil
	}
	x.bytes -= b.bytes
	x.room.Broadcast()
	return b, true
}

// hearers appends who listens, except the sender, which has heard.
func (x *exchange) hearers(dst []*session, channel string, from *session) []*session {
	x.mu.Lock()
	defer x.mu.Unlock()
	for s := range x.listeners[channel] {
		if s != from {
			dst = append(dst, s)
		}
	}
	return dst
}

func (x *exchange) usage() float64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return float64(x.bytes) / exchangeBytesMax
}
