package wal_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

// crashed gives the options of a log whose process may end at any moment.
func crashed(t *testing.T, disk wal.Disk) wal.Options {
	opts := options(t, disk)
	opts.WriterDelay = func() time.Duration { return time.Hour }
	opts.FlushAfter = func() int64 { return 1 << 40 }
	opts.Fatal = func(error) {}
	return opts
}

// Receipts of commits that a power cut took are judged lost, though commits of the same size stand
// at the same positions now.
func TestEqualCommitsBeforeAndAfterACut(t *testing.T) {
	eachSeed(t, 50, func(t *testing.T, seed uint64) {
		disk := waltest.New()
		log, _ := open(t, crashed(t, disk), wal.Start{})
		token := func(e wal.Entry) wal.Token { return wal.Token{EpochID: log.EpochID(), LSN: e.End} }
		var old, kept []wal.Token
		for i := range 10 {
			kept = append(kept, token(commit(t, log, fmt.Sprintf("kept %d", i))))
		}
		flush(t, log)
		for i := range 10 {
			old = append(old, token(commit(t, log, fmt.Sprintf("old  %d", i))))
		}
		for _, token := range old {
			require.Equal(t, wal.StatusUnknown, log.Epochs().Judge(token, log.Flushed()))
		}
		disk = disk.Crash(seed)

		log, report := open(t, crashed(t, disk), wal.Start{})
		// The begin of the new epoch moves positions; as many bytes of it as commits are skipped.
		var now []wal.Token
		for i := range 30 {
			now = append(now, token(commit(t, log, fmt.Sprintf("new  %d", i))))
		}
		flush(t, log)
		judge := func(token wal.Token) wal.Status { return log.Epochs().Judge(token, log.Flushed()) }
		for i, token := range kept {
			require.Equal(t, wal.StatusDurable, judge(token), i)
		}
		for i, token := range old {
			want := wal.StatusLost
			if token.LSN <= report.End {
				want = wal.StatusDurable
			}
			require.Equal(t, want, judge(token), i)
		}
		for i, token := range now {
			require.Equal(t, wal.StatusDurable, judge(token), i)
		}
		require.NoError(t, log.Close(true))
	})
}

// The same with positions that coincide to the byte: an epoch's begin takes 112 bytes, and so does
// each commit here.
func TestTheSamePositionTwice(t *testing.T) {
	disk := waltest.New()
	log, _ := open(t, crashed(t, disk), wal.Start{})
	ops := string(make([]byte, 31))
	first := commit(t, log, ops)
	require.EqualValues(t, 112, first.End-first.LSN)
	flush(t, log)
	lost := []wal.Entry{commit(t, log, ops), commit(t, log, ops)}
	was := log.EpochID()
	disk = dropUnsynced(t, disk)

	log, report := open(t, crashed(t, disk), wal.Start{})
	require.Equal(t, first.End, report.End)
	again := commit(t, log, ops)
	flush(t, log)
	require.Equal(t, lost[1].LSN, again.LSN)
	require.Equal(t, lost[1].End, again.End)
	list := log.Epochs()
	judge := func(id wal.EpochID, lsn wal.LSN) wal.Status {
		return list.Judge(wal.Token{EpochID: id, LSN: lsn}, log.Flushed())
	}
	require.Equal(t, wal.StatusLost, judge(was, again.End))
	require.Equal(t, wal.StatusLost, judge(was, lost[0].End), "there is no commit at all")
	require.Equal(t, wal.StatusDurable, judge(was, first.End))
	require.Equal(t, wal.StatusDurable, judge(log.EpochID(), again.End))
	require.NoError(t, log.Close(true))
}

// dropUnsynced cuts the power so that nothing unsynced of the log survives.
func dropUnsynced(t *testing.T, disk *waltest.Disk) *waltest.Disk {
	t.Helper()
	for seed := range uint64(1000) {
		after := disk.Crash(seed)
		_, report, err := tryOpenAndClose(crashed(t, after), wal.Start{})
		require.NoError(t, err)
		if report.End == report.Durable {
			return disk.Crash(seed)
		}
	}
	t.Fatal("something unsynced survives under every seed")
	return nil
}

