package waltest

import (
	"math/rand/v2"
	"slices"
)

// newRand gives the numbers of a seed; stream keeps the uses of one seed apart.
func newRand(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

const (
	streamCrash = 1 + iota
	streamPowerOff
)

// Crash gives a disk as it might be found after a power cut at this moment: a new store with no
// process on it. This one goes on as if nothing had happened, so one history can be cut many
// times.
func (d *Disk) Crash(seed uint64) *Disk {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	c := newCutter(seed, d.store)
	after := newStore()
	for _, op := range d.store.ops {
		if !c.survives(op.at) {
			c.lost[op.at] = true
		}
	}
	after.names = c.namesAfter(d.store)
	fresh := map[*inode]*inode{nil: nil}
	for _, path := range sortedNames(after.names) { // Sorted: random numbers go in this order.
		node := after.names[path]
		if _, ok := fresh[node]; !ok {
			fresh[node] = c.inodeAfter(node)
		}
		after.names[path] = fresh[node]
	}
	for path, node := range after.names {
		after.medium[path] = node
	}
	return &Disk{store: after, life: &life{}}
}

// cutter decides what survives one power cut.
type cutter struct {
	rng  *rand.Rand
	lost map[uint64]bool

	// Either everything up to a moment survives, as where a device writes in order, or each
	// piece for itself with this chance.
	ordered bool
	upTo    uint64
	percent int
}

func newCutter(seed uint64, s *store) *cutter {
	rng := newRand(seed, streamCrash)
	c := &cutter{rng: rng, lost: map[uint64]bool{}}
	c.ordered = rng.IntN(4) == 0
	c.upTo = rng.Uint64N(s.clock + 1)
	// The ends matter most: nothing of the rest, and all of it.
	c.percent = []int{0, 10, 50, 90, 100}[rng.IntN(5)]
	return c
}

func (c *cutter) survives(at uint64) bool {
	if c.ordered {
		return at <= c.upTo
	}
	return c.rng.IntN(100) < c.percent
}

// namesAfter gives the names that are left, still of the inodes of s. A file whose directory's
// name was lost went with it.
func (c *cutter) namesAfter(s *store) map[string]*inode {
	names := map[string]*inode{}
	for path, node := range s.medium {
		names[path] = node
	}
	for _, op := range s.ops {
		if !c.lost[op.at] {
			op.apply(names)
		}
	}
	for _, path := range sortedNames(names) { // Parents come first.
		if node, ok := names[parent(path)]; !ok || node != nil {
			delete(names, path)
		}
	}
	return names
}

// inodeAfter gives what is left of a file.
func (c *cutter) inodeAfter(n *inode) *inode {
	left := &inode{medium: slices.Clone(n.medium), mediumSize: c.sizeAfter(n)}
	if more := pieceCount(left.mediumSize) - len(left.medium); more > 0 {
		left.medium = append(left.medium, make([]piece, more)...)
	}
	for _, i := range sortedPieces(n.pending) {
		if i >= len(left.medium) {
			continue
		}
		if data, ok := c.versionAfter(n.pending[i]); ok {
			left.medium[i] = data
		}
	}
	left.medium = left.medium[:pieceCount(left.mediumSize)]
	if in := left.mediumSize % pieceSize; in > 0 {
		last := len(left.medium) - 1
		left.medium[last] = overwrite(left.medium[last], zeroPiece[in:], int(in))
	}
	left.cached, left.cachedSize = slices.Clone(left.medium), left.mediumSize
	left.markClean()
	return left
}

func (c *cutter) sizeAfter(n *inode) int64 {
	if len(n.sizes) == 0 {
		return n.mediumSize
	}
	choice := c.rng.IntN(len(n.sizes) + 1)
	if choice == len(n.sizes) {
		return n.mediumSize
	}
	return n.sizes[choice]
}

// versionAfter picks one of the writes to a piece, or none: then the medium's stays.
func (c *cutter) versionAfter(versions []version) (piece, bool) {
	var data piece
	found := false
	for _, v := range versions {
		// The newest that survives is the one that is seen.
		if c.survives(v.at) {
			data, found = v.data, true
		}
	}
	return data, found
}

// Kill ends the process that holds d, as kill -9 does: its handles are dead, its locks free, and
// everything it wrote is still in the page cache. The view of the next process is returned.
func (d *Disk) Kill() *Disk {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	d.life.end(ErrKilled)
	for path, holder := range d.store.locks {
		if holder == d.life {
			delete(d.store.locks, path)
		}
	}
	return &Disk{store: d.store, life: &life{}}
}

func sortedNames(names map[string]*inode) []string {
	paths := make([]string, 0, len(names))
	for path := range names {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

func sortedPieces(pending map[int][]version) []int {
	indexes := make([]int, 0, len(pending))
	for i := range pending {
		indexes = append(indexes, i)
	}
	slices.Sort(indexes)
	return indexes
}
