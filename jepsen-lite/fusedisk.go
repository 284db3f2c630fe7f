package jepsenlite

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// FuseDisk is a file system under our control, mounted for real: a server's files go through the
// kernel into this process, which can delay and fail their syncs, lie about them, and lose power.
// It needs root and /dev/fuse.
//
// The kernel lets nobody write to a file of FUSE while an fsync of it runs, as no ordinary file
// system does. What a slow disk does to a server is therefore asked of a StallDisk.
type FuseDisk struct {
	Dir string // where it is mounted

	server *fuse.Server

	mu     sync.Mutex
	image  *image    // guarded by mu
	faults DiskFault // guarded by mu
	off    bool      // guarded by mu; the power is cut: every operation is EIO
	syncs  int64     // guarded by mu; fsyncs of files that succeeded
}

// DiskFault is what a disk does wrong. The zero value is a sound disk.
type DiskFault struct {
	SyncDelay time.Duration // each fsync takes this much longer
	SyncError syscall.Errno // each fsync fails with it
	SyncLies  bool          // fsync succeeds and makes nothing durable: the negative control
	Full      bool          // writes that would grow a file fail with ENOSPC
}

// NewFuseDisk mounts an empty disk at dir.
func NewFuseDisk(dir string) (*FuseDisk, error) {
	d := &FuseDisk{Dir: dir, image: newImage()}
	return d, d.mount()
}

// FuseMissing says why a FuseDisk cannot be had here, "" when it can.
func FuseMissing() string {
	if os.Getuid() != 0 {
		return "mounting a FUSE disk needs root"
	}
	if _, err := os.Stat("/dev/fuse"); err != nil {
		return "/dev/fuse is missing: load the kernel module fuse"
	}
	return ""
}

func (d *FuseDisk) mount() error {
	if err := os.MkdirAll(d.Dir, 0o755); err != nil {
		return fmt.Errorf("fusedisk: %w", err)
	}
	// The kernel must keep nothing of its own: what it cached would survive our power cuts.
	nothing := time.Duration(0)
	server, err := fs.Mount(d.Dir, &fuseNode{disk: d, file: d.image.root}, &fs.Options{
		EntryTimeout: &nothing, AttrTimeout: &nothing, NegativeTimeout: &nothing,
		MountOptions: fuse.MountOptions{FsName: "ackdb-fusedisk", Name: "fusedisk", DirectMount: true,
			MaxWrite: 1 << 20},
	})
	if err != nil {
		return fmt.Errorf("fusedisk: mount %s: %w", d.Dir, err)
	}
	d.server = server
	return nil
}

// Set replaces the disk's faults.
func (d *FuseDisk) Set(f DiskFault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = f
}

// Syncs is the number of file syncs that have succeeded.
func (d *FuseDisk) Syncs() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.syncs
}

// Cut cuts the power: from here on every operation fails with EIO, and nothing becomes durable.
func (d *FuseDisk) Cut() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = true
	return nil
}

// Restore mounts what survived the cut. No process may hold the old mount.
func (d *FuseDisk) Restore(seed uint64) error {
	if err := d.unmount(); err != nil {
		return err
	}
	d.mu.Lock()
	d.image, d.off, d.faults = d.image.crash(seed), false, DiskFault{}
	d.mu.Unlock()
	return d.mount()
}

// Close unmounts the disk; its content is gone.
func (d *FuseDisk) Close() error { return d.unmount() }

func (d *FuseDisk) unmount() error {
	if err := d.server.Unmount(); err != nil {
		return fmt.Errorf("fusedisk: unmount %s: %w", d.Dir, err)
	}
	d.server.Wait()
	return nil
}

// enter begins an operation on the image. The caller calls leave in any case.
func (d *FuseDisk) enter() syscall.Errno {
	d.mu.Lock()
	d.image.mu.Lock()
	if d.off {
		return syscall.EIO
	}
	return 0
}

func (d *FuseDisk) leave() {
	d.image.mu.Unlock()
	d.mu.Unlock()
}

// sync is fsync of a file or a directory, with the disk's faults.
func (d *FuseDisk) sync(n *fileNode) syscall.Errno {
	d.mu.Lock()
	delay := d.faults.SyncDelay
	d.mu.Unlock()
	if delay > 0 {
		time.Sleep(delay) // outside the lock: other operations of a stalled disk go on
	}
	errno := d.enter()
	defer d.leave()
	switch {
	case errno != 0:
		return errno
	case d.faults.SyncError != 0:
		return d.faults.SyncError
	case !d.faults.SyncLies:
		n.sync()
	}
	if !n.isDir() {
		d.syncs++
	}
	return 0
}
