package jepsenlite

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
)

// pieceSize is what survives or is lost as one: a sector. A longer write can be torn between any two.
const pieceSize = 512

// image is the content of a disk in two versions at once: what the page cache shows, and what would
// be there after a power cut. It is stricter than ext4 on purpose: an fsync of a file makes that
// file's bytes durable and nothing else, so an entry of a directory whose directory was never
// synced is lost, whatever was done to the file.
//
// In a power cut every file keeps its durable bytes, and of the pieces written since a random
// subset; every directory keeps its durable entries and a random prefix of what was done to it
// since.
type image struct {
	mu   sync.Mutex
	root *fileNode // and everything below: guarded by mu
	next uint64    // the next inode number; guarded by mu
}

// fileNode is a file or, when entries is not nil, a directory.
type fileNode struct {
	ino uint64

	data    []byte  // of a file: what readers see
	durable []byte  // of a file: what was synced
	pending []piece // written since, in order

	entries map[string]*fileNode // of a directory: what readers see
	kept    map[string]*fileNode // of a directory: what was synced
	changes []change             // since, in order
}

type piece struct {
	off  int64
	data []byte // nil for a truncation to off
}

// change is one directory operation: names that came (with their node) and went (nil), at once.
type change map[string]*fileNode

func newImage() *image {
	im := &image{next: 1}
	im.root = im.node(true)
	return im
}

func (im *image) node(dir bool) *fileNode {
	n := &fileNode{ino: im.next}
	im.next++
	if dir {
		n.entries, n.kept = map[string]*fileNode{}, map[string]*fileNode{}
	}
	return n
}

func (n *fileNode) isDir() bool { return n.entries != nil }

func (n *fileNode) write(data []byte, off int64) {
	if need := off + int64(len(data)); need > int64(len(n.data)) {
		n.data = append(n.data, make([]byte, need-int64(len(n.data)))...)
	}
	copy(n.data[off:], data)
	for len(data) > 0 {
		length := min(int64(len(data)), pieceSize-off%pieceSize)
		n.pending = append(n.pending, piece{off: off, data: slices.Clone(data[:length])})
		data, off = data[length:], off+length
	}
}

func (n *fileNode) truncate(size int64) {
	n.data = resize(n.data, size)
	n.pending = append(n.pending, piece{off: size})
}

func resize(data []byte, size int64) []byte {
	if size <= int64(len(data)) {
		return data[:size:size]
	}
	return append(data, make([]byte, size-int64(len(data)))...)
}

// sync makes the node durable: the bytes of a file, the entries of a directory.
func (n *fileNode) sync() {
	if n.isDir() {
		n.kept, n.changes = maps.Clone(n.entries), nil
		return
	}
	for _, p := range n.pending {
		n.durable = p.apply(n.durable)
	}
	n.pending = nil
}

func (p piece) apply(data []byte) []byte {
	if p.data == nil {
		return resize(data, p.off)
	}
	if need := p.off + int64(len(p.data)); need > int64(len(data)) {
		data = resize(data, need)
	}
	copy(data[p.off:], p.data)
	return data
}

// change does one operation on a directory.
func (n *fileNode) change(c change) {
	c.apply(n.entries)
	n.changes = append(n.changes, c)
}

func (c change) apply(entries map[string]*fileNode) {
	for name, child := range c {
		if child == nil {
			delete(entries, name)
		} else {
			entries[name] = child
		}
	}
}

// crash returns a disk as it may be found after a power cut now.
func (im *image) crash(seed uint64) *image {
	im.mu.Lock()
	defer im.mu.Unlock()
	c := crasher{rng: rand.New(rand.NewPCG(seed, 0)), seen: map[*fileNode]*fileNode{}}
	return &image{root: c.node(im.root), next: im.next}
}

// crasher copies what survives. seen keeps hard links one file.
type crasher struct {
	rng  *rand.Rand
	seen map[*fileNode]*fileNode
}

func (c *crasher) node(n *fileNode) *fileNode {
	if found := c.seen[n]; found != nil {
		return found
	}
	out := &fileNode{ino: n.ino}
	c.seen[n] = out
	if n.isDir() {
		c.directory(n, out)
		return out
	}
	out.durable = slices.Clone(n.durable)
	// Most often a half survives; sometimes nothing and sometimes all, which random pieces never do.
	survives := []float64{0, 0.5, 0.5, 0.9, 1}[c.rng.IntN(5)]
	for _, p := range n.pending {
		if c.rng.Float64() < survives {
			out.durable = p.apply(out.durable)
		}
	}
	out.data = slices.Clone(out.durable)
	return out
}

func (c *crasher) directory(n, out *fileNode) {
	entries := maps.Clone(n.kept)
	for _, ch := range n.changes[:c.rng.IntN(len(n.changes)+1)] {
		ch.apply(entries)
	}
	out.entries, out.kept = map[string]*fileNode{}, map[string]*fileNode{}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		out.entries[name] = c.node(entries[name])
	}
	out.kept = maps.Clone(out.entries)
}

// lookup finds an entry of a directory.
func (n *fileNode) lookup(name string) (*fileNode, syscall.Errno) {
	if child := n.entries[name]; child != nil {
		return child, 0
	}
	return nil, syscall.ENOENT
}
