package jepsenlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// StallDisk is a real ext4 on a device of ours, whose flushes can be made slow: the image of a loop
// device lies on a FuseDisk, so a flush of the device is an fsync in this process. Writes into the
// page cache go on meanwhile, as on a disk that stalls.
type StallDisk struct {
	Dir string // where it is mounted

	device *FuseDisk
	system *LoopDisk
}

const stallDiskBytes = 128 << 20

// StallMissing says why a StallDisk cannot be had here, "" when it can.
func StallMissing() string {
	if missing := FuseMissing(); missing != "" {
		return missing
	}
	return LoopMissing()
}

// NewStallDisk makes and mounts a disk below dir.
func NewStallDisk(dir string) (*StallDisk, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("stalldisk: %w", err)
	}
	device, err := NewFuseDisk(filepath.Join(dir, "device"))
	if err != nil {
		return nil, err
	}
	system, err := newLoopDisk(&LoopDisk{Dir: filepath.Join(dir, "mnt"), bytes: stallDiskBytes,
		image: filepath.Join(device.Dir, "disk.img")})
	if err != nil {
		return nil, errors.Join(err, device.Close())
	}
	return &StallDisk{Dir: system.Dir, device: device, system: system}, nil
}

// Set replaces the faults of the device.
func (d *StallDisk) Set(f DiskFault) { d.device.Set(f) }

// Flushes is the number of flushes of the device that have succeeded.
func (d *StallDisk) Flushes() int64 { return d.device.Syncs() }

// Close unmounts the disk; its content is gone.
func (d *StallDisk) Close() error {
	d.Set(DiskFault{})
	return errors.Join(d.system.Close(), d.device.Close())
}
