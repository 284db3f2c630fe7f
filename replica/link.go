package replica

// Link is one connection in the CopyBoth state, seen from either side. What it carries are the
// bodies of CopyData messages; framing and sockets are its own affair.
//
// One goroutine sends and another receives. Close may be called by any of them, or a third, at any
// time: it is how a peer that has fallen silent is got rid of.
type Link interface {
	// Send sends one message made of the parts, at once. It may block for as long as the peer does
	// not read; Close ends that.
	Send(parts ...[]byte) error

	// Receive gives the next message, valid until the next call, and io.EOF when the peer has ended
	// its direction.
	Receive() ([]byte, error)

	// CloseSend ends our direction. The peer's goes on.
	CloseSend() error

	// Close breaks both directions; what blocks in them returns an error.
	Close() error
}
