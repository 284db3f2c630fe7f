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

// A history is a few lives of one machine, each ended by a power cut or kill -9 at a moment the
// seed chooses, in the middle of recovery too. Whatever happens, recovery must succeed (the disk
// was honest), the log must be a prefix of what was appended that holds everything confirmed, and
// every receipt must be judged rightly.
func TestCrashHistories(t *testing.T) {
	eachSeed(t, 120, func(t *testing.T, seed uint64) {
		m := newMachine(t, seed)
		defer m.stop()
		require.NoError(t, m.history(3+int(seed%3)))
	})
}

// history lives so many lives. An error is a broken promise.
func (m *machine) history(lives int) error {
	for life := range lives {
		if err := m.startThroughCrashes(); err != nil {
			return fmt.Errorf("life %d: %w", life, err)
		}
		m.live()
		m.end()
	}
	if err := m.startThroughCrashes(); err != nil {
		return fmt.Errorf("last life: %w", err)
	}
	return m.cleanStop()
}

// startThroughCrashes starts, after cutting the power a few times at some step on the way.
func (m *machine) startThroughCrashes() error {
	for range m.rng.IntN(3) {
		m.disk.PowerOffAt(1+m.rng.IntN(60), m.rng.Uint64())
		err := m.start()
		m.disk.Heal()
		off := m.disk.Off() // Perhaps struck by the preparer, which goes on by itself.
		if err == nil && !off {
			return nil
		}
		m.powerCut(m.rng.Uint64())
		if !off {
			return err // Not for want of power.
		}
	}
	return m.start()
}

// live does what a server does with its log, until an operation fails or the seed says so. An
// error here is the power: what it means is judged after the next recovery.
func (m *machine) live() {
	if m.rng.IntN(2) == 0 {
		m.cutSomewhere()
	}
	for range 5 + m.rng.IntN(30) {
		if err := m.act(); err != nil {
			return
		}
		m.watch()
	}
}

// cutSomewhere has the power go at a step of the log's own files, so that a seed finds it again.
func (m *machine) cutSomewhere() {
	ops := []waltest.Op{waltest.OpWrite, waltest.OpSync, waltest.OpSyncDir, waltest.OpRename}
	paths := []string{"0*", "0*", "", "control", "prepared-*"}
	m.disk.Fail(waltest.Fault{
		Op: ops[m.rng.IntN(len(ops))], Path: paths[m.rng.IntN(len(paths))],
		Nth: 1 + m.rng.IntN(20), PowerOff: true, Seed: m.rng.Uint64(),
	})
}

func (m *machine) act() error {
	switch k := m.rng.IntN(20); {
	case k < 11:
		return m.appendGroup()
	case k < 15:
		return m.flush()
	case k < 16:
		_, err := m.log.SwitchSegment()
		return err
	case k < 17:
		m.clock.advance(time.Duration(m.rng.IntN(1500)) * time.Millisecond)
		return m.log.Err()
	case k < 18:
		m.log.RequestFlush(m.log.Written())
		return m.log.Err()
	case k < 19:
		return m.storeFlush()
	default:
		return m.log.Recycle(m.marker)
	}
}

func (m *machine) appendGroup() error {
	group := make([][]byte, 1+m.rng.IntN(3))
	for i := range group {
		size := m.rng.IntN(300)
		if m.rng.IntN(8) == 0 {
			size = m.rng.IntN(wal.MaxPayload(machineSegment) / 2)
		}
		group[i] = m.commit(size)
	}
	return m.append(group...)
}

// storeFlush has the store make a commit durable that the log has made durable before (E3).
func (m *machine) storeFlush() error {
	flushed := m.log.Flushed()
	for _, r := range m.records {
		if r.end <= flushed && r.end > m.marker && m.rng.IntN(3) == 0 {
			m.marker = r.end
		}
	}
	m.log.SetDurableApplied(m.marker, m.marker)
	return nil
}

// end ends a life, one way or another.
func (m *machine) end() {
	if m.disk.Off() || m.rng.IntN(3) > 0 {
		m.powerCut(m.rng.Uint64())
	} else {
		m.kill()
	}
}

// cleanStop closes the log in order and opens it again: nothing may be torn, and nothing missing.
func (m *machine) cleanStop() error {
	if err := m.append(m.commit(10)); err != nil {
		return err
	}
	if err := m.log.Close(true); err != nil {
		return fmt.Errorf("clean close: %w", err)
	}
	m.log, m.floor = nil, m.records[len(m.records)-1].end
	m.disk = m.disk.Crash(m.rng.Uint64())
	if err := m.recover(); err != nil {
		return fmt.Errorf("after a clean stop: %w", err)
	}
	if !m.report.Clean || m.report.Torn {
		return fmt.Errorf("after a clean stop: %+v", m.report)
	}
	return m.compare()
}

