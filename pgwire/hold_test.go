package pgwire_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/pgwire"
)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// TestHold: nothing held leaves before the gate says so, and the gate is asked when the results are
// written, not at each statement.
func TestHold(t *testing.T) {
	asked, open := make(chan struct{}, 1), make(chan struct{})
	server := &toyServer{gate: func() error {
		asked <- struct{}{}
		<-open
		return nil
	}}
	addr, _ := start(t, server, pgwire.Options{})
	c := connect(t, addr)
	c.send(query("select 1;hold;select 1"))
	<-asked
	require.NoError(t, c.conn.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
	_, err := c.conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, c.conn.SetReadDeadline(time.Now().Add(patience)))
	close(open)
	require.Equal(t, []string{"Columns n:23:0", `Row "0"`, "Complete SELECT 1", "Complete HOLD",
		"Columns n:23:0", `Row "0"`, "Complete SELECT 1", "Ready I"}, c.untilReady())
	require.Empty(t, asked)

	c.send(query("release;select 1"))
	require.Len(t, c.untilReady(), 5)
	require.Empty(t, asked)
}

// TestHoldDrop: an error stands in the place of what is held, behind what was not.
func TestHoldDrop(t *testing.T) {
	server := &toyServer{gate: func() error { panic("asked about nothing") }}
	addr, _ := start(t, server, pgwire.Options{})
	c := connect(t, addr)
	c.send(query("select 1;hold;select 5;drop;fail 40001"))
	require.Equal(t, []string{"Columns n:23:0", `Row "0"`, "Complete SELECT 1", "Complete DROP",
		`Error ERROR 40001 "as you wish"`, "Ready I"}, c.untilReady())
	requireAlive(t, c)
}

// TestHoldFull: more than the buffer takes does not gather; the gate is asked on the way.
func TestHoldFull(t *testing.T) {
	asked := 0
	server := &toyServer{gate: func() error { asked++; return nil }}
	addr, _ := start(t, server, pgwire.Options{})
	c := connect(t, addr)
	c.send(query("hold;select 20000"))
	require.Len(t, c.untilReady(), 20000+4)
	require.Greater(t, asked, 5)
}

// TestHoldRefused: a gate that will not open ends the connection, and what was held stays here.
func TestHoldRefused(t *testing.T) {
	server := &toyServer{gate: func() error { return pgwire.Fatalf("58030", "never") }}
	addr, _ := start(t, server, pgwire.Options{})
	c := connect(t, addr)
	c.send(query("select 1;hold;select 2"))
	require.Equal(t, []string{"Columns n:23:0", `Row "0"`, "Complete SELECT 1",
		`Error FATAL 58030 "never"`},
		[]string{c.receive(), c.receive(), c.receive(), c.receive()})
}
