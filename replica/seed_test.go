package replica_test

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/replica"
	"ackdb/wal"
	"ackdb/wal/waltest"
)

func TestSeedFillsADirectory(t *testing.T) {
	for seed := range uint64(20) {
		disk := waltest.New()
		b := newBackupCopy(archive(t, wholeBackup()), seed)
		opts := seedOptions(t, disk, seedUpstream(func() (replica.UpstreamCopy, error) { return b, nil }))
		var last replica.SeedProgress
		opts.Progress = func(p replica.SeedProgress) { last = p }
		require.NoError(t, replica.Seed(context.Background(), opts))
		// Everything is durable: no power cut takes any of it.
		after := disk.Crash(seed)
		require.Equal(t, expected(wholeBackup()), filesIn(after), "seed %d", seed)
		needs, err := replica.NeedsSeed(after, seedDir)
		require.NoError(t, err)
		require.False(t, needs)
		require.True(t, last.Done)
		require.Equal(t, int64(len(archive(t, wholeBackup()))), last.Bytes)
		require.Equal(t, last.Bytes, last.Total)
	}
}

// A backup is cut at every one of its bytes that lies near an entry's edge, and at others; the next
// attempt begins from nothing, in the same Seed.
func TestSeedBeginsAgainWhereverItWasCut(t *testing.T) {
	whole := archive(t, wholeBackup())
	var cuts []int
	for at := 0; at < len(whole); at += 512 {
		cuts = append(cuts, at, at+1)
	}
	for i, cut := range cuts {
		disk := waltest.New()
		copies := []*backupCopy{newBackupCopy(whole[:cut], uint64(i)), newBackupCopy(whole, uint64(i))}
		if i%2 == 0 {
			copies[0].fail = errCut
		}
		up := seedUpstream(func() (replica.UpstreamCopy, error) {
			c := copies[0]
			copies = copies[1:]
			return c, nil
		})
		opts := seedOptions(t, disk, up)
		retries := 0
		opts.Retrying = func(error, time.Duration) {
			retries++
			needs, err := replica.NeedsSeed(disk.Crash(uint64(i)), seedDir)
			require.NoError(t, err)
			require.True(t, needs, "cut at %d", cut)
		}
		require.NoError(t, replica.Seed(context.Background(), opts), "cut at %d", cut)
		require.Equal(t, 1, retries, "cut at %d", cut)
		require.Equal(t, expected(wholeBackup()), filesIn(disk), "cut at %d", cut)
	}
}

// seedThroughPowerCut cuts the power at the nth operation of a seed, of a new directory or over an old
// database. It says what is wrong with what the next start finds, and whether there was a cut.
func seedThroughPowerCut(
	t *testing.T, nth int, seed uint64, again bool,
) (wrong error, cut bool) {
	disk := waltest.New()
	whole := archive(t, wholeBackup())
	up := seedUpstream(func() (replica.UpstreamCopy, error) {
		return newBackupCopy(whole, uint64(nth)), nil
	})
	opts := seedOptions(t, disk, up)
	if again {
		require.NoError(t, replica.Seed(context.Background(), opts))
	}
	disk.PowerOffAt(nth, seed)
	var err error
	if again {
		err = replica.MarkSeeding(disk, seedDir, "again")
	}
	if err == nil {
		err = replica.Seed(context.Background(), opts)
	}
	if !disk.Off() {
		require.NoError(t, err)
		return nil, false
	}
	opts.Disk = disk.Crash(seed)
	return seedAfterPowerCut(opts), true
}

// seedAfterPowerCut starts on what a power cut left: a whole database, or one to be seeded.
func seedAfterPowerCut(opts replica.SeedOptions) error {
	needs, err := replica.NeedsSeed(opts.Disk, seedDir)
	if err == nil && needs {
		err = replica.Seed(context.Background(), opts)
	}
	if err != nil {
		return err
	}
	got := filesIn(opts.Disk.(*waltest.Disk))
	if fmt.Sprint(got) != fmt.Sprint(expected(wholeBackup())) {
		return fmt.Errorf("a directory that passes for whole has %v", got)
	}
	return nil
}

