package pgwire_test

import (
	"bytes"
	"encoding/binary"
	"flag"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgproto3/v2"
	"github.com/stretchr/testify/require"

	"ackdb/pgwire"
)

var seedFlag = flag.Uint64("seed", 0, "seed of the random tests; 0 draws one")

// random returns a generator, and prints how to get the same one again if the test fails.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	seed := *seedFlag
	if s, err := strconv.ParseUint(os.Getenv("ACKDB_SEED"), 10, 64); seed == 0 && err == nil {
		seed = s
	}
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("replay: go test ./pgwire -run '^%s$' -seed %d", t.Name(), seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

// requireAlive shows that another session does not notice.
func requireAlive(t *testing.T, bystander *client) {
	t.Helper()
	bystander.send(query("select 1"))
	require.Equal(t, []string{"Columns n:23:0", `Row "0"`, "Complete SELECT 1", "Ready I"},
		bystander.untilReady())
}

// TestStartupGarbage: what is no start-up packet is closed without an answer and without a word
// read beyond its first eight bytes.
func TestStartupGarbage(t *testing.T) {
	addr, _ := start(t, &toyServer{}, pgwire.Options{})
	bystander := connect(t, addr)
	for name, bytes := range map[string][]byte{
		"http":              []byte("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"),
		"tls":               {0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3},
		"ssh":               []byte("SSH-2.0-OpenSSH_9.2\r\n"),
		"zeros":             make([]byte, 64),
		"length 7":          {0, 0, 0, 7, 0, 3, 0, 0},
		"length 10001":      {0, 0, 0x27, 0x11, 0, 3, 0, 0},
		"length 4 GiB":      {0xff, 0xff, 0xff, 0xff, 0, 3, 0, 0},
		"ssl with a body":   {0, 0, 0, 9, 4, 210, 22, 47, 0},
		"ssl for ever":      bytes5(),
		"cancel, no key":    {0, 0, 0, 8, 4, 210, 22, 46},
		"cancel, wrong key": {0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 1, 0, 0, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, addr)
			_, _ = c.conn.Write(bytes)
			answer, _ := io.ReadAll(c.conn)
			if name == "ssl for ever" {
				require.Equal(t, "NNNN", string(answer))
				return
			}
			require.Empty(t, answer)
		})
	}
	requireAlive(t, bystander)
}

func bytes5() (b []byte) {
	for range 5 {
		b = append(b, 0, 0, 0, 8, 4, 210, 22, 47)
	}
	return b
}

// TestStartupSlow: half a packet, or none, is not waited for beyond the authentication timeout.
func TestStartupSlow(t *testing.T) {
	addr, _ := start(t, &toyServer{}, pgwire.Options{AuthenticationTimeout: 50 * time.Millisecond})
	for _, bytes := range [][]byte{nil, {0, 0, 0}, startupPacket(3<<16, "user", "toy")[:12]} {
		c := dial(t, addr)
		if bytes != nil {
			c.send(bytes)
		}
		c.silence()
	}
	// Past start-up the timeout is gone.
	c := connect(t, addr)
	time.Sleep(100 * time.Millisecond)
	requireAlive(t, c)
}

// TestEncryptionRefused: both requests are answered N, and the session starts on the same socket.
func TestEncryptionRefused(t *testing.T) {
	addr, _ := start(t, &toyServer{}, pgwire.Options{})
	c := dial(t, addr)
	for _, code := range []byte{48, 47} { // GSS, SSL
		c.send([]byte{0, 0, 0, 8, 4, 210, 22, code})
		answer := make([]byte, 1)
		_, err := io.ReadFull(c.conn, answer)
		require.NoError(t, err)
		require.Equal(t, "N", string(answer))
	}
	c.send(startupPacket(3<<16, "user", "toy"))
	c.untilReady()
	requireAlive(t, c)
}

