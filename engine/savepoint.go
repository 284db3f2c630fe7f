package engine

// SavepointID names a savepoint of one transaction. Ids grow and are never used again.
type SavepointID uint32

// savepoint is what RollbackTo goes back to.
type savepoint struct {
	id      SavepointID
	writes  writeMark
	journal int // entries of the lock journal

	advisory int // of the transaction's advisory locks
}

// Savepoint marks the transaction's state.
func (t *Txn) Savepoint() SavepointID {
	if t.txnState == nil {
		return 0
	}
	t.nextID++
	sp := savepoint{id: t.nextID, writes: t.writes.mark(), journal: len(t.owner.journal)}
	if t.advisory != nil {
		sp.advisory = len(t.advisory.txn)
	}
	t.savepoints = append(t.savepoints, sp)
	t.writes.freeze()
	return t.nextID
}

// RollbackTo undoes every write since the savepoint and releases the locks taken since, as
// Postgres does; the savepoint stays. What SERIALIZABLE has read stays read: the client saw it.
// Open iterators go on; one opened since the savepoint shows what is left of its own rows.
func (t *Txn) RollbackTo(id SavepointID) error {
	i, err := t.findSavepoint(id)
	if err != nil {
		return err
	}
	t.savepoints = t.savepoints[:i+1]
	t.writes.rollback(t.savepoints[i].writes)
	t.writes.freeze()
	t.db.locks.releaseTo(t.owner, t.savepoints[i].journal)
	if t.advisory != nil {
		t.advisory.releaseTo(t.savepoints[i].advisory)
	}
	return nil
}

// Release forgets the savepoint and those made after it.
func (t *Txn) Release(id SavepointID) error {
	i, err := t.findSavepoint(id)
	if err != nil {
		return err
	}
	t.savepoints = t.savepoints[:i]
	return nil
}

func (t *Txn) findSavepoint(id SavepointID) (int, error) {
	if t.txnState == nil {
		return 0, ErrTxnDone
	}
	for i := len(t.savepoints) - 1; i >= 0; i-- {
		if t.savepoints[i].id == id {
			return i, nil
		}
	}
	return 0, ErrNoSavepoint
}

// writeMark is a state of a write set.
type writeMark struct {
	nodes, towers, versions, ranges int
	bytes                           byteRef
	held                            int64
}

func (w *writeSet) mark() writeMark {
	return writeMark{
		nodes: len(w.nodes), towers: len(w.towers), versions: len(w.versions),
		ranges: len(w.ranges), bytes: w.bytes.mark(), held: w.held,
	}
}

// freeze keeps every version there is from being overwritten in place.
func (w *writeSet) freeze() { w.frozen = w.seq }

// rollback undoes every write since a mark. The versions are their own undo log: they lie in the
// order of their making.
func (w *writeSet) rollback(m writeMark) {
	for i := len(w.versions) - 1; i >= m.versions; i-- {
		v := &w.versions[i]
		w.nodes[v.node].newest = v.older
	}
	w.versions = w.versions[:m.versions]
	clear(w.ranges[m.ranges:])
	w.ranges = w.ranges[:m.ranges]
	if w.pins > 0 {
		// An open iterator may stand on one of the nodes. They stay, without a version, and
		// their bytes stay counted.
		return
	}
	for i := len(w.nodes) - 1; i >= m.nodes; i-- {
		w.unlink(uint32(i))
	}
	w.nodes = w.nodes[:m.nodes]
	w.towers = w.towers[:m.towers]
	w.bytes.truncate(m.bytes)
	w.held = m.held
}
