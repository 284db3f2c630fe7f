package wal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

// armedClock tells when the log begins to wait for a time.
type armedClock struct {
	*heldClock
	armed chan time.Duration
}

func newArmedClock() armedClock {
	return armedClock{heldClock: newHeldClock(), armed: make(chan time.Duration, 1000)}
}

func (c armedClock) Timer(d time.Duration) (<-chan time.Time, func() bool) {
	fired, stop := c.heldClock.Timer(d)
	c.armed <- d
	return fired, stop
}

// await waits until the log waits for exactly d.
func (c armedClock) await(d time.Duration) {
	for d != <-c.armed {
	}
}

// flushing opens a log whose rounds of flushing can be watched.
func flushing(t *testing.T, change func(*wal.Options)) (*wal.Log, *waltest.Disk, chan wal.LSN) {
	disk := waltest.New()
	opts := options(t, disk)
	flushed := make(chan wal.LSN, 1000)
	opts.Events.Flushed = func(lsn wal.LSN, _ int64, _ time.Duration) { flushed <- lsn }
	opts.WriterDelay = func() time.Duration { return time.Hour }
	if change != nil {
		change(&opts)
	}
	log, _ := open(t, opts, wal.Start{})
	<-flushed // epoch-begin
	return log, disk, flushed
}

func TestFlushAfterWriterDelay(t *testing.T) {
	clock := newArmedClock()
	log, _, flushed := flushing(t, func(o *wal.Options) {
		o.Clock = clock
		o.WriterDelay = func() time.Duration { return 10 * time.Millisecond }
	})
	for range 3 {
		commit(t, log, "first")
		clock.await(10 * time.Millisecond)
		clock.advance(4 * time.Millisecond)
		// The delay counts from the oldest: a later commit does not begin it anew.
		last := commit(t, log, "second")
		clock.advance(5 * time.Millisecond)
		require.Empty(t, flushed)
		clock.advance(time.Millisecond)
		require.Equal(t, last.End, <-flushed)
	}
	require.NoError(t, log.Close(true))
}

func TestFlushAfterBytes(t *testing.T) {
	log, _, flushed := flushing(t, func(o *wal.Options) {
		o.FlushAfter = func() int64 { return 1000 }
	})
	before := log.Flushed()
	last := commit(t, log, "x")
	for last.End < before+1000 {
		require.Empty(t, flushed)
		last = commit(t, log, "x")
	}
	require.Equal(t, last.End, <-flushed)
	require.NoError(t, log.Close(true))
}

func TestFlushForWaiterAndRequest(t *testing.T) {
	log, _, flushed := flushing(t, nil)
	var heard []wal.LSN
	log.OnFlushed(func(lsn wal.LSN) { heard = append(heard, lsn) })

	first := commit(t, log, "waited for")
	require.NoError(t, log.WaitFlushed(context.Background(), first.End))
	require.Equal(t, first.End, <-flushed)
	second := commit(t, log, "asked for")
	log.RequestFlush(second.End)
	require.Equal(t, second.End, <-flushed)
	log.RequestFlush(second.End) // nothing to do
	third := commit(t, log, "W7: it makes the one before it durable")
	fourth := commit(t, log, "waited for")
	require.NoError(t, log.WaitFlushed(context.Background(), fourth.LSN))
	require.GreaterOrEqual(t, log.Flushed(), third.End)
	require.NoError(t, log.Close(true))
	require.Equal(t, []wal.LSN{first.End, second.End, fourth.End}, heard)
}

// While one fsync runs, everybody who comes is covered by the next.
func TestFlushesGather(t *testing.T) {
	log, disk, flushed := flushing(t, nil)
	gate := disk.Stall(waltest.OpSync, "0000*")
	first := commit(t, log, "stalled")
	log.RequestFlush(first.End)
	<-gate.Entered()

	var waits sync.WaitGroup
	var last wal.Entry
	for i := range 50 {
		last = commit(t, log, fmt.Sprint(i))
		end := last.End
		waits.Go(func() { require.NoError(t, log.WaitFlushed(context.Background(), end)) })
	}
	require.Less(t, log.Flushed(), first.End, "W2: not before the kernel said so")
	gate.Open()
	waits.Wait()
	require.Equal(t, first.End, <-flushed)
	require.Equal(t, last.End, <-flushed)
	require.Empty(t, flushed)
	require.NoError(t, log.Close(true))
}

