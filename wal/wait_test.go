package wal_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

// A position that no record has reached is an error, not a hang.
func TestWaitBeyondTheEnd(t *testing.T) {
	log, _, _ := flushing(t, nil)
	e := commit(t, log, "x")
	err := log.WaitFlushed(context.Background(), e.End+1)
	require.ErrorIs(t, err, wal.ErrBeyondEnd)
	require.ErrorContains(t, err, e.End.String())
	_, err = log.WaitFlushedFor(context.Background(), e.End+1, time.Hour)
	require.ErrorIs(t, err, wal.ErrBeyondEnd)
	require.NoError(t, log.WaitFlushed(context.Background(), e.End))
	require.NoError(t, log.Close(true))
}

// A wait with a deadline says what it found, and the time running out is no error.
func TestWaitFlushedFor(t *testing.T) {
	clock := newArmedClock()
	log, disk, _ := flushing(t, func(o *wal.Options) { o.Clock = clock })
	ctx := context.Background()
	gate := disk.Stall(waltest.OpSync, "0000*")
	e := commit(t, log, "x")
	type outcome struct {
		reached bool
		err     error
	}
	got := make(chan outcome)
	wait := func(ctx context.Context, d time.Duration) {
		reached, err := log.WaitFlushedFor(ctx, e.End, d)
		got <- outcome{reached, err}
	}
	go wait(ctx, 2*time.Millisecond)
	clock.await(2 * time.Millisecond)
	<-gate.Entered() // the waiter hurried the flusher
	clock.advance(2 * time.Millisecond)
	require.Equal(t, outcome{}, <-got)

	ended, cancel := context.WithCancel(ctx)
	go wait(ended, 3*time.Millisecond)
	clock.await(3 * time.Millisecond)
	cancel()
	require.ErrorIs(t, (<-got).err, context.Canceled)

	go wait(ctx, 4*time.Millisecond)
	clock.await(4 * time.Millisecond)
	gate.Open()
	require.Equal(t, outcome{reached: true}, <-got)
	reached, err := log.WaitFlushedFor(ctx, e.End, 0)
	require.NoError(t, err)
	require.True(t, reached, "what is flushed needs no time")
	require.NoError(t, log.Close(true))
}

// AwaitFlushed follows: it wakes for an advance, gives the newest, and makes nobody flush.
func TestAwaitFlushedDoesNotHurry(t *testing.T) {
	clock := newArmedClock()
	log, _, flushed := flushing(t, func(o *wal.Options) {
		o.Clock = clock
		o.WriterDelay = func() time.Duration { return 10 * time.Millisecond }
	})
	before := log.Flushed()
	got := make(chan wal.LSN)
	go func() {
		lsn, err := log.AwaitFlushed(context.Background(), before)
		require.NoError(t, err)
		got <- lsn
	}()
	e := commit(t, log, "x")
	clock.await(10 * time.Millisecond)
	require.Empty(t, flushed, "nobody waits who would hurry it")
	clock.advance(10 * time.Millisecond)
	require.Equal(t, e.End, <-got)
	lsn, err := log.AwaitFlushed(context.Background(), before)
	require.NoError(t, err)
	require.Equal(t, e.End, lsn, "what has passed need not be waited for")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = log.AwaitFlushed(ctx, e.End)
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, log.Close(true))
}

// Thousands wait for random positions, some give up: each is woken by the first advance that
// reaches it, with nobody left over.
func TestManyWaiters(t *testing.T) {
	log, disk, _ := flushing(t, nil)
	gate := disk.Stall(waltest.OpSync, "0000*")
	rng := rand.New(rand.NewPCG(1, 1))
	var ends []wal.LSN
	for i := range 200 {
		ends = append(ends, commit(t, log, fmt.Sprint(i)).End)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var waits, quits sync.WaitGroup
	for range 3000 {
		lsn := ends[rng.IntN(len(ends))] - wal.LSN(rng.IntN(3))
		if rng.IntN(4) == 0 {
			quits.Go(func() { require.ErrorIs(t, log.WaitFlushed(ctx, lsn), context.Canceled) })
			continue
		}
		waits.Go(func() {
			require.NoError(t, log.WaitFlushed(context.Background(), lsn))
			require.GreaterOrEqual(t, log.Flushed(), lsn)
		})
	}
	<-gate.Entered()
	cancel()
	quits.Wait()
	gate.Open()
	waits.Wait()
	require.NoError(t, log.Close(true))
}
