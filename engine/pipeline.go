package engine

import (
	"runtime"
	"sync"
)

// Bounds of a group. A group is written with one pwrite and applied as one batch, so its size is
// what a commit that arrives just behind it waits for.
const (
	groupMembersMax = 256
	groupBytesMax   = 1 << 20
)

// crowdMemory is for how many groups of one a pipeline remembers that it had company.
const crowdMemory = 64

// signal is what a waiting request is told.
type signal uint8

const (
	signalDone signal = iota // the request's outcome is filled in
	signalLead               // the request is the head of the queue and leads now
)

// pipeline lines up requests and lets one of their own goroutines at a time, the leader, run a
// group of them. Whoever finds no leader leads, so a single client never hands its commit to
// another goroutine; while a leader is busy others queue up, so groups form by themselves under
// load, without a timer. When a leader is done it wakes its group and makes the head of the queue
// the next leader: it does not stay, because its own client is waiting for the answer.
//
// With few processors that alone makes groups of hardly more than one: a commit is a few
// microseconds without a system call that blocks, so the next session gets a processor only when
// it is over. A leader that has had company lately therefore yields once before it takes its
// group. The sessions that are ready to run reach their own commit meanwhile and queue up: on two
// processors that makes groups of 8 out of 16 clients and of 25 out of 64, and halves the cost of
// a commit. A timer in its place would make everyone wait for it; this waits for nobody who is
// not running anyhow, and a single client never yields.
//
// The queue is bounded by its users: a session has at most one request in it (W6).
//
// run is a function, not a DB, so that the queueing is tested without one.
type pipeline struct {
	run      func(group []*commitRequest)
	bytesMax int // of a group, by the requests' sizes

	mu sync.Mutex

	// guarded by mu
	head, tail *commitRequest
	leading    bool
	closed     bool
	crowd      int       // counts down from crowdMemory since the last sign of company
	idle       sync.Cond // a leader left and nobody follows

	// leader only
	group []*commitRequest
}

func (p *pipeline) init(run func([]*commitRequest)) {
	p.run, p.bytesMax = run, groupBytesMax
	p.idle.L = &p.mu
}

// submit returns when the request has been run, by this goroutine or another; false says that the
// pipeline is closed and the request was not taken.
func (p *pipeline) submit(req *commitRequest) bool {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return false
	}
	p.push(req)
	switch {
	case p.leading:
		p.mu.Unlock()
		if <-req.wake == signalDone {
			return true
		}
		p.mu.Lock()
	case p.crowd > 0:
		p.leading = true
		p.mu.Unlock()
		runtime.Gosched()
		p.mu.Lock()
	}
	p.leading = true
	p.take()
	p.mu.Unlock()

	p.run(p.group)
	p.release(req)
	return true
}

// release wakes the leader's followers and hands leadership on.
func (p *pipeline) release(leader *commitRequest) {
	members := len(p.group)
	for i, req := range p.group {
		p.group[i] = nil
		if req != leader {
			req.wake <- signalDone // req belongs to its goroutine again
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if members > 1 || p.head != nil {
		p.crowd = crowdMemory
	} else if p.crowd > 0 {
		p.crowd--
	}
	if p.head != nil {
		p.head.wake <- signalLead
		return
	}
	p.leading = false
	p.idle.Broadcast()
}

func (p *pipeline) push(req *commitRequest) {
	req.next = nil
	if p.tail == nil {
		p.head = req
	} else {
		p.tail.next = req
	}
	p.tail = req
}

// take moves the next group from the queue to p.group: the head, and behind it what fits. A
// request that goes alone is always the head of its group and its only member.
func (p *pipeline) take() {
	p.group = p.group[:0]
	size := 0
	for req := p.head; req != nil && len(p.group) < groupMembersMax; req = p.head {
		size += req.size
		if len(p.group) > 0 && (size > p.bytesMax || req.alone()) {
			break
		}
		p.group = append(p.group, req)
		p.head = req.next
		req.next = nil
		if req.alone() {
			break
		}
	}
	if p.head == nil {
		p.tail = nil
	}
}

// close refuses new requests and returns when those taken have been run.
func (p *pipeline) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for p.leading {
		p.idle.Wait()
	}
}
