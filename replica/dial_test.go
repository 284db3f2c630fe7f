package replica_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/replica"
)

func addrOf(t *testing.T, listener net.Listener) replica.ConnInfo {
	t.Helper()
	info, err := replica.ParseConnInfo(listener.Addr().String())
	require.NoError(t, err)
	return info
}

// Connecting to what takes the connection and says nothing ends with the time allowed for it.
func TestDialIsBounded(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	info := addrOf(t, listener)
	info.ConnectTimeout = 30 * time.Millisecond
	_, err = replica.Dial(context.Background(), info)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestDialStopsWithItsContext(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	ctx, cancel := context.WithCancel(context.Background())
	accepted := make(chan net.Conn, 1)
	go func() {
		conn, _ := listener.Accept()
		cancel()
		accepted <- conn
	}()
	_, err = replica.Dial(ctx, addrOf(t, listener))
	require.ErrorIs(t, err, context.Canceled)
	conn := <-accepted
	require.NotNil(t, conn)
	require.NoError(t, conn.Close())
}

func TestDialNobody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	info := addrOf(t, listener)
	require.NoError(t, listener.Close())
	_, err = replica.Dial(context.Background(), info)
	require.Error(t, err)
	require.ErrorContains(t, err, info.Addr())
}
