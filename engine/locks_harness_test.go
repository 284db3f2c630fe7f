package engine

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const lockTestTable = FirstUserTable

// lockBench is a lock table with sessions on it and nothing below: no log, no store.
type lockBench struct {
	t  *testing.T
	db *DB
}

func newLockBench(t *testing.T) *lockBench {
	locks := newLockTable()
	locks.deadlockTimeout = testTick
	b := &lockBench{t: t, db: &DB{locks: locks}}
	t.Cleanup(b.requireEmpty)
	return b
}

// requireEmpty checks that every release found what its acquisition left.
func (b *lockBench) requireEmpty() {
	require.Empty(b.t, b.db.locks.list())
	for i := range b.db.locks.shards {
		require.Zero(b.t, b.db.locks.shards[i].count)
		require.Empty(b.t, b.db.locks.shards[i].locks)
	}
	for i := range b.db.locks.strong {
		require.Zero(b.t, b.db.locks.strong[i].Load())
	}
}

// locker is one session.
type locker struct {
	*txnState
	b *lockBench
}

func (b *lockBench) session(id uint64) *locker {
	s := &txnState{db: b.db, owner: b.db.locks.newOwner()}
	s.owner.session = id
	return &locker{txnState: s, b: b}
}

func (l *locker) row(key string, m LockMode, p WaitPolicy) error {
	return l.acquireRow(context.Background(), lockTestTable, []byte(key), m, p)
}

func (l *locker) table(id TableID, m TableLockMode, p WaitPolicy) error {
	return l.db.locks.lockTableMode(context.Background(), l.owner, id, m, p, 0)
}

func (l *locker) mustRow(key string, m LockMode) {
	l.b.t.Helper()
	require.NoError(l.b.t, l.row(key, m, NoWait))
}

func (l *locker) mustTable(id TableID, m TableLockMode) {
	l.b.t.Helper()
	require.NoError(l.b.t, l.table(id, m, NoWait))
}

func (l *locker) release() { l.db.locks.releaseAll(l.owner) }

// pending is an acquisition that waits in a goroutine of its own.
type pending struct {
	b    *lockBench
	done chan error
}

// start runs an acquisition that has to wait and returns once it stands in its queue.
func (l *locker) start(acquire func() error) *pending {
	l.b.t.Helper()
	p := &pending{b: l.b, done: make(chan error, 1)}
	go func() { p.done <- acquire() }()
	require.Eventually(l.b.t, func() bool {
		return l.waiting() || len(p.done) > 0
	}, testWait, testTick, "session %d neither waits nor returns", l.owner.session)
	return p
}

func (l *locker) startRow(key string, m LockMode) *pending {
	l.b.t.Helper()
	return l.start(func() error { return l.row(key, m, Wait) })
}

func (l *locker) startTable(id TableID, m TableLockMode) *pending {
	l.b.t.Helper()
	return l.start(func() error { return l.table(id, m, Wait) })
}

func (l *locker) waiting() bool {
	for _, info := range l.db.locks.list() {
		if info.Session == l.owner.session && !info.Granted {
			return true
		}
	}
	return false
}

// wait returns the acquisition's outcome.
func (p *pending) wait() error {
	p.b.t.Helper()
	select {
	case err := <-p.done:
		return err
	case <-time.After(testWait):
		p.b.t.Fatal("still waiting for the lock")
		return nil
	}
}

func (p *pending) mustWait() {
	p.b.t.Helper()
	require.NoError(p.b.t, p.wait())
}

func (p *pending) requireBlocked() {
	p.b.t.Helper()
	require.Empty(p.b.t, p.done, "was granted or gave up")
}

func isDeadlock(err error) bool { return errors.Is(err, ErrDeadlock) }
