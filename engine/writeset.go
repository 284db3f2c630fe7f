package engine

import (
	"bytes"

	"ackdb/wal"
)

// writeSet holds what a transaction has written: an ordered map from (table, key) to the versions
// written, newest first, and a list of range deletes.
//
// Nodes are never moved and versions carry the sequence number of the write that made them. So an
// iterator opened at a sequence number goes on seeing the set as it was then, while the same
// statement writes to it: `UPDATE .. WHERE k > 1 SET k = k + 1` would otherwise chase its own rows.
//
// Nodes and versions refer to each other by index and to bytes by position, so a set of millions
// of rows gives the garbage collector nothing to follow.
type writeSet struct {
	nodes    []writeNode
	towers   []uint32 // forward links, the nodes' towers one after the other
	tails    [maxTower]uint32
	versions []writeVersion
	ranges   []rangeDelete
	bytes    byteArena

	seq    uint32 // of the newest write
	frozen uint32 // versions up to this seq belong to a savepoint or an open iterator
	pins   int    // open iterators: nothing may be unlinked
	rand   uint32
	held   int64
}

// writeNode is one key. Index 0 is the head of the list, before every key.
type writeNode struct {
	key    byteRef
	keyLen uint32
	table  TableID
	newest uint32 // version, 0 when every one was rolled back
	prev   uint32
	tower  uint32 // start in towers
	height uint8
}

// writeVersion is one write to a key. Index 0 means none.
type writeVersion struct {
	value    byteRef
	valueLen uint32
	node     uint32
	seq      uint32
	older    uint32
	deleted  bool
}

// rangeDelete deletes [lo, hi) of a table; a nil hi is the table's end.
type rangeDelete struct {
	table  TableID
	lo, hi []byte
	seq    uint32
}

const (
	maxTower = 14 // enough for 4^14 keys

	// writeOverhead is counted for each write besides key and value, so that a transaction of
	// empty rows is bounded as well. Node, tower and version take some 75 bytes; counting them in
	// full would make max_transaction_size mean little for small rows.
	writeOverhead = 32

	// maxRangeDeletes bounds the list that every read and iterator step looks through.
	maxRangeDeletes = 1024

	// maxKeptNodes bounds what an idle set keeps.
	maxKeptNodes = 1024
)

func newWriteSet() *writeSet {
	w := &writeSet{rand: 0x9e3779b9}
	w.reset()
	return w
}

// reset forgets everything and keeps small buffers.
func (w *writeSet) reset() {
	if cap(w.nodes) > maxKeptNodes || cap(w.versions) > 4*maxKeptNodes {
		w.nodes, w.versions, w.towers = nil, nil, nil
	}
	w.nodes = append(w.nodes[:0], writeNode{height: maxTower})
	w.versions = append(w.versions[:0], writeVersion{})
	if cap(w.towers) < maxTower {
		w.towers = make([]uint32, maxTower, 2*maxTower)
	}
	w.towers = w.towers[:maxTower]
	clear(w.towers)
	w.tails = [maxTower]uint32{}
	clear(w.ranges)
	w.ranges = w.ranges[:0]
	w.bytes.reset()
	w.seq, w.frozen, w.pins, w.held = 0, 0, 0, 0
}

// empty says whether there is nothing to commit.
func (w *writeSet) empty() bool { return len(w.versions) == 1 && len(w.ranges) == 0 }

// Size is what the set holds in memory: keys, values and overhead, overwritten ones included.
func (w *writeSet) Size() int64 { return w.held }

// put writes a version. key and value are copied; value may alias what get returned.
func (w *writeSet) put(table TableID, key, value []byte, deleted bool) {
	node, found := w.locate(table, key)
	if !found {
		node = w.insert(table, key)
	}
	w.seq++
	n := &w.nodes[node]
	if v := &w.versions[n.newest]; n.newest != 0 && v.seq > w.frozen &&
		len(value) <= int(v.valueLen) {
		copy(w.bytes.at(v.value, v.valueLen), value)
		v.valueLen, v.deleted, v.seq = uint32(len(value)), deleted, w.seq
		return
	}
	w.versions = append(w.versions, writeVersion{
		value: w.bytes.add(value), valueLen: uint32(len(value)),
		node: node, seq: w.seq, older: n.newest, deleted: deleted,
	})
	n.newest = uint32(len(w.versions) - 1)
	w.held += int64(len(value)) + writeOverhead
}

