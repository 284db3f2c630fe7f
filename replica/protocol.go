package replica

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"ackdb/wal"
)

// The messages of a replication stream, by their first byte. All numbers are big endian; times are
// microseconds since 2000.
//
//	'w'  start u64 | end of log u64 | time u64 | log bytes      the sender's data
//	'k'  end of log u64 | time u64 | reply u8 [| staleness u64 | heard u64]
//	                                                            the sender's keepalive
//	'r'  write u64 | flush u64 | apply u64 | time u64 | reply u8   the receiver's status
//	'h'  time u64 | xmin u32 | epoch u32 | xmin u32 | epoch u32    hot standby feedback, ignored
//
// staleness is ours, sent to replicas that shook hands: how many microseconds what the sender has
// is behind the primary, so that a replica of a replica knows how old its own data are. Its highest
// bit says hurry: commits wait for standbys here, so every advance is to be reported at once. heard
// is how many statuses had come on this stream when the rest was looked up.
const (
	KindData      = 'w'
	KindKeepalive = 'k'
	KindStatus    = 'r'
	KindFeedback  = 'h'
)

const (
	dataHeaderSize = 1 + 8 + 8 + 8
	keepaliveSize  = 1 + 8 + 8 + 1
	staleKeepSize  = keepaliveSize + 8 + 8
	statusSize     = 1 + 8 + 8 + 8 + 8 + 1
	feedbackSize   = 1 + 8 + 4*4
)

// stalenessMax is the longest a Duration can say, in microseconds.
const stalenessMax = uint64(math.MaxInt64 / int64(time.Microsecond))

// hurryBit is above every staleness there is.
const hurryBit = uint64(1) << 63

// MaxDataSize bounds the log bytes of one 'w', as Postgres bounds them.
const MaxDataSize = 128 << 10

// Data is a piece of log: bytes as they stand on the sender's disk.
type Data struct {
	Start wal.LSN
	End   wal.LSN // how far the sender's log is flushed, not where the bytes end
	Time  time.Time
	Bytes []byte // of the message
}

// Keepalive says how far the sender's log is flushed when there is nothing to send.
type Keepalive struct {
	End   wal.LSN
	Time  time.Time
	Reply bool // a Status is wanted at once

	Staled    bool          // it says what follows
	Staleness time.Duration // whole microseconds; 0 on a primary
	Hurry     bool          // reports of progress are wanted without delay
	Heard     uint64        // statuses that had come when End was read
}

// Status is what a receiver has done: each position is the end of what was written, flushed,
// applied.
type Status struct {
	Write, Flush, Apply wal.LSN
	Time                time.Time
	Reply               bool // a Keepalive is wanted at once
}

// AppendDataHeader appends everything of a 'w' before its log bytes.
func AppendDataHeader(dst []byte, start, end wal.LSN, now time.Time) []byte {
	dst = append(dst, KindData)
	dst = binary.BigEndian.AppendUint64(dst, uint64(start))
	dst = binary.BigEndian.AppendUint64(dst, uint64(end))
	return appendTime(dst, now)
}

// DecodeData reads a 'w'.
func DecodeData(msg []byte) (d Data, err error) {
	if len(msg) < dataHeaderSize || msg[0] != KindData {
		return d, badMessage(KindData, msg)
	}
	d.Start = wal.LSN(binary.BigEndian.Uint64(msg[1:]))
	d.End = wal.LSN(binary.BigEndian.Uint64(msg[9:]))
	d.Time = decodeTime(msg[17:])
	d.Bytes = msg[dataHeaderSize:]
	return d, nil
}

// AppendKeepalive appends a 'k'.
func AppendKeepalive(dst []byte, k Keepalive) []byte {
	dst = append(dst, KindKeepalive)
	dst = binary.BigEndian.AppendUint64(dst, uint64(k.End))
	dst = appendTime(dst, k.Time)
	dst = appendBool(dst, k.Reply)
	if k.Staled {
		micros := uint64(k.Staleness.Microseconds())
		if k.Hurry {
			micros |= hurryBit
		}
		dst = binary.BigEndian.AppendUint64(dst, micros)
		dst = binary.BigEndian.AppendUint64(dst, k.Heard)
	}
	return dst
}

// DecodeKeepalive reads a 'k'.
func DecodeKeepalive(msg []byte) (k Keepalive, err error) {
	if len(msg) != keepaliveSize && len(msg) != staleKeepSize || msg[0] != KindKeepalive {
		return k, badMessage(KindKeepalive, msg)
	}
	if k.Staled = len(msg) == staleKeepSize; k.Staled {
		micros := binary.BigEndian.Uint64(msg[keepaliveSize:])
		k.Hurry = micros&hurryBit != 0
		k.Staleness = time.Duration(min(micros&^hurryBit, stalenessMax)) * time.Microsecond
		k.Heard = binary.BigEndian.Uint64(msg[keepaliveSize+8:])
	}
	k.End = wal.LSN(binary.BigEndian.Uint64(msg[1:]))
	k.Time = decodeTime(msg[9:])
	k.Reply = msg[17] != 0
	return k, nil
}

// AppendStatus appends an 'r'.
func AppendStatus(dst []byte, s Status) []byte {
	dst = append(dst, KindStatus)
	dst = binary.BigEndian.AppendUint64(dst, uint64(s.Write))
	dst = binary.BigEndian.AppendUint64(dst, uint64(s.Flush))
	dst = binary.BigEndian.AppendUint64(dst, uint64(s.Apply))
	dst = appendTime(dst, s.Time)
	return appendBool(dst, s.Reply)
}

// DecodeStatus reads an 'r'.
func DecodeStatus(msg []byte) (s Status, err error) {
	if len(msg) != statusSize || msg[0] != KindStatus {
		return s, badMessage(KindStatus, msg)
	}
	s.Write = wal.LSN(binary.BigEndian.Uint64(msg[1:]))
	s.Flush = wal.LSN(binary.BigEndian.Uint64(msg[9:]))
	s.Apply = wal.LSN(binary.BigEndian.Uint64(msg[17:]))
	s.Time = decodeTime(msg[25:])
	s.Reply = msg[33] != 0
	return s, nil
}

// CheckFeedback says whether msg is a well formed 'h'. What it asks for, that old rows be kept, is
// not needed here: no read of a standby is ever cancelled by replay.
func CheckFeedback(msg []byte) error {
	if len(msg) != feedbackSize || msg[0] != KindFeedback {
		return badMessage(KindFeedback, msg)
	}
	return nil
}

func badMessage(want byte, msg []byte) error {
	if len(msg) == 0 {
		return fmt.Errorf("%w: empty, a %q was due", ErrProtocol, want)
	}
	return fmt.Errorf("%w: %q of %d bytes, a %q was due", ErrProtocol, msg[0], len(msg), want)
}

// pgEpochMicros is 2000-01-01 in microseconds since 1970.
const pgEpochMicros = 946684800 * 1_000_000

func appendTime(dst []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(t.UnixMicro()-pgEpochMicros))
}

func decodeTime(src []byte) time.Time {
	return time.UnixMicro(int64(binary.BigEndian.Uint64(src)) + pgEpochMicros)
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
}
