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

// messageLimit is the largest body a message of this type may have; 0 means that no client may send
// such a message.
func (o *Options) messageLimit(typ byte) int {
	switch typ {
	case 'C', 'D', 'E', 'H', 'S', 'X', 'c':
		return smallMessageBytes
	case 'B', 'P', 'Q', 'F', 'd', 'f':
		return o.MaxMessageBytes
	}
	return 0
}
