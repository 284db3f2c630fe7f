package replicatest

import (
	"errors"
	"io"
	"sync"
)

// Errors of a link that is gone.
var (
	ErrClosed = errors.New("replicatest: the link was closed")
	ErrCut    = errors.New("replicatest: the link was cut")
)

// BufferSize is how many bytes a direction takes before its sender has to wait, as a socket does.
const BufferSize = 256 << 10

// Link is one end. Its methods Send, Receive, CloseSend and Close are those of a replication link;
// the others make it bad.
type Link struct {
	pair *pair
	out  *direction
	in   *direction
}

type pair struct {
	mu     sync.Mutex
	change *sync.Cond // anything
	broken error
}

// direction is what flows one way, guarded by pair.mu.
type direction struct {
	queue  [][]byte
	size   int   // bytes in queue
	sent   int64 // bytes in all
	cutAt  int64 // the link breaks when sent passes it; below 0 never
	held   bool  // nothing is delivered
	passes int   // messages delivered all the same
	ended  bool  // by CloseSend

	current []byte // given out last
	waiting int    // senders that wait for room
}

// Pair gives the two ends of a link.
func Pair() (*Link, *Link) {
	p := &pair{}
	p.change = sync.NewCond(&p.mu)
	a, b := &direction{cutAt: -1}, &direction{cutAt: -1}
	return &Link{pair: p, out: a, in: b}, &Link{pair: p, out: b, in: a}
}

// Send sends one message. It waits while the other end does not read and the buffer is full.
func (l *Link) Send(parts ...[]byte) error {
	var msg []byte
	for _, part := range parts {
		msg = append(msg, part...)
	}
	p := l.pair
	p.mu.Lock()
	defer p.mu.Unlock()
	l.out.waiting++
	p.change.Broadcast()
	for p.broken == nil && l.out.size > 0 && l.out.size+len(msg) > BufferSize {
		p.change.Wait()
	}
	l.out.waiting--
	if p.broken != nil {
		return p.broken
	}
	if l.out.ended {
		return errors.New("replicatest: sent after CloseSend")
	}
	l.out.sent += int64(len(msg))
	if l.out.cutAt >= 0 && l.out.sent > l.out.cutAt {
		// A part of the message has gone; a link gives whole messages or none.
		l.breakLocked(ErrCut)
		return ErrCut
	}
	l.out.queue = append(l.out.queue, msg)
	l.out.size += len(msg)
	p.change.Broadcast()
	return nil
}

// Receive gives the next message, valid until the next call.
func (l *Link) Receive() ([]byte, error) {
	p := l.pair
	p.mu.Lock()
	defer p.mu.Unlock()
	// What was given out before is no longer valid: a reader that kept it shall see that.
	for i := range l.in.current {
		l.in.current[i] = 0xDB
	}
	l.in.current = nil
	for {
		switch {
		case p.broken != nil:
			return nil, p.broken
		case len(l.in.queue) > 0 && l.in.deliverLocked():
			msg := l.in.queue[0]
			l.in.queue, l.in.current = l.in.queue[1:], msg
			l.in.size -= len(msg)
			p.change.Broadcast()
			return msg, nil
		case len(l.in.queue) == 0 && l.in.ended && !l.in.held:
			return nil, io.EOF
		}
		p.change.Wait()
	}
}

// deliverLocked says whether the next message may pass. REQUIRES: pair.mu.
func (d *direction) deliverLocked() bool {
	if d.held && d.passes == 0 {
		return false
	}
	if d.held {
		d.passes--
	}
	return true
}

// CloseSend ends this end's direction.
func (l *Link) CloseSend() error {
	l.pair.mu.Lock()
	defer l.pair.mu.Unlock()
	if l.pair.broken != nil {
		return l.pair.broken
	}
	l.out.ended = true
	l.pair.change.Broadcast()
	return nil
}

// Close breaks both directions.
func (l *Link) Close() error {
	l.pair.mu.Lock()
	defer l.pair.mu.Unlock()
	l.breakLocked(ErrClosed)
	return nil
}

// breakLocked ends the link for both ends, with what is on its way. REQUIRES: pair.mu.
func (l *Link) breakLocked(err error) {
	if l.pair.broken == nil {
		l.pair.broken = err
	}
	l.pair.change.Broadcast()
}

// Cut breaks the link now.
func (l *Link) Cut() {
	l.pair.mu.Lock()
	defer l.pair.mu.Unlock()
	l.breakLocked(ErrCut)
}

// CutAfter breaks the link in the message that takes what this end has sent beyond n more bytes.
func (l *Link) CutAfter(n int64) {
	l.pair.mu.Lock()
	defer l.pair.mu.Unlock()
	l.out.cutAt = l.out.sent + n
}

// Hold delivers nothing more of what this end sends, until Release. The sender does not notice
// before the buffer is full. Held from both ends, the link is half open.
func (l *Link) Hold() {
	l.pair.mu.Lock()
	defer l.pair.mu.Unlock()
	l.out.held = true
}

// Pass lets n messages of a held direction through.
func (l *Link) Pass(n int) {
	l.pair.mu.Lock()
	defer l.pair.mu.Unlock()
	l.out.passes += n
	l.pair.change.Broadcast()
}

// Release delivers what is held, in order, and all that follows.
func (l *Link) Release() {
	l.pair.mu.Lock()
	defer l.pair.mu.Unlock()
	l.out.held, l.out.passes = false, 0
	l.pair.change.Broadcast()
}

// AwaitFull returns when this end's Send waits for room, or the link is broken.
func (l *Link) AwaitFull() {
	p := l.pair
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.broken == nil && (l.out.waiting == 0 || l.out.size < BufferSize/2) {
		p.change.Wait()
	}
}
