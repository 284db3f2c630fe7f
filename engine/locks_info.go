package engine

import (
	"fmt"
	"time"
)

// LockInfo is one row of pg_locks: a lock held or waited for.
type LockInfo struct {
	Session uint64
	Table   TableID
	Row     bool
	Key     []byte // the row's key; nil for a table

	// Advisory is set when the lock is an advisory one, on AdvisoryKey.
	Advisory    bool
	AdvisoryKey AdvisoryKey

	Mode    string
	Granted bool
	Fast    bool      // taken by the fast path, so nobody has asked for a strong mode since
	Since   time.Time // when the wait began; zero when granted
}

// Target names what is locked.
func (i LockInfo) Target() string {
	if i.Advisory {
		kind := 1 // what Postgres numbers the two kinds of keys
		if i.AdvisoryKey.Pair {
			kind = 2
		}
		return fmt.Sprintf("advisory lock [%d,%d,%d]", uint32(i.AdvisoryKey.Value>>32),
			uint32(i.AdvisoryKey.Value), kind)
	}
	if i.Row {
		return fmt.Sprintf("row %x of table %d", i.Key, i.Table)
	}
	return fmt.Sprintf("table %d", i.Table)
}

// Locks lists every lock held or waited for. Each lock is shown as it is at one moment, the list
// as a whole is not one moment: that would stop every transaction.
func (db *DB) Locks() []LockInfo { return db.locks.list() }

func (t *lockTable) list() []LockInfo {
	infos := t.listFast()
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		for _, l := range s.locks {
			for ; l != nil; l = l.next {
				infos = l.list(infos)
			}
		}
		s.mu.Unlock()
	}
	return infos
}

func (t *lockTable) listFast() []LockInfo {
	t.mu.Lock()
	defer t.mu.Unlock()
	var infos []LockInfo
	for _, o := range t.owners {
		o.mu.Lock()
		for _, h := range o.tables {
			infos = appendModes(infos, h.fast, LockInfo{
				Session: o.session, Table: h.table, Granted: true, Fast: true,
			})
		}
		o.mu.Unlock()
	}
	return infos
}

// list appends the lockable's holders and waiters. The caller holds the shard's mu.
func (l *lockable) list(infos []LockInfo) []LockInfo {
	var key []byte
	if l.row {
		key = append(key, l.key...)
	}
	for _, h := range l.holders {
		infos = appendModes(infos, h.modes, l.describe(LockInfo{
			Session: h.owner.session, Key: key, Granted: true,
		}))
	}
	for w := l.head; w != nil; w = w.next {
		infos = append(infos, w.info())
	}
	return infos
}

// describe fills in what is locked.
func (l *lockable) describe(info LockInfo) LockInfo {
	info.Table, info.Row = l.table, l.row
	if l.table == advisoryTable {
		info.Key, info.Advisory, info.AdvisoryKey = nil, true, decodeAdvisoryKey(l.key)
	}
	return info
}

// appendModes appends one row for each mode.
func appendModes(infos []LockInfo, modes modeSet, info LockInfo) []LockInfo {
	for m := mode(1); m < modeCount; m++ {
		if modes&m.set() != 0 {
			info.Mode = m.String()
			infos = append(infos, info)
		}
	}
	return infos
}
