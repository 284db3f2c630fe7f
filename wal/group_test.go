package wal_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

const (
	segment     = wal.LSN(wal.SegmentSizeMin)
	firstRecord = wal.LSN(wal.HeaderSize + 32) // of a segment, behind its segment record
)

// fillTo appends records until the log ends exactly at end, which is in the current segment.
func fillTo(t *testing.T, log *wal.Log, end wal.LSN) {
	t.Helper()
	for log.Written() < end {
		left := int(end - log.Written())
		n := min(left, wal.RecordSize(log.MaxPayload()))
		if rest := left - n; rest > 0 && rest < wal.HeaderSize {
			n -= 64
		}
		group := []wal.Entry{{Type: wal.TypeData, Payload: make([]byte, n-wal.HeaderSize)}}
		require.NoError(t, log.Append(group))
	}
	require.Equal(t, end, log.Written())
}

// A commit at every distance from the segment's end that makes a difference: it fits exactly, it
// leaves room for less than a header, for a header, for more; it does not fit by 8.
func TestSegmentEnds(t *testing.T) {
	const size = 200
	for _, left := range []wal.LSN{
		0, 8, 48, 56, 64, size - 8, size, size + 8, size + 48, size + 56, size + 64, 2 * size,
	} {
		t.Run(fmt.Sprintf("left=%d", left), func(t *testing.T) {
			disk := waltest.New()
			log, _ := open(t, options(t, disk), wal.Start{})
			end := wal.FirstLSN + segment
			fillTo(t, log, end-left)
			payload := make([]byte, size-wal.HeaderSize)
			want := end - left
			if left < size {
				want = end + firstRecord
			}
			require.Equal(t, want, log.NextLSN(len(payload)))
			// A group of three, one of which may be in the next segment.
			group := make([]wal.Entry, 3)
			for i := range group {
				group[i] = wal.Entry{Type: wal.TypeCommit, Payload: payload}
			}
			require.NoError(t, log.Append(group))
			require.Equal(t, want, group[0].LSN)
			require.Equal(t, group[2].End, log.Written())
			flush(t, log)
			checkReads(t, log, group)
			begun := log.Epochs()
			require.NoError(t, log.Close(true))

			// The store holds the first, so that recovery begins in its segment.
			start := wal.Start{Applied: group[0].End, Redo: group[0].End}
			log, report, err := tryOpen(options(t, disk), start)
			require.NoError(t, err)
			require.Equal(t, group[2].End, report.End)
			require.NoError(t, log.BeginEpoch(context.Background()))
			checkReads(t, log, group)
			require.Equal(t, group[2].End, log.Epochs().Last().Begin)
			require.Len(t, log.Epochs(), len(begun)+1)
			require.NoError(t, log.Close(true))
		})
	}
}

func checkReads(t *testing.T, log *wal.Log, group []wal.Entry) {
	t.Helper()
	for _, e := range group {
		rec, err := log.ReadRecord(e.LSN)
		require.NoError(t, err)
		require.Equal(t, e.End, rec.End)
		require.Equal(t, e.Payload, rec.Payload)
	}
}

// An epoch that begins at every such distance: the filler and the segment record before its begin
// are its own, and the epoch before ends where its last record did.
func TestEpochBeginsAtSegmentEnd(t *testing.T) {
	for _, left := range []wal.LSN{0, 8, 56, 64, 104, 112, 120} {
		t.Run(fmt.Sprintf("left=%d", left), func(t *testing.T) {
			disk := waltest.New()
			log, _ := open(t, options(t, disk), wal.Start{})
			end := wal.FirstLSN + segment - left
			fillTo(t, log, end)
			require.NoError(t, log.Close(true))

			log, report := open(t, options(t, disk), wal.Start{})
			require.Equal(t, end, report.End)
			require.Equal(t, end, log.Epochs().Last().Begin)
			last := commit(t, log, "behind")
			require.NoError(t, log.Close(true))
			log, report = open(t, options(t, disk), wal.Start{Applied: last.End, Redo: last.End})
			require.Equal(t, last.End, report.End)
			require.Equal(t, []string{"behind"}, commits(t, log))
			require.NoError(t, log.Close(true))
		})
	}
}

func TestSwitchSegment(t *testing.T) {
	disk := waltest.New()
	log, _ := open(t, options(t, disk), wal.Start{})
	commit(t, log, "first")
	end, err := log.SwitchSegment()
	require.NoError(t, err)
	require.Equal(t, wal.FirstLSN+segment, end)
	require.Equal(t, end, log.Written())
	again, err := log.SwitchSegment()
	require.NoError(t, err)
	require.Equal(t, end, again, "nothing was written since")
	require.NoError(t, log.Close(true))

	log, report, err := tryOpen(options(t, disk), wal.Start{})
	require.NoError(t, err)
	require.Equal(t, end, report.End)
	require.NoError(t, log.BeginEpoch(context.Background()))
	second := commit(t, log, "second")
	require.Greater(t, second.LSN, end+firstRecord)
	require.NoError(t, log.WaitFlushed(context.Background(), second.End))
	require.Equal(t, []string{"first", "second"}, commits(t, log))
	require.Equal(t, "000000010000000000000011", log.SegmentName(second.LSN))
	require.NoError(t, log.Close(true))
}

