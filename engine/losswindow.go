package engine

import (
	"slices"
	"time"

	"ackdb/wal"
)

// loansMax bounds the loans kept apart. Loans are made a group at a time, so within 100 ms there
// are at most some thousands, and most of the time a few dozen; when there are more, neighbours
// are joined.
const loansMax = 1024

// loan is one or more commits acknowledged and not known to be flushed.
type loan struct {
	first, end wal.LSN       // ends of its first and last commit
	since      time.Duration // when the first was answered
	commits    int64
}

// loanQueue is the loans, ascending by end and by time at once. That is so although commits are
// not answered in the order of the log: one answered late, with a lower end than another before
// it, adds nothing to the age. While it is unflushed so is the other, which is older.
type loanQueue struct {
	loans []loan // queue[head:] is live
	head  int
}

func (q *loanQueue) live() []loan { return q.loans[q.head:] }

// age is that of the oldest loan, 0 without one.
func (q *loanQueue) age(now time.Duration) time.Duration {
	if live := q.live(); len(live) > 0 {
		return now - live[0].since
	}
	return 0
}

// add enters a commit that is answered now.
func (q *loanQueue) add(end wal.LSN, now time.Duration) {
	live := q.live()
	if n := len(live); n > 0 {
		last := &live[n-1]
		if end <= last.end {
			q.addLate(end)
			return
		}
		if last.since == now { // the same group
			last.end = end
			last.commits++
			return
		}
	}
	if len(q.loans) == loansMax {
		q.makeRoom()
	}
	q.loans = append(q.loans, loan{first: end, end: end, since: now, commits: 1})
}

// addLate counts a commit among the loan that covers it.
func (q *loanQueue) addLate(end wal.LSN) {
	live := q.live()
	i, _ := slices.BinarySearchFunc(live, end, func(l loan, end wal.LSN) int {
		if l.end < end {
			return -1
		}
		return 1
	})
	live[i].commits++
	live[i].first = min(live[i].first, end)
}

// makeRoom moves the live loans to the front, or joins them two by two. A joined loan has the age
// of its first and the end of its last: it is counted too old for the time between the two, never
// too young.
func (q *loanQueue) makeRoom() {
	if q.head > 0 {
		q.loans = q.loans[:copy(q.loans, q.live())]
		q.head = 0
		return
	}
	n := 0
	for i := 0; i < len(q.loans); i += 2 {
		l := q.loans[i]
		if i+1 < len(q.loans) {
			l.end = q.loans[i+1].end
			l.commits += q.loans[i+1].commits
		}
		q.loans[n] = l
		n++
	}
	q.loans = q.loans[:n]
}

// settle takes out the oldest loan if it is flushed.
func (q *loanQueue) settle(flushed wal.LSN) (loan, bool) {
	if q.head == len(q.loans) || q.loans[q.head].end > flushed {
		return loan{}, false
	}
	l := q.loans[q.head]
	if q.head++; q.head == len(q.loans) {
		q.loans, q.head = q.loans[:0], 0
	}
	return l, true
}

// lossMaxima are the worst the window has been.
type lossMaxima struct {
	age   time.Duration
	bytes int64
}

// LossWindow is what a power cut now would take of what was acknowledged, and the most it would
// ever have taken since Open.
type LossWindow struct {
	// Commits counts those acknowledged and not flushed. In a long stall neighbours are joined,
	// and a flush that ends between them leaves both counted.
	Commits int64
	Bytes   int64         // of log, from flushed to the newest of them
	Age     time.Duration // since the oldest of them was answered
	Oldest  wal.LSN       // its end; 0 for none

	MaxAge   time.Duration
	MaxBytes int64
}

// LossWindow measures.
func (db *DB) LossWindow() LossWindow {
	l := db.lender
	l.mu.Lock()
	defer l.mu.Unlock()
	now, flushed := l.now(), l.log.Flushed()
	l.settleLocked(flushed, now)
	w := LossWindow{Age: l.loans.age(now), MaxBytes: l.window.bytes}
	w.MaxAge = max(l.window.age, w.Age)
	live := l.loans.live()
	for i := range live {
		w.Commits += live[i].commits
	}
	if len(live) > 0 {
		w.Bytes = int64(live[len(live)-1].end - flushed)
		w.Oldest = live[0].first
		if w.Oldest <= flushed {
			w.Oldest = live[0].end // the loan is flushed in part
		}
	}
	return w
}

// lossAudit counts acknowledgements that broke the limit. It shares nothing with the decision but
// the time of the answer: it knows two positions and one time, and where those leave the age open
// it takes it for less. So what it counts is a violation, and in a stall, where flushed does not
// move, it misses none.
type lossAudit struct {
	first      wal.LSN       // end of the commit the age is counted from; 0 for none
	since      time.Duration // when it was answered
	violations int64
}

// acknowledged is told of every commit answered unflushed.
func (a *lossAudit) acknowledged(
	end, flushed wal.LSN, now time.Duration, limit LossLimit,
) {
	if end <= flushed {
		return
	}
	if a.first <= flushed {
		a.first, a.since = end, now
	}
	late := limit.Age > 0 && now-a.since > limit.Age
	large := limit.Bytes > 0 && end > flushed+wal.LSN(limit.Bytes)
	if late || large {
		a.violations++
	}
}

func (a *lossAudit) restart() { a.first, a.since = 0, 0 }