// TestNegotiation reads by hand what the test's library does not know.
func TestNegotiation(t *testing.T) {
	addr, _ := start(t, &toyServer{}, pgwire.Options{})
	for _, test := range []struct {
		version uint32
		params  []string
		want    string
	}{
		{3<<16 | 9999, []string{"user", "toy", "_pq_.b", "1", "_pq_.a", "2"},
			"v\x00\x00\x00\x1a\x00\x03\x00\x02\x00\x00\x00\x02_pq_.a\x00_pq_.b\x00"},
		{3 << 16, []string{"user", "toy", "_pq_.x", ""},
			"v\x00\x00\x00\x13\x00\x03\x00\x00\x00\x00\x00\x01_pq_.x\x00"},
		{3<<16 | 2, []string{"user", "toy"}, "R\x00\x00\x00\x08"},
	} {
		c := dial(t, addr)
		c.send(startupPacket(test.version, test.params...))
		got := make([]byte, len(test.want))
		_, err := io.ReadFull(c.conn, got)
		require.NoError(t, err)
		require.Equal(t, test.want, string(got))
	}
}

// TestLongCancelKey: protocol 3.2 has a key of 32 bytes, and it cancels.
func TestLongCancelKey(t *testing.T) {
	server := &toyServer{}
	addr, _ := start(t, server, pgwire.Options{})
	c := dial(t, addr)
	c.send(startupPacket(3<<16|2, "user", "toy"))
	var key []byte
	for key == nil {
		header := make([]byte, 5)
		_, err := io.ReadFull(c.conn, header)
		require.NoError(t, err)
		body := make([]byte, binary.BigEndian.Uint32(header[1:])-4)
		_, err = io.ReadFull(c.conn, body)
		require.NoError(t, err)
		if header[0] == 'K' {
			key = body
		}
	}
	require.Len(t, key, 36)
	c.pid, c.secret = binary.BigEndian.Uint32(key), key[4:]
	c.untilReady()
	c.send(query("wait"))
	<-server.session(0).waiting
	other := dial(t, addr)
	other.send(c.cancelPacket())
	other.silence()
	require.Contains(t, c.untilReady()[0], "57014")
}

// TestAnnouncedLength: memory follows the bytes that arrive, not the length that is announced (P1).
func TestAnnouncedLength(t *testing.T) {
	opts := pgwire.Options{MaxMessageBytes: 1 << 30}
	announced := []byte{'Q', 0x3f, 0, 0, 0}
	buffer, err := pgwire.FirstMessage(bytes.NewReader(announced), opts)
	require.Error(t, err)
	require.LessOrEqual(t, buffer, 16<<10)

	buffer, err = pgwire.FirstMessage(
		bytes.NewReader(append(announced, make([]byte, 1<<20)...)), opts)
	require.Error(t, err)
	require.LessOrEqual(t, buffer, 4<<20)

	addr, _ := start(t, &toyServer{}, opts)
	bystander := connect(t, addr)
	before := heapBytes()
	for range 64 {
		c := connect(t, addr)
		c.send(announced, make([]byte, 100))
	}
	require.Less(t, heapBytes()-before, int64(8<<20))
	requireAlive(t, bystander)
}

func heapBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestLargeMessagesShareABudget: the one that goes beyond it is ended with 53200, and what it held
// is given back.
func TestLargeMessagesShareABudget(t *testing.T) {
	addr, e := start(t, &toyServer{}, pgwire.Options{MaxBufferedBytes: 3 << 20})
	bystander := connect(t, addr)
	big := connect(t, addr)
	sql := append([]byte("select 1 "), bytes.Repeat([]byte{' '}, 1<<20)...)
	big.send(query(string(sql)))
	big.untilReady()
	tooBig := connect(t, addr)
	_, _ = tooBig.conn.Write(query(string(bytes.Repeat([]byte{' '}, 16<<20))))
	// The rest of the message is still on its way when the server closes, so its last word may be
	// lost with the socket.
	require.NotContains(t, tooBig.receive(), "Ready")
	require.Eventually(t, func() bool { return e.Connections() == 2 }, clientPatience,
		time.Millisecond)
	requireAlive(t, big)
	requireAlive(t, bystander)
	require.Zero(t, pgwire.Buffered(e))
}

// TestRandomBytes: whatever follows a start-up, the server answers or closes, and lives.
func TestRandomBytes(t *testing.T) {
	rng := random(t)
	addr, _ := start(t, &toyServer{hasty: true}, pgwire.Options{MaxMessageBytes: 1 << 16})
	bystander := connect(t, addr)
	for range 300 {
		c := connect(t, addr)
		_, _ = c.conn.Write(hostileStream(rng))
		require.NoError(t, c.conn.(*net.TCPConn).CloseWrite())
		_, _ = io.Copy(io.Discard, c.conn)
		_ = c.conn.Close()
	}
	requireAlive(t, bystander)
}

