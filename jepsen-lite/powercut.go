package jepsenlite

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// PowerDisk is a disk whose power can be cut under a running server.
type PowerDisk interface {
	// Cut cuts the power now: nothing written afterwards, and nothing not yet synced and not yet
	// written back by the kernel itself, is there after Restore.
	Cut() error
	// Restore brings the disk back. No process may use it in between.
	Restore(seed uint64) error
	Close() error
}

var _ PowerDisk = (*LoopDisk)(nil)
var _ PowerDisk = (*FuseDisk)(nil)

// LoopDisk is a real ext4 on a loop device. Its power is cut by the ioctl that file system tests
// use: the file system stops at once, without writing out its journal, and the next mount replays
// what the journal held. It needs root.
type LoopDisk struct {
	Dir string // where it is mounted

	image   string
	bytes   int64
	device  string
	options string
}

const loopDiskBytes = 512 << 20

// LoopMissing says why a LoopDisk cannot be had here, "" when it can.
func LoopMissing() string {
	if os.Getuid() != 0 {
		return "a loop device and a mount need root"
	}
	for _, program := range []string{"losetup", "mkfs.ext4", "mount", "umount"} {
		if _, err := exec.LookPath(program); err != nil {
			return program + " is missing: apt-get install e2fsprogs mount"
		}
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		return "/dev/loop-control is missing: the kernel has no loop devices"
	}
	return ""
}

// NewLoopDisk makes an ext4 in a file below dir and mounts it at dir/mnt. options are mount options:
// commit= and data= decide how much the kernel writes back on its own.
func NewLoopDisk(dir, options string) (*LoopDisk, error) {
	return newLoopDisk(&LoopDisk{Dir: filepath.Join(dir, "mnt"), image: filepath.Join(dir, "disk.img"),
		bytes: loopDiskBytes, options: options})
}

func newLoopDisk(d *LoopDisk) (*LoopDisk, error) {
	if err := d.make(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *LoopDisk) make() error {
	if err := os.MkdirAll(d.Dir, 0o755); err != nil {
		return fmt.Errorf("loopdisk: %w", err)
	}
	file, err := os.Create(d.image)
	if err != nil {
		return fmt.Errorf("loopdisk: %w", err)
	}
	if err := errors.Join(file.Truncate(d.bytes), file.Close()); err != nil {
		return fmt.Errorf("loopdisk: %w", err)
	}
	out, err := run("losetup", "--show", "-f", d.image)
	if err != nil {
		return err
	}
	d.device = strings.TrimSpace(out)
	if _, err := run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", d.device); err != nil {
		return err
	}
	return d.mount()
}

func (d *LoopDisk) mount() error {
	options := "noatime"
	if d.options != "" {
		options += "," + d.options
	}
	_, err := run("mount", "-t", "ext4", "-o", options, d.device, d.Dir)
	return err
}

// From the kernel's uapi: FS_IOC_SHUTDOWN, and its flag that leaves the journal unwritten.
const (
	ioctlShutdown      = 0x8004587d
	shutdownNoLogFlush = 2
)

// Cut stops the file system. Every write after it fails with EIO.
func (d *LoopDisk) Cut() error {
	dir, err := os.Open(d.Dir)
	if err != nil {
		return fmt.Errorf("loopdisk: %w", err)
	}
	defer dir.Close()
	if err := unix.IoctlSetPointerInt(int(dir.Fd()), ioctlShutdown, shutdownNoLogFlush); err != nil {
		return fmt.Errorf("loopdisk: shut down %s: %w", d.Dir, err)
	}
	return nil
}

// Restore mounts the device again, which replays the journal. The seed is not used: what survives
// was decided by the kernel.
func (d *LoopDisk) Restore(uint64) error {
	if err := d.unmount(); err != nil {
		return err
	}
	return d.mount()
}

// unmount waits for a killed process to let go of the mount: its last system call may be ending.
func (d *LoopDisk) unmount() error {
	deadline := time.Now().Add(10 * time.Second)
	for {
		err := unix.Unmount(d.Dir, 0)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EBUSY) || time.Now().After(deadline) {
			return fmt.Errorf("loopdisk: unmount %s: %w", d.Dir, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Close unmounts the disk and gives the loop device back, each by the name it was made under.
func (d *LoopDisk) Close() error {
	var errs []error
	if err := d.unmount(); err != nil && !errors.Is(err, syscall.EINVAL) { // EINVAL: not mounted
		errs = append(errs, err)
	}
	if d.device != "" {
		if _, err := run("losetup", "-d", d.device); err != nil {
			errs = append(errs, err)
		}
		d.device = ""
	}
	return errors.Join(errs...)
}

func run(program string, args ...string) (string, error) {
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out), nil
}
