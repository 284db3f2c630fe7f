package waltest

import (
	"path/filepath"
	"slices"
)

// Content gives a copy of what programs read in a file, and nil if there is none.
func (d *Disk) Content(path string) []byte {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	node, err := d.store.find(filepath.Clean(path))
	if err != nil {
		return nil
	}
	data := make([]byte, node.cachedSize)
	node.read(data, 0)
	return data
}

// Files gives the paths of all files, sorted.
func (d *Disk) Files() []string {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	var paths []string
	for path, node := range d.store.names {
		if node != nil {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// Damage changes a file's bytes where they lie, on the medium and in the page cache, as a fault
// of the device does: no operation is counted and nothing is left to sync.
func (d *Disk) Damage(path string, change func(data []byte) []byte) {
	data := change(d.Content(path))
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	if node, err := d.store.find(filepath.Clean(path)); err == nil {
		node.settle(data)
	}
}

// FlipBit turns one bit of a file over, on the medium and in the page cache.
func (d *Disk) FlipBit(path string, off int64, bit uint) {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	node, err := d.store.find(filepath.Clean(path))
	if err != nil {
		return
	}
	i, in := int(off/pieceSize), int(off%pieceSize)
	for _, pieces := range [][]piece{node.cached, node.medium} {
		if i < len(pieces) {
			b := orZero(pieces[i])[in] ^ 1<<(bit%8)
			pieces[i] = overwrite(pieces[i], []byte{b}, in)
		}
	}
}

// Lose takes a file away, durably.
func (d *Disk) Lose(path string) {
	path = filepath.Clean(path)
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	delete(d.store.names, path)
	delete(d.store.medium, path)
}
