package server

import (
	"slices"
	"strings"

	"ackdb/pgwire"
	"ackdb/server/sql/parse"
	"ackdb/wal"
)

// LISTEN, NOTIFY and UNLISTEN as a session has them: what its transaction has asked for waits in
// the outbox until the commit, and dies with a rollback. What others sent waits in the inbox
// (notify_inbox.go); between the two is the exchange (notify_exchange.go).

// Bounds of what one transaction may ask for, and of what a session may hear.
const (
	notifyPayloadMax = 8000 // bytes, and not quite that many, as in Postgres
	channelNameMax   = 63   // bytes
	outboxBytesMax   = 64 << 20
	channelsMax      = 10000
)

// notifyOverhead is what a notification counts for besides its strings.
const notifyOverhead = 64

const (
	// channelDurable is where the watermark of what is flushed is heard.
	channelDurable = "ack_durable"
	// channelsReserved begins the names that only the server may notify.
	channelsReserved = "ack_"
	codeReservedName = "42939"
)

// notification is one NOTIFY on its way.
type notification struct {
	pid              int32
	channel, payload string
}

func (n *notification) size() int { return notifyOverhead + len(n.channel) + len(n.payload) }

// listenAction is a LISTEN or UNLISTEN to be done at commit. UNLISTEN * has an empty channel.
type listenAction struct {
	listen  bool
	channel string
}

// outbox is what the open transaction has notified and listened for. Connection goroutine only.
type outbox struct {
	queue   []notification
	seen    map[notification]struct{} // of queue, once it is long
	bytes   int
	actions []listenAction
	// after is the position the commit promised to have flushed and was not waited for.
	after wal.LSN
}

// outboxMark is a point to roll back to.
type outboxMark struct{ queue, bytes, actions int }

func (o *outbox) mark() outboxMark {
	return outboxMark{queue: len(o.queue), bytes: o.bytes, actions: len(o.actions)}
}

func (o *outbox) rollbackTo(m outboxMark) {
	if len(o.queue) > m.queue {
		clear(o.queue[m.queue:])
		o.queue, o.bytes, o.seen = o.queue[:m.queue], m.bytes, nil
	}
	o.actions = o.actions[:m.actions]
}

func (o *outbox) empty() bool { return len(o.queue) == 0 && len(o.actions) == 0 }

// foldScanMax is up to how many notifications duplicates are looked for one by one.
const foldScanMax = 16

// has finds an equal notification of the same transaction: of those one is enough.
func (o *outbox) has(n notification) bool {
	if len(o.queue) < foldScanMax {
		return slices.Contains(o.queue, n)
	}
	if o.seen == nil {
		o.seen = make(map[notification]struct{}, 2*len(o.queue))
		for _, q := range o.queue {
			o.seen[q] = struct{}{}
		}
	}
	_, found := o.seen[n]
	return found
}

func (o *outbox) add(n notification) error {
	if o.has(n) {
		return nil
	}
	if o.bytes+n.size() > outboxBytesMax {
		return pgwire.Errorf(pgwire.CodeProgramLimitExceeded,
			"too many notifications in one transaction")
	}
	o.queue = append(o.queue, n)
	o.bytes += n.size()
	if o.seen != nil {
		o.seen[n] = struct{}{}
	}
	return nil
}

// notify is NOTIFY and pg_notify().
func (s *session) notify(channel, payload string) error {
	if err := s.forbidInRecovery("NOTIFY"); err != nil {
		return err
	}
	switch {
	case channel == "":
		return pgwire.Errorf(pgwire.CodeInvalidParameterValue, "channel name cannot be empty")
	case len(channel) > channelNameMax:
		return pgwire.Errorf(pgwire.CodeInvalidParameterValue, "channel name too long")
	case len(payload) >= notifyPayloadMax:
		return pgwire.Errorf(pgwire.CodeInvalidParameterValue, "payload string too long")
	case strings.HasPrefix(channel, channelsReserved):
		return errReservedChannel(channel)
	}
	s.enter()
	// The strings may alias what the statement was read from.
	return s.outbox.add(notification{pid: s.conn.PID(), channel: strings.Clone(channel),
		payload: strings.Clone(payload)})
}

func errReservedChannel(channel string) *pgwire.Error {
	e := pgwire.Errorf(codeReservedName, "channel name \"%s\" is reserved", channel)
	e.Detail = "Channels that begin with \"" + channelsReserved + "\" are the server's own."
	return e
}

// listen is LISTEN.
func (s *session) listen(n *parse.ListenStmt) error {
	if strings.HasPrefix(n.Channel, channelsReserved) && n.Channel != channelDurable {
		e := errReservedChannel(n.Channel)
		e.Hint = "The one there is to listen on is " + channelDurable + "."
		return e
	}
	if len(s.channels)+len(s.outbox.actions) >= channelsMax {
		return pgwire.Errorf(pgwire.CodeProgramLimitExceeded,
			"too many channels: a session may listen on %d", channelsMax)
	}
	s.enter()
	s.outbox.actions = append(s.outbox.actions, listenAction{listen: true, channel: n.Channel})
	return nil
}

// unlisten is UNLISTEN. Where nothing is listened on there is nothing to do, however often.
func (s *session) unlisten(channel string) {
	if len(s.channels) == 0 && len(s.outbox.actions) == 0 {
		return
	}
	s.enter()
	s.outbox.actions = append(s.outbox.actions, listenAction{channel: channel})
}

// endOutbox does at the end of a transaction what it asked for, or forgets it. Listening comes
// first: a transaction that listens and notifies hears itself.
func (s *session) endOutbox(committed bool) {
	o := &s.outbox
	if o.empty() {
		return
	}
	if committed {
		for _, a := range o.actions {
			s.applyListen(a)
		}
		s.server.exchange.publish(s, o.queue, o.after)
	}
	*o = outbox{actions: o.actions[:0]}
}

func (s *session) applyListen(a listenAction) {
	x := s.server.exchange
	switch {
	case a.listen:
		if _, listening := s.channels[a.channel]; listening {
			return
		}
		if s.channels == nil {
			s.channels = make(map[string]struct{})
		}
		s.channels[a.channel] = struct{}{}
		if a.channel == channelDurable {
			s.durableSent = 0
			s.durableDue.Store(true)
			x.durable.join(s)
			return
		}
		x.join(s, a.channel)
	case a.channel == "":
		s.unlistenAll()
	default:
		s.leave(a.channel)
	}
}

func (s *session) leave(channel string) {
	if _, listening := s.channels[channel]; !listening {
		return
	}
	delete(s.channels, channel)
	if channel == channelDurable {
		s.server.exchange.durable.leave(s)
		return
	}
	s.server.exchange.leave(s, channel)
}

func (s *session) unlistenAll() {
	for channel := range s.channels {
		s.leave(channel)
	}
}

// Notify implements builtin.Host.
func (h *host) Notify(channel, payload string) error { return h.session().notify(channel, payload) }

// Channels implements builtin.Receipts.
func (h *host) Channels() []string {
	list := make([]string, 0, len(h.channels))
	for channel := range h.channels {
		list = append(list, channel)
	}
	slices.Sort(list)
	return list
}

// NotificationQueueUsage implements builtin.Receipts.
func (h *host) NotificationQueueUsage() float64 { return h.server.exchange.usage() }
