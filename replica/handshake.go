package replica

import (
	"errors"
	"fmt"
	"strconv"

	"ackdb/wal"
)

// HandshakeVersion is the version of the handshake this node speaks.
const HandshakeVersion = 1

// Handshake is what a replica says of itself before it asks for log: who it is and how its log
// ends.
type Handshake struct {
	Version  int
	Node     uint64
	System   uint64
	Position wal.Token // the end of its last whole record, and the epoch that wrote that
	CRC      uint32    // of that record
}

func (h Handshake) String() string {
	return fmt.Sprintf("ACK_HANDSHAKE VERSION %d NODE %016x SYSTEM %d POSITION %s CRC %08x",
		h.Version, h.Node, h.System, h.Position, h.CRC)
}

// Relation is what an upstream says of a replica's log.
type Relation string

// The relations.
const (
	// RelationMatch: the replica's log is a prefix of ours.
	RelationMatch Relation = "match"
	// RelationAhead: it holds more than this node has flushed, of a history not known to be another.
	// It waits and asks again.
	RelationAhead Relation = "ahead"
	// RelationDiverged: the two logs have parted.
	RelationDiverged Relation = "diverged"
	// RelationRemoved: it is not known to have parted, but the log it needs is gone here.
	RelationRemoved Relation = "removed"
)

// HandshakeReply is the upstream's answer, one row of text.
type HandshakeReply struct {
	Node uint64
	wal.EpochID
	Flushed  wal.LSN
	Relation Relation
	Fork     wal.LSN // of RelationDiverged: where the histories part, at the latest
	Message  string
}

// HandshakeColumns names the columns of the answer.
func HandshakeColumns() []string {
	return []string{"node", "timeline", "epoch", "flushed", "verdict", "fork", "message"}
}

// Row is the answer as text.
func (r HandshakeReply) Row() []string {
	return []string{
		fmt.Sprintf("%016x", r.Node), strconv.FormatUint(uint64(r.Timeline), 10),
		strconv.FormatUint(r.Epoch, 16), r.Flushed.String(), string(r.Relation), r.Fork.String(),
		r.Message,
	}
}

// ParseHandshakeReply is the reverse of Row.
func ParseHandshakeReply(row []string) (r HandshakeReply, err error) {
	if len(row) < len(HandshakeColumns()) {
		return r, fmt.Errorf("%w: handshake answered with %d columns", ErrProtocol, len(row))
	}
	bad := func(column int, err error) (HandshakeReply, error) {
		return HandshakeReply{}, fmt.Errorf("%w: handshake answered %s %q: %w",
			ErrProtocol, HandshakeColumns()[column], row[column], err)
	}
	if r.Node, err = strconv.ParseUint(row[0], 16, 64); err != nil {
		return bad(0, err)
	}
	timeline, err := strconv.ParseUint(row[1], 10, 32)
	if err != nil {
		return bad(1, err)
	}
	r.Timeline = uint32(timeline)
	if r.Epoch, err = strconv.ParseUint(row[2], 16, 64); err != nil {
		return bad(2, err)
	}
	if r.Flushed, err = wal.ParseLSN(row[3]); err != nil {
		return bad(3, err)
	}
	switch r.Relation = Relation(row[4]); r.Relation {
	case RelationMatch, RelationAhead, RelationDiverged, RelationRemoved:
	default:
		return bad(4, strconv.ErrSyntax)
	}
	if r.Fork, err = wal.ParseLSN(row[5]); err != nil {
		return bad(5, err)
	}
	r.Message = row[6]
	return r, nil
}

