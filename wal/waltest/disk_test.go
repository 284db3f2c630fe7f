package waltest_test

import (
	"bytes"
	"io"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

const seeds = 300

// newFile makes /d/f, durable by name, with the given durable contents.
func newFile(t *testing.T, d *waltest.Disk, data []byte) wal.File {
	t.Helper()
	require.NoError(t, d.MkdirAll("/d"))
	require.NoError(t, d.SyncDir("/"))
	f, err := d.Create("/d/f")
	require.NoError(t, err)
	require.NoError(t, d.SyncDir("/d"))
	write(t, f, data, 0)
	require.NoError(t, f.Sync())
	return f
}

func write(t *testing.T, f wal.File, data []byte, off int64) {
	t.Helper()
	n, err := f.WriteAt(data, off)
	require.NoError(t, err)
	require.Equal(t, len(data), n)
}

func fill(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }

func TestSyncedBytesSurviveEveryCrash(t *testing.T) {
	d := waltest.New()
	newFile(t, d, fill('a', 3000))
	for seed := range uint64(seeds) {
		require.Equal(t, fill('a', 3000), d.Crash(seed).Content("/d/f"), "seed %d", seed)
	}
}

// Every piece is old or new as a whole, over the seeds both happen to each, and the same seed
// gives the same disk.
func TestUnsyncedPiecesSurviveOneByOne(t *testing.T) {
	const pieces = 6
	d := waltest.New()
	f := newFile(t, d, fill('a', pieces*512))
	write(t, f, fill('b', pieces*512), 0)
	var old, fresh [pieces]int
	mixed := 0
	for seed := range uint64(seeds) {
		got := d.Crash(seed).Content("/d/f")
		require.Equal(t, got, d.Crash(seed).Content("/d/f"), "seed %d", seed)
		kinds := map[byte]bool{}
		for i := range pieces {
			p := got[i*512 : (i+1)*512]
			require.Equal(t, fill(p[0], 512), p, "seed %d: a torn piece", seed)
			kinds[p[0]] = true
			if p[0] == 'a' {
				old[i]++
			} else {
				fresh[i]++
			}
		}
		if len(kinds) == 2 {
			mixed++
		}
	}
	require.NotZero(t, mixed)
	for i := range pieces {
		require.NotZero(t, old[i])
		require.NotZero(t, fresh[i])
	}
}

func TestAnyOfSeveralWritesMaySurvive(t *testing.T) {
	d := waltest.New()
	f := newFile(t, d, fill('a', 512))
	write(t, f, fill('b', 512), 0)
	write(t, f, fill('c', 512), 0)
	seen := map[byte]bool{}
	for seed := range uint64(seeds) {
		seen[d.Crash(seed).Content("/d/f")[0]] = true
	}
	require.Equal(t, map[byte]bool{'a': true, 'b': true, 'c': true}, seen)
}

func TestNamesAreDurableAfterSyncDirOnly(t *testing.T) {
	d := waltest.New()
	f := newFile(t, d, []byte("x"))
	require.NoError(t, f.Sync())
	require.NoError(t, d.Rename("/d/f", "/d/g"))
	old, renamed := 0, 0
	for seed := range uint64(seeds) {
		switch files := d.Crash(seed).Files(); files[0] {
		case "/d/f":
			old++
			require.Len(t, files, 1, "half a rename")
		case "/d/g":
			renamed++
			require.Len(t, files, 1, "half a rename")
		}
	}
	require.NotZero(t, old)
	require.NotZero(t, renamed)

	require.NoError(t, d.SyncDir("/d"))
	for seed := range uint64(seeds) {
		require.Equal(t, []string{"/d/g"}, d.Crash(seed).Files())
	}
}

func TestAFileGoesWithItsDirectory(t *testing.T) {
	d := waltest.New()
	require.NoError(t, d.MkdirAll("/d/e"))
	f, err := d.Create("/d/e/f")
	require.NoError(t, err)
	require.NoError(t, f.Sync())
	require.NoError(t, d.SyncDir("/d/e"))
	gone := 0
	for seed := range uint64(seeds) {
		if len(d.Crash(seed).Files()) == 0 {
			gone++
		}
	}
	require.NotZero(t, gone, "nobody synced / and /d")
}

func TestKillKeepsThePageCacheAndEndsHandles(t *testing.T) {
	d := waltest.New()
	f := newFile(t, d, nil)
	write(t, f, []byte("unsynced"), 0)
	_, err := d.Lock("/d/lock")
	require.NoError(t, err)

	next := d.Kill()
	require.Equal(t, "unsynced", string(next.Content("/d/f")))
	_, err = f.WriteAt([]byte("zombie"), 0)
	require.ErrorIs(t, err, waltest.ErrKilled)
	held, err := next.Lock("/d/lock")
	require.NoError(t, err)
	_, err = next.Lock("/d/lock")
	require.ErrorIs(t, err, wal.ErrLocked)
	require.NoError(t, held.Close())
}

func TestFailedSyncMarksClean(t *testing.T) {
	d := waltest.New()
	f := newFile(t, d, fill('a', 512))
	write(t, f, fill('b', 512), 0)
	d.Fail(waltest.Fault{Op: waltest.OpSync, Path: "f", Err: unix.EIO, MarkClean: true})
	require.ErrorIs(t, f.Sync(), unix.EIO)
	require.NoError(t, f.Sync(), "the second call finds nothing dirty")
	require.Equal(t, fill('b', 512), d.Content("/d/f"), "the page cache still shows it")
	for seed := range uint64(seeds) {
		require.Equal(t, fill('a', 512), d.Crash(seed).Content("/d/f"))
	}

	// After a kill only a read of the medium tells the truth.
	d = d.Kill()
	f, err := d.Open("/d/f")
	require.NoError(t, err)
	require.NoError(t, f.DropCache())
	require.Equal(t, fill('a', 512), d.Content("/d/f"))
	// And writing the same bytes again is a write.
	write(t, f, fill('b', 512), 0)
	require.NoError(t, f.Sync())
	require.Equal(t, fill('b', 512), d.Crash(1).Content("/d/f"))
}

func TestShortWriteAndNth(t *testing.T) {
	d := waltest.New()
	f := newFile(t, d, nil)
	d.Fail(waltest.Fault{Op: waltest.OpWrite, Nth: 2, Err: unix.ENOSPC, Short: 3})
	write(t, f, []byte("first"), 0)
	n, err := f.WriteAt([]byte("second"), 5)
	require.ErrorIs(t, err, unix.ENOSPC)
	require.Equal(t, 3, n)
	require.Equal(t, "firstsec", string(d.Content("/d/f")))
	write(t, f, []byte("third"), 5)
}

func TestStickyFaultAndHeal(t *testing.T) {
	d := waltest.New()
	f := newFile(t, d, nil)
	d.Fail(waltest.Fault{Op: waltest.OpAny, Path: "f", Err: unix.EIO, Sticky: true})
	require.ErrorIs(t, f.Sync(), unix.EIO)
	_, err := f.ReadAt(make([]byte, 1), 0)
	require.ErrorIs(t, err, unix.EIO)
	require.NoError(t, d.SyncDir("/d"), "another path")
	d.Heal()
	require.NoError(t, f.Sync())
}

func TestPowerOffEndsEverything(t *testing.T) {
	done := map[bool]int{}
	for seed := range uint64(seeds) {
		d := waltest.New()
		f := newFile(t, d, fill('a', 512))
		d.PowerOffAt(2, seed)
		write(t, f, fill('b', 512), 0)
		require.ErrorIs(t, f.Sync(), waltest.ErrPowerOff)
		_, err := d.Open("/d/f")
		require.ErrorIs(t, err, waltest.ErrPowerOff)
		require.True(t, d.Off())
		done[d.Crash(seed).Content("/d/f")[0] == 'b']++
	}
	require.NotZero(t, done[true])
	require.NotZero(t, done[false])
}

func TestGateHoldsUp(t *testing.T) {
	d := waltest.New()
	f := newFile(t, d, nil)
	gate := d.Stall(waltest.OpSync, "f")
	done := make(chan error, 1)
	go func() { done <- f.Sync() }()
	<-gate.Entered()
	write(t, f, []byte("others go on"), 0)
	select {
	case <-done:
		t.Fatal("went through a closed gate")
	default:
	}
	gate.Open()
	require.NoError(t, <-done)
}

func TestLies(t *testing.T) {
	d := waltest.New()
	d.Lie(waltest.Lies{Sync: true})
	f := newFile(t, d, nil)
	write(t, f, fill('b', 512), 0)
	require.NoError(t, f.Sync())
	lost := 0
	for seed := range uint64(seeds) {
		if !bytes.Equal(d.Crash(seed).Content("/d/f"), fill('b', 512)) {
			lost++
		}
	}
	require.NotZero(t, lost)
}

func TestTruncateAndSizes(t *testing.T) {
	d := waltest.New()
	f := newFile(t, d, fill('a', 1000))
	require.NoError(t, f.Truncate(100))
	require.NoError(t, f.Truncate(1000))
	want := append(fill('a', 100), fill(0, 900)...)
	require.Equal(t, want, d.Content("/d/f"))
	sizes := map[int]bool{}
	for seed := range uint64(seeds) {
		sizes[len(d.Crash(seed).Content("/d/f"))] = true
	}
	require.Equal(t, map[int]bool{100: true, 1000: true}, sizes)
	require.NoError(t, f.Sync())
	require.Equal(t, want, d.Crash(3).Content("/d/f"))
}

func TestFileContracts(t *testing.T) {
	d := waltest.New()
	f := newFile(t, d, []byte("abc"))
	n, err := f.ReadAt(make([]byte, 4), 1)
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, 2, n)
	_, err = d.Create("/d/f")
	require.ErrorIs(t, err, fs.ErrExist)
	_, err = d.Open("/d/none")
	require.ErrorIs(t, err, fs.ErrNotExist)
	r, err := d.OpenRead("/d/f")
	require.NoError(t, err)
	_, err = r.WriteAt([]byte("x"), 0)
	require.ErrorIs(t, err, fs.ErrPermission)
	require.NoError(t, d.Remove("/d/f"))
	_, err = f.ReadAt(make([]byte, 3), 0)
	require.NoError(t, err, "an open file outlives its name")
	require.NoError(t, f.Close())
	require.ErrorIs(t, f.Sync(), fs.ErrClosed)
	names, err := d.List("/")
	require.NoError(t, err)
	require.Equal(t, []string{"d"}, names)
	require.NoError(t, d.Kill().MkdirAll("/d"))
}

func TestDamage(t *testing.T) {
	d := waltest.New()
	newFile(t, d, fill(0, 600))
	d.FlipBit("/d/f", 513, 3)
	require.Equal(t, byte(8), d.Content("/d/f")[513])
	require.Equal(t, byte(8), d.Crash(1).Content("/d/f")[513])
	d.Lose("/d/f")
	require.Empty(t, d.Crash(1).Files())
}