func TestSeedThroughAPowerCutAtEveryStep(t *testing.T) {
	for _, again := range []bool{false, true} {
		cuts := 0
		for nth, cut := 1, true; cut; nth++ {
			for seed := uint64(4 * nth); seed < uint64(4*nth+4); seed++ {
				var wrong error
				wrong, cut = seedThroughPowerCut(t, nth, seed, again)
				require.NoError(t, wrong, "operation %d, seed %d, again %v", nth, seed, again)
			}
			cuts++
		}
		require.Greater(t, cuts, 40)
	}
}

// Negative control: on a disk whose fsync does nothing the same check finds a broken directory.
func TestAPowerCutUnderALyingDiskIsSeen(t *testing.T) {
	for _, lies := range []waltest.Lies{{Sync: true}, {SyncDir: true}} {
		disk := waltest.New()
		disk.Lie(lies)
		whole := archive(t, wholeBackup())
		opts := seedOptions(t, disk, seedUpstream(func() (replica.UpstreamCopy, error) {
			return newBackupCopy(whole, 1), nil
		}))
		require.NoError(t, replica.Seed(context.Background(), opts))
		seen := false
		for seed := uint64(0); seed < 200 && !seen; seed++ {
			opts.Disk = disk.Crash(seed)
			seen = seedAfterPowerCut(opts) != nil
		}
		require.True(t, seen, "%+v", lies)
	}
}

func TestSeedRefusesHostileArchives(t *testing.T) {
	long := strings.Repeat("d/", 5)
	for _, bad := range []entry{
		{name: "../evil", content: "x"}, {name: "/etc/passwd", content: "x"},
		{name: "store/../../evil", content: "x"}, {name: "store/./a", content: "x"},
		{name: "./control", content: "x"}, {name: "store//a", content: "x"}, {name: "store/.."},
		{name: "PG_VERSION", content: "15"}, {name: "base/"}, {name: "lost/"}, {name: "lock"},
		{name: "seeding"}, {name: "slots"}, {name: "checkpoints/"}, {name: "control/"},
		{name: "store", content: "a file"}, {name: "wal/evil"}, {name: "wal/sub/"},
		{name: "wal/00000001000000000000000g"}, {name: "wal/0000002.history"},
		{name: `store\..\a`}, {name: "store/" + long},
		{name: "store/nodir/file"}, {name: "store/", content: ""}, {name: "store/CURRENT"},
		{name: "store/link", typ: tar.TypeSymlink, link: "/etc/passwd"},
		{name: "store/hard", typ: tar.TypeLink, link: "store/CURRENT"},
		{name: "store/dev", typ: tar.TypeChar}, {name: "store/fifo", typ: tar.TypeFifo},
	} {
		disk := waltest.New()
		entries := append([]entry{
			{name: "store/"}, {name: "store/CURRENT", content: "x"}, {name: "wal/"},
		}, bad, entry{name: "control", content: "c"})
		whole := archive(t, entries)
		opts := seedOptions(t, disk, seedUpstream(func() (replica.UpstreamCopy, error) {
			return newBackupCopy(whole, 1), nil
		}))
		err := replica.Seed(context.Background(), opts)
		var seed *replica.SeedError
		require.ErrorAs(t, err, &seed, "%q", bad.name)
		require.Equal(t, bad.name, seed.Name)
		for path := range filesIn(disk) {
			require.Contains(t, []string{"CURRENT", "seeding"}, filepath.Base(path), "%q", bad.name)
		}
		needs, err := replica.NeedsSeed(disk, seedDir)
		require.NoError(t, err)
		require.True(t, needs)
	}
}

func TestSeedWantsControlLast(t *testing.T) {
	disk := waltest.New()
	whole := archive(t, []entry{{name: "control", content: "c"}, {name: "epochs", content: "e"}})
	opts := seedOptions(t, disk, seedUpstream(func() (replica.UpstreamCopy, error) {
		return newBackupCopy(whole, 1), nil
	}))
	require.ErrorContains(t, replica.Seed(context.Background(), opts), "must be the last")
}

