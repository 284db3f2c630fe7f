package wal_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

// When the disk fails, who waits and who asks later is told the same range: from what is durable
// to the last record that has a position. Those connected are told before the process ends.
func TestUnresolvedRange(t *testing.T) {
	var order []string
	told := make(chan *wal.UnresolvedError, 1)
	fatal := make(chan error, 1)
	log, disk, _ := flushing(t, func(o *wal.Options) {
		o.Unresolved = func(u *wal.UnresolvedError) { order = append(order, "told"); told <- u }
		o.Fatal = func(err error) { order = append(order, "fatal"); fatal <- err }
	})
	durable := commit(t, log, "durable")
	flush(t, log)
	gate := waltest.NewGate()
	disk.Fail(waltest.Fault{Op: waltest.OpSync, Path: "0000*", Err: unix.EIO, Gate: gate})
	first := commit(t, log, "first")
	waited := make(chan error, 2)
	go func() { waited <- log.WaitFlushed(context.Background(), first.End) }()
	go func() {
		_, err := log.AwaitFlushed(context.Background(), durable.End)
		waited <- err
	}()
	<-gate.Entered()
	last := commit(t, log, "behind the fsync that fails")
	require.False(t, log.Halted())
	gate.Open()

	require.ErrorIs(t, <-fatal, unix.EIO)
	require.Equal(t, []string{"told", "fatal"}, order)
	want := wal.UnresolvedError{First: durable.End, Last: last.End}
	check := func(err error) {
		t.Helper()
		var u *wal.UnresolvedError
		require.ErrorAs(t, err, &u)
		require.Equal(t, want.First, u.First)
		require.Equal(t, want.Last, u.Last)
		require.ErrorIs(t, err, unix.EIO)
		require.ErrorIs(t, err, wal.ErrPoisoned)
		require.ErrorContains(t, err, durable.End.String()+" to "+last.End.String())
	}
	check(<-told)
	check(<-waited)
	check(<-waited)
	check(log.Err())
	require.True(t, log.Halted())
	check(log.WaitFlushed(context.Background(), first.End))
	check(log.WaitFlushed(context.Background(), wal.FirstLSN))
	check(log.Append([]wal.Entry{{Type: wal.TypeAbort, Payload: wal.AppendAbort(nil, 1)}}))
	require.Equal(t, durable.End, log.Flushed())
}

// A write that fails leaves its own records in the range: part of them may have arrived.
func TestUnresolvedRangeHasTheFailedWrite(t *testing.T) {
	fatal := make(chan error, 1)
	log, disk, _ := flushing(t, func(o *wal.Options) { o.Fatal = func(err error) { fatal <- err } })
	begin := log.Flushed()
	disk.Fail(waltest.Fault{Op: waltest.OpWrite, Path: "0000*", Err: unix.EIO, Short: 8})
	group := []wal.Entry{{Type: wal.TypeAbort, Payload: wal.AppendAbort(nil, 1)}}
	var u *wal.UnresolvedError
	require.ErrorAs(t, log.Append(group), &u)
	require.Equal(t, begin, u.First)
	require.Equal(t, group[0].End, u.Last)
	require.ErrorIs(t, <-fatal, unix.EIO)
}

// Telling is not waited for beyond the grace: a client that does not read must not keep a server
// standing whose disk is gone.
func TestUnresolvedGraceIsBounded(t *testing.T) {
	clock := newArmedClock()
	fatal := make(chan error, 1)
	forever := make(chan struct{})
	defer close(forever)
	log, disk, _ := flushing(t, func(o *wal.Options) {
		o.Clock = clock
		o.Unresolved = func(*wal.UnresolvedError) { <-forever }
		o.Fatal = func(err error) { fatal <- err }
	})
	disk.Fail(waltest.Fault{Op: waltest.OpSync, Path: "0000*", Err: unix.EIO})
	e := commit(t, log, "x")
	require.ErrorIs(t, log.WaitFlushed(context.Background(), e.End), wal.ErrPoisoned)
	clock.await(wal.UnresolvedGraceMax)
	require.Empty(t, fatal)
	clock.advance(wal.UnresolvedGraceMax)
	require.ErrorIs(t, <-fatal, unix.EIO)
}
