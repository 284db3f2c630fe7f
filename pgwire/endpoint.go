package pgwire

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Endpoint accepts connections for a Server and knows those that live.
type Endpoint struct {
	server Server
	opts   Options
	budget budget
	done   sync.WaitGroup // accept loops and connections

	mu sync.Mutex
	// Guarded by mu.
	closing   bool
	reason    *Error // of closing
	listeners map[net.Listener]struct{}
	sockets   map[*Conn]struct{} // all, start-up included
	conns     map[int32]*Conn    // past start-up
	senders   int                // of them, replication sessions
	changed   sync.Cond          // a connection is gone, or began to linger; its lock is mu
}

// NewEndpoint makes an Endpoint; Serve starts it.
func NewEndpoint(server Server, opts Options) *Endpoint {
	opts = opts.withDefaults()
	e := &Endpoint{
		server:    server,
		opts:      opts,
		budget:    budget{max: opts.MaxBufferedBytes},
		listeners: make(map[net.Listener]struct{}),
		sockets:   make(map[*Conn]struct{}),
		conns:     make(map[int32]*Conn),
	}
	e.changed.L = &e.mu
	return e
}

// Serve accepts connections on l for server, with default options, until l is closed.
func Serve(l net.Listener, server Server) error {
	return NewEndpoint(server, Options{}).Serve(l)
}

// Pauses of an accept loop that finds no file descriptors left.
const (
	acceptPauseMin = 5 * time.Millisecond
	acceptPauseMax = time.Second
)

// Serve accepts connections until l is closed or Shutdown is called; it returns nil then.
func (e *Endpoint) Serve(l net.Listener) error {
	if !e.addListener(l) {
		return l.Close()
	}
	defer e.done.Done()
	pause := acceptPauseMin
	for {
		nc, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			// Out of descriptors, most likely: connections that end give some back.
			time.Sleep(pause)
			pause = min(2*pause, acceptPauseMax)
			continue
		}
		pause = acceptPauseMin
		e.accept(nc)
	}
}

func (e *Endpoint) addListener(l net.Listener) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closing {
		return false
	}
	e.listeners[l] = struct{}{}
	e.done.Add(1)
	return true
}

// socketsMax bounds sockets, those in start-up included. Twice the sessions, as in Postgres, so
// that with all sessions taken a refusal and a cancel request still get through.
func (e *Endpoint) socketsMax() int {
	return 2*(e.opts.MaxConnections+e.opts.MaxSenders) + 16
}

// accept starts the connection's goroutine, which Shutdown awaits.
func (e *Endpoint) accept(nc net.Conn) {
	c := newConn(e, nc)
	e.mu.Lock()
	refused := e.closing || len(e.sockets) >= e.socketsMax()
	if !refused {
		e.sockets[c] = struct{}{}
		e.done.Add(1)
	}
	e.mu.Unlock()
	if refused {
		// Nothing is read from this one, and nothing waits for it.
		_ = nc.Close()
		return
	}
	go e.handle(c)
}

// handle is the connection's goroutine.
func (e *Endpoint) handle(c *Conn) {
	defer e.done.Done()
	remote := c.netConn.RemoteAddr().String()
	err := e.connect(c)
	if err == nil {
		if e.opts.Events.Accepted != nil {
			e.opts.Events.Accepted(c.pid, remote)
		}
		err = c.serve()
		if errors.Is(err, errTerminated) || errors.Is(err, io.EOF) {
			err = nil
		}
		c.finish(err)
		if e.opts.Events.Closed != nil {
			e.opts.Events.Closed(c.pid, remote, err)
		}
	} else {
		c.finish(err)
		if e.opts.Events.Refused != nil {
			e.opts.Events.Refused(remote, err)
		}
	}
	e.forget(c)
}

func (e *Endpoint) forget(c *Conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.sockets, c)
	if e.conns[c.pid] == c {
		delete(e.conns, c.pid)
		if c.kind != NoReplication {
			e.senders--
		}
	}
	e.changed.Broadcast()
}

// connect takes a connection through start-up, within the authentication timeout.
func (e *Endpoint) connect(c *Conn) error {
	_ = c.netConn.SetDeadline(time.Now().Add(e.opts.AuthenticationTimeout))
	info, err := c.startup()
	if err != nil {
		return err
	}
	if c.kind, err = info.replication(); err != nil {
		return err
	}
	if err := e.register(c, info.Minor); err != nil {
		return err
	}
	info.PID = c.pid
	backend, err := e.server.Connect(c.begin(), info, c)
	c.end()
	if err != nil {
		return AsError(err)
	}
	c.backend = backend
	c.writer.authenticationOK()
	backend.Greet(&c.writer)
	c.writer.backendKeyData(c.pid, c.secret)
	c.clearDeadlines()
	return nil
}

// clearDeadlines ends the authentication timeout, unless a signal has set a deadline meanwhile.
func (c *Conn) clearDeadlines() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending == nil && !c.signal.Load() {
		_ = c.netConn.SetDeadline(time.Time{})
	}
}

func (w *Writer) authenticationOK() { w.buf = append(w.buf, 'R', 0, 0, 0, 8, 0, 0, 0, 0) }

// Find returns the living connection with this process id, or nil.
func (e *Endpoint) Find(pid int32) *Conn {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.conns[pid]
}

// Connections counts those past start-up.
func (e *Endpoint) Connections() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.conns)
}
