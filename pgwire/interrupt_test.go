package pgwire_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgproto3/v2"
	"github.com/stretchr/testify/require"

	"ackdb/pgwire"
)

func cancel(t *testing.T, addr string, packet []byte) {
	t.Helper()
	c := dial(t, addr)
	c.send(packet)
	c.silence() // no reply bytes, not even for a hit
}

// TestCancel: strikes what runs, nothing else, and leaves the session in order.
func TestCancel(t *testing.T) {
	server := &toyServer{}
	addr, _ := start(t, server, pgwire.Options{})
	c := connect(t, addr)
	for range 3 {
		c.send(query("wait"))
		<-server.session(0).waiting
		cancel(t, addr, c.cancelPacket())
		require.Equal(t, []string{
			`Error ERROR 57014 "canceling statement due to user request"`, "Ready I"}, c.untilReady())
		// P4: nothing runs.
		cancel(t, addr, c.cancelPacket())
		requireAlive(t, c)
	}
}

// TestCancelWrongKey: a wrong secret, and a wrong process id, strike nobody.
func TestCancelWrongKey(t *testing.T) {
	server := &toyServer{}
	addr, _ := start(t, server, pgwire.Options{})
	c := connect(t, addr)
	c.send(query("wait"))
	<-server.session(0).waiting
	for _, i := range []int{11, 15} {
		wrong := c.cancelPacket()
		wrong[i] ^= 1
		cancel(t, addr, wrong)
	}
	server.session(0).conn.Cancel(0, pgwire.Errorf(pgwire.CodeQueryCanceled, "the right one"))
	require.Contains(t, c.untilReady()[0], "the right one")
}

// TestCancelOfPastMessage: a timer that fires late carries the number of the message it was set
// for.
func TestCancelOfPastMessage(t *testing.T) {
	server := &toyServer{}
	addr, _ := start(t, server, pgwire.Options{})
	c := connect(t, addr)
	s := server.session(0)
	c.send(query("wait"))
	<-s.waiting
	require.False(t, s.conn.Cancel(s.conn.Sequence()-1, pgwire.Errorf("57014", "late")))
	require.True(t, s.conn.Cancel(s.conn.Sequence(), pgwire.Errorf("57014", "in time")))
	require.Contains(t, c.untilReady()[0], "in time")
}

// TestCancelDuringCopy: a COPY that waits for its client can be cancelled, and what the client
// sends until it has noticed is dropped.
func TestCancelDuringCopy(t *testing.T) {
	server := &toyServer{}
	addr, _ := start(t, server, pgwire.Options{})
	c := connect(t, addr)
	c.send(query("copyin"))
	c.until("CopyIn")
	<-server.session(0).waiting
	half := encode(&pgproto3.CopyData{Data: []byte("half a message")})
	c.send(half[:7])
	cancel(t, addr, c.cancelPacket())
	require.Contains(t, c.untilReady()[0], "57014")
	c.send(half[7:], encode(&pgproto3.CopyDone{}))
	requireAlive(t, c)
}

// TestTerminate: idle, running and copying sessions are told why and closed.
func TestTerminate(t *testing.T) {
	server := &toyServer{}
	addr, e := start(t, server, pgwire.Options{})
	reason := pgwire.Fatalf(pgwire.CodeAdminShutdown,
		"terminating connection due to administrator command")
	for i, doing := range []string{"", "wait", "copyin"} {
		c := connect(t, addr)
		s := server.session(i)
		if doing != "" {
			c.send(query(doing))
			<-s.waiting
		}
		s.conn.Terminate(reason)
		got := c.until("Error")
		require.Equal(t, `Error FATAL 57P01 "terminating connection due to administrator command"`,
			got[len(got)-1])
		require.Equal(t, "closed", c.receive())
		require.Eventually(t, func() bool { return e.Connections() == 0 }, clientPatience,
			time.Millisecond)
		require.True(t, s.closed)
	}
}

// TestTerminateBusyClient: one that always has input ready is ended all the same.
func TestTerminateBusyClient(t *testing.T) {
	server := &toyServer{}
	addr, _ := start(t, server, pgwire.Options{})
	c := connect(t, addr)
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			default:
				if _, err := c.conn.Write(query("select 1")); err != nil {
					return
				}
			}
		}
	}()
	c.untilReady()
	server.session(0).conn.Terminate(pgwire.Fatalf(pgwire.CodeAdminShutdown, "enough"))
	for m := ""; m != "closed"; {
		m = c.receive()
	}
}

// TestWake: an idle client is told at once, a busy one when its message has ended.
func TestWake(t *testing.T) {
	server := &toyServer{}
	addr, _ := start(t, server, pgwire.Options{})
	c := connect(t, addr)
	s := server.session(0)
	s.conn.Wake()
	require.Equal(t, "Notification toy woken", c.receive())
	c.send(query("wait"))
	<-s.waiting
	s.conn.Wake()
	s.conn.Cancel(0, pgwire.Errorf("57014", "enough"))
	require.Equal(t, []string{`Error ERROR 57014 "enough"`, "Ready I"}, c.untilReady())
	require.Equal(t, "Notification toy woken", c.receive())
	requireAlive(t, c)
}

// TestIdleLimit: silence ends the session; work does not count as silence.
func TestIdleLimit(t *testing.T) {
	server := &toyServer{idle: 50 * time.Millisecond}
	addr, _ := start(t, server, pgwire.Options{})
	busy := connect(t, addr)
	busy.send(query("wait"))
	<-server.session(0).waiting
	c := connect(t, addr)
	require.Equal(t, `Error FATAL 57P05 "idle for too long"`, c.receive())
	require.Equal(t, "closed", c.receive())
	server.session(0).conn.Cancel(0, pgwire.Errorf("57014", "still here"))
	require.Contains(t, busy.untilReady()[0], "still here")
}

// TestShutdown: everybody is told, start-ups are closed, nobody gets in afterwards.
func TestShutdown(t *testing.T) {
	server := &toyServer{}
	addr, e := start(t, server, pgwire.Options{})
	idle, running, starting := connect(t, addr), connect(t, addr), dial(t, addr)
	running.send(query("wait"))
	<-server.session(1).waiting
	ctx, stop := context.WithTimeout(context.Background(), clientPatience)
	defer stop()
	e.Shutdown(ctx, pgwire.Fatalf(pgwire.CodeAdminShutdown, "going down"))
	require.NoError(t, ctx.Err())
	for _, c := range []*client{idle, running} {
		require.Equal(t, `Error FATAL 57P01 "going down"`, c.receive())
		require.Equal(t, "closed", c.receive())
	}
	starting.silence()
}

// TestRefusedByServer: the Server's no is FATAL, whatever severity it had.
func TestRefusedByServer(t *testing.T) {
	server := &toyServer{refuse: pgwire.Errorf(pgwire.CodeCannotConnectNow, "starting up")}
	addr, _ := start(t, server, pgwire.Options{})
	c := dial(t, addr)
	c.send(startupPacket(3<<16, "user", "toy"))
	require.Equal(t, `Error FATAL 57P03 "starting up"`, c.receive())
	require.Equal(t, "closed", c.receive())
}
