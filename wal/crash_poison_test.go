package wal_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

// requirePoisoned wants the log to be dead: Fatal told once, nothing taken, nothing confirmed,
// not even what was flushed in time.
func requirePoisoned(t *testing.T, m *machine, flushed wal.LSN) {
	t.Helper()
	select {
	case err := <-m.fatal:
		require.ErrorIs(t, err, wal.ErrPoisoned)
	case <-time.After(10 * time.Second):
		t.Fatal("Fatal was not called")
	}
	require.ErrorIs(t, m.log.Err(), wal.ErrPoisoned)
	before := segmentBytes(m.disk)
	require.ErrorIs(t, m.append(m.commit(10)), wal.ErrPoisoned)
	require.ErrorIs(t, m.log.WaitFlushed(context.Background(), wal.FirstLSN), wal.ErrPoisoned)
	require.ErrorIs(t, m.log.WaitFlushed(context.Background(), m.log.Written()), wal.ErrPoisoned)
	_, err := m.log.SwitchSegment()
	require.ErrorIs(t, err, wal.ErrPoisoned)
	require.Equal(t, flushed, m.log.Flushed(), "flushed moved behind a failure")
	require.Equal(t, before, segmentBytes(m.disk), "a poisoned log wrote")
	require.Empty(t, m.fatal, "Fatal was called twice")
}

// segmentBytes gives the contents of every segment. Prepared files are no log: the task that makes
// them may be in the middle of one.
func segmentBytes(disk *waltest.Disk) map[string]string {
	all := map[string]string{}
	for _, path := range disk.Files() {
		if name := filepath.Base(path); strings.HasPrefix(name, "0000") {
			all[name] = string(disk.Content(path))
		}
	}
	return all
}

// W4: a failed write, whole or short, ends the log; the commits confirmed before are all there
// after kill -9, and after the power cut that may follow.
func TestFailedWritePoisons(t *testing.T) {
	eachSeed(t, 30, func(t *testing.T, seed uint64) {
		m := newMachine(t, seed)
		defer func() { m.stop() }()
		m.mustStart()
		m.mustCommitLocal(50)
		m.mustAppend(50)
		flushed := m.log.Flushed()
		m.disk.Fail(waltest.Fault{
			Op: waltest.OpWrite, Path: "0*", Err: unix.EIO, Short: m.rng.IntN(200),
		})
		require.ErrorIs(t, m.append(m.commit(100), m.commit(100)), wal.ErrPoisoned)
		requirePoisoned(t, m, flushed)
		m.end()
		require.NoError(t, m.start())
	})
}

// A failed fsync ends the log at once, and a second fsync, which would succeed, is not tried. The
// page cache goes on showing what never reached the disk: recovery after the kill must either make
// it durable or drop it, and the power cut after that is the judge.
func TestFailedFsyncPoisons(t *testing.T) {
	for _, lies := range []waltest.Lies{{}, {DropCache: true}} {
		t.Run(fmt.Sprintf("%+v", lies), func(t *testing.T) {
			eachSeed(t, 30, func(t *testing.T, seed uint64) { failedFsync(t, seed, lies) })
		})
	}
}

// failedFsync runs with a disk that may not know how to drop its cache: then only writing the tail
// again saves it.
func failedFsync(t *testing.T, seed uint64, lies waltest.Lies) {
	m := newMachine(t, seed)
	defer func() { m.stop() }()
	m.mustStart()
	m.mustCommitLocal(50)
	m.holdControl()
	flushed := m.log.Flushed()
	m.disk.Fail(waltest.Fault{Op: waltest.OpSync, Path: "0*", Err: unix.EIO, MarkClean: true})
	m.mustAppend(600)
	require.ErrorIs(t, m.flush(), wal.ErrPoisoned)
	requirePoisoned(t, m, flushed)

	m.written = 0 // Nothing promises them any more, not even to kill -9.
	after := m.disk.Kill()
	m.stop()
	m.disk, m.written = after, 0
	m.disk.Lie(lies)
	require.NoError(t, m.start())
	// From here on what recovery found has been called durable.
	m.powerCut(seed)
	require.NoError(t, m.start())
}

// Every other file that the log cannot do without poisons it as well.
func TestFailureAnywherePoisons(t *testing.T) {
	for name, c := range map[string]struct {
		fault waltest.Fault
		drive func(m *machine)
	}{
		"control write": {
			waltest.Fault{Op: waltest.OpWrite, Path: "control", Err: unix.EIO, Sticky: true},
			func(m *machine) { m.clock.advance(2 * time.Second); _ = m.flush() },
		},
		"control fsync": {
			waltest.Fault{Op: waltest.OpSync, Path: "control", Err: unix.EIO, Sticky: true},
			func(m *machine) { m.clock.advance(2 * time.Second); _ = m.flush() },
		},
		"name of a new segment": {
			waltest.Fault{Op: waltest.OpSyncDir, Path: "wal", Err: unix.EIO, Sticky: true},
			func(m *machine) { m.fillWithErrors() },
		},
		"rename of a new segment": {
			waltest.Fault{Op: waltest.OpRename, Path: "prepared-*", Err: unix.EIO, Sticky: true},
			func(m *machine) { m.fillWithErrors() },
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, 1)
			defer func() { m.stop() }()
			m.mustStart()
			m.holdControl()
			m.disk.Fail(c.fault)
			m.mustAppend(10)
			c.drive(m)
			select {
			case err := <-m.fatal:
				require.ErrorIs(t, err, unix.EIO)
			case <-time.After(10 * time.Second):
				t.Fatal("Fatal was not called")
			}
			require.ErrorIs(t, m.append(m.commit(1)), wal.ErrPoisoned)
			m.disk.Heal()
			m.kill()
			require.NoError(t, m.start())
		})
	}
}

