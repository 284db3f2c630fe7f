package jepsenlite

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy is a TCP proxy on loopback between two nodes that spoils what goes through it, in each
// direction by itself.
type Proxy struct {
	Addr string // where it listens

	target   string
	listener net.Listener
	served   sync.WaitGroup

	mu      sync.Mutex
	links   map[*proxyLink]bool // guarded by mu
	refuse  bool                // guarded by mu
	faults  [2]*faultState      // guarded by mu; by Direction
	carried [2]int64            // guarded by mu; bytes
	closed  bool                // guarded by mu
}

// Direction is one way through a proxy.
type Direction int

const (
	Up   Direction = iota // from who dialled to the target
	Down                  // from the target to who dialled
)

// LinkFault is what happens to the bytes of one direction. The zero value carries them.
type LinkFault struct {
	// Delay is how much later each read of at most proxyChunk is passed on, one after the other: it
	// limits the rate as well.
	Delay time.Duration
	// Hold carries nothing, for as long as it is set, and closes nothing: the other side of a
	// half-open connection.
	Hold bool
	// CutAfter breaks the connection, by RST both ways, when this many more bytes have passed:
	// somewhere within a message. 0: never. It strikes once.
	CutAfter int64
}

// faultState is a fault until another is set.
type faultState struct {
	LinkFault
	left     int64         // bytes until the cut; guarded by Proxy.mu
	replaced chan struct{} // closed when another fault is set
}

// proxyLink is one connection through the proxy.
type proxyLink struct {
	client, server *net.TCPConn
	broken         chan struct{} // closed by abort
	once           sync.Once
	ended          atomic.Int32 // directions that came to an orderly end
}

// proxyChunk bounds one read, so that a cut or a delay falls between the messages of a batch, too.
const proxyChunk = 16 << 10

// NewProxy listens and carries every connection to target. Close it.
func NewProxy(target string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	p := &Proxy{Addr: l.Addr().String(), target: target, listener: l, links: map[*proxyLink]bool{}}
	for d := range p.faults {
		p.faults[d] = &faultState{replaced: make(chan struct{})}
	}
	p.served.Add(1)
	go p.accept()
	return p, nil
}

func (p *Proxy) accept() {
	defer p.served.Done()
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.connect(conn.(*net.TCPConn))
	}
}

func (p *Proxy) connect(client *net.TCPConn) {
	server, err := net.DialTimeout("tcp", p.target, 5*time.Second)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil || p.refuse || p.closed {
		_ = client.SetLinger(0)
		client.Close()
		if server != nil {
			server.Close()
		}
		return
	}
	link := &proxyLink{client: client, server: server.(*net.TCPConn), broken: make(chan struct{})}
	p.links[link] = true
	p.served.Add(2)
	go p.carry(link, Up, link.client, link.server)
	go p.carry(link, Down, link.server, link.client)
}

// carry moves one direction of a link until either side ends.
func (p *Proxy) carry(link *proxyLink, d Direction, from, to *net.TCPConn) {
	defer p.served.Done()
	defer p.drop(link)
	buf := make([]byte, proxyChunk)
	for {
		n, err := from.Read(buf)
		if n > 0 && !p.pass(link, d, to, buf[:n]) {
			return
		}
		if err != nil {
			// An orderly end is passed on; the other direction may still have something to say.
			_ = to.CloseWrite()
			if link.ended.Add(1) < 2 {
				<-link.broken
			}
			return
		}
	}
}

// pass writes b as the fault of the direction has it, and says whether the link lives on.
func (p *Proxy) pass(link *proxyLink, d Direction, to *net.TCPConn, b []byte) bool {
	for {
		p.mu.Lock()
		fault := p.faults[d]
		p.mu.Unlock()
		wait := fault.Delay
		if fault.Hold {
			wait = time.Duration(1<<63 - 1)
		}
		if wait == 0 {
			break
		}
		timer := time.NewTimer(wait)
		select {
		case <-link.broken:
			timer.Stop()
			return false
		case <-fault.replaced:
			timer.Stop()
			continue
		case <-timer.C:
		}
		break
	}
	whole := p.account(d, &b)
	if _, err := to.Write(b); err != nil || !whole {
		link.abort()
		return false
	}
	return true
}

// account counts what passes and shortens it to what a cut leaves of it.
func (p *Proxy) account(d Direction, b *[]byte) (whole bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fault, whole := p.faults[d], true
	if fault.left > 0 {
		if int64(len(*b)) >= fault.left {
			*b, whole = (*b)[:fault.left], false
		}
		fault.left -= int64(len(*b))
	}
	p.carried[d] += int64(len(*b))
	return whole
}

// abort ends both connections, by RST when they have not both ended.
func (l *proxyLink) abort() {
	l.once.Do(func() {
		if l.ended.Load() < 2 {
			_ = l.client.SetLinger(0)
			_ = l.server.SetLinger(0)
		}
		close(l.broken)
		l.client.Close()
		l.server.Close()
	})
}

// drop forgets a link one of whose directions has ended. The other one ends with it.
func (p *Proxy) drop(link *proxyLink) {
	link.abort()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, link)
}

// Set replaces the fault of a direction, on links that exist, too.
func (p *Proxy) Set(d Direction, f LinkFault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.faults[d].replaced)
	p.faults[d] = &faultState{LinkFault: f, left: f.CutAfter, replaced: make(chan struct{})}
}

// Refuse has new connections broken as soon as they are made, or no longer.
func (p *Proxy) Refuse(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = on
}

// Break breaks every connection there is.
func (p *Proxy) Break() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for link := range p.links {
		link.abort()
	}
}

// Links is the number of connections there are.
func (p *Proxy) Links() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links)
}

// Carried is how many bytes have passed in a direction.
func (p *Proxy) Carried(d Direction) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.carried[d]
}

// Close ends the proxy and all that goes through it.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	err := p.listener.Close()
	p.Break()
	p.served.Wait()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("proxy: %w", err)
	}
	return nil
}