func TestWaitCanBeCancelled(t *testing.T) {
	log, disk, _ := flushing(t, nil)
	gate := disk.Stall(waltest.OpSync, "0000*")
	var ends []wal.LSN
	for range 10 {
		ends = append(ends, commit(t, log, "x").End)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var canceled, waits sync.WaitGroup
	for i, end := range ends {
		if i%2 == 0 {
			canceled.Go(func() { require.ErrorIs(t, log.WaitFlushed(ctx, end), context.Canceled) })
		} else {
			waits.Go(func() { require.NoError(t, log.WaitFlushed(context.Background(), end)) })
		}
	}
	<-gate.Entered()
	cancel()
	canceled.Wait()
	gate.Open()
	waits.Wait()
	require.NoError(t, log.Close(true))
}

// W3: what is written but not flushed is not there for a cursor.
func TestCursorStopsAtFlushed(t *testing.T) {
	log, disk, _ := flushing(t, nil)
	first := commit(t, log, "flushed")
	flush(t, log)
	cursor, err := log.Cursor(first.LSN)
	require.NoError(t, err)
	rec, err := cursor.Next()
	require.NoError(t, err)
	require.Equal(t, first.End, rec.End)

	gate := disk.Stall(waltest.OpSync, "0000*")
	second := commit(t, log, "stalled")
	_, err = cursor.Next()
	require.Equal(t, io.EOF, err)
	_, err = log.ReadRecord(second.LSN)
	require.ErrorIs(t, err, wal.ErrNotFlushed)
	_, err = log.Cursor(second.End)
	require.ErrorIs(t, err, wal.ErrNotFlushed)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, cursor.Wait(ctx), context.Canceled)

	gate.Open()
	log.RequestFlush(second.End)
	require.NoError(t, cursor.Wait(context.Background()))
	rec, err = cursor.Next()
	require.NoError(t, err)
	require.Equal(t, second.End, rec.End)
	require.Equal(t, second.End, cursor.Position())
	again, err := log.ReadRecord(second.LSN)
	require.NoError(t, err)
	require.Equal(t, rec.Payload, again.Payload)
	require.NoError(t, cursor.Close())
	require.NoError(t, log.Close(true))
}

// W4, for a failed fsync, a failed write and a short one: one word to Fatal, no confirmation after
// it, no second try.
func TestPoison(t *testing.T) {
	for name, fault := range map[string]waltest.Fault{
		"fsync":       {Op: waltest.OpSync, Path: "0000*", Err: unix.EIO, MarkClean: true},
		"write":       {Op: waltest.OpWrite, Path: "0000*", Err: unix.EIO},
		"short write": {Op: waltest.OpWrite, Path: "0000*", Err: io.ErrShortWrite, Short: 10},
	} {
		t.Run(name, func(t *testing.T) {
			fatal := make(chan error, 10)
			log, disk, flushed := flushing(t, func(o *wal.Options) {
				o.Fatal = func(err error) { fatal <- err }
			})
			disk.Fail(fault)
			group := []wal.Entry{{Type: wal.TypeAbort, Payload: wal.AppendAbort(nil, 1)}}
			err := log.Append(group)
			if fault.Op == waltest.OpWrite {
				require.ErrorIs(t, err, wal.ErrPoisoned)
			} else {
				require.NoError(t, err)
				require.ErrorIs(t, log.WaitFlushed(context.Background(), group[0].End), wal.ErrPoisoned)
			}
			require.ErrorIs(t, <-fatal, fault.Err)
			require.ErrorIs(t, log.Err(), wal.ErrPoisoned)
			require.ErrorContains(t, log.Err(), "000000010000000000000010")

			bytes, durable := segmentBytes(disk), log.Flushed()
			require.ErrorIs(t, log.Append(group), wal.ErrPoisoned)
			_, err = log.SwitchSegment()
			require.ErrorIs(t, err, wal.ErrPoisoned)
			require.ErrorIs(t, log.WaitFlushed(context.Background(), wal.FirstLSN), wal.ErrPoisoned)
			log.RequestFlush(group[0].End)
			// A second fsync would succeed, and move flushed.
			require.Equal(t, bytes, segmentBytes(disk), "nothing is written again")
			require.Equal(t, durable, log.Flushed(), "nothing is flushed again")
			require.ErrorIs(t, log.Close(true), wal.ErrPoisoned)
			require.Empty(t, fatal)
			require.Empty(t, flushed)
		})
	}
}

