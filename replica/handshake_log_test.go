package replica_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/replica"
	"ackdb/wal"
)

// hello is the handshake of a node whose log is what n's is now.
func (n *servedNode) hello() replica.Handshake {
	tail := n.log.Tail()
	return replica.Handshake{
		Version: replica.HandshakeVersion, Node: 7, System: n.log.Control().SystemID, CRC: tail.CRC,
		Position: wal.Token{EpochID: tail.EpochID, LSN: tail.End},
	}
}

func TestHandshakeWithALog(t *testing.T) {
	n := newServed(t)
	n.grow(1 << 20)
	hello := n.hello()
	n.commit(100)
	reply, err := n.hub.Handshake(hello)
	require.NoError(t, err)
	require.Equal(t, replica.HandshakeReply{
		Node: n.log.Control().NodeID, EpochID: n.log.EpochID(), Flushed: n.log.Flushed(),
		Relation: replica.RelationMatch,
	}, reply)

	hello.CRC++
	reply, err = n.hub.Handshake(hello)
	require.NoError(t, err)
	require.Equal(t, replica.RelationDiverged, reply.Relation)
	require.Equal(t, hello, <-n.diverged, "this side says so too")
	hello.CRC--

	hello.System++
	_, err = n.hub.Handshake(hello)
	requireCode(t, "55000", err)
	hello.System--
	hello.Version++
	_, err = n.hub.Handshake(hello)
	requireCode(t, "0A000", err)
	hello.Version--

	n.grow(3 << 20)
	n.recycle()
	reply, err = n.hub.Handshake(hello)
	require.NoError(t, err)
	require.Equal(t, replica.RelationRemoved, reply.Relation)
}

// A restart of the primary begins an epoch; its replica, which saw the one before, still matches.
// A promotion begins a timeline: who was beyond the fork has diverged, who was not matches.
func TestHandshakeThroughRestartAndPromotion(t *testing.T) {
	n := newServed(t)
	n.grow(1 << 20)
	hello := n.hello()
	n = openServed(t, n.restart())
	n.commit(100)
	reply, err := n.hub.Handshake(hello)
	require.NoError(t, err)
	require.Equal(t, replica.RelationMatch, reply.Relation)

	hello = n.hello()
	n = n.standby()
	fork := n.promote()
	n.commit(100)
	reply, err = n.hub.Handshake(hello)
	require.NoError(t, err)
	require.Equal(t, replica.RelationMatch, reply.Relation, "it ends at the fork")
	hello.Position.LSN = fork + 64
	reply, err = n.hub.Handshake(hello)
	require.NoError(t, err)
	require.Equal(t, replica.RelationDiverged, reply.Relation)
	require.Equal(t, fork, reply.Fork)
}
