package replica

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ackdb/wal"
)

const (
	// keepaliveInterval is how often a replica that shook hands hears how far the log is, data or
	// not: it is how old its reads may be.
	keepaliveInterval = 200 * time.Millisecond

	// slotCheckInterval is how often the slots are looked at for one that nears its limit.
	slotCheckInterval = time.Second
)

// HubSettings may change while streams run.
type HubSettings struct {
	// SenderTimeout is how long a peer may be silent before it is given up; 0 is for ever.
	SenderTimeout time.Duration

	// Staleness is how old what this node has is, 0 on a primary, the longest Duration when nobody
	// knows. nil is a primary.
	Staleness func() time.Duration
}

// HubEvents are told what happens to streams, on the goroutine of the stream. Any may be nil.
type HubEvents struct {
	Started  func(peer Peer, timeline uint32, from wal.LSN)
	Ended    func(peer Peer, err error)                 // nil: in order
	Diverged func(asked Handshake, said HandshakeReply) // a replica's log and ours have parted
}

// HubOptions say what a hub serves.
type HubOptions struct {
	Dir      string // the data directory, whose settings a backup takes along
	Log      *wal.Log
	Slots    *Slots
	Settings func() HubSettings
	Events   HubEvents
	Clock    wal.Clock // the system's
}

// Peer is who is at the other end of a replication connection.
type Peer struct {
	Conn  int32 // the session, as in pg_stat_activity's pid
	User  string
	App   string
	Addr  string
	Host  string
	Port  int
	Since time.Time // it connected
	Node  uint64    // of a replica whose handshake on this connection matched, else 0
}

// Hub serves a node's log to any number of peers and knows what each of them has. On a standby it
// serves what that has flushed.
type Hub struct {
	opts   HubOptions
	clock  wal.Clock
	quorum quorum

	stopping chan struct{} // closed when Close begins
	watching sync.WaitGroup

	// pokes are the senders to wake when the log grows; the flusher reads them, so it must never
	// meet a lock.
	pokes atomic.Pointer[[]chan struct{}]

	mu      sync.Mutex
	closed  bool
	streams sync.WaitGroup // added to under mu while not closed
	senders []*sender
	backups []*backup
}

// NewHub makes the hub of a node whose log is open.
func NewHub(opts HubOptions) *Hub {
	if opts.Clock == nil {
		opts.Clock = wal.SystemClock()
	}
	if opts.Settings == nil {
		opts.Settings = func() HubSettings { return HubSettings{} }
	}
	h := &Hub{opts: opts, clock: opts.Clock, stopping: make(chan struct{})}
	h.pokes.Store(new([]chan struct{}))
	opts.Slots.attach(opts.Log)
	opts.Log.OnFlushed(func(wal.LSN) { h.poke() })
	h.watching.Add(1)
	go h.watch()
	return h
}

// poke has every sender look at the log again.
func (h *Hub) poke() {
	for _, c := range *h.pokes.Load() {
		nudge(c)
	}
}

// nudge wakes whoever waits on c, or leaves word there.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// watch warns in time of slots that near their limit: recycling alone would look at them as seldom
// as checkpoints are, and find them lost.
func (h *Hub) watch() {
	defer h.watching.Done()
	for {
		fired, stop := h.clock.Timer(slotCheckInterval)
		select {
		case <-fired:
			h.opts.Slots.check(false)
		case <-h.stopping:
			stop()
			return
		}
	}
}

// Close ends every stream in order: each sends what is flushed, says so, and waits for its peer to
// agree until ctx ends. Commits that wait for standbys are told ErrHubClosed.
func (h *Hub) Close(ctx context.Context) error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return ErrHubClosed
	}
	h.closed = true
	close(h.stopping)
	h.mu.Unlock()
	h.poke()
	ended := make(chan struct{})
	go func() {
		h.streams.Wait()
		close(ended)
	}()
	var err error
	select {
	case <-ended:
	case <-ctx.Done():
		err = context.Cause(ctx)
		for _, s := range h.running() {
			s.abandon()
		}
		<-ended
	}
	h.quorum.close()
	h.watching.Wait()
	return err
}

func (h *Hub) running() []*sender {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.senders)
}

// enter takes a sender in, unless the node is shutting down.
func (h *Hub) enter(s *sender) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return ErrHubClosed
	}
	h.streams.Add(1)
	h.senders = append(h.senders, s)
	h.setPokesLocked()
	return nil
}

func (h *Hub) exit(s *sender) {
	h.mu.Lock()
	h.senders = slices.DeleteFunc(h.senders, func(o *sender) bool { return o == s })
	h.setPokesLocked()
	h.mu.Unlock()
	h.streams.Done()
}

// setPokesLocked makes a new list for poke, which may be reading the old one. REQUIRES: mu.
func (h *Hub) setPokesLocked() {
	list := make([]chan struct{}, len(h.senders))
	for i, s := range h.senders {
		list[i] = s.poked
	}
	h.pokes.Store(&list)
}

// Required says whether a commit of this level has to wait for standbys.
func (h *Hub) Required(level wal.Level) bool {
	_, ok := rungOf(level)
	return ok && h.quorum.required.Load()
}

// Wait returns when the standbys that are asked have confirmed end as the level says, or when none
// is asked any more. Ending ctx ends only the wait.
func (h *Hub) Wait(ctx context.Context, end wal.LSN, level wal.Level) error {
	r, ok := rungOf(level)
	if !ok {
		return nil
	}
	return h.quorum.wait(ctx, end, r)
}

// SetStandbyNames puts a new value of synchronous_standby_names in force: for those who wait too.
func (h *Hub) SetStandbyNames(names StandbyNames) { h.quorum.set(names) }

// CountFlushed is how many replicas connected now have flushed lsn.
func (h *Hub) CountFlushed(lsn wal.LSN) int { return h.quorum.countFlushed(lsn) }

// AwaitFlushedBy returns when n replicas, all connected then, have flushed lsn.
func (h *Hub) AwaitFlushedBy(ctx context.Context, n int, lsn wal.LSN) error {
	return h.quorum.waitCount(ctx, n, lsn)
}

// CreateSlot, DropSlot, ReadSlot, ListSlots and ReleaseSession are the slots' own, for a session
// that knows only the hub.
func (h *Hub) CreateSlot(c CreateSlot, owner int32) (wal.LSN, error) {
	return h.opts.Slots.Create(c, owner)
}

// DropSlot removes a slot.
func (h *Hub) DropSlot(ctx context.Context, c DropSlot) error {
	return h.opts.Slots.Drop(ctx, c.Name, c.Wait)
}

// ReadSlot says where a slot stands.
func (h *Hub) ReadSlot(name string) (SlotInfo, bool) { return h.opts.Slots.Get(name) }

// ListSlots is every slot, by name.
func (h *Hub) ListSlots() []SlotInfo { return h.opts.Slots.List() }

// ReleaseSession drops what was made for the session only.
func (h *Hub) ReleaseSession(session int32) { h.opts.Slots.ReleaseSession(session) }