// A test that passes on a disk which lies proves nothing: on each kind of liar some history must
// break its promise.
func TestCrashHistoriesNoticeALyingDisk(t *testing.T) {
	for name, lies := range map[string]waltest.Lies{
		"fsync":     {Sync: true},
		"dir fsync": {SyncDir: true},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(200) {
				m := newMachine(t, seed)
				require.NoError(t, m.start())
				m.disk.Lie(lies)
				m.live()
				m.powerCut(seed)
				err := m.start()
				m.stop()
				if err != nil {
					t.Logf("seed %d noticed: %v", seed, err)
					return
				}
			}
			t.Fatal("no seed noticed")
		})
	}
}

// The observer itself is on trial here: told that one commit more was confirmed than was, it must
// find it missing.
func TestCrashHistoriesNoticeAFalseConfirmation(t *testing.T) {
	for seed := range uint64(200) {
		m := newMachine(t, seed)
		require.NoError(t, m.start())
		r := m.mustAppend(100)
		m.floor = r.end
		after := m.disk.Crash(seed)
		m.stop()
		m.disk, m.written = after, 0
		err := m.start()
		m.stop()
		if err != nil {
			require.ErrorContains(t, err, "was confirmed as durable")
			return
		}
	}
	t.Fatal("no seed noticed")
}

// Recovery cut short at every one of its steps, again and again, leads to the very state that a
// recovery in one go leads to.
func TestRecoveryCutShortAtEveryStep(t *testing.T) {
	eachSeed(t, 12, func(t *testing.T, seed uint64) {
		m := newMachine(t, seed)
		defer m.stop()
		m.mustStart()
		for range 3 + m.rng.IntN(12) {
			require.NoError(t, m.appendGroup())
			if m.rng.IntN(4) == 0 {
				require.NoError(t, m.flush())
			}
		}
		m.powerCut(seed)
		image, appended := m.disk, m.records

		require.NoError(t, m.recover())
		want, err := m.found()
		require.NoError(t, err)
		end := m.log.Flushed()
		m.stop()

		for step := 1; ; step++ {
			m.disk, m.records = image.Crash(0), appended // A copy: nothing is unsynced.
			cut := m.cutRecoveryAt(step)
			for i := 0; cut && i < 3; i++ { // And again, sooner or later than the first time.
				m.cutRecoveryAt(1 + m.rng.IntN(step))
			}
			require.NoError(t, m.recover(), "step %d", step)
			got, err := m.found()
			require.NoError(t, err)
			require.Equal(t, want, got, "step %d", step)
			require.Equal(t, end, m.log.Flushed(), "step %d", step)
			m.stop()
			if !cut {
				return // The recovery was over before that step.
			}
		}
	})
}

// cutRecoveryAt runs a recovery whose power goes at its nth step, and says whether it did.
func (m *machine) cutRecoveryAt(nth int) bool {
	m.disk.PowerOffAt(nth, m.rng.Uint64())
	err := m.recover()
	cut := err != nil && m.disk.Off()
	m.powerCutWithoutWatch(m.rng.Uint64())
	return cut
}

// powerCutWithoutWatch cuts the power without taking anything for confirmed.
func (m *machine) powerCutWithoutWatch(seed uint64) {
	after := m.disk.Crash(seed)
	m.stop()
	m.disk, m.written = after, 0
}

// A second recovery right after a first finds nothing to do.
func TestRecoveryIsIdempotent(t *testing.T) {
	eachSeed(t, 30, func(t *testing.T, seed uint64) {
		m := newMachine(t, seed)
		defer m.stop()
		m.mustStart()
		for range 10 {
			require.NoError(t, m.appendGroup())
		}
		m.powerCut(seed)
		require.NoError(t, m.recover())
		require.NoError(t, m.compare())
		end := m.log.Flushed()
		m.stop()
		for range 3 {
			m.disk = m.disk.Crash(m.rng.Uint64())
			require.NoError(t, m.recover())
			require.NoError(t, m.compare())
			require.Equal(t, end, m.log.Flushed())
			require.False(t, m.report.Torn, "%+v", m.report)
			m.stop()
		}
	})
}

// A canceled start leaves the directory as it was.
func TestRecoveryCanBeCanceled(t *testing.T) {
	m := newMachine(t, 1)
	defer m.stop()
	m.mustStart()
	m.mustCommitLocal(10)
	m.powerCut(1)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir, err := wal.OpenDir(m.options())
	require.NoError(t, err)
	_, _, err = dir.OpenLog(ctx, wal.Start{})
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, dir.Close())
	require.NoError(t, m.start())
}
