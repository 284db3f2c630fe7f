package replica

import (
	"fmt"
	"strconv"

	"ackdb/wal"
)

// HandshakeVersion is the version of the handshake this node speaks.
const HandshakeVersion = 1

// Handshake is what a replica says of itself before it asks for log: who it is and how its log ends.
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
