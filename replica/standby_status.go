package replica

import (
	"sync"
	"time"

	"ackdb/wal"
)

// ReceiverState is what a receiver is doing, in the words of pg_stat_wal_receiver.
type ReceiverState string

// The states of a receiver.
const (
	ReceiverStarting   ReceiverState = "starting"   // connecting, shaking hands
	ReceiverStreaming  ReceiverState = "streaming"  // receiving log
	ReceiverRestarting ReceiverState = "restarting" // going over to another timeline
	ReceiverWaiting    ReceiverState = "waiting"    // backing off
	ReceiverStopped    ReceiverState = "stopped"    // ended, by Stop or by an error given to Fatal
)

// ReceiverStatus is a standby's link at one moment: the row of pg_stat_wal_receiver. A zero time
// or position means none yet.
type ReceiverStatus struct {
	State            ReceiverState
	Slot, Host       string
	Port             int
	ConnInfo         string
	ReceiveStart     wal.LSN // where the present link, or the last one, began
	ReceiveStartTLI  uint32
	ReceivedTLI      uint32
	Written          wal.LSN
	Flushed          wal.LSN
	LastMsgSend      time.Time // upstream's clock
	LastMsgReceipt   time.Time // this node's clock
	LatestEnd        wal.LSN   // the upstream position last reported
	LatestEndTime    time.Time // upstream's clock, of the message that first told it
	Connections      uint64    // links made since the receiver was started
	Failures         int       // failed attempts since upstream was last heard
	LastError        error     // why the last link ended
	UpstreamNode     uint64
	UpstreamTimeline uint32
}

// receiverStatus is the part of a receiver that others read.
type receiverStatus struct {
	mu  sync.Mutex
	cur ReceiverStatus // guarded by mu
}

func (s *receiverStatus) change(f func(*ReceiverStatus)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.cur)
}

func (s *receiverStatus) state(state ReceiverState) {
	s.change(func(c *ReceiverStatus) { c.State = state })
}

// heard notes one message of upstream.
func (s *receiverStatus) heard(end wal.LSN, sent, received time.Time) {
	s.change(func(c *ReceiverStatus) {
		c.LastMsgSend, c.LastMsgReceipt = sent, received
		if end > c.LatestEnd {
			c.LatestEnd, c.LatestEndTime = end, sent
		}
		c.Failures = 0
	})
}

func (s *receiverStatus) get() ReceiverStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cur
}