func tryOpenAndClose(opts wal.Options, start wal.Start) (*wal.Log, wal.RecoveryReport, error) {
	log, report, err := tryOpen(opts, start)
	if err == nil {
		err = log.Close(false)
	}
	return log, report, err
}

func TestOpenRefuses(t *testing.T) {
	build := func(t *testing.T) (*waltest.Disk, wal.Entry) {
		disk := waltest.New()
		log, _ := open(t, options(t, disk), wal.Start{})
		e := commit(t, log, "x")
		require.NoError(t, log.Close(true))
		return disk, e
	}
	refused := func(t *testing.T, disk wal.Disk, start wal.Start) error {
		t.Helper()
		_, _, err := tryOpen(crashed(t, disk), start)
		require.Error(t, err)
		return err
	}
	t.Run("a directory in use", func(t *testing.T) {
		disk := waltest.New()
		log, _ := open(t, options(t, disk), wal.Start{})
		require.ErrorIs(t, refused(t, disk, wal.Start{}), wal.ErrLocked)
		require.NoError(t, log.Close(true))
	})
	t.Run("another segment size", func(t *testing.T) {
		disk, _ := build(t)
		opts := crashed(t, disk)
		opts.SegmentSize *= 2
		_, _, err := tryOpen(opts, wal.Start{})
		var mismatch *wal.MismatchError
		require.ErrorAs(t, err, &mismatch)
		opts.SegmentSize = 0
		_, _, err = tryOpenAndClose(opts, wal.Start{})
		require.NoError(t, err, "none given: the directory's")
	})
	for _, lost := range []string{"control", "epochs"} {
		t.Run("without "+lost, func(t *testing.T) {
			disk, _ := build(t)
			disk.Lose("/data/" + lost)
			var corruption *wal.CorruptionError
			require.ErrorAs(t, refused(t, disk, wal.Start{}), &corruption)
			require.Equal(t, lost, corruption.Segment)
			require.Contains(t, corruption.Reason, "missing")
		})
		t.Run("damaged "+lost, func(t *testing.T) {
			disk, _ := build(t)
			disk.Damage("/data/"+lost, func(b []byte) []byte {
				for i := range b {
					b[i] ^= 0x55
				}
				return b
			})
			var corruption *wal.CorruptionError
			require.ErrorAs(t, refused(t, disk, wal.Start{}), &corruption)
			require.Equal(t, lost, corruption.Segment)
		})
	}
	t.Run("a store of another log", func(t *testing.T) {
		disk, e := build(t)
		start := wal.Start{Applied: e.End - 8, Redo: e.End - 8}
		require.ErrorIs(t, refused(t, disk, start), wal.ErrStoreForeign)
	})
	t.Run("a store ahead of the log", func(t *testing.T) {
		disk, e := build(t)
		start := wal.Start{Applied: e.End + 80, Redo: e.End}
		var corruption *wal.CorruptionError
		require.ErrorAs(t, refused(t, disk, start), &corruption)
		require.Equal(t, e.End, corruption.LSN)
		require.Contains(t, corruption.Reason, "the store's marker")
	})
	t.Run("a log of another system", func(t *testing.T) {
		disk, _ := build(t)
		other, _ := build(t)
		const name = "/data/wal/000000010000000000000010"
		disk.Damage(name, func([]byte) []byte { return other.Content(name) })
		var mismatch *wal.MismatchError
		require.ErrorAs(t, refused(t, disk, wal.Start{}), &mismatch)
		require.Equal(t, "system identifier", mismatch.What)
	})
}