// A poisoned log wakes everyone who waits, cursors too.
func TestPoisonWakesWaiters(t *testing.T) {
	fatal := make(chan error, 1)
	log, disk, _ := flushing(t, func(o *wal.Options) { o.Fatal = func(err error) { fatal <- err } })
	gate := waltest.NewGate()
	disk.Fail(waltest.Fault{Op: waltest.OpSync, Path: "0000*", Err: unix.EIO, Gate: gate})
	var waits sync.WaitGroup
	e := commit(t, log, "x")
	for range 5 {
		waits.Go(func() {
			require.ErrorIs(t, log.WaitFlushed(context.Background(), e.End), wal.ErrPoisoned)
		})
	}
	cursor, err := log.Cursor(log.Flushed())
	require.NoError(t, err)
	waits.Go(func() { require.ErrorIs(t, cursor.Wait(context.Background()), wal.ErrPoisoned) })
	<-gate.Entered()
	gate.Open()
	waits.Wait()
	require.ErrorIs(t, <-fatal, unix.EIO)
	require.NoError(t, log.Close(false))
}

func TestNoSpace(t *testing.T) {
	disk := waltest.New()
	failed := make(chan error, 1000)
	opts := options(t, disk)
	opts.Events.SegmentFailed = func(err error) { failed <- err }
	log, _ := open(t, opts, wal.Start{})
	disk.Fail(waltest.Fault{Op: waltest.OpWrite, Path: "prepared-*", Err: unix.ENOSPC, Sticky: true})

	payload := make([]byte, log.MaxPayload())
	var err error
	group := []wal.Entry{{Type: wal.TypeData, Payload: payload}}
	count := 0
	for err == nil {
		inserted, written, next := log.Inserted(), log.Written(), log.NextLSN(len(payload))
		if err = log.Append(group); err == nil {
			count++
			continue
		}
		require.Equal(t, inserted, log.Inserted(), "nothing was appended")
		require.Equal(t, written, log.Written())
		require.Equal(t, next, log.NextLSN(len(payload)))
	}
	require.ErrorIs(t, err, wal.ErrNoSpace)
	require.ErrorIs(t, err, unix.ENOSPC)
	require.ErrorIs(t, <-failed, unix.ENOSPC)
	require.LessOrEqual(t, count, 3*4, "the segment in use and at most two prepared")
	small := commit(t, log, "what fits the segment still goes in")
	require.NoError(t, log.WaitFlushed(context.Background(), small.End))

	disk.Heal()
	for errors.Is(err, wal.ErrNoSpace) {
		err = log.Append(group)
	}
	require.NoError(t, err)
	require.NoError(t, log.Close(true))

	log, report := open(t, options(t, disk), wal.Start{})
	require.Equal(t, group[0].End, report.End)
	require.NoError(t, log.Close(true))
}

func TestControlIsRewrittenOnceASecond(t *testing.T) {
	clock := newArmedClock()
	log, disk, flushed := flushing(t, func(o *wal.Options) { o.Clock = clock })
	clock.await(time.Second) // behind the rewrite for epoch-begin
	before := disk.Content("/data/control")
	for range 10 {
		flush := commit(t, log, "x")
		require.NoError(t, log.WaitFlushed(context.Background(), flush.End))
		<-flushed
		clock.advance(99 * time.Millisecond)
	}
	require.Equal(t, before, disk.Content("/data/control"))
	clock.advance(10 * time.Millisecond)
	clock.await(time.Second) // it was rewritten, and the next second began
	require.NotEqual(t, before, disk.Content("/data/control"))
	require.NoError(t, log.Close(true))
}