func TestSeedNamesAFullDisk(t *testing.T) {
	for _, op := range []waltest.Op{waltest.OpWrite, waltest.OpCreate, waltest.OpSync} {
		disk := waltest.New()
		disk.Fail(waltest.Fault{Op: op, Path: "*.sst", Err: syscall.ENOSPC})
		whole := archive(t, wholeBackup())
		opts := seedOptions(t, disk, seedUpstream(func() (replica.UpstreamCopy, error) {
			return newBackupCopy(whole, 1), nil
		}))
		var full *replica.DiskFullError
		require.ErrorAs(t, replica.Seed(context.Background(), opts), &full)
		require.Equal(t, int64(300<<10), full.Needed)
		require.ErrorIs(t, full, syscall.ENOSPC)
		disk.Heal()
		require.NoError(t, replica.Seed(context.Background(), opts))
		require.Equal(t, expected(wholeBackup()), filesIn(disk))
	}
}

// A reseed replaces what a backup brings and nothing else.
func TestReseedWipesOnlyWhatIsOurs(t *testing.T) {
	disk := waltest.New()
	keep := map[string]string{
		"ackdb.conf": "port = 7\n", "slots": "s", "lost/00000001.wal": "tail", "mine.txt": "hello",
	}
	for name, content := range keep {
		put(t, disk, name, content)
	}
	for _, name := range []string{
		"control", "epochs", "wal/000000010000000000000009", "store/old/deep.sst", "store/CURRENT",
		"checkpoints/backup-1/a",
	} {
		put(t, disk, name, "old")
	}
	whole := archive(t, wholeBackup())
	up := seedUpstream(func() (replica.UpstreamCopy, error) { return newBackupCopy(whole, 1), nil })
	opts := seedOptions(t, disk, up)
	before := filesIn(disk)
	require.ErrorIs(t, replica.Seed(context.Background(), opts), replica.ErrDirInUse)
	require.Equal(t, before, filesIn(disk), "a database is not wiped unasked")

	require.NoError(t, replica.MarkSeeding(disk, seedDir, "slot lost\nand more"))
	require.NoError(t, replica.Seed(context.Background(), opts))
	want := expected(wholeBackup())
	for name, content := range keep {
		want[filepath.Join(seedDir, name)] = content
	}
	require.Equal(t, want, filesIn(disk))
}

func TestNeedsSeed(t *testing.T) {
	for name, want := range map[string]string{
		"ackdb.conf": "yes", "slots": "yes", "lost/x": "yes", "seeding": "yes", "reseed": "yes",
		"control": "no", "store/x": "refused", "wal/x": "refused", "PG_VERSION": "refused",
	} {
		disk := waltest.New()
		put(t, disk, name, "x")
		needs, err := replica.NeedsSeed(disk, seedDir)
		require.Equal(t, want == "refused", errors.Is(err, replica.ErrDirInUse), name)
		require.Equal(t, want == "yes", needs, name)
	}
	disk := waltest.New()
	needs, err := replica.NeedsSeed(disk, seedDir)
	require.NoError(t, err)
	require.True(t, needs, "a directory that is not there")
	require.NoError(t, disk.MkdirAll(filepath.Join(seedDir, "wal")))
	needs, err = replica.NeedsSeed(disk, seedDir)
	require.NoError(t, err)
	require.True(t, needs, "a start that was cut short")
}

// Upstream's answers decide whether there is another attempt.
func TestSeedTriesAgainOnlyWhatCanGetBetter(t *testing.T) {
	for code, again := range map[string]bool{
		"57P03": true, "53300": true, "55000": true, "08006": true, "XX000": true,
		"42601": false, "0A000": false, "28000": false,
	} {
		disk := waltest.New()
		first := true
		whole := archive(t, wholeBackup())
		up := seedUpstream(func() (replica.UpstreamCopy, error) {
			if first {
				first = false
				return nil, told(code, "no").err
			}
			return newBackupCopy(whole, 1), nil
		})
		opts := seedOptions(t, disk, up)
		retries := 0
		opts.Retrying = func(error, time.Duration) { retries++ }
		err := replica.Seed(context.Background(), opts)
		require.Equal(t, again, err == nil, "%s: %v", code, err)
		require.Equal(t, again, retries == 1, code)
	}
}

func TestSeedStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	up := seedUpstream(func() (replica.UpstreamCopy, error) { return nil, errCut })
	opts := seedOptions(t, waltest.New(), up)
	opts.Retrying = func(error, time.Duration) { cancel() }
	require.ErrorIs(t, replica.Seed(ctx, opts), errCut)
	require.Len(t, up.commands(), 2)
}

