package server

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"ackdb/pgwire"
)

// lockedFloors hold mutexes that others wait for. A panic that passes through them leaves those
// locked, or a group of commits half done: going on would hang every session, or worse. The process
// ends instead, and recovery brings back what was acknowledged.
var lockedFloors = []string{"ackdb/engine.", "ackdb/wal.", "ackdb/server/sql/catalog."}

// contain turns a panic of the planner, the executor or a function into an error of the statement.
// To be deferred with a pointer to the result.
func (s *session) contain(failed *error) {
	p := recover()
	if p == nil {
		return
	}
	if passedLocks() {
		panic(p)
	}
	s.server.log.Error("panic in a statement", "pid", s.conn.PID(), "panic", fmt.Sprint(p),
		"stack", string(debug.Stack()))
	e := pgwire.Errorf(pgwire.CodeInternalError, "internal error: %v", p)
	e.Hint = "This is a bug in ackdb; the server's log has the stack."
	*failed = e
}

// passedLocks looks at the frames of the panic, which are still on the stack.
func passedLocks() bool {
	pcs := make([]uintptr, 256)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for {
		frame, more := frames.Next()
		for _, floor := range lockedFloors {
			if strings.HasPrefix(frame.Function, floor) {
				return true
			}
		}
		if !more {
			return false
		}
	}
}
