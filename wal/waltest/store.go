package waltest

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"sync"
)

// pieceSize is what the medium writes as a whole: a sector of the smallest kind still sold.
const pieceSize = 512

// versionsMax bounds the writes remembered of one piece between two syncs; the older go first.
const versionsMax = 4

// piece is the contents of one sector. It never changes once it is stored, so clones share it.
// nil is zeros.
type piece = *[pieceSize]byte

// version is a write to a piece that no sync has covered yet.
type version struct {
	at   uint64 // in order of all writes and names of the store
	data piece
}

// inode is a file, whatever its names.
type inode struct {
	cached     []piece // what programs read
	cachedSize int64

	medium     []piece // what is there after a power cut
	mediumSize int64

	pending map[int][]version // by piece, oldest first; the last is what cached has
	sizes   []int64           // sizes since the last sync
}

// nameOp is a change to a directory that no SyncDir has covered yet. remove goes away, and add
// becomes a name of node; either may be empty. A rename is both, and never half of it.
type nameOp struct {
	at     uint64
	dir    string
	remove string
	add    string
	node   *inode // nil: add is a directory
}

// store is files and names, shared by the views of processes that live one after the other.
type store struct {
	mu sync.Mutex

	// All guarded by mu.
	names  map[string]*inode // what programs see; nil is a directory
	medium map[string]*inode
	ops    []nameOp
	locks  map[string]*life
	clock  uint64
	lies   Lies
}

func newStore() *store {
	return &store{
		names:  map[string]*inode{"/": nil, ".": nil},
		medium: map[string]*inode{"/": nil, ".": nil},
		locks:  map[string]*life{},
	}
}

func (s *store) tick() uint64 {
	s.clock++
	return s.clock
}

// isDir says whether path is a directory that programs can see.
func (s *store) isDir(path string) bool {
	node, ok := s.names[path]
	return ok && node == nil
}

// find gives the file of that name.
func (s *store) find(path string) (*inode, error) {
	node, ok := s.names[path]
	if !ok {
		return nil, fs.ErrNotExist
	}
	if node == nil {
		return nil, fs.ErrInvalid
	}
	return node, nil
}

// change does op for programs, and remembers that the medium has not heard of it.
func (s *store) change(op nameOp) {
	op.at = s.tick()
	op.apply(s.names)
	s.ops = append(s.ops, op)
}

func (op *nameOp) apply(names map[string]*inode) {
	if op.remove != "" {
		delete(names, op.remove)
	}
	if op.add != "" {
		names[op.add] = op.node
	}
}

// syncDir brings the names of dir to the medium.
func (s *store) syncDir(dir string) {
	rest := s.ops[:0]
	for _, op := range s.ops {
		if op.dir == dir {
			op.apply(s.medium)
		} else {
			rest = append(rest, op)
		}
	}
	s.ops = rest
}

func pieceCount(size int64) int { return int((size + pieceSize - 1) / pieceSize) }

// equal compares contents.
func equal(a, b piece) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil {
		a, b = orZero(a), orZero(b)
	}
	return *a == *b
}

var zeroPiece [pieceSize]byte

func orZero(p piece) piece {
	if p == nil {
		return &zeroPiece
	}
	return p
}

func at(pieces []piece, i int) piece {
	if i < len(pieces) {
		return pieces[i]
	}
	return nil
}

// read copies from the page cache. It gives fewer bytes at the end of the file.
func (n *inode) read(p []byte, off int64) int {
	p = p[:max(0, min(int64(len(p)), n.cachedSize-off))]
	done := 0
	for done < len(p) {
		i, in := int((off+int64(done))/pieceSize), int((off+int64(done))%pieceSize)
		done += copy(p[done:], orZero(at(n.cached, i))[in:])
	}
	return done
}