// Handshake compares a replica's log with ours and says what became of it.
func (h *Hub) Handshake(asked Handshake) (HandshakeReply, error) {
	log := h.opts.Log
	control := log.Control()
	if asked.Version != HandshakeVersion {
		return HandshakeReply{}, errorf(codeNotSupported,
			"handshake version %d is not supported, this node speaks %d",
			asked.Version, HandshakeVersion)
	}
	if asked.System != control.SystemID {
		e := errorf(codeNotInState, "system identifiers differ")
		e.Detail = fmt.Sprintf("The replica belongs to database %d, this node to %d.",
			asked.System, control.SystemID)
		return HandshakeReply{}, e
	}
	j := judge{
		asked: asked, epochs: log.Epochs(), flushed: log.Flushed(),
		standby: control.Role == wal.RoleStandby, linkAt: log.LinkAt,
	}
	reply, err := j.relation()
	if err != nil {
		return HandshakeReply{}, fmt.Errorf("replica: handshake with %016x: %w", asked.Node, err)
	}
	reply.Node, reply.Flushed = control.NodeID, j.flushed
	reply.EpochID = j.epochs.Last().EpochID
	if f := h.opts.Events.Diverged; f != nil && reply.Relation == RelationDiverged {
		f(asked, reply)
	}
	return reply, nil
}

// judge is what is known when a handshake is judged.
type judge struct {
	asked   Handshake
	epochs  wal.EpochList
	flushed wal.LSN
	standby bool // this node will learn of more epochs from its upstream
	linkAt  func(wal.LSN) (wal.Link, error)
}

// relation goes by the list of epochs first, which is never recycled, then by the record that ends
// where the replica's log does.
func (j judge) relation() (HandshakeReply, error) {
	at := j.asked.Position
	for i, e := range j.epochs {
		if e.EpochID != at.EpochID {
			continue
		}
		last := i+1 == len(j.epochs)
		if !last && at.LSN > j.epochs[i+1].Begin {
			return j.diverged(j.epochs[i+1].Begin, fmt.Sprintf(
				"epoch %s ended at %s", e.EpochID, j.epochs[i+1].Begin)), nil
		}
		if at.LSN > j.flushed {
			return HandshakeReply{Relation: RelationAhead, Message: fmt.Sprintf(
				"this node has flushed %s only", j.flushed)}, nil
		}
		return j.compare(e)
	}
	return j.unknownEpoch(), nil
}

// compare looks at the record that ends where the replica's log does. It is of an epoch both know.
func (j judge) compare(e wal.Epoch) (HandshakeReply, error) {
	at := j.asked.Position
	link, err := j.linkAt(at.LSN)
	switch {
	case errors.Is(err, wal.ErrRecycled):
		return HandshakeReply{Relation: RelationRemoved, Message: fmt.Sprintf(
			"the log from %s on is no longer kept", at.LSN)}, nil
	case errors.Is(err, wal.ErrNoRecord):
		return j.diverged(e.Begin, fmt.Sprintf("no record ends at %s", at.LSN)), nil
	case err != nil:
		return HandshakeReply{}, err
	case link.CRC != j.asked.CRC || link.EpochID != at.EpochID:
		return j.diverged(e.Begin, fmt.Sprintf("another record ends at %s", at.LSN)), nil
	}
	return HandshakeReply{Relation: RelationMatch}, nil
}

// unknownEpoch judges a replica whose last record was written in an epoch this node has not heard
// of. It may yet hear of it when it follows a node that has, or when it is a primary that has been
// deposed: then the replica is right, and waits for it to be replaced.
func (j judge) unknownEpoch() HandshakeReply {
	at, last := j.asked.Position, j.epochs.Last()
	newer := at.Timeline > last.Timeline ||
		j.standby && at.Timeline == last.Timeline && at.Counter() > last.Counter()
	if newer && at.LSN > last.Begin {
		return HandshakeReply{Relation: RelationAhead, Message: fmt.Sprintf(
			"epoch %s is not known to this node, whose newest is %s", at.EpochID, last.EpochID)}
	}
	// Epochs are counted up along a log: what both share was written before this counter.
	fork := min(at.LSN, j.flushed)
	for _, e := range j.epochs {
		if e.Counter() >= at.Counter() {
			fork = min(fork, e.Begin)
			break
		}
	}
	return j.diverged(fork, fmt.Sprintf("epoch %s is not in this node's history", at.EpochID))
}

func (j judge) diverged(fork wal.LSN, why string) HandshakeReply {
	return HandshakeReply{Relation: RelationDiverged, Fork: fork, Message: why}
}
