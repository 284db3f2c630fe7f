package engine

import (
	"context"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ackdb/wal"
)

// interlock keeps the store from getting ahead of the log on disk (E3).
//
// A flush of the store makes a memtable durable by one write to the MANIFEST. Were the log's
// records behind that memtable lost in a power cut, the store would hold commits the log does not
// know, and the LSNs of those commits would be given out a second time. So every write that can
// make a memtable part of the durable state first waits until the log is flushed up to whatever
// the store may contain.
//
// What it may contain is the LSN *submitted* to it, stored before Apply is called:
//
//	leader                          flush of the store
//	------                          ------------------
//	submitted = 200
//	Apply(.., 200)
//	                                memtable with 200 is written as a table
//	                                gate: waits for flushed >= 200
//	applied = 200
//
// With the published figure, applied, the gate would see 100 here and let 200 through. The figure
// is sampled when the write begins: what is submitted later is not in the tables it names, and
// waiting for it too could go on for ever under load.
//
// The gate is a waiter like any commit, so the flusher does not sleep on it. The flusher itself
// waits for nothing above it, so a leader stalled by the store, the store stalled by the gate and
// the gate waiting for the flusher form a chain, not a circle.
type interlock struct {
	submitted atomic.Uint64

	// log is nil while Open has not got to it: until then nothing has been submitted.
	log atomic.Pointer[wal.Log]

	hooks hooks
}

// submit must be called before a batch that contains anything up to lsn is handed to the store.
func (g *interlock) submit(lsn wal.LSN) { g.submitted.Store(uint64(lsn)) }

// pass returns when the log is flushed up to what the store may contain. On a poisoned log it does
// not return: the store must not become durable any further, and the process is about to end.
func (g *interlock) pass() {
	bound := wal.LSN(g.submitted.Load())
	if g.hooks.gateBound != nil {
		bound = g.hooks.gateBound()
	}
	log := g.log.Load()
	if log == nil || bound == 0 {
		return
	}
	if g.hooks.gateEntered != nil {
		g.hooks.gateEntered()
	}
	if err := log.WaitFlushed(context.Background(), bound); err != nil {
		select {}
	}
}

// guarded says whether a write to the file, or its coming into being, can make tables part of the
// durable state: a MANIFEST, or one of the files that name the current one.
func guarded(path string) bool {
	base := filepath.Base(path)
	return strings.HasPrefix(base, "MANIFEST-") ||
		strings.HasPrefix(base, "marker.manifest.") || strings.HasPrefix(base, "CURRENT")
}

// interlockFS is the store's file system with the interlock in front of its MANIFESTs.
type interlockFS struct {
	vfs.FS
	gate *interlock
}

func (i *interlockFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return i.opened(name, func() (vfs.File, error) { return i.FS.Create(name, category) })
}

func (i *interlockFS) OpenReadWrite(
	name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption,
) (vfs.File, error) {
	return i.opened(name, func() (vfs.File, error) {
		return i.FS.OpenReadWrite(name, category, opts...)
	})
}

func (i *interlockFS) ReuseForWrite(
	oldname, newname string, category vfs.DiskWriteCategory,
) (vfs.File, error) {
	return i.opened(newname, func() (vfs.File, error) {
		return i.FS.ReuseForWrite(oldname, newname, category)
	})
}

// Link and Rename put a finished file in place: a MANIFEST moved is a MANIFEST written.
func (i *interlockFS) Link(oldname, newname string) error {
	if guarded(newname) {
		i.gate.pass()
	}
	return i.FS.Link(oldname, newname)
}

func (i *interlockFS) Rename(oldname, newname string) error {
	if guarded(newname) {
		i.gate.pass()
	}
	return i.FS.Rename(oldname, newname)
}

func (i *interlockFS) Unwrap() vfs.FS { return i.FS }

func (i *interlockFS) opened(name string, open func() (vfs.File, error)) (vfs.File, error) {
	if !guarded(name) {
		return open()
	}
	i.gate.pass()
	file, err := open()
	if err != nil {
		return nil, err
	}
	return &interlockFile{File: file, gate: i.gate}, nil
}

// interlockFile gates the writes and not the syncs: the kernel may write back a page on its own at
// any time after write(2), so a sync held back would hold back nothing.
type interlockFile struct {
	vfs.File
	gate *interlock
}

func (f *interlockFile) Write(p []byte) (int, error) {
	f.gate.pass()
	return f.File.Write(p)
}

func (f *interlockFile) WriteAt(p []byte, off int64) (int, error) {
	f.gate.pass()
	return f.File.WriteAt(p, off)
}
