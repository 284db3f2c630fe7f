package pgwire

import "time"

const (
	// startupBytesMin is a length and a code.
	startupBytesMin = 8
	// startupBytesMax: see MAX_STARTUP_PACKET_LENGTH in the Postgres source.
	startupBytesMax = 10000
	// startupRoundsMax bounds the requests before a start-up packet: one for TLS, one for GSS, and
	// one spare for a client that asks again.
	startupRoundsMax = 4

	// smallMessageBytes bounds messages that carry names only: see PQ_SMALL_MESSAGE_LIMIT.
	smallMessageBytes = 10000

	// standbyMessageBytes bounds what a client sends in a CopyBoth: positions and times.
	standbyMessageBytes = 16 << 10
	// serverMessageBytes bounds a message to a Client: a row of 64 MiB in hex.
	serverMessageBytes = 160 << 20
	// clientBufferedBytes bounds what a Client buffers of one.
	clientBufferedBytes = 256 << 20
	// clientResultsMax and clientRowBytes bound what one query of a Client may answer in all.
	clientResultsMax = 1 << 10
	clientRowBytes   = 256 << 20

	// readBufferBytes is what an idle connection holds for reading.
	readBufferBytes = 8 << 10
	// readKeepBytes is the largest read buffer kept after the message that needed it.
	readKeepBytes = 256 << 10

	// flushBytes is how much output gathers before it is written without being asked for.
	flushBytes = 32 << 10
	// writeBufferBytes is what a connection starts with for writing.
	writeBufferBytes = 4 << 10
	// writeKeepBytes is the largest write buffer kept.
	writeKeepBytes = 256 << 10

	// namedMax bounds the prepared statements, and the portals, a connection may hold.
	namedMax = 1 << 16
)

// Options for an Endpoint. The zero value of a field means its default.
type Options struct {
	// MaxConnections is how many clients may be past start-up. Default 500.
	MaxConnections int
	// MaxSenders is how many replication sessions may be besides. Default 10; below zero, none.
	MaxSenders int
	// AuthenticationTimeout is how long start-up may take. Default 60 s.
	AuthenticationTimeout time.Duration
	// MaxMessageBytes bounds one message of a client. Default 160 MiB: a row of 64 MiB in hex, and
	// what stands around it.
	MaxMessageBytes int
	// MaxBufferedBytes bounds what all connections together hold of messages larger than
	// readKeepBytes. Default 1 GiB. Beyond it the connection that asks is ended with 53200.
	MaxBufferedBytes int64
	// WriteStall is how long a connection that is being ended may block on a client that does not
	// read. Default 5 s.
	WriteStall time.Duration
	// Events are told what the operator may want to know. Any may be nil.
	Events Events
}

// Events are callbacks, called on the goroutine of the connection.
type Events struct {
	// Accepted and Closed bracket every connection, cancel requests and probes included.
	Accepted func(pid int32, remote string)
	Closed   func(pid int32, remote string, err error)
	// Refused tells of a connection that ended in start-up.
	Refused func(remote string, err error)
	// Sent tells of every error a client is sent.
	Sent func(pid int32, err *Error)
}

func (o Options) withDefaults() Options {
	if o.MaxConnections == 0 {
		o.MaxConnections = 500
	}
	if o.MaxSenders == 0 {
		o.MaxSenders = 10
	}
	o.MaxSenders = max(o.MaxSenders, 0)
	if o.AuthenticationTimeout == 0 {
		o.AuthenticationTimeout = 60 * time.Second
	}
	if o.MaxMessageBytes == 0 {
		o.MaxMessageBytes = 160 << 20
	}
	if o.MaxBufferedBytes == 0 {
		o.MaxBufferedBytes = 1 << 30
	}
	if o.WriteStall == 0 {
		o.WriteStall = 5 * time.Second
	}
	return o
}

// messageLimit is the largest body a client's message of this type may have, or the refusal of a
// type that no client may send.
func (o *Options) messageLimit(typ byte) (int, error) {
	switch typ {
	case 'C', 'D', 'E', 'H', 'S', 'X', 'c':
		return smallMessageBytes, nil
	case 'B', 'P', 'Q', 'F', 'd', 'f':
		return o.MaxMessageBytes, nil
	}
	return 0, Fatalf(CodeProtocolViolation, "invalid frontend message type %d", typ)
}

// standbyLimit is messageLimit while a CopyBoth runs.
func standbyLimit(typ byte) (int, error) {
	switch typ {
	case 'd':
		return standbyMessageBytes, nil
	case 'c', 'X':
		return smallMessageBytes, nil
	}
	return 0, Fatalf(CodeProtocolViolation, "invalid standby message type \"%c\"", typ)
}