// fillWithErrors appends until the next segment is needed and cannot be had.
func (m *machine) fillWithErrors() {
	for range 10 {
		if err := m.append(m.payloadOf(m.log.MaxPayload())); err != nil {
			return
		}
	}
}

// An error of reading or syncing while recovering is an error, not the end of the log: nothing is
// truncated, and the next start finds everything.
func TestRecoveryDoesNotTakeAnErrorForTheEnd(t *testing.T) {
	for _, op := range []waltest.Op{
		waltest.OpRead, waltest.OpSync, waltest.OpDropCache, waltest.OpOpen, waltest.OpList,
	} {
		t.Run(op.String(), func(t *testing.T) {
			m := newMachine(t, 2)
			defer func() { m.stop() }()
			m.mustStart()
			m.mustCommitLocal(500)
			m.mustCommitLocal(500)
			m.powerCut(2)
			for nth := 1; ; nth++ {
				m.disk.Fail(waltest.Fault{Op: op, Nth: nth, Err: unix.EIO})
				err := m.recover()
				m.disk.Heal()
				if err == nil {
					m.stop()
					break // No such operation so late.
				}
				require.ErrorIs(t, err, unix.EIO, "%s %d", op, nth)
				var damaged *wal.CorruptionError
				require.False(t, errors.As(err, &damaged), "%s %d: %v", op, nth, err)
			}
			require.NoError(t, m.start())
		})
	}
}

// A full disk strikes the preparing task. With no segment left commits are refused before
// anything is appended, those before them are flushed as ever, reads go on, and service comes back
// with the space, by itself.
func TestFullDisk(t *testing.T) {
	m := newMachine(t, 3)
	defer func() { m.stop() }()
	m.mustStart()
	m.mustCommitLocal(10)
	m.disk.Fail(waltest.Fault{
		Op: waltest.OpWrite, Path: "prepared-*", Err: unix.ENOSPC, Sticky: true,
	})
	var err error
	for range 100 {
		before, records := m.log.Inserted(), len(m.records)
		if err = m.append(m.payloadOf(m.log.MaxPayload())); err != nil {
			require.Equal(t, before, m.log.Inserted(), "a refused group was given positions")
			require.Equal(t, before, m.log.Written())
			require.Len(t, m.records, records)
			break
		}
	}
	require.ErrorIs(t, err, wal.ErrNoSpace)
	require.ErrorIs(t, err, unix.ENOSPC)
	require.NoError(t, m.log.Err(), "a full disk is no reason to die")
	require.NoError(t, m.flush())
	found, err := m.found()
	require.NoError(t, err)
	require.Equal(t, m.records, found)

	m.disk.Heal()
	deadline := time.Now().Add(10 * time.Second)
	for err = m.append(m.commit(10)); err != nil; err = m.append(m.commit(10)) {
		require.ErrorIs(t, err, wal.ErrNoSpace)
		require.True(t, time.Now().Before(deadline), "service did not come back")
		time.Sleep(time.Millisecond) // The task's own retry interval is real time.
	}
	require.NoError(t, m.flush())
	m.powerCut(3)
	require.NoError(t, m.start())
}

// A disk that stands still holds up those who wait for it and nobody else.
func TestStalledDiskHoldsUpWaitersOnly(t *testing.T) {
	m := newMachine(t, 4)
	defer func() { m.stop() }()
	m.mustStart()
	flushed := m.log.Flushed()
	gate := m.disk.Stall(waltest.OpSync, "0*")
	m.mustAppend(10)
	done := make(chan error, 1)
	target := m.log.Written()
	go func() { done <- m.log.WaitFlushed(context.Background(), target) }()
	<-gate.Entered()
	for range 50 {
		m.mustAppend(10) // `off` commits go on.
	}
	require.Equal(t, flushed, m.log.Flushed())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, m.log.WaitFlushed(ctx, m.log.Written()), context.Canceled)
	require.Empty(t, done)

	// The power goes while it stands: what waited was not confirmed, and need not be there.
	after := m.fork(4)
	require.NoError(t, after.start())
	after.stop()

	gate.Open()
	require.NoError(t, <-done)
	require.NoError(t, m.flush())
}