// A new directory deep in other new ones is there after a power cut, names and all.
func TestNewDirectoryIsDurable(t *testing.T) {
	eachSeed(t, 20, func(t *testing.T, seed uint64) {
		disk := waltest.New()
		opts := crashed(t, disk)
		opts.Dir = "/srv/db/one/data"
		log, _ := open(t, opts, wal.Start{})
		e := commit(t, log, "x")
		require.NoError(t, log.WaitFlushed(context.Background(), e.End))
		opts.Disk = disk.Crash(seed)
		log, report := open(t, opts, wal.Start{})
		require.Equal(t, e.End, report.End)
		require.NoError(t, log.Close(true))
	})
}

// A half-written copy of control costs a second of its lag, never the directory.
func TestEitherCopyOfControlWillDo(t *testing.T) {
	disk := waltest.New()
	log, _ := open(t, options(t, disk), wal.Start{})
	commit(t, log, "x")
	require.NoError(t, log.Close(true))
	for _, at := range []int{0, 4096} {
		damaged := disk.Kill()
		damaged.Damage("/data/control", func(b []byte) []byte {
			copy(b[at+100:at+200], make([]byte, 100))
			b[at+99] ^= 1
			return b
		})
		log, _, err := tryOpen(options(t, damaged), wal.Start{})
		require.NoError(t, err)
		require.Equal(t, []string{"x"}, commits(t, log))
		require.NoError(t, log.Close(true))
		disk = damaged
	}
}

// The list of epochs gets from the log what a crash between the two kept out of the file.
func TestRecoveryCompletesTheListOfEpochs(t *testing.T) {
	disk := waltest.New()
	log, _ := open(t, options(t, disk), wal.Start{})
	require.NoError(t, log.Close(true))

	disk.Fail(waltest.Fault{Op: waltest.OpRename, Path: "epochs.new", Err: errors.New("cut off")})
	log, _, err := tryOpen(crashed(t, disk), wal.Start{})
	require.NoError(t, err)
	require.ErrorContains(t, log.BeginEpoch(context.Background()), "cut off")
	require.Len(t, log.Epochs(), 1)
	require.NoError(t, log.Close(false))

	log, _, err = tryOpen(options(t, disk), wal.Start{})
	require.NoError(t, err)
	require.Len(t, log.Epochs(), 2)
	require.NoError(t, log.BeginEpoch(context.Background()))
	list := log.Epochs()
	require.Len(t, list, 3)
	require.Greater(t, list[2].Counter(), list[1].Counter())
	require.NoError(t, log.Close(true))
}

// cutLog is a log of three epochs over several segments, closed, and the ends of its commits.
func cutLog(t *testing.T, disk *waltest.Disk) []wal.Entry {
	var all []wal.Entry
	for range 3 {
		log, _ := open(t, options(t, disk), wal.Start{})
		for range 4 {
			all = append(all, commit(t, log, fmt.Sprint(len(all))))
			if len(all)%2 == 0 {
				_, err := log.SwitchSegment()
				require.NoError(t, err)
			}
		}
		require.NoError(t, log.Close(true))
	}
	return all
}

// A cut that control announces is finished by the next start, whatever it was interrupted in, and
// done once only.
func TestCutIsFinished(t *testing.T) {
	ends := cutLog(t, waltest.New())
	for i, e := range ends {
		t.Run(fmt.Sprintf("behind commit %d", i), func(t *testing.T) {
			for stop := 1; ; stop++ {
				disk := waltest.New()
				all := cutLog(t, disk)
				cut := wal.Cut{Timeline: 1, At: all[i].End}
				dir, err := wal.OpenDir(crashed(t, disk))
				require.NoError(t, err)
				require.NoError(t, dir.BeginCut(cut))
				disk.PowerOffAt(disk.Ops()+stop*7, uint64(stop))
				log, _, err := dir.OpenLog(context.Background(), wal.Start{})
				finished := err == nil && log.BeginEpoch(context.Background()) == nil && !disk.Off()
				if err == nil {
					_ = log.Close(false) // its files are gone with the power
				}
				disk = disk.Crash(uint64(stop))
				checkCut(t, disk, i, e)
				if finished {
					return
				}
			}
		})
	}
}

