package replica

import (
	"time"

	"ackdb/wal"
)

// lagSamplesMax bounds what is remembered of how the log grew. When it is full every second sample
// goes: a peer far behind is measured more coarsely, not less correctly.
const lagSamplesMax = 1024

// lagSample says when the log was found flushed up to a position.
type lagSample struct {
	lsn wal.LSN
	at  time.Time
}

// lagTracker tells how long ago what a peer now confirms was flushed here. Its samples are
// positions at times; a report of a position is dated by the samples around it.
//
// It belongs to one sender and is guarded by its lock.
type lagTracker struct {
	samples []lagSample // ascending in both
	heads   [rungs]lagHead
}

// lagHead is how far one rung has come through the samples.
type lagHead struct {
	passed lagSample // the newest sample this rung has passed
	lag    time.Duration
	known  bool
}

// sample notes that the log is flushed up to lsn.
func (t *lagTracker) sample(lsn wal.LSN, now time.Time) {
	if n := len(t.samples); n > 0 && t.samples[n-1].lsn >= lsn {
		return
	}
	t.forget()
	if len(t.samples) == lagSamplesMax {
		t.thin()
	}
	t.samples = append(t.samples, lagSample{lsn: lsn, at: now})
}

// forget drops the samples that every rung has passed.
func (t *lagTracker) forget() {
	passed := t.heads[rungWrite].passed.lsn
	for _, h := range t.heads[1:] {
		passed = min(passed, h.passed.lsn)
	}
	n := 0
	for n < len(t.samples) && t.samples[n].lsn <= passed {
		n++
	}
	t.samples = append(t.samples[:0], t.samples[n:]...)
}

// thin drops every second sample.
func (t *lagTracker) thin() {
	kept := t.samples[:0]
	for i := 1; i < len(t.samples); i += 2 {
		kept = append(kept, t.samples[i])
	}
	t.samples = kept
}

// report dates what a peer confirms.
func (t *lagTracker) report(p positions, now time.Time) {
	for r := range p {
		if p[r] != 0 {
			t.reportRung(rung(r), p[r], now)
		}
	}
}

func (t *lagTracker) reportRung(r rung, lsn wal.LSN, now time.Time) {
	h := &t.heads[r]
	before := h.passed.lsn
	var next lagSample
	for _, s := range t.samples {
		if s.lsn > lsn {
			next = s
			break
		}
		if s.lsn > h.passed.lsn {
			h.passed = s
		}
	}
	at := h.passed.at
	switch {
	case h.passed.lsn != before && (h.passed.lsn == lsn || next.lsn == 0):
	case next.lsn != 0 && !at.IsZero():
		// Between two samples: in proportion.
		part := float64(lsn-h.passed.lsn) / float64(next.lsn-h.passed.lsn)
		at = at.Add(time.Duration(part * float64(next.at.Sub(at))))
	default:
		return
	}
	h.lag, h.known = max(now.Sub(at), 0), true
	if next.lsn == 0 {
		// All is confirmed. What comes next was not begun then, however long it is until it comes.
		h.passed.at = time.Time{}
	}
}

// clear says that the peer has confirmed everything and nothing has happened since: a lag measured
// long ago says nothing about now.
func (t *lagTracker) clear() {
	for r := range t.heads {
		t.heads[r].known = false
	}
}

// lag is the newest measured for a rung; ok is false when there is none.
func (t *lagTracker) lag(r rung) (lag time.Duration, ok bool) {
	return t.heads[r].lag, t.heads[r].known
}