func TestAppendRefuses(t *testing.T) {
	disk := waltest.New()
	log, _, err := tryOpen(options(t, disk), wal.Start{})
	require.NoError(t, err)
	one := []wal.Entry{{Type: wal.TypeAbort, Payload: wal.AppendAbort(nil, 1)}}
	require.ErrorIs(t, log.Append(one), wal.ErrNoEpoch)
	require.NoError(t, log.BeginEpoch(context.Background()))
	require.Error(t, log.BeginEpoch(context.Background()))

	written := log.Written()
	large := []wal.Entry{one[0], {Type: wal.TypeData, Payload: make([]byte, log.MaxPayload()+1)}}
	require.ErrorIs(t, log.Append(large), wal.ErrRecordTooLarge)
	many := make([]wal.Entry, log.MaxGroup()/wal.RecordSize(8)+1)
	for i := range many {
		many[i] = one[0]
	}
	require.ErrorIs(t, log.Append(many), wal.ErrGroupTooLarge)
	require.Equal(t, written, log.Written())
	require.NoError(t, log.Append(many[1:]))
	require.NoError(t, log.Close(true))
	require.ErrorIs(t, log.Append(one), wal.ErrClosed)
	require.ErrorIs(t, log.WaitFlushed(context.Background(), written), wal.ErrClosed)
	require.ErrorIs(t, log.Close(true), wal.ErrClosed)
}

func TestRecycleKeeps(t *testing.T) {
	disk := waltest.New()
	opts := options(t, disk)
	keep := int64(0)
	opts.KeepSize = func() int64 { return keep }
	log, _ := open(t, opts, wal.Start{})
	begins := []wal.LSN{wal.FirstLSN}
	for range 9 {
		commit(t, log, "x")
		end, err := log.SwitchSegment()
		require.NoError(t, err)
		begins = append(begins, end)
	}
	flush(t, log)
	oldest := func() wal.LSN {
		t.Helper()
		for i, b := range begins {
			if _, err := log.Cursor(b); err == nil {
				return begins[i]
			}
		}
		return 0
	}
	last := log.Flushed()
	require.NoError(t, log.Recycle(last))
	require.Equal(t, begins[0], oldest(), "the store has said nothing yet")
	log.SetDurableApplied(last, begins[3])
	require.NoError(t, log.Recycle(last))
	require.Equal(t, begins[2], oldest(), "redo needs the byte before it, which anchors the chain")
	log.SetDurableApplied(last, begins[3]+1)
	require.NoError(t, log.Recycle(last))
	require.Equal(t, begins[3], oldest())
	log.SetDurableApplied(last, last)
	require.NoError(t, log.Recycle(begins[4]+1))
	require.Equal(t, begins[4], oldest(), "the caller's pin")
	keep = int64(3*segment - 1)
	require.NoError(t, log.Recycle(last))
	require.Equal(t, begins[6], oldest(), "KeepSize")
	require.NoError(t, log.Recycle(begins[1]))
	require.Equal(t, begins[6], oldest(), "never backwards")
	require.NoError(t, log.Close(true))

	log, report := open(t, options(t, disk), wal.Start{Applied: last, Redo: last})
	require.Equal(t, last, report.End)
	require.NoError(t, log.Close(true))
}

// Disk use stays bounded by what is pinned and the prepared files, however much is written.
func TestRecyclingBoundsTheDisk(t *testing.T) {
	disk := waltest.New()
	log, _ := open(t, options(t, disk), wal.Start{})
	for range 60 {
		commit(t, log, "x")
		_, err := log.SwitchSegment()
		require.NoError(t, err)
		flush(t, log)
		log.SetDurableApplied(log.Flushed(), log.Flushed())
		require.NoError(t, log.Recycle(log.Flushed()))
		require.LessOrEqual(t, len(disk.Files()), 16)
	}
	require.EqualValues(t, 59, log.Stats().Recycled)
	require.NoError(t, log.Close(true))
}

// The benchmark of the path of one small commit. Axis: records in a group, and whether each group
// waits for its flush.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 16} {
		b.Run(fmt.Sprintf("group=%d/durable=off", size), func(b *testing.B) {
			benchmarkAppend(b, size, false)
		})
		b.Run(fmt.Sprintf("group=%d/durable=local", size), func(b *testing.B) {
			benchmarkAppend(b, size, true)
		})
	}
}

func benchmarkAppend(b *testing.B, size int, durable bool) {
	dir, err := wal.OpenDir(wal.Options{Dir: b.TempDir(), KeepSize: func() int64 { return 0 }})
	require.NoError(b, err)
	log, _, err := dir.OpenLog(context.Background(), wal.Start{})
	require.NoError(b, err)
	require.NoError(b, log.BeginEpoch(context.Background()))
	op := wal.AppendOp(nil, wal.Op{
		Kind: wal.OpSet, Table: 100, Key: make([]byte, 16), Value: make([]byte, 100),
	})
	header := wal.CommitHeader{Time: time.Now().UnixMicro(), OpCount: 1, User: "postgres", App: "b"}
	group := make([]wal.Entry, size)
	for i := range group {
		group[i] = wal.Entry{Type: wal.TypeCommit, Payload: wal.AppendCommit(nil, &header, op)}
	}
	b.ReportAllocs()
	b.SetBytes(int64(size * wal.RecordSize(len(group[0].Payload))))
	for b.Loop() {
		require.NoError(b, log.Append(group))
		if durable {
			require.NoError(b, log.WaitFlushed(context.Background(), group[size-1].End))
		}
	}
	b.StopTimer()
	stats := log.Stats()
	b.ReportMetric(float64(stats.FlushMicros.Sum)/float64(max(stats.Flushes, 1)), "us/flush")
	require.NoError(b, log.Close(true))
}
