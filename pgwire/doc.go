// Package pgwire speaks the server side of the Postgres frontend/backend protocol, 3.0 to 3.2, and
// asks a Backend what to answer.
//
// There are six types. An Endpoint accepts connections and finds them again by process id. A Conn
// is one client: its start-up, its message loop, its prepared statements and portals. A Writer is
// the buffer the answers are encoded into. Server and Backend are what the owner of the data
// implements; nothing here knows SQL. A Client is the other end, for commands of ours and for a
// standby that follows its primary.
//
// Invariants, cited in code and tests by number:
//
//   - P1 No byte of a client reaches a decoder before its length has been checked, and no buffer
//     grows because a length was announced: it grows as bytes arrive.
//   - P2 After an error in an extended-protocol message everything up to Sync is dropped, by one
//     flag, looked at in one place.
//   - P3 Output is written when the loop is about to wait for input and owes an answer (Sync,
//     Flush, a simple Query, an error), or when flushBytes have gathered, and at no other time;
//     what a Backend holds (hold.go) leaves when the Backend's gate lets it. A piece of a CopyBoth
//     leaves at once: a standby waits for it.
//   - P4 What a client sends while nothing runs for it cancels nothing: a cancel request strikes
//     the message being handled when it arrives, or none.
//   - P5 A message is written whole or, when its writing fails, the connection is closed: two
//     messages never interleave.
//   - P6 What a Backend gets from the wire (parameters, copy data) aliases the read buffer, and is
//     valid until the call it was handed to returns.
//   - P7 In a CopyBoth one goroutine of the Backend's reads and one writes the socket. Both have
//     let go of it before the connection's goroutine touches it again.
//
// Locks: CopyBoth.sendMu, CopyBoth.receiveMu, Endpoint.mu, Conn.mu, in this order. The first two
// are held while the network is waited for; the last two neither then nor while a Backend is
// called, except that Conn.mu is held while a deadline is set. Client.mu stands alone.
//
// The package stands on github.com/jackc/pgproto3/v2 for the shape of messages. That library is at
// its last release: its reader trusts any announced length, some of its decoders panic on input a
// client chooses, and its Send is a write per message. So reading, bounds and buffering are done
// here, and its decoders are called only behind the checks in decode.go.
package pgwire