// deleteRange deletes [lo, hi). Only reads look at the list again and again, so what the range
// covers of the set itself is left where it is.
func (w *writeSet) deleteRange(table TableID, lo, hi []byte) {
	if hi != nil && bytes.Compare(lo, hi) >= 0 {
		return // the log's encoding would take an empty hi for the table's end
	}
	w.seq++
	r := rangeDelete{table: table, lo: bytes.Clone(lo), hi: bytes.Clone(hi), seq: w.seq}
	w.ranges = append(w.ranges, r)
	w.held += int64(len(lo)+len(hi)) + writeOverhead
}

// ownState says what the set knows of a key.
type ownState uint8

const (
	ownNone ownState = iota
	ownSet
	ownDeleted
)

// get returns what the transaction itself made of a key. The value is valid until the next write.
func (w *writeSet) get(table TableID, key []byte) ([]byte, ownState) {
	return w.getAt(table, key, w.seq)
}

// getAt is get as of a sequence number that an open iterator or a Moment keeps.
func (w *writeSet) getAt(table TableID, key []byte, seq uint32) ([]byte, ownState) {
	if len(w.versions) > 1 {
		if node, found := w.locate(table, key); found {
			if value, state := w.visible(node, seq); state != ownNone {
				return value, state
			}
		}
	}
	if len(w.ranges) > 0 && w.covered(table, key, 0, seq) != nil {
		return nil, ownDeleted
	}
	return nil, ownNone
}

// visible returns a node's state as of seq. ownNone means that no version is that old.
func (w *writeSet) visible(node, seq uint32) ([]byte, ownState) {
	n := &w.nodes[node]
	i := n.newest
	for i != 0 && w.versions[i].seq > seq {
		i = w.versions[i].older
	}
	if i == 0 {
		return nil, ownNone
	}
	v := &w.versions[i]
	if v.deleted || len(w.ranges) > 0 && w.covered(n.table, w.key(node), v.seq, seq) != nil {
		return nil, ownDeleted
	}
	return w.bytes.at(v.value, v.valueLen), ownSet
}

// covered returns a range delete made after one sequence number and up to another that covers a
// key, or nil.
func (w *writeSet) covered(table TableID, key []byte, after, upTo uint32) *rangeDelete {
	for i := range w.ranges {
		r := &w.ranges[i]
		if r.seq > after && r.seq <= upTo && r.contains(table, key) {
			return r
		}
	}
	return nil
}

func (r *rangeDelete) contains(table TableID, key []byte) bool {
	return r.table == table && bytes.Compare(key, r.lo) >= 0 &&
		(r.hi == nil || bytes.Compare(key, r.hi) < 0)
}

func (w *writeSet) key(node uint32) []byte {
	n := &w.nodes[node]
	return w.bytes.at(n.key, n.keyLen)
}

// each calls fn with every operation of the set: range deletes in the order they were made, then
// what is left of the keys, in order. A key that a later range delete covers needs no operation.
func (w *writeSet) each(fn func(wal.Op) error) error {
	for i := range w.ranges {
		if err := fn(w.ranges[i].op()); err != nil {
			return err
		}
	}
	for node := w.first(); node != 0; node = w.next(node) {
		op, ok := w.op(node)
		if !ok {
			continue
		}
		if err := fn(op); err != nil {
			return err
		}
	}
	return nil
}

func (r *rangeDelete) op() wal.Op {
	return wal.Op{Kind: wal.OpDeleteRange, Table: uint32(r.table), Key: r.lo, Value: r.hi}
}

// op returns the operation of a node, false if it needs none.
func (w *writeSet) op(node uint32) (wal.Op, bool) {
	n := &w.nodes[node]
	if n.newest == 0 {
		return wal.Op{}, false
	}
	v := &w.versions[n.newest]
	key := w.key(node)
	if len(w.ranges) > 0 && w.covered(n.table, key, v.seq, w.seq) != nil {
		return wal.Op{}, false
	}
	if v.deleted {
		return wal.Op{Kind: wal.OpDelete, Table: uint32(n.table), Key: key}, true
	}
	value := w.bytes.at(v.value, v.valueLen)
	return wal.Op{Kind: wal.OpSet, Table: uint32(n.table), Key: key, Value: value}, true
}
