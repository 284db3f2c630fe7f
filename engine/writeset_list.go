package engine

import (
	"bytes"
	"cmp"
)

// The skip list under a write set. Links are node indexes; 0 is the head going backwards and the
// end going forwards.

func (w *writeSet) link(node uint32, level int) *uint32 {
	return &w.towers[int(w.nodes[node].tower)+level]
}

func (w *writeSet) first() uint32           { return w.towers[0] }
func (w *writeSet) last() uint32            { return w.tails[0] }
func (w *writeSet) next(node uint32) uint32 { return *w.link(node, 0) }
func (w *writeSet) prev(node uint32) uint32 { return w.nodes[node].prev }

// compare orders a node against a key.
func (w *writeSet) compare(node uint32, table TableID, key []byte) int {
	if c := cmp.Compare(w.nodes[node].table, table); c != 0 {
		return c
	}
	return bytes.Compare(w.key(node), key)
}

// seekGE returns the first node at or above a key, 0 if there is none.
func (w *writeSet) seekGE(table TableID, key []byte) uint32 {
	before := uint32(0)
	for level := maxTower - 1; level >= 0; level-- {
		before = w.walk(before, level, table, key)
	}
	return w.next(before)
}

// seekLT returns the last node below a key, 0 if there is none.
func (w *writeSet) seekLT(table TableID, key []byte) uint32 {
	if node := w.seekGE(table, key); node != 0 {
		return w.prev(node)
	}
	return w.last()
}

// walk goes forward on one level from a node below a key to the last such node.
func (w *writeSet) walk(from uint32, level int, table TableID, key []byte) uint32 {
	for {
		next := *w.link(from, level)
		if next == 0 || w.compare(next, table, key) >= 0 {
			return from
		}
		from = next
	}
}

// locate finds a key's node. Keys above all others, which is what a bulk load in key order
// writes, and the newest node are found without a search.
func (w *writeSet) locate(table TableID, key []byte) (uint32, bool) {
	last := w.last()
	if last == 0 {
		return 0, false
	}
	switch c := w.compare(last, table, key); {
	case c == 0:
		return last, true
	case c < 0:
		return 0, false
	}
	node := w.seekGE(table, key)
	return node, node != 0 && w.compare(node, table, key) == 0
}

// insert adds a node for a key that has none.
func (w *writeSet) insert(table TableID, key []byte) uint32 {
	before := w.predecessors(table, key)
	node := uint32(len(w.nodes))
	height := w.drawHeight()
	w.nodes = append(w.nodes, writeNode{
		key: w.bytes.add(key), keyLen: uint32(len(key)), table: table,
		prev: before[0], tower: uint32(len(w.towers)), height: uint8(height),
	})
	w.held += int64(len(key))
	for level := range height {
		next := *w.link(before[level], level)
		w.towers = append(w.towers, next)
		*w.link(before[level], level) = node
		if next == 0 {
			w.tails[level] = node
		}
	}
	if next := w.next(node); next != 0 {
		w.nodes[next].prev = node
	}
	return node
}

// unlink takes a node out of the list; its storage is given back by the caller.
func (w *writeSet) unlink(node uint32) {
	n := w.nodes[node]
	before := w.predecessors(n.table, w.key(node))
	for level := range int(n.height) {
		next := *w.link(node, level)
		*w.link(before[level], level) = next
		if next == 0 {
			w.tails[level] = before[level]
		}
	}
	if next := w.next(node); next != 0 {
		w.nodes[next].prev = n.prev
	}
}

// predecessors returns, for each level, the last node below a key.
func (w *writeSet) predecessors(table TableID, key []byte) [maxTower]uint32 {
	if last := w.last(); last == 0 || w.compare(last, table, key) < 0 {
		return w.tails
	}
	var before [maxTower]uint32
	from := uint32(0)
	for level := maxTower - 1; level >= 0; level-- {
		from = w.walk(from, level, table, key)
		before[level] = from
	}
	return before
}

// drawHeight draws a tower height, each level a quarter as likely as the one below.
func (w *writeSet) drawHeight() int {
	w.rand ^= w.rand << 13
	w.rand ^= w.rand >> 17
	w.rand ^= w.rand << 5
	height := 1
	for bits := w.rand; bits&3 == 0 && height < maxTower; bits >>= 2 {
		height++
	}
	return height
}