func checkCut(t *testing.T, disk *waltest.Disk, i int, last wal.Entry) {
	t.Helper()
	log, report, err := tryOpen(options(t, disk), wal.Start{})
	require.NoError(t, err)
	require.Len(t, commits(t, log), i+1)
	require.GreaterOrEqual(t, report.End, last.End)
	for _, e := range log.Epochs() {
		require.LessOrEqual(t, e.Begin, report.End)
	}
	require.NoError(t, log.BeginEpoch(context.Background()))
	more := commit(t, log, "behind the cut")
	require.NoError(t, log.Close(true))
	log, report, err = tryOpen(options(t, disk), wal.Start{})
	require.NoError(t, err)
	require.Equal(t, more.End, report.End, "the cut is not done twice")
	require.NoError(t, log.Close(true))
}

func TestCutRefusesAStoreBeyondIt(t *testing.T) {
	disk := waltest.New()
	all := cutLog(t, disk)
	dir, err := wal.OpenDir(options(t, disk))
	require.NoError(t, err)
	require.NoError(t, dir.BeginCut(wal.Cut{Timeline: 1, At: all[3].End}))
	require.Equal(t, all[3].End, dir.Control().Cut.At)
	_, _, err = dir.OpenLog(context.Background(), wal.Start{Applied: all[4].End, Redo: all[4].End})
	require.ErrorIs(t, err, wal.ErrStoreAhead)
	require.NoError(t, dir.Close())
	log, _, err := tryOpen(options(t, disk), wal.Start{Applied: all[3].End, Redo: all[3].End})
	require.NoError(t, err)
	require.NoError(t, log.Close(true))
}

// A crash in the middle of Recycle may leave any subset of the names. What stands in front of a gap
// is no log any more.
func TestRecycleCutShort(t *testing.T) {
	eachSeed(t, 40, func(t *testing.T, seed uint64) {
		disk := waltest.New()
		log, _ := open(t, crashed(t, disk), wal.Start{})
		for range 6 {
			commit(t, log, "x")
			_, err := log.SwitchSegment()
			require.NoError(t, err)
		}
		flush(t, log)
		end := log.Flushed()
		log.SetDurableApplied(end, end)
		// Of the directory, not of the files in it: the names' durability is what is cut.
		disk.Fail(waltest.Fault{
			Op: waltest.OpSyncDir, Path: filepath.Base("/data/wal"), PowerOff: true, Seed: seed,
		})
		require.Error(t, log.Recycle(end))
		disk = disk.Crash(seed)

		log, report := open(t, options(t, disk), wal.Start{Applied: end, Redo: end})
		require.Equal(t, end, report.End)
		require.NotEmpty(t, commits(t, log))
		requireContiguous(t, disk, log)
		require.NoError(t, log.Close(true))
		log, _ = open(t, options(t, disk), wal.Start{Applied: end, Redo: end})
		require.NoError(t, log.Close(true))
	})
}

func TestRecoveryTellsItsProgress(t *testing.T) {
	disk := waltest.New()
	log, _ := open(t, options(t, disk), wal.Start{})
	group := make([]wal.Entry, 1000)
	for i := range group {
		group[i] = wal.Entry{Type: wal.TypeAbort, Payload: wal.AppendAbort(nil, 1)}
	}
	for range 5 {
		require.NoError(t, log.Append(group))
	}
	require.NoError(t, log.Close(true))
	opts := options(t, disk)
	clock := newHeldClock()
	opts.Clock = leapingClock{clock}
	var told []wal.LSN
	opts.Events.Recovering = func(lsn wal.LSN) { told = append(told, lsn) }
	log, report, err := tryOpen(opts, wal.Start{})
	require.NoError(t, err)
	require.Len(t, told, 5)
	require.IsIncreasing(t, told)
	require.Less(t, told[4], report.End)
	require.Positive(t, report.Took)
	require.NoError(t, log.Close(true))
}

// leapingClock moves by a second whenever it is asked.
type leapingClock struct{ *heldClock }

func (c leapingClock) Now() time.Time {
	c.advance(time.Second)
	return c.heldClock.Now()
}
