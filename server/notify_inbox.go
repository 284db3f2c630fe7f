package server

import (
	"strconv"
	"sync"

	"ackdb/pgwire"
)

// inboxBytesMax is what may wait for a client that does not read, or stays in a transaction.
const inboxBytesMax = 16 << 20

// inbox holds the notifications a client is to get when it is idle next.
type inbox struct {
	mu sync.Mutex
	// Guarded by mu.
	queue []notification
	bytes int
}

// put adds a notification. The first of a row says so, for one wake-up is enough for all; full is
// for ever, because a client that misses one must not get the next.
func (b *inbox) put(n notification) (first, full bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bytes+n.size() > inboxBytesMax {
		b.bytes = inboxBytesMax + 1
		return false, true
	}
	b.queue = append(b.queue, n)
	b.bytes += n.size()
	return len(b.queue) == 1, false
}

func (b *inbox) take() []notification {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 {
		return nil
	}
	queue := b.queue
	b.queue = nil
	b.bytes = 0
	return queue
}

var errSlowListener = pgwire.Fatalf(pgwire.CodeProgramLimitExceeded,
	"terminating connection because too many notifications wait for it")

// hear takes a notification for the client. Any goroutine. Dropping some would leave a client that
// trusts the channel with a gap it cannot see; one whose connection ends knows.
func (s *session) hear(n notification) {
	first, full := s.inbox.put(n)
	switch {
	case full:
		s.conn.Terminate(errSlowListener)
	case first:
		s.conn.Wake()
	}
}

// deliver sends what waits, unless a transaction is open: then the client gets it behind its end,
// as in Postgres.
func (s *session) deliver(w *pgwire.Writer) {
	if len(s.channels) == 0 || s.txn.block != blockNone {
		return
	}
	for _, n := range s.inbox.take() {
		if _, listening := s.channels[n.channel]; listening {
			w.Notification(n.pid, n.channel, n.payload)
		}
	}
	s.deliverDurable(w)
}

// deliverDurable sends the watermark if it has moved. Its value is read now, however many flushes
// have asked for it: a slow client gets the newest.
func (s *session) deliverDurable(w *pgwire.Writer) {
	if !s.durableDue.Swap(false) {
		return
	}
	log := s.server.db.Log()
	flushed := log.Flushed()
	if _, listening := s.channels[channelDurable]; !listening || flushed <= s.durableSent {
		return
	}
	s.durableSent = flushed
	id := epochAt(log.Epochs(), flushed)
	text := append(s.receipts.text[:0], `{"timeline":`...)
	text = strconv.AppendUint(text, uint64(id.Timeline), 10)
	text = append(text, `,"epoch":"`...)
	text = strconv.AppendUint(text, id.Epoch, 16)
	text = append(text, `","flushed":"`...)
	text = append(appendLSN(text, flushed), `"}`...)
	s.receipts.text = text
	w.Notification(serverPID, channelDurable, bytesAsString(text))
}

// serverPID is who notifies when it is no session.
const serverPID = 0