// write puts p into the page cache.
func (n *inode) write(p []byte, off int64, tick func() uint64) {
	if end := off + int64(len(p)); end > n.cachedSize {
		n.grow(end)
	}
	if n.zerosOverZeros(p, off) {
		return
	}
	for len(p) > 0 {
		i, in := int(off/pieceSize), int(off%pieceSize)
		take := min(len(p), pieceSize-in)
		n.put(i, overwrite(n.cached[i], p[:take], in), tick())
		p, off = p[take:], off+int64(take)
	}
}

// zerosOverZeros says whether a write changes nothing, in the cache and on the medium: preparing
// segments is made of little else, and piece by piece it would take most of a test's time.
func (n *inode) zerosOverZeros(p []byte, off int64) bool {
	if len(n.pending) > 0 || off%pieceSize != 0 || len(p)%pieceSize != 0 {
		return false
	}
	first := int(off / pieceSize)
	for i := range len(p) / pieceSize {
		if n.cached[first+i] != nil || at(n.medium, first+i) != nil {
			return false
		}
	}
	return bytes.Count(p, zeroPiece[:1]) == len(p)
}

// overwrite gives old with p in it from in on, and nil for zeros.
func overwrite(old piece, p []byte, in int) piece {
	if old == nil && bytes.Equal(p, zeroPiece[:len(p)]) {
		return nil
	}
	next := *orZero(old)
	copy(next[in:], p)
	if next == zeroPiece {
		return nil
	}
	return &next
}

// put makes data the contents of piece i, and dirty unless the medium is bound to have it.
func (n *inode) put(i int, data piece, when uint64) {
	n.cached[i] = data
	versions := n.pending[i]
	if len(versions) == 0 && equal(at(n.medium, i), data) {
		return
	}
	if len(versions) == versionsMax {
		versions = versions[1:]
	}
	// A fresh slice: a clone of this inode may hold the old one.
	n.pending[i] = append(versions[:len(versions):len(versions)], version{when, data})
}

func (n *inode) grow(size int64) {
	if more := pieceCount(size) - len(n.cached); more > 0 {
		n.cached = append(n.cached, make([]piece, more)...)
	}
	n.cachedSize = size
	n.sizes = append(n.sizes, size)
}

func (n *inode) truncate(size int64, tick func() uint64) {
	if size >= n.cachedSize {
		n.grow(size)
		return
	}
	if in := int(size % pieceSize); in > 0 {
		i := int(size / pieceSize)
		n.put(i, overwrite(n.cached[i], zeroPiece[in:], in), tick())
	}
	for i := pieceCount(size); i < len(n.cached); i++ {
		n.put(i, nil, tick())
	}
	n.cached = n.cached[:pieceCount(size)]
	n.cachedSize = size
	n.sizes = append(n.sizes, size)
}

// sync brings the page cache to the medium.
func (n *inode) sync() {
	if more := len(n.cached) - len(n.medium); more > 0 {
		n.medium = append(n.medium, make([]piece, more)...)
	}
	n.medium = n.medium[:len(n.cached)]
	for i := range n.pending {
		if i < len(n.cached) {
			n.medium[i] = n.cached[i]
		}
	}
	n.mediumSize = n.cachedSize
	n.markClean()
}

// markClean forgets what was on its way. After a failed fsync this is what a kernel does: the
// page cache goes on showing bytes which no later fsync will write.
func (n *inode) markClean() {
	n.pending = map[int][]version{}
	n.sizes = nil
}

// dropCache makes what is clean come from the medium again.
func (n *inode) dropCache() {
	for i := range n.cached {
		if len(n.pending[i]) == 0 {
			n.cached[i] = at(n.medium, i)
		}
	}
}

// settle makes the page cache and the medium the same: contents set from outside.
func (n *inode) settle(data []byte) {
	n.cached, n.cachedSize = nil, 0
	n.markClean()
	n.grow(int64(len(data)))
	for off := 0; off < len(data); off += pieceSize {
		n.cached[off/pieceSize] = overwrite(nil, data[off:min(off+pieceSize, len(data))], 0)
	}
	n.medium = append([]piece(nil), n.cached...)
	n.mediumSize = n.cachedSize
	n.markClean()
}

func parent(path string) string { return filepath.Dir(path) }
