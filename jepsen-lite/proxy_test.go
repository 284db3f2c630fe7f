package jepsenlite

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// through starts a server that sends back what it gets, a proxy before it and a connection.
func through(t *testing.T) (*Proxy, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn)
				conn.Close()
			}()
		}
	}()
	p, err := NewProxy(l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	conn, err := net.Dial("tcp", p.Addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return p, conn
}

// exchange sends and returns what comes back of it.
func exchange(t *testing.T, conn net.Conn, b []byte) []byte {
	t.Helper()
	_, err := conn.Write(b)
	require.NoError(t, err)
	back := make([]byte, len(b))
	n, _ := io.ReadFull(conn, back)
	return back[:n]
}

func TestProxyCarries(t *testing.T) {
	p, conn := through(t)
	message := bytes.Repeat([]byte("log"), 100_000)
	go func() { _, _ = conn.Write(message) }()
	back := make([]byte, len(message))
	_, err := io.ReadFull(conn, back)
	require.NoError(t, err)
	require.Equal(t, message, back)
	require.EqualValues(t, len(message), p.Carried(Up))
	require.EqualValues(t, len(message), p.Carried(Down))

	// An orderly end comes through as one, and the proxy forgets the link.
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	_, err = conn.Read(back)
	require.Equal(t, io.EOF, err)
	require.Eventually(t, func() bool { return p.Links() == 0 }, startTimeout, pollEvery)
}

func TestProxyCutsWithinAMessage(t *testing.T) {
	for _, d := range []Direction{Up, Down} {
		p, conn := through(t)
		require.Equal(t, []byte("whole"), exchange(t, conn, []byte("whole")))
		p.Set(d, LinkFault{CutAfter: 7})
		_, err := conn.Write([]byte("a message of which seven bytes get through"))
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, conn)
		require.Error(t, err, "the cut is a reset, no orderly end")
		require.EqualValues(t, 5+7, p.Carried(d))
	}
}

// A held direction carries nothing and closes nothing; let go, it carries what was sent meanwhile.
func TestProxyHoldsOneDirection(t *testing.T) {
	p, conn := through(t)
	p.Set(Down, LinkFault{Hold: true})
	_, err := conn.Write([]byte("held"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return p.Carried(Up) == 4 }, startTimeout, pollEvery)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
	_, err = conn.Read(make([]byte, 1))
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout(), "nothing comes, and nobody says why")

	p.Set(Down, LinkFault{})
	require.NoError(t, conn.SetReadDeadline(time.Time{}))
	back := make([]byte, 4)
	_, err = io.ReadFull(conn, back)
	require.NoError(t, err)
	require.Equal(t, "held", string(back))
}

func TestProxyDelaysRefusesAndBreaks(t *testing.T) {
	p, conn := through(t)
	p.Set(Up, LinkFault{Delay: 10 * time.Millisecond})
	start := time.Now()
	require.Equal(t, []byte("slow"), exchange(t, conn, []byte("slow")))
	require.GreaterOrEqual(t, time.Since(start), 10*time.Millisecond)

	p.Break()
	_, err := conn.Read(make([]byte, 1))
	require.Error(t, err)
	p.Refuse(true)
	second, err := net.Dial("tcp", p.Addr)
	if err == nil { // refused after it was made
		defer second.Close()
		_, err = second.Read(make([]byte, 1))
	}
	require.Error(t, err)
}
