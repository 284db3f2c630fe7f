package jepsenlite

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync/atomic"
	"time"
)

// Ports of clusters lie below those the kernel hands out by itself: a node that is down must find
// its own again when it comes back.
const (
	portFirst = 21000
	portLast  = 31999
)

var portNext atomic.Int64

// Cluster is servers on ports that stay theirs, one below the other: who follows whom is said by
// their arguments, as an operator says it.
type Cluster struct {
	Bin  string
	Dir  string   // holds the data directory of each node, under its name
	Args []string // of every node

	nodes []*Node
}

// Primary makes a node that follows nobody. It is not started.
func (c *Cluster) Primary(name string, args ...string) (*Node, error) {
	listen, err := freeAddr()
	if err != nil {
		return nil, err
	}
	return c.add(&Node{Bin: c.Bin, Dir: filepath.Join(c.Dir, name), Addr: listen, Listen: listen,
		Args: append(append([]string{}, c.Args...), args...)}), nil
}

// Replica makes a node that follows the server at upstream through a slot of its own name. It is
// not started.
func (c *Cluster) Replica(name, upstream string, args ...string) (*Node, error) {
	return c.Primary(name, append([]string{"--replica-of", upstream, "--slot", name}, args...)...)
}

func (c *Cluster) add(n *Node) *Node {
	c.nodes = append(c.nodes, n)
	return n
}

// Kill ends every node.
func (c *Cluster) Kill() error {
	var errs []error
	for _, n := range c.nodes {
		errs = append(errs, n.Kill())
	}
	return errors.Join(errs...)
}

// freeAddr is a loopback address nobody listens on, and which this process hands out once.
func freeAddr() (string, error) {
	const span = portLast - portFirst + 1
	portNext.CompareAndSwap(0, time.Now().UnixNano()%span+1)
	for range span {
		addr := fmt.Sprintf("127.0.0.1:%d", portFirst+portNext.Add(1)%span)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		return addr, l.Close()
	}
	return "", errors.New("cluster: no free port")
}
