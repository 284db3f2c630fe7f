package engine

// breakDeadlock looks for a circle of waiters through w. If there is one, w leaves its queue, and
// the circle is returned for the error message.
//
// It holds every shard, so it sees one moment of the whole graph. Two members of one circle that
// look at the same time therefore never both give way: the second finds the circle broken.
func (t *lockTable) breakDeadlock(w *lockWaiter) []LockInfo {
	for i := range t.shards {
		t.shards[i].mu.Lock()
	}
	defer func() {
		for i := range t.shards {
			t.shards[i].mu.Unlock()
		}
	}()
	if w.lock == nil {
		return nil
	}
	t.searches++
	search := deadlockSearch{number: t.searches, start: w}
	if !search.visit(w) {
		return nil
	}
	cycle := make([]LockInfo, len(search.path))
	for i, p := range search.path {
		cycle[i] = p.info()
	}
	w.lock.abandon(w)
	return cycle
}

// deadlockSearch is a depth-first walk over the waiters. Only they have outgoing edges: a
// transaction that waits for no lock goes on by itself.
type deadlockSearch struct {
	number uint64
	start  *lockWaiter
	path   []*lockWaiter
}

// visit follows whatever w waits for and says whether that leads back to the start. The depth is
// at most the number of waiting transactions.
func (s *deadlockSearch) visit(w *lockWaiter) bool {
	w.search = s.number
	s.path = append(s.path, w)
	for i := range w.lock.holders {
		h := &w.lock.holders[i]
		if h.owner != w.owner && w.mode.blockedBy(h.modes) && s.followOwner(h.owner) {
			return true
		}
	}
	// Those ahead in the queue block as holders do, since nobody passes them.
	for ahead := w.prev; ahead != nil; ahead = ahead.prev {
		if w.mode.blockedBy(ahead.mode.set()) && s.follow(ahead) {
			return true
		}
	}
	s.path = s.path[:len(s.path)-1]
	return false
}

// followOwner goes on where the owner waits, or who else acts for its session.
func (s *deadlockSearch) followOwner(o *lockOwner) bool {
	if s.follow(&o.waiter) {
		return true
	}
	peer := o.peer.Load()
	return peer != nil && s.follow(&peer.waiter)
}

func (s *deadlockSearch) follow(w *lockWaiter) bool {
	if w == s.start {
		return true
	}
	return w.lock != nil && w.search != s.number && s.visit(w)
}

func (w *lockWaiter) info() LockInfo {
	return w.lock.describe(LockInfo{
		Session: w.owner.session,
		Key:     append([]byte(nil), w.lock.key...),
		Mode:    w.mode.String(),
		Since:   w.since,
	})
}
