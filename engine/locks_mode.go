package engine

import "fmt"

// LockMode is the mode of a row lock.
type LockMode uint8

// The four modes of a row lock, weakest first; each keeps out what the one before keeps out.
const (
	// RowKeyShare keeps the row from being deleted and its key from being changed: what refers to
	// it stays true. Everything else may be changed.
	RowKeyShare LockMode = iota + 1

	// RowShare keeps the row as it is.
	RowShare

	// RowNoKeyUpdate is for who changes the row but not its key.
	RowNoKeyUpdate

	// RowUpdate is for who deletes the row, adds it or changes its key. It stands alone.
	RowUpdate
)

// TableLockMode is the mode of a table lock, named and behaving as in Postgres.
type TableLockMode uint8

// The eight modes, weakest first.
const (
	AccessShareLock TableLockMode = iota + 1
	RowShareLock
	RowExclusiveLock
	ShareUpdateExclusiveLock
	ShareLock
	ShareRowExclusiveLock
	ExclusiveLock
	AccessExclusiveLock
)

// WaitPolicy says what to do about a lock that another transaction holds.
type WaitPolicy uint8

// The policies of LockRow and LockTable.
const (
	// Wait joins the lock's queue.
	Wait WaitPolicy = iota

	// NoWait fails with ErrLockNotAvailable.
	NoWait

	// SkipLocked leaves the row out: LockRow returns a RowState that says so. For a table it is
	// NoWait.
	SkipLocked
)

// mode numbers the modes of tables and rows in one sequence, so that one queue serves both: 1 to
// 8 are TableLockMode, 9 to 12 are rows.
type mode uint8

const (
	modeRowKeyShare    mode = 9
	modeRowShare       mode = 10
	modeRowNoKeyUpdate mode = 11
	modeRowUpdate      mode = 12
	modeCount               = 13
)

// modeSet is a set of modes, one bit each.
type modeSet uint16

func (m mode) set() modeSet { return 1 << m }

func setOf(modes ...TableLockMode) modeSet {
	var s modeSet
	for _, m := range modes {
		s |= mode(m).set()
	}
	return s
}

// conflicts is Postgres' table of lock conflicts, and below it the one for rows.
var conflicts = [modeCount]modeSet{
	AccessShareLock: setOf(AccessExclusiveLock),
	RowShareLock:    setOf(ExclusiveLock, AccessExclusiveLock),
	RowExclusiveLock: setOf(ShareLock, ShareRowExclusiveLock, ExclusiveLock,
		AccessExclusiveLock),
	ShareUpdateExclusiveLock: setOf(ShareUpdateExclusiveLock, ShareLock, ShareRowExclusiveLock,
		ExclusiveLock, AccessExclusiveLock),
	ShareLock: setOf(RowExclusiveLock, ShareUpdateExclusiveLock, ShareRowExclusiveLock,
		ExclusiveLock, AccessExclusiveLock),
	ShareRowExclusiveLock: setOf(RowExclusiveLock, ShareUpdateExclusiveLock, ShareLock,
		ShareRowExclusiveLock, ExclusiveLock, AccessExclusiveLock),
	ExclusiveLock: setOf(RowShareLock, RowExclusiveLock, ShareUpdateExclusiveLock, ShareLock,
		ShareRowExclusiveLock, ExclusiveLock, AccessExclusiveLock),
	AccessExclusiveLock: setOf(AccessShareLock, RowShareLock, RowExclusiveLock,
		ShareUpdateExclusiveLock, ShareLock, ShareRowExclusiveLock, ExclusiveLock,
		AccessExclusiveLock),
	modeRowKeyShare:    modeRowUpdate.set(),
	modeRowShare:       modeRowNoKeyUpdate.set() | modeRowUpdate.set(),
	modeRowNoKeyUpdate: modeRowShare.set() | modeRowNoKeyUpdate.set() | modeRowUpdate.set(),
	modeRowUpdate: modeRowKeyShare.set() | modeRowShare.set() | modeRowNoKeyUpdate.set() |
		modeRowUpdate.set(),
}

// rowCovered says whether one who holds those modes of a row has no need of m: a mode keeps out
// whatever the weaker ones do, so any that is not weaker will do.
func (m mode) rowCovered(held modeSet) bool { return held >= m.set() }

// blockedBy says whether m conflicts with any mode of held.
func (m mode) blockedBy(held modeSet) bool { return conflicts[m]&held != 0 }

// excludesAll says whether no mode of m's kind goes together with m: nobody may pass one who
// waits for it.
func (m mode) excludesAll() bool { return m == modeRowUpdate || m == mode(AccessExclusiveLock) }

// weak modes never conflict with each other, which is what the fast path rests on.
func (m TableLockMode) weak() bool { return m <= RowExclusiveLock }

// strong modes conflict with a weak one, so they have to find those taken by the fast path.
func (m TableLockMode) strong() bool { return m >= ShareLock }

// covers says whether holding s makes holding m besides pointless: everything m keeps out, s
// keeps out too.
func (s modeSet) covers(m TableLockMode) bool {
	if s&mode(m).set() != 0 {
		return true
	}
	var out modeSet
	for h := AccessShareLock; h <= AccessExclusiveLock; h++ {
		if s&mode(h).set() != 0 {
			out |= conflicts[h]
		}
	}
	return conflicts[m]&^out == 0
}

var tableModeNames = [...]string{
	AccessShareLock:          "AccessShareLock",
	RowShareLock:             "RowShareLock",
	RowExclusiveLock:         "RowExclusiveLock",
	ShareUpdateExclusiveLock: "ShareUpdateExclusiveLock",
	ShareLock:                "ShareLock",
	ShareRowExclusiveLock:    "ShareRowExclusiveLock",
	ExclusiveLock:            "ExclusiveLock",
	AccessExclusiveLock:      "AccessExclusiveLock",
}

// String is the name pg_locks shows.
func (m TableLockMode) String() string {
	if m >= AccessShareLock && m <= AccessExclusiveLock {
		return tableModeNames[m]
	}
	return fmt.Sprintf("table lock mode %d", uint8(m))
}

// String is the name pg_locks shows for a tuple lock of this mode.
func (m LockMode) String() string {
	switch m {
	case RowKeyShare:
		return "AccessShareLock"
	case RowShare:
		return "RowShareLock"
	case RowNoKeyUpdate:
		return "ExclusiveLock"
	case RowUpdate:
		return "AccessExclusiveLock"
	}
	return fmt.Sprintf("row lock mode %d", uint8(m))
}

func (m LockMode) mode() mode { return modeRowKeyShare + mode(m) - mode(RowKeyShare) }

func (m mode) String() string {
	if m >= modeRowKeyShare {
		return LockMode(m - modeRowKeyShare + mode(RowKeyShare)).String()
	}
	return TableLockMode(m).String()
}
