//go:build linux && iouring

package wal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/pawelgaczynski/giouring"
	"golang.org/x/sys/unix"
)

const (
	// uringEntries bounds the fsyncs in flight. Dirty segments at one flush are one or two; more
	// than this go in rounds.
	uringEntries = 16

	// uringEnterRetries bounds the calls of io_uring_enter that make no progress. EINTR comes
	// with every preemption signal of the Go runtime, EAGAIN and EBUSY when the kernel is short
	// of memory or the completion ring is full; none of them lasts.
	uringEnterRetries = 1 << 20

	uringProbeFile = "sync-probe.tmp"
)

// uringSyncer makes files durable with one IORING_OP_FSYNC a file. Everything here belongs to
// the thread that made it: with SINGLE_ISSUER the kernel answers EEXIST to any other, and with
// DEFER_TASKRUN completions appear only while that thread waits for them.
type uringSyncer struct {
	ring   *giouring.Ring
	reason string

	results [uringEntries]int32 // of the round in flight, by the number in user data
}

// newUringSyncer makes a ring and proves on a file in dir that it can do the one thing it is
// for. Containers often allow io_uring_setup and refuse the rest, or the other way round. The
// string says why there is none.
func newUringSyncer(dir string) (Syncer, string) {
	s, err := setupRing()
	if err != nil {
		return nil, uringSetupReason(err)
	}
	if err := s.probe(dir); err != nil {
		_ = s.Close()
		return nil, err.Error()
	}
	return s, ""
}

// setupRing asks for the flags in order of preference: DEFER_TASKRUN came with Linux 6.1.
func setupRing() (*uringSyncer, error) {
	choices := []struct {
		flags uint32
		name  string
	}{
		{giouring.SetupSingleIssuer | giouring.SetupDeferTaskrun, "SINGLE_ISSUER, DEFER_TASKRUN"},
		{0, "no set-up flags: an older kernel"},
	}
	var err error
	for _, c := range choices {
		ring := giouring.NewRing()
		if err = ring.QueueInit(uringEntries, c.flags); err == nil {
			return &uringSyncer{ring: ring, reason: "probed: " + c.name}, nil
		}
		if !errors.Is(err, unix.EINVAL) {
			break
		}
	}
	return nil, err
}

func uringSetupReason(err error) string {
	switch {
	case errors.Is(err, unix.ENOSYS):
		return "io_uring_setup: this kernel has none"
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return "io_uring_setup: forbidden (seccomp, or kernel.io_uring_disabled)"
	case errors.Is(err, unix.ENOMEM):
		return "io_uring_setup: out of memory (RLIMIT_MEMLOCK?)"
	default:
		return fmt.Sprintf("io_uring_setup: %v", err)
	}
}

// probe runs a NOP and an FSYNC on a dirty file of the file system the log will live on.
func (s *uringSyncer) probe(dir string) error {
	nop, err := s.entry()
	if err != nil {
		return err
	}
	nop.PrepareNop()
	if err := s.submit(1); err != nil {
		return err
	}
	if s.results[0] < 0 {
		return fmt.Errorf("io_uring NOP: %w", unix.Errno(-s.results[0]))
	}
	path := filepath.Join(dir, uringProbeFile)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return fmt.Errorf("io_uring probe file: %w", err)
	}
	_, err = f.Write([]byte("probe"))
	if err == nil {
		err = s.syncRound([]File{&stdFile{File: f}})
	}
	return errors.Join(err, f.Close(), os.Remove(path))
}

func (s *uringSyncer) Sync(files []File) error {
	for len(files) > 0 {
		n := min(len(files), uringEntries)
		if err := s.syncRound(files[:n]); err != nil {
			return err
		}
		files = files[n:]
	}
	return nil
}

// syncRound has at most uringEntries files in flight at once. They may finish in any order; the
// flusher's figure moves only when all have.
func (s *uringSyncer) syncRound(files []File) error {
	for i, f := range files {
		fd, ok := f.(interface{ Fd() uintptr })
		if !ok {
			return fmt.Errorf("wal: %s: %T has no descriptor for io_uring", f.Name(), f)
		}
		sqe, err := s.entry()
		if err != nil {
			return err
		}
		sqe.PrepareFsync(int(fd.Fd()), giouring.FsyncDatasync)
		sqe.SetData64(uint64(i)) // After Prepare, which clears it.
	}
	err := s.submit(len(files))
	runtime.KeepAlive(files)
	if err != nil {
		return err
	}
	for i, f := range files {
		// Every negative result is final, EINTR too: the kernel may have marked the pages
		// clean, and then a retry succeeds without having written them (W4).
		if res := s.results[i]; res < 0 {
			errno := unix.Errno(-res)
			return &os.PathError{Op: "fdatasync (io_uring)", Path: f.Name(), Err: errno}
		}
	}
	return nil
}

// entry takes the next submission slot and zeroes it: giouring's Prepare functions leave the
// operation's flags and Addr3 of the slot's last user in place, and an FSYNC's DATASYNC bit is
// RWF_HIPRI to a write.
func (s *uringSyncer) entry() (*giouring.SubmissionQueueEntry, error) {
	sqe := s.ring.GetSQE()
	if sqe == nil {
		return nil, errors.New("wal: io_uring: submission queue full")
	}
	*sqe = giouring.SubmissionQueueEntry{}
	return sqe, nil
}

// submit hands the prepared entries to the kernel and waits until n have completed.
func (s *uringSyncer) submit(n int) error {
	reaped, idle := 0, 0
	for reaped < n {
		_, err := s.ring.SubmitAndWait(uint32(n - reaped))
		if err != nil && !transientEnter(err) {
			return fmt.Errorf("wal: io_uring_enter: %w", err)
		}
		got, err := s.reap()
		if err != nil {
			return err
		}
		reaped += got
		if got > 0 {
			idle = 0
			continue
		}
		if idle++; idle > uringEnterRetries {
			return fmt.Errorf("wal: io_uring: %d of %d never completed", n-reaped, n)
		}
	}
	return nil
}

// reap stores the results that are there. It advances the ring only after the last was copied:
// from then on the kernel may overwrite them.
func (s *uringSyncer) reap() (int, error) {
	got, bad := 0, false
	s.ring.ForEachCQE(func(cqe *giouring.CompletionQueueEvent) {
		got++
		if cqe.UserData >= uringEntries {
			bad = true
			return
		}
		s.results[cqe.UserData] = cqe.Res
	})
	s.ring.CQAdvance(uint32(got))
	if bad {
		return got, errors.New("wal: io_uring: completion of an operation never submitted")
	}
	return got, nil
}

func transientEnter(err error) bool {
	return errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EBUSY)
}

func (s *uringSyncer) Method() string { return MethodIOUring }
func (s *uringSyncer) Reason() string { return s.reason }

func (s *uringSyncer) Close() error {
	s.ring.QueueExit()
	return nil
}
