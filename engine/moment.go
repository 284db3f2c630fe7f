package engine

// Moment is what a statement of a transaction sees, kept for longer than the statement: the reads
// of a cursor are as of its declaration, whatever the transaction or others write between two
// fetches. It has to be closed before its transaction ends.
type Moment struct {
	state *txnState
	view  *view
	seq   uint32 // of the newest own write that is seen

	// what the transaction was reading, between Enter and Leave
	outerView  *view
	outerPoint pointRead
}

// Keep gives the moment of the current statement. The statement's snapshot is taken if it has none
// yet.
func (t *Txn) Keep() (*Moment, error) {
	if t.txnState == nil {
		return nil, ErrTxnDone
	}
	if err := t.needView(); err != nil {
		return nil, err
	}
	t.writes.freeze()
	return &Moment{state: t.txnState, view: t.view.acquire(), seq: t.writes.seq}, nil
}

// Enter has the transaction read as of the moment, until Leave. Moments do not nest.
func (m *Moment) Enter() {
	s := m.state
	if s.past != nil {
		panic("engine: Enter in a moment that was not left")
	}
	m.outerView, m.outerPoint = s.view, s.point
	s.view, s.point, s.past = m.view, pointRead{}, m
}

// Leave goes back to what the transaction read before.
func (m *Moment) Leave() {
	s := m.state
	s.view, s.point, s.past = m.outerView, m.outerPoint, nil
	m.outerView = nil
}

// Close lets go of the snapshot. Closing it again does nothing.
func (m *Moment) Close() {
	if m.view != nil {
		m.view.close()
		m.view, m.state = nil, nil
	}
}

// readSeq is the newest own write that reads see.
func (s *txnState) readSeq() uint32 {
	if s.past != nil {
		return s.past.seq
	}
	return s.writes.seq
}

// changedSince says whether the set has written to a key after seq.
func (w *writeSet) changedSince(table TableID, key []byte, seq uint32) bool {
	node, found := w.locate(table, key)
	if found {
		if newest := w.nodes[node].newest; newest != 0 && w.versions[newest].seq > seq {
			return true
		}
	}
	return len(w.ranges) > 0 && w.covered(table, key, seq, w.seq) != nil
}
