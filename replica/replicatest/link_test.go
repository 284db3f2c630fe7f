package replicatest_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/replica/replicatest"
)

func TestLinkDeliversInOrderAndEnds(t *testing.T) {
	a, b := replicatest.Pair()
	require.NoError(t, a.Send([]byte("on"), []byte("e")))
	require.NoError(t, a.Send([]byte("two")))
	require.NoError(t, a.CloseSend())
	first, err := b.Receive()
	require.NoError(t, err)
	require.Equal(t, "one", string(first))
	second, err := b.Receive()
	require.NoError(t, err)
	require.Equal(t, "two", string(second))
	require.NotEqual(t, "one", string(first), "a message that was kept must not stay valid")
	_, err = b.Receive()
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, b.Send([]byte("still")), "the other direction goes on")
}

func TestLinkCutsInAMessage(t *testing.T) {
	a, b := replicatest.Pair()
	a.CutAfter(5)
	require.NoError(t, a.Send([]byte("12345")))
	require.ErrorIs(t, a.Send([]byte("6")), replicatest.ErrCut)
	_, err := b.Receive()
	require.ErrorIs(t, err, replicatest.ErrCut)
}

func TestLinkHoldsAndFills(t *testing.T) {
	a, b := replicatest.Pair()
	a.Hold()
	sent := make(chan error, 1)
	go func() {
		var err error
		for range 3 {
			if err = a.Send(make([]byte, replicatest.BufferSize/2)); err != nil {
				break
			}
		}
		sent <- err
	}()
	a.AwaitFull()
	a.Pass(1)
	_, err := b.Receive()
	require.NoError(t, err)
	require.NoError(t, <-sent, "one message delivered makes room for the third")
	require.NoError(t, a.Close())
	_, err = b.Receive()
	require.ErrorIs(t, err, replicatest.ErrClosed)
}
