package replica_test

import (
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/replica"
	"ackdb/wal/waltest"
)

// pair is a primary, a standby that follows it, and one that follows the standby, through whatever
// happens to them.
type pair struct {
	t   *testing.T
	rng *rand.Rand
	p   *testNode
	s   [2]*testNode
	r   [2]*replica.Receiver

	mu    sync.Mutex
	links uint64 // guarded by mu; made so far
	seed  uint64
}

// mangle gives every link its own way of cutting.
func (c *pair) mangle(link replica.Link) replica.Link {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.links++
	return &rechunked{Link: link, rng: rand.New(rand.NewPCG(c.seed, c.links)), breaks: 60}
}

// follow starts the receiver of standby i, which takes a full disk for what it is.
func (c *pair) follow(i int) {
	upstream := c.p
	if i == 1 {
		upstream = c.s[0]
	}
	c.r[i] = follow(c.t, c.s[i], (&hubUpstream{node: always(upstream), mangle: c.mangle}).dial, nil)
}

// refollow restarts the receivers below a node that has been replaced.
func (c *pair) refollow(from int) {
	for i := from; i < 2; i++ {
		c.r[i].Stop()
		c.follow(i)
	}
}

// steps are what may happen, and how often.
var steps = []struct {
	weight int
	run    func(c *pair)
}{
	{6, func(c *pair) {
		for range c.rng.IntN(20) {
			c.p.commit(c.rng.IntN(40_000))
		}
	}},
	{3, func(c *pair) { c.p.flush() }},
	{1, func(c *pair) {
		_, err := c.p.log.SwitchSegment()
		require.NoError(c.t, err)
	}},
	{1, func(c *pair) { // the primary is killed
		c.p = c.p.restart()
		c.refollow(0)
	}},
	{1, func(c *pair) { // the primary loses power
		after := c.p.powerCut(c.rng.Uint64())
		c.r[0].Stop()
		c.p.close()
		c.p = openNode(c.t, after)
		c.follow(0)
	}},
	{2, func(c *pair) { // a standby loses power
		i := c.rng.IntN(2)
		after := c.s[i].powerCut(c.rng.Uint64())
		c.r[i].Stop()
		if i == 0 {
			c.r[1].Stop()
		}
		c.s[i].close()
		c.s[i] = openNode(c.t, after)
		c.follow(i)
		if i == 0 {
			c.follow(1)
		}
	}},
	{1, func(c *pair) { // a disk is full for a while
		s := c.s[c.rng.IntN(2)]
		s.disk.Fail(waltest.Fault{Op: waltest.OpCreate, Err: syscall.ENOSPC, Sticky: true})
		for range 15 {
			c.p.commit(90_000)
		}
		c.p.flush()
		s.disk.Heal()
	}},
	{1, func(c *pair) { // the standby is promoted, and the primary seeded from it
		c.s[0].caughtUp(c.p)
		c.r[0].Stop()
		c.r[1].Stop()
		c.s[0].promote()
		c.p.close()
		c.p, c.s[0] = c.s[0], standbyOf(c.t, c.s[0])
		c.follow(0)
		c.follow(1)
	}},
}

func (c *pair) step() {
	total := 0
	for _, s := range steps {
		total += s.weight
	}
	n := c.rng.IntN(total)
	for _, s := range steps {
		if n -= s.weight; n < 0 {
			s.run(c)
			return
		}
	}
}

// Through kills, power cuts, full disks, cut links and promotions, in any order, a chain of nodes
// holds one log byte for byte.
func TestStandbysThroughEverything(t *testing.T) {
	eachSeed(t, 12, func(t *testing.T, seed uint64) {
		c := &pair{t: t, rng: rand.New(rand.NewPCG(seed, 11)), p: newPrimary(t), seed: seed}
		for i := range c.s {
			c.s[i] = standbyOf(t, c.p)
			c.follow(i)
		}
		for range 25 {
			c.step()
		}
		for _, s := range c.s {
			s.caughtUp(c.p)
			sameLog(t, c.p, s)
		}
	})
}
