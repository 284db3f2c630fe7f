package replica

import (
	"errors"
	"fmt"
)

// These errors end a link of a standby; the receiver backs off and connects again. So do ErrProtocol,
// ErrPeerSilent and whatever the network says.
var (
	// ErrUpstreamBehind: upstream does not have the log, or the timeline, that this standby holds.
	ErrUpstreamBehind = errors.New("replica: upstream is behind this standby")
	// ErrOlderTimeline: upstream is behind us because it has missed a promotion, which we have not.
	ErrOlderTimeline = fmt.Errorf("%w: it is on an older timeline", ErrUpstreamBehind)
	// ErrUpstreamEnded: upstream ended the stream in order, as at its shutdown.
	ErrUpstreamEnded = errors.New("replica: upstream ended the stream")
	// ErrReceiverStopped: Stop was called.
	ErrReceiverStopped = errors.New("replica: receiver is stopped")
)

// SystemError says that upstream belongs to another database.
type SystemError struct {
	Ours, Theirs uint64
}

func (e *SystemError) Error() string {
	return fmt.Sprintf("replica: system identifier differs: upstream has %d, this standby %d",
		e.Theirs, e.Ours)
}

func protocolError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrProtocol, fmt.Sprintf(format, args...))
}
