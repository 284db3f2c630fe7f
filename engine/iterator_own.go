package engine

import "encoding/binary"

// ownCursor walks over a write set as it was at one sequence number, within bounds.
type ownCursor struct {
	set     *writeSet
	loTable TableID
	hiTable TableID
	lo, hi  []byte
	reverse bool
	seq     uint32
	node    uint32
}

// openOwnCursor opens a cursor with the bounds of an iterator.
func openOwnCursor(set *writeSet, it *Iter, seq uint32) ownCursor {
	return ownCursor{
		set: set, reverse: it.reverse, seq: seq,
		loTable: tableOf(it.lo), lo: rowKey(it.lo),
		hiTable: tableOf(it.hi), hi: rowKey(it.hi),
	}
}

// tableOf returns the table of a key in the store's encoding.
func tableOf(key []byte) TableID { return TableID(binary.BigEndian.Uint32(key)) }

// start moves to the first node in the cursor's direction.
func (c *ownCursor) start() {
	if c.seq == 0 {
		return
	}
	if c.reverse {
		c.node = c.set.seekLT(c.hiTable, c.hi)
	} else {
		c.node = c.set.seekGE(c.loTable, c.lo)
	}
	c.settle()
}

// step moves one node on.
func (c *ownCursor) step() {
	c.move()
	c.settle()
}

func (c *ownCursor) move() {
	if c.reverse {
		c.node = c.set.prev(c.node)
	} else {
		c.node = c.set.next(c.node)
	}
}

// settle passes over nodes that had no version at the cursor's time.
func (c *ownCursor) settle() {
	for c.valid() {
		if _, state := c.value(); state != ownNone {
			return
		}
		c.move()
	}
}

// valid says whether the cursor stands on a node within its bounds.
func (c *ownCursor) valid() bool {
	if c.node == 0 {
		return false
	}
	if c.reverse {
		return c.set.compare(c.node, c.loTable, c.lo) >= 0
	}
	return c.set.compare(c.node, c.hiTable, c.hi) < 0
}

func (c *ownCursor) key() []byte { return c.set.key(c.node) }

func (c *ownCursor) value() ([]byte, ownState) { return c.set.visible(c.node, c.seq) }

// covered returns the range delete that hides a stored row from the cursor, or nil.
func (c *ownCursor) covered(key []byte) *rangeDelete {
	if len(c.set.ranges) == 0 {
		return nil
	}
	return c.set.covered(c.loTable, key, 0, c.seq)
}
