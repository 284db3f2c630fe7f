package pgwire_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgproto3/v2"
	"github.com/stretchr/testify/require"

	"ackdb/pgwire"
)

// copyBoth receives on a goroutine of its own and echoes what comes; some pieces are commands:
//
//	done         CopyDone from the server
//	fail         an error in the middle
//	abandon      likewise, while the other goroutine still receives
//	close        Close, then an error
//	flood        pieces until the client, or somebody else, puts an end to it
//
// After the client's CopyDone a result set and two completions follow.
func (p *toyPortal) copyBoth(ctx context.Context, w *pgwire.Writer) (pgwire.Execution, error) {
	both, err := w.CopyBoth(ctx)
	if err != nil {
		return 0, err
	}
	pieces, ended := make(chan string), make(chan error, 1)
	quit := make(chan struct{})
	go func() {
		for {
			piece, err := both.Receive()
			if err != nil {
				ended <- err
				return
			}
			select {
			case pieces <- string(piece):
			case <-quit:
				return
			}
		}
	}()
	defer close(quit)
	if !p.session.server.hasty {
		p.session.waiting <- struct{}{}
	}
	for {
		select {
		case err := <-ended:
			if !errors.Is(err, io.EOF) {
				return 0, err
			}
			return p.afterBoth(both, w)
		case piece := <-pieces:
			if err := p.answerPiece(both, piece); err != nil {
				return 0, err
			}
		}
	}
}

func (p *toyPortal) answerPiece(both *pgwire.CopyBoth, piece string) error {
	switch piece {
	case "done":
		return both.CloseSend()
	case "fail":
		return pgwire.Errorf("58P01", "requested WAL segment has already been removed")
	case "close":
		_ = both.Close()
		return pgwire.Errorf("57P01", "closed by the server")
	case "flood":
		for !p.session.server.hasty {
			if err := both.Send(make([]byte, 64<<10)); err != nil {
				p.session.flooded <- err
				return err
			}
		}
	}
	return both.Send([]byte("echo "), []byte(piece), nil)
}

func (p *toyPortal) afterBoth(both *pgwire.CopyBoth, w *pgwire.Writer) (pgwire.Execution, error) {
	if err := both.Finish(clientPatience); err != nil {
		return 0, err
	}
	w.RowDescription([]pgwire.Column{{Name: "next_tli", TypeOID: 20, TypeSize: 8, TypeMod: -1}}, nil)
	w.BeginRow(1)
	w.Value([]byte("2"))
	if err := w.EndRow(); err != nil {
		return 0, err
	}
	w.CommandComplete("START_STREAMING")
	w.CommandComplete("START_REPLICATION")
	return pgwire.Completed, nil
}

// TestCopyBothCancelled: what waits in the copy is got out, the session goes on, and what the
// client still sends of the copy is dropped.
func TestCopyBothCancelled(t *testing.T) {
	server := &toyServer{}
	addr, _ := start(t, server, pgwire.Options{})
	c := connect(t, addr)
	for range 3 {
		c.send(query("copyboth"))
		c.until("CopyBoth")
		<-server.session(0).waiting
		half := encode(&pgproto3.CopyData{Data: []byte("half a message")})
		c.send(half[:7])
		cancel(t, addr, c.cancelPacket())
		require.Equal(t, []string{
			`Error ERROR 57014 "canceling statement due to user request"`, "Ready I"}, c.untilReady())
		c.send(half[7:], encode(&pgproto3.CopyDone{}))
		requireAlive(t, c)
	}
}

