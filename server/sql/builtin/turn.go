package builtin

import (
	"runtime"
	"time"
)

// turnLength is how long a statement computes before it lets others run. PostgreSQL leaves that to
// the kernel, whose processes lose the processor to one that wakes. Here the runtime takes it from
// a goroutine only after 10 ms and the kernel from its thread after some 3, and a commit behind
// either is late by as much. Giving way costs the statement about a microsecond when nobody waits.
const turnLength = 100 * time.Microsecond

// turn is the stretch of a statement since others could last run: a time since processStart, 0 when
// it has not begun.
type turn time.Duration

var processStart = time.Now()

// giveWay ends the turn if it has been long enough. The clock starts at the first call, so that a
// statement too short to be called twice never gives way.
func (t *turn) giveWay() {
	now := turn(time.Since(processStart))
	switch {
	case *t == 0:
		*t = now
	case now-*t >= turn(turnLength):
		// Goroutines that wait for this one's place first, then threads that wait for its processor.
		runtime.Gosched()
		yieldThread()
		*t = turn(time.Since(processStart))
	}
}