// hostileStream is some valid messages with bytes changed, cut out and made up.
func hostileStream(rng *rand.Rand) (stream []byte) {
	valid := [][]byte{
		encode(&pgproto3.Parse{Name: "s", Query: "echo $1", ParameterOIDs: []uint32{25}}),
		encode(&pgproto3.Bind{PreparedStatement: "s", Parameters: [][]byte{[]byte("x")},
			ParameterFormatCodes: []int16{0}, ResultFormatCodes: []int16{1}}),
		encode(&pgproto3.Describe{ObjectType: 'P'}),
		encode(&pgproto3.Execute{MaxRows: 1}),
		encode(&pgproto3.Close{ObjectType: 'S', Name: "s"}),
		encode(&pgproto3.Sync{}),
		encode(&pgproto3.Flush{}),
		query("select 3"),
		query("copyin"),
		encode(&pgproto3.CopyData{Data: []byte("1\n")}),
		encode(&pgproto3.CopyFail{Message: "no"}),
		encode(&pgproto3.CopyDone{}),
	}
	for range 1 + rng.IntN(12) {
		m := bytes.Clone(valid[rng.IntN(len(valid))])
		switch rng.IntN(6) {
		case 0:
			m[rng.IntN(len(m))] = byte(rng.Uint32())
		case 1:
			m = m[:rng.IntN(len(m))]
		case 2: // The length still fits, the body does not.
			cut := rng.IntN(len(m) - 4)
			m = m[:len(m)-cut]
			binary.BigEndian.PutUint32(m[1:], uint32(len(m)-1))
		case 3:
			junk := make([]byte, rng.IntN(40))
			for i := range junk {
				junk[i] = byte(rng.Uint32())
			}
			m = junk
		}
		stream = append(stream, m...)
	}
	return stream
}

// TestTooManyClients: the one over the limit is told so; a place that is left is free again.
func TestTooManyClients(t *testing.T) {
	addr, e := start(t, &toyServer{}, pgwire.Options{MaxConnections: 2})
	first := connect(t, addr)
	connect(t, addr)
	c := dial(t, addr)
	c.send(startupPacket(3<<16, "user", "toy"))
	require.Equal(t, `Error FATAL 53300 "sorry, too many clients already"`, c.receive())
	require.Equal(t, "closed", c.receive())
	first.send(encode(&pgproto3.Terminate{}))
	first.silence()
	require.Eventually(t, func() bool { return e.Connections() == 1 }, clientPatience,
		time.Millisecond)
	connect(t, addr)
}

// TestSocketsAreBounded: with every socket taken by clients that say nothing, the next is closed.
func TestSocketsAreBounded(t *testing.T) {
	addr, _ := start(t, &toyServer{}, pgwire.Options{MaxConnections: 1, MaxSenders: 1})
	for range 2*(1+1) + 16 {
		dial(t, addr)
	}
	dial(t, addr).silence()
}

// TestClientThatDoesNotRead: its session blocks on writing, others do not, and Shutdown ends it.
func TestClientThatDoesNotRead(t *testing.T) {
	server := &toyServer{}
	addr, e := start(t, server, pgwire.Options{WriteStall: 50 * time.Millisecond})
	bystander := connect(t, addr)
	deaf := connect(t, addr)
	require.NoError(t, deaf.conn.(*net.TCPConn).SetReadBuffer(4096))
	deaf.send(query("big 67108864"))
	requireAlive(t, bystander)
	require.Equal(t, 2, e.Connections())
	// The cleanup of start requires that Shutdown needs no force.
}

// TestHalfOpen: a client whose writing end is gone gets its answers and is then let go.
func TestHalfOpen(t *testing.T) {
	addr, e := start(t, &toyServer{}, pgwire.Options{})
	c := connect(t, addr)
	c.send(query("select 1"))
	require.NoError(t, c.conn.(*net.TCPConn).CloseWrite())
	c.untilReady()
	c.silence()
	require.Eventually(t, func() bool { return e.Connections() == 0 }, clientPatience,
		time.Millisecond)
}
