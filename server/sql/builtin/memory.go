package builtin

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"ackdb/server/sql/types"
)

// Memory bounds what the statements of one server hold: each by itself, and all together, so that
// many that each keep within their own bound do not have the kernel kill the process.
//
// A statement takes from it in large steps and gives all back at its end. A large value, which no
// operator accounts for while it is computed, takes its part until the collector has freed it.
type Memory struct {
	statement, all func() int64
	taken          atomic.Int64
	values         atomic.Int64 // of taken, what large values take

	collecting sync.Mutex
	collected  time.Time // guarded by collecting: when the last collection ended
}

// NewMemory makes a bound of statement bytes for each and all bytes for the statements together.
// Both may change.
func NewMemory(statement, all func() int64) *Memory {
	return &Memory{statement: statement, all: all}
}

// The bounds of a server that sets none.
const (
	DefaultStatementMemory = 256 << 20
	DefaultAllMemory       = 1 << 30
)

// CodeOutOfMemory is the SQLSTATE of a statement that would hold too much.
const CodeOutOfMemory types.Code = "53200"

// Taken is how many bytes all hold.
func (m *Memory) Taken() int64 { return m.taken.Load() }

// Take takes n bytes for a statement that then holds held.
func (m *Memory) Take(n, held int64) error {
	if limit := m.statement(); held > limit {
		return errOutOfMemory("The statement would hold more than %d MB of rows.", limit).
			WithHint("The bound is ack.statement_memory.")
	}
	return m.takeShared(n)
}

func (m *Memory) takeShared(n int64) error {
	limit := m.all()
	for try := 0; m.taken.Add(n) > limit; try++ {
		m.Give(n)
		if try == collectTries || m.values.Load() < limit/worthCollecting {
			return errOutOfMemory("The statements of the server would hold more than %d MB together.",
				limit).WithHint("The bound is a half of ack.server_memory.")
		}
		m.collect()
	}
	return nil
}

const (
	// collectTries is how often somebody waits for the collector to free large values.
	collectTries = 3
	// worthCollecting is the part of the bound that large values must take for that.
	worthCollecting = 8
	// collectInterval is the least time between two collections: near the bound everybody wants one.
	collectInterval = 20 * time.Millisecond
)

// collect frees the large values that nobody holds any more. Their cleanups run behind the
// collection, on a goroutine of their own.
func (m *Memory) collect() {
	asked := time.Now()
	m.collecting.Lock()
	defer m.collecting.Unlock()
	if m.collected.After(asked) {
		return
	}
	time.Sleep(collectInterval - time.Since(m.collected))
	runtime.GC()
	time.Sleep(time.Millisecond)
	m.collected = time.Now()
}

// Give gives n bytes back.
func (m *Memory) Give(n int64) { m.taken.Add(-n) }

func (m *Memory) giveValue(n int64) {
	m.values.Add(-n)
	m.Give(n)
}

func errOutOfMemory(detail string, limit int64) *types.Error {
	return types.Errorf(CodeOutOfMemory, "out of memory").WithDetail(detail, limit>>20)
}

const (
	// keptFreely is what a Share keeps without asking: most ask never.
	keptFreely = 64 << 10
	// shareStep is what it takes at a time beyond that.
	shareStep = 1 << 20
)

// Share is what one statement, or the cursors of one session, hold of a Memory. It belongs to one
// goroutine.
type Share struct {
	memory        *Memory
	held, granted int64
}

// Open begins anew, holding nothing.
func (s *Share) Open(m *Memory) { s.memory, s.held, s.granted = m, 0, keptFreely }

// Keep adds n bytes. Those of an error are held, too.
func (s *Share) Keep(n int) error {
	if s.held += int64(n); s.held <= s.granted {
		return nil
	}
	more := (s.held - s.granted + shareStep - 1) / shareStep * shareStep
	if err := s.memory.Take(more, s.held); err != nil {
		return err
	}
	s.granted += more
	return nil
}

// Drop takes n bytes away. What was taken of the Memory stays, for what is kept next.
func (s *Share) Drop(n int) { s.held -= int64(n) }

// Close gives everything back.
func (s *Share) Close() {
	s.memory.Give(s.granted - keptFreely)
	s.Open(s.memory)
}

// room takes memory for a large value before it is made. What was taken goes to the result of the
// call, and is given back once the collector has freed that.
func (c *Context) room(n int64) error {
	m := c.Memory
	if m == nil || n < types.LargeValue {
		return nil
	}
	if err := m.takeShared(n); err != nil {
		return err
	}
	m.values.Add(n)
	c.reserved += n
	return nil
}

// settle ends a call whose result is large, or for which room was taken.
func (c *Context) settle(result Datum, err error) (Datum, error) {
	if err == nil && c.reserved == 0 {
		err = c.room(int64(len(result.Str())))
	}
	if n := c.reserved; n > 0 {
		c.reserved = 0
		if b := result.Bytes(); err == nil && len(b) > 0 {
			runtime.AddCleanup(unsafe.SliceData(b), c.Memory.giveValue, n)
		} else if array := result.Array(); err == nil && array != nil && len(array.Elems) > 0 {
			runtime.AddCleanup(unsafe.SliceData(array.Elems), c.Memory.giveValue, n)
		} else {
			c.Memory.giveValue(n)
		}
	}
	return result, err
}
