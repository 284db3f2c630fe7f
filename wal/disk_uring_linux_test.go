//go:build linux && iouring

package wal

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// fsyncDatasync is IORING_FSYNC_DATASYNC, spelled out to keep the library behind its one door.
const fsyncDatasync = 1

// testRing makes a syncer on a thread of its own, which the test keeps to its end.
func testRing(t *testing.T) *uringSyncer {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	s, err := setupRing()
	if err != nil {
		t.Skipf("no ring here: %s", uringSetupReason(err))
	}
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// The library leaves the flags of a slot's last user in place. Every slot must come out zeroed,
// round after round.
func TestRingEntriesAreZeroed(t *testing.T) {
	s := testRing(t)
	for i := range 3 * uringEntries {
		sqe, err := s.entry()
		require.NoError(t, err)
		require.True(t, reflect.ValueOf(sqe).Elem().IsZero(), "entry %d: %+v", i, *sqe)
		sqe.PrepareFsync(-1, fsyncDatasync)
		sqe.Addr3, sqe.Personality, sqe.SpliceFdIn = 7, 0, 3
		require.NoError(t, s.submit(1))
		require.Negative(t, s.results[0])
	}
}

// Without the zeroing the same check must fail, or it checks nothing.
func TestRingEntriesWouldLeak(t *testing.T) {
	s := testRing(t)
	leaked := false
	for range 3 * uringEntries {
		sqe := s.ring.GetSQE()
		require.NotNil(t, sqe)
		leaked = leaked || sqe.OpcodeFlags != 0
		sqe.PrepareFsync(-1, fsyncDatasync)
		require.NoError(t, s.submit(1))
	}
	require.True(t, leaked)
}

func TestFullRingIsAnError(t *testing.T) {
	s := testRing(t)
	for range uringEntries {
		sqe, err := s.entry()
		require.NoError(t, err)
		sqe.PrepareNop()
	}
	_, err := s.entry()
	require.ErrorContains(t, err, "full")
	require.NoError(t, s.submit(uringEntries))
}

// The Go runtime interrupts system calls with SIGURG whenever it likes. Under a storm of them no
// fsync may fail, get lost or be counted twice.
func TestRingUnderSignals(t *testing.T) {
	s := testRing(t)
	dir := t.TempDir()
	files := make([]File, 5)
	for i := range files {
		f, err := OSDisk().Create(filepath.Join(dir, string(rune('a'+i))))
		require.NoError(t, err)
		defer func() { _ = f.Close() }()
		files[i] = f
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func(thread int) {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				_ = unix.Tgkill(os.Getpid(), thread, unix.SIGURG)
				runtime.Gosched()
			}
		}
	}(unix.Gettid())
	for i := range 200 {
		for _, f := range files {
			_, err := f.WriteAt([]byte{byte(i)}, int64(i))
			require.NoError(t, err)
		}
		require.NoError(t, s.Sync(files))
		require.Zero(t, s.ring.CQReady(), "a completion was left in the ring")
	}
	close(stop)
	<-done
}

// What keeps the ring away is named in words an operator can act on.
func TestRingReasons(t *testing.T) {
	for errno, want := range map[unix.Errno]string{
		unix.EPERM: "seccomp", unix.ENOSYS: "this kernel has none", unix.ENOMEM: "RLIMIT_MEMLOCK",
		unix.EINVAL: "invalid argument",
	} {
		require.Contains(t, uringSetupReason(errno), want)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	missing := filepath.Join(t.TempDir(), "none")
	s, err := OSDisk().Syncer("", missing)
	require.NoError(t, err)
	require.Equal(t, MethodFdatasync, s.Method())
	require.Contains(t, s.Reason(), "probe file")
	_, err = OSDisk().Syncer(MethodIOUring, missing)
	var refused *SyncMethodError
	require.ErrorAs(t, err, &refused)
}