func TestSeedMakesItsSlot(t *testing.T) {
	for state, want := range map[string][]string{
		"none":  {"READ_REPLICATION_SLOT", "CREATE_REPLICATION_SLOT"},
		"there": {"READ_REPLICATION_SLOT"},
		"lost":  {"READ_REPLICATION_SLOT", "DROP_REPLICATION_SLOT", "CREATE_REPLICATION_SLOT"},
	} {
		whole := archive(t, wholeBackup())
		up := seedUpstream(func() (replica.UpstreamCopy, error) { return newBackupCopy(whole, 1), nil })
		up.query["READ_REPLICATION_SLOT"] = func(string) answer {
			switch state {
			case "none":
				return nulls(3)
			case "lost":
				lost := row("physical", "", "")
				lost.rows[0][1], lost.rows[0][2] = nil, nil
				return lost
			}
			return row("physical", "0/1000000", "1")
		}
		up.query["DROP_REPLICATION_SLOT"] = func(string) answer { return answer{} }
		up.query["CREATE_REPLICATION_SLOT"] = func(sql string) answer {
			require.Contains(t, sql, `"s""1" PHYSICAL ( RESERVE_WAL )`)
			return row(`s"1`, "0/0", "", "")
		}
		opts := seedOptions(t, waltest.New(), up)
		opts.Slot = `s"1`
		require.NoError(t, replica.Seed(context.Background(), opts), state)
		var words []string
		for _, sql := range up.commands() {
			word, _, _ := strings.Cut(sql, " ")
			words = append(words, word)
		}
		require.Equal(t, append(append([]string{"IDENTIFY_SYSTEM"}, want...), "BASE_BACKUP"), words)
	}
}

// On the disks of this machine, too, where removing a directory is another thing than a file.
func TestReseedOnARealDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	whole := archive(t, wholeBackup())
	opts := seedOptions(t, wal.OSDisk(), seedUpstream(func() (replica.UpstreamCopy, error) {
		return newBackupCopy(whole, 1), nil
	}))
	opts.Dir = dir
	for range 2 {
		require.NoError(t, replica.Seed(context.Background(), opts))
		for _, e := range wholeBackup() {
			b, err := os.ReadFile(filepath.Join(dir, e.name))
			if !strings.HasSuffix(e.name, "/") {
				require.NoError(t, err)
				require.Equal(t, shown(e.content), shown(string(b)), e.name)
			}
		}
		deep := filepath.Join(dir, "checkpoints", "backup-1")
		require.NoError(t, os.MkdirAll(deep, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(deep, "x"), nil, 0o600))
		require.NoError(t, replica.MarkSeeding(wal.OSDisk(), dir, "again"))
	}
	require.NoError(t, replica.Seed(context.Background(), opts))
	_, err := os.Stat(filepath.Join(dir, "checkpoints"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// Only upstream's last word makes a backup whole.
func TestSeedWithoutItsEndIsTriedAgain(t *testing.T) {
	for _, after := range []answer{{}, told("XX000", "lost it")} {
		whole := archive(t, wholeBackup())
		backups := 0
		up := seedUpstream(func() (replica.UpstreamCopy, error) {
			b := newBackupCopy(whole, 1)
			if backups++; backups == 1 {
				b.after = after
			}
			return b, nil
		})
		opts := seedOptions(t, waltest.New(), up)
		opts.Retrying = func(error, time.Duration) {}
		require.NoError(t, replica.Seed(context.Background(), opts))
		require.Equal(t, 2, backups)
	}
}

// An archive of any bytes is refused or extracted, below the directory in either case.
func FuzzSeedArchive(f *testing.F) {
	whole := archive(f, wholeBackup()[2:])
	f.Add(whole)
	f.Add(whole[:600])
	f.Add(archive(f, []entry{{name: "../x", content: "y"}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		disk := waltest.New()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		opts := seedOptions(t, disk, seedUpstream(func() (replica.UpstreamCopy, error) {
			return newBackupCopy(b, 1), nil
		}))
		opts.Retrying = func(error, time.Duration) { cancel() }
		_ = replica.Seed(ctx, opts)
		for path := range filesIn(disk) {
			require.True(t, strings.HasPrefix(path, seedDir+"/"), path)
		}
	})
}
