package wal

import (
	"fmt"
	"strconv"
	"strings"
)

// LSN is a byte position in the log. Positions are dense (W1): the difference of two of them is
// a number of bytes of log, fillers included. Zero means "none".
type LSN uint64

// FirstLSN is where a log begins when its segments are 16 MiB or smaller. Larger segments begin
// at one segment size, so that the first segment is always a whole one.
const FirstLSN LSN = 0x1000000

// String prints the position the way Postgres does, so that it can be pasted into psql.
func (l LSN) String() string {
	var buf [17]byte
	out := strconv.AppendUint(buf[:0], uint64(l)>>32, 16)
	out = append(out, '/')
	out = strconv.AppendUint(out, uint64(uint32(l)), 16)
	return strings.ToUpper(string(out))
}

// ParseLSN reads the form X/X that String prints.
func ParseLSN(s string) (LSN, error) {
	high, low, ok := strings.Cut(s, "/")
	if !ok {
		return 0, fmt.Errorf("wal: parse LSN %q: want the form X/X", s)
	}
	h, errHigh := parseHalf(high)
	l, errLow := parseHalf(low)
	if errHigh != nil || errLow != nil {
		return 0, fmt.Errorf("wal: parse LSN %q: each half is 1 to 8 hexadecimal digits", s)
	}
	return LSN(h<<32 | l), nil
}

func parseHalf(s string) (uint64, error) {
	if len(s) == 0 || len(s) > 8 || s[0] == '+' || s[0] == '-' {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseUint(s, 16, 32)
}

// EpochID names one run of one primary: the timeline it wrote on and the epoch it drew at start.
// The epoch is a counter in the high half and random bits in the low one: the counter orders the
// epochs of a log, the bits tell apart two copies of one directory that were both started.
type EpochID struct {
	Timeline uint32
	Epoch    uint64
}

// Counter is the half of the epoch that only ever grows along a log.
func (id EpochID) Counter() uint32 { return uint32(id.Epoch >> 32) }

// String prints timeline.epoch as it stands in a commit token.
func (id EpochID) String() string { return fmt.Sprintf("%d.%x", id.Timeline, id.Epoch) }

// follows reports whether a log may change from id old to id at one of the records that begin an
// epoch. Only upwards: bytes of an epoch that a cut ended must never be read again as log.
func (id EpochID) follows(old EpochID) bool {
	return id.Timeline >= old.Timeline && id.Counter() > old.Counter()
}
