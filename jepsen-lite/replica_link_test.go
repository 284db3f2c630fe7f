package jepsenlite

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// behindProxy is a primary and a replica that reaches it through a proxy only.
func behindProxy(t *testing.T, args ...string) (a, b *Node, p *Proxy) {
	t.Helper()
	c := newCluster(t, args...)
	a = startPrimary(t, c, "a")
	p, err := NewProxy(a.Addr)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return a, startReplica(t, c, "b", p.Addr), p
}

// The link is cut in the midst of a message, in either direction, again and again, under load: what
// had come is no more than a part of a record, and the replica asks for it again.
func TestReplicaThroughALinkThatIsCut(t *testing.T) {
	t.Parallel() // it waits more than it works
	a, b, p := behindProxy(t)
	stop := underLoad(t, a)
	for i := range 8 {
		d := Direction(i % 2)
		before := p.Carried(d)
		cut := int64(1 + 997*i*i)
		p.Set(d, LinkFault{CutAfter: cut})
		require.Eventually(t, func() bool { return p.Carried(d) >= before+cut }, startTimeout, pollEvery)
		require.NoError(t, AwaitStreaming(t.Context(), a, "b"))
	}
	stop()
	requireSame(t, a, b)
}

// A connection that is dead in one direction and says nothing: both sides find out by themselves.
func TestReplicaThroughAHalfOpenLink(t *testing.T) {
	for name, d := range map[string]Direction{
		"what the primary sends": Down, "what the replica sends": Up,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it waits for a timeout
			a, b, p := behindProxy(t)
			fill(t, a, 200_000)
			requireSame(t, a, b)
			p.Set(d, LinkFault{Hold: true})
			fill(t, a, 3<<20)
			require.Eventually(t, func() bool {
				return ask(t, a, "SELECT count(*)::text FROM pg_stat_replication") == "0"
			}, startTimeout, pollEvery, "the primary keeps a peer that it has not heard of")
			p.Set(d, LinkFault{})
			requireSame(t, a, b)
		})
	}
}

// A slow link delays the replica, and not the primary's local commits.
func TestReplicaThroughASlowLink(t *testing.T) {
	a, b, p := behindProxy(t)
	p.Set(Down, LinkFault{Delay: 5 * time.Millisecond})
	p.Set(Up, LinkFault{Delay: 5 * time.Millisecond})
	stop := underLoad(t, a)
	before := ask(t, b, "SELECT pg_last_wal_replay_lsn()::text")
	require.Eventually(t, func() bool {
		return ask(t, b, "SELECT pg_last_wal_replay_lsn()::text") != before
	}, startTimeout, pollEvery)
	stop()
	requireSame(t, a, b)
}

// Two hosts of their own: the link goes down, and routes swallow packets in either direction. The
// connection is not closed by anybody, packets are just gone.
func TestReplicaAcrossAPartition(t *testing.T) {
	t.Parallel() // it waits for timeouts
	w := newNet(t, 2)
	ha, hb := w.Hosts()[0], w.Hosts()[1]
	c := newCluster(t)
	a, err := c.Primary("a")
	require.NoError(t, err)
	ha.Node(a, "5433")
	require.NoError(t, a.Start(t.Context()))
	b := newReplica(t, c, "b", ha.AddrFor(hb)+":5433")
	hb.Node(b, "5433")
	require.NoError(t, b.Start(t.Context()))
	stop := underLoad(t, a)

	for name, cut := range map[string]func(on bool) error{
		"the link is down":               func(on bool) error { return ha.Link(hb, !on) },
		"what the primary sends is lost": func(on bool) error { return ha.Swallow(hb, on) },
		"what the replica sends is lost": func(on bool) error { return hb.Swallow(ha, on) },
	} {
		require.NoError(t, AwaitStreaming(t.Context(), a, "b"), name)
		require.NoError(t, cut(true), name)
		gone := func() bool { return ask(t, a, "SELECT count(*)::text FROM pg_stat_replication") == "0" }
		require.Eventually(t, gone, startTimeout, pollEvery, name)
		ask(t, b, "SELECT n::text FROM ticker") // it goes on serving readers
		require.NoError(t, cut(false), name)
	}
	stop()
	requireSame(t, a, b)
	require.NoError(t, c.Kill()) // before its namespaces go
}

// One fault after the other, each ended by breaking the connection, and an upstream that refuses.
func TestReplicaThroughEveryFault(t *testing.T) {
	a, b, p := behindProxy(t)
	stop := underLoad(t, a)
	for _, f := range []LinkFault{
		{Delay: time.Millisecond}, {CutAfter: 20_000}, {Hold: true}, {CutAfter: 3},
	} {
		p.Set(Down, f)
		fill(t, a, 400_000)
		p.Break()
		p.Set(Down, LinkFault{})
		require.NoError(t, AwaitStreaming(t.Context(), a, "b"), fmt.Sprint(f))
	}
	p.Refuse(true)
	p.Break()
	fill(t, a, 400_000)
	p.Refuse(false)
	stop()
	requireSame(t, a, b)
}