// TestCopyBothUnread: a sender that hangs on a client that does not read is got out by a cancel and
// by Terminate. If it hung in the middle of a message the connection is closed (P5), else the
// client is told.
func TestCopyBothUnread(t *testing.T) {
	for name, end := range map[string]func(s *toySession, addr string, c *client){
		"cancel": func(_ *toySession, addr string, c *client) { cancel(t, addr, c.cancelPacket()) },
		"terminate": func(s *toySession, _ string, _ *client) {
			s.conn.Terminate(pgwire.Fatalf(pgwire.CodeAdminShutdown, "enough"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := &toyServer{}
			addr, _ := start(t, server, pgwire.Options{WriteStall: 20 * time.Millisecond})
			c := connect(t, addr)
			c.send(query("copyboth"), encode(&pgproto3.CopyData{Data: []byte("flood")}))
			<-server.session(0).waiting
			requireFlooded(t, c)
			end(server.session(0), addr, c)
			require.Error(t, <-server.session(0).flooded)
			for m := c.receive(); m != "closed" && !strings.HasPrefix(m, "Error"); {
				m = c.receive()
			}
		})
	}
}

// requireFlooded waits until the server has begun to send; nothing of it is read.
func requireFlooded(t *testing.T, c *client) {
	t.Helper()
	for _, m := range c.until("CopyData")[1:] {
		require.True(t, strings.HasPrefix(m, "CopyData"), m)
	}
}

// TestCopyBothClosed: Close ends the connection, with the last word if it can be said.
func TestCopyBothClosed(t *testing.T) {
	server := &toyServer{}
	addr, e := start(t, server, pgwire.Options{})
	c := connect(t, addr)
	c.send(query("copyboth"), encode(&pgproto3.CopyData{Data: []byte("close")}))
	c.until("CopyBoth")
	require.Equal(t, `Error FATAL 57P01 "closed by the server"`, c.receive())
	require.Equal(t, "closed", c.receive())
	require.Eventually(t, func() bool { return e.Connections() == 0 }, clientPatience,
		time.Millisecond)
}

// TestCopyBothGone: a client that disappears ends the copy, not only the socket.
func TestCopyBothGone(t *testing.T) {
	server := &toyServer{}
	addr, e := start(t, server, pgwire.Options{})
	for _, goodbye := range [][]byte{nil, encode(&pgproto3.Terminate{}), {'d', 0, 0, 1}} {
		c := connect(t, addr)
		c.send(query("copyboth"))
		c.until("CopyBoth")
		c.send(goodbye)
		require.NoError(t, c.conn.Close())
		require.Eventually(t, func() bool { return e.Connections() == 0 }, clientPatience,
			time.Millisecond)
	}
}

// TestCopyBothHostile: what has no place in the copy ends the connection, and nobody else notices.
func TestCopyBothHostile(t *testing.T) {
	server := &toyServer{}
	addr, e := start(t, server, pgwire.Options{})
	bystander := connect(t, addr)
	for name, test := range map[string]struct {
		send []byte
		want string
	}{
		"fail":        {encode(&pgproto3.CopyFail{Message: "no"}), `invalid standby message type "f"`},
		"query":       {query("select 1"), `invalid standby message type "Q"`},
		"sync":        {encode(&pgproto3.Sync{}), `invalid standby message type "S"`},
		"garbage":     {[]byte{0xff, 0, 0, 0, 4}, `invalid standby message type "ÿ"`},
		"length 3":    {[]byte{'d', 0, 0, 0, 3}, "invalid message length"},
		"length 2GiB": {[]byte{'d', 0x7f, 0xff, 0xff, 0xff}, "invalid message length"},
		"negative":    {[]byte{'d', 0xff, 0xff, 0xff, 0xff}, "invalid message length"},
		"over":        {[]byte{'d', 0, 0, 0x40, 5}, "invalid message length"},
	} {
		t.Run(name, func(t *testing.T) {
			c := connect(t, addr)
			c.send(query("copyboth"))
			c.until("CopyBoth")
			c.send(test.send)
			require.Equal(t, fmt.Sprintf("Error FATAL 08P01 %q", test.want), c.receive())
			require.Equal(t, "closed", c.receive())
			require.Zero(t, pgwire.Buffered(e))
			requireAlive(t, bystander)
		})
	}
}

// TestCopyBothWoken: Wake waits for the end of the copy.
func TestCopyBothWoken(t *testing.T) {
	server := &toyServer{}
	addr, _ := start(t, server, pgwire.Options{})
	c := connect(t, addr)
	c.send(query("copyboth"))
	c.until("CopyBoth")
	<-server.session(0).waiting
	server.session(0).conn.Wake()
	c.send(encode(&pgproto3.CopyData{Data: []byte("x")}))
	require.Equal(t, `CopyData "echo x"`, c.receive())
	c.send(encode(&pgproto3.CopyDone{}))
	c.untilReady()
	require.Equal(t, "Notification toy woken", c.receive())
}

// TestReplicationParameter reads it as Postgres does: any Boolean, abbreviated too, or database.
func TestReplicationParameter(t *testing.T) {
	server := &toyServer{}
	addr, _ := start(t, server, pgwire.Options{})
	opened := 0
	for value, want := range map[string]pgwire.Replication{
		"true": pgwire.PhysicalReplication, "T": pgwire.PhysicalReplication,
		"on": pgwire.PhysicalReplication, "1": pgwire.PhysicalReplication,
		"ye": pgwire.PhysicalReplication, "database": pgwire.DatabaseReplication,
		"false": pgwire.NoReplication, "OFF": pgwire.NoReplication, "of": pgwire.NoReplication,
		"0": pgwire.NoReplication, "n": pgwire.NoReplication,
	} {
		c := dial(t, addr)
		c.send(startupPacket(3<<16, "user", "toy", "replication", value))
		c.untilReady()
		require.Equal(t, want, server.session(opened).info.Replication(), value)
		opened++
		require.NoError(t, c.conn.Close())
	}
	for _, value := range []string{"", "o", "Database", "2", "truely", "replication"} {
		c := dial(t, addr)
		c.send(startupPacket(3<<16, "user", "toy", "replication", value))
		require.Equal(t, fmt.Sprintf("Error FATAL 22023 %q",
			fmt.Sprintf(`invalid value for parameter "replication": "%s"`, value)), c.receive())
	}
}

// TestSendersCountedApart: neither kind of session can keep the other out.
func TestSendersCountedApart(t *testing.T) {
	addr, e := start(t, &toyServer{}, pgwire.Options{MaxConnections: 1, MaxSenders: 1})
	open := func(params ...string) (*client, string) {
		c := dial(t, addr)
		c.send(startupPacket(3<<16, append(params, "user", "toy")...))
		got := c.collect("Ready", 1)
		return c, got[strings.LastIndexByte(strings.TrimSpace(got[:len(got)-len("closed\n")]), '\n')+1:]
	}
	sender, _ := open("replication", "1")
	_, _ = open()
	_, refused := open("replication", "true")
	require.Contains(t, refused, "Error FATAL 53300 "+
		`"number of requested standby connections exceeds max_wal_senders (currently 1)"`)
	_, refused = open("replication", "false")
	require.Contains(t, refused, `Error FATAL 53300 "sorry, too many clients already"`)
	require.NoError(t, sender.conn.Close())
	require.Eventually(t, func() bool { return e.Connections() == 1 }, clientPatience,
		time.Millisecond)
	_, got := open("replication", "on")
	require.Contains(t, got, "Ready I")
}

// TestDrain: those that linger stay, and work, until they linger no more.
func TestDrain(t *testing.T) {
	server := &toyServer{}
	addr, e := start(t, server, pgwire.Options{})
	ordinary, first, second := connect(t, addr), connect(t, addr), connect(t, addr)
	server.session(1).conn.Linger(true)
	server.session(2).conn.Linger(true)
	ctx, stop := context.WithTimeout(context.Background(), clientPatience)
	defer stop()
	e.Drain(ctx, pgwire.Fatalf(pgwire.CodeAdminShutdown, "going down"))
	require.NoError(t, ctx.Err())
	require.Equal(t, `Error FATAL 57P01 "going down"`, ordinary.receive())
	require.True(t, server.session(0).closed)
	requireAlive(t, first)
	_, err := net.Dial("tcp", addr)
	require.Error(t, err, "nobody new is accepted")
	first.send(query("over"))
	require.Equal(t, "Complete COPY 0", first.receive())
	require.Equal(t, "closed", first.receive())
	server.session(2).conn.Linger(false)
	require.Equal(t, `Error FATAL 57P01 "going down"`, second.receive())
}

// FuzzCopyBoth: whatever comes inside the copy, nothing panics or hangs.
func FuzzCopyBoth(f *testing.F) {
	f.Add(encode(&pgproto3.CopyData{Data: []byte("fail")}))
	f.Add(encode(&pgproto3.CopyData{Data: []byte("close")}))
	f.Add(bytes.Join([][]byte{encode(&pgproto3.CopyData{Data: []byte("done")}),
		encode(&pgproto3.CopyDone{}), query("select 1")}, nil))
	f.Add(encode(&pgproto3.CopyFail{Message: "no"}))
	f.Add([]byte{'d', 0, 0, 0, 3})
	f.Add([]byte{'X', 0, 0, 0, 4})
	f.Fuzz(func(t *testing.T, data []byte) {
		e := pgwire.NewEndpoint(&toyServer{hasty: true}, pgwire.Options{MaxMessageBytes: 1 << 20})
		stream := append(startupPacket(3<<16, "user", "toy"), query("copyboth")...)
		pgwire.Handle(e, &streamConn{rest: append(stream, data...)})
	})
}
