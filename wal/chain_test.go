package wal

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const testSegmentSize = SegmentSizeMin

// logger builds a log in memory, record by record, and follows it with a chain.
type logger struct {
	t     *testing.T
	id    EpochID
	at    link
	chain chain
}

func newLogger(t *testing.T) *logger {
	l := &logger{t: t, chain: wholeChain(testSegmentSize)}
	l.at.end = FirstLSN
	return l
}

// next makes the record that an honest leader would append.
func (l *logger) next(kind RecordType) Record {
	r := Record{
		Type: kind, LSN: l.at.end, Prev: l.at.lsn, PrevCRC: l.at.crc, EpochID: l.id,
	}
	switch kind {
	case TypeNoop:
		r.Length = uint32(segmentEnd(r.LSN, testSegmentSize) - r.LSN)
	case TypeSegment:
		r.Payload = AppendSegment(nil, &SegmentHeader{
			Version: FormatVersion, SegmentSize: testSegmentSize,
		})
	case TypeEpochBegin, TypeTimelineBegin:
		base := l.chain.tail()
		r.Payload = AppendBegin(nil, &Begin{EpochID: l.id, Previous: base.id, Ended: base.end})
	default:
		r.Payload = []byte(kind.String())
	}
	return r
}

// take seals r and gives it to the chain.
func (l *logger) take(r Record) error {
	AppendRecord(nil, &r)
	err := l.chain.accept(&r)
	if err == nil {
		l.at = link{end: r.End, lsn: r.LSN, crc: r.CRC}
	}
	return err
}

func (l *logger) add(kinds ...RecordType) {
	l.t.Helper()
	for _, kind := range kinds {
		require.NoError(l.t, l.take(l.next(kind)), kind)
	}
}

func (l *logger) refuse(r Record, why string) {
	l.t.Helper()
	var bad *frameError
	before := l.chain
	err := l.take(r)
	require.ErrorAs(l.t, err, &bad)
	require.ErrorContains(l.t, err, why)
	require.Equal(l.t, before.link, l.chain.link, "a refused record leaves no trace")
	l.chain = before
}

func epoch(counter uint64) EpochID { return EpochID{Timeline: 1, Epoch: counter << 32} }

func TestChainFollowsEpochs(t *testing.T) {
	l := newLogger(t)
	l.id = epoch(1)
	l.add(TypeSegment)
	require.Equal(t, FirstLSN, l.chain.tail().end, "a segment record alone is no log")
	l.add(TypeEpochBegin, TypeCommit, TypeData, TypeAbort)

	l.id = epoch(2)
	l.add(TypeEpochBegin, TypeCommit)
	ended := l.at.end
	l.id = epoch(3)
	l.add(TypeNoop, TypeSegment)
	require.Equal(t, ended, l.chain.tail().end)
	require.Equal(t, epoch(2), l.chain.tail().id)
	l.add(TypeEpochBegin, TypeCommit)
	require.Equal(t, l.at.end, l.chain.tail().end)

	// A switch of segments within an epoch leads nowhere.
	l.add(TypeNoop, TypeSegment)
	require.Equal(t, l.at.end, l.chain.tail().end)
	l.add(TypeCommit)

	l.id = EpochID{Timeline: 2, Epoch: 4 << 32}
	l.add(TypeTimelineBegin, TypeCommit)
}

func TestChainRefusesEpochs(t *testing.T) {
	l := newLogger(t)
	l.id = epoch(5)
	l.add(TypeSegment)
	l.refuse(l.next(TypeCommit), "has not begun")
	l.add(TypeEpochBegin, TypeCommit)
	l.refuse(l.next(TypeEpochBegin), "it should end")

	stale := func(id EpochID, kind RecordType, why string) {
		t.Helper()
		l.id = id
		l.refuse(l.next(kind), why)
		l.id = epoch(5)
	}
	stale(epoch(4), TypeCommit, "changes from")
	stale(epoch(4), TypeEpochBegin, "changes from")
	stale(epoch(6), TypeCommit, "at a commit record")
	stale(EpochID{1, 5<<32 | 1}, TypeEpochBegin, "changes from") // a twin: same count, other bits
	stale(EpochID{0, 9 << 32}, TypeEpochBegin, "changes from")   // a lower timeline
	stale(EpochID{2, 5 << 32}, TypeTimelineBegin, "changes from")

	l.id = epoch(6)
	wrong := l.next(TypeEpochBegin)
	wrong.Payload = AppendBegin(nil, &Begin{
		EpochID: epoch(6), Previous: epoch(5), Ended: l.at.end - 8,
	})
	l.refuse(wrong, "says")
	wrong.Payload = AppendBegin(nil, &Begin{
		EpochID: epoch(6), Previous: epoch(3), Ended: l.at.end,
	})
	l.refuse(wrong, "says")
	wrong.Payload = AppendBegin(nil, &Begin{
		EpochID: epoch(7), Previous: epoch(5), Ended: l.at.end,
	})
	l.refuse(wrong, "says")

	l.add(TypeNoop)
	l.id = epoch(7)
	l.refuse(l.next(TypeSegment), "changes from")
	l.id = epoch(6)
	l.add(TypeSegment)
	l.refuse(l.next(TypeCommit), "has not begun")
	l.add(TypeEpochBegin)
}

func TestChainRefusesPlaces(t *testing.T) {
	l := newLogger(t)
	l.id = epoch(1)
	l.refuse(l.next(TypeEpochBegin), "stands first in a segment")
	l.add(TypeSegment, TypeEpochBegin)
	l.refuse(l.next(TypeSegment), "stands first in a segment")
	short := l.next(TypeNoop)
	short.Length -= 64
	l.refuse(short, "before its segment does")

	broken := l.next(TypeCommit)
	broken.Prev -= 8
	l.refuse(broken, "chain broken")
	broken = l.next(TypeCommit)
	broken.PrevCRC++
	l.refuse(broken, "chain broken")
	l.add(TypeCommit)
}

// Reading may start inside a log, at a segment whose first record leads to a new epoch or at one
// where nothing begins: the reader cannot know which before it has read on.
func TestChainFromTheMiddle(t *testing.T) {
	whole := newLogger(t)
	whole.id = epoch(1)
	whole.add(TypeSegment, TypeEpochBegin, TypeCommit, TypeNoop)
	from := *whole

	for _, counter := range []uint64{1, 2} {
		l := from
		l.id = epoch(counter)
		kinds := []RecordType{TypeSegment, TypeCommit}
		if counter == 2 {
			kinds = []RecordType{TypeSegment, TypeEpochBegin, TypeCommit}
		}
		middle := l
		middle.chain = chainFrom(testSegmentSize, l.at.end)
		for _, kind := range kinds {
			r := l.next(kind)
			require.NoError(t, l.take(r))
			require.NoError(t, middle.take(r), "epoch %d %s", counter, kind)
		}
		require.Equal(t, l.chain.tail(), middle.chain.tail())
		middle.refuse(middle.next(TypeEpochBegin), "it should end")
	}
}

func TestSegmentNames(t *testing.T) {
	for _, c := range []struct {
		timeline uint32
		pos      LSN
		size     int64
		name     string
	}{
		{1, FirstLSN, 16 << 20, "000000010000000000000001"},
		{1, FirstLSN, 1 << 20, "000000010000000000000010"},
		{0xABC, 0x2_0AB00000, 16 << 20, "00000ABC000000020000000A"},
		{1, 0xFFFFFFFF, 16 << 20, "0000000100000000000000FF"},
		{1, 1 << 32, 16 << 20, "000000010000000100000000"},
		{1, 3 << 30, 1 << 30, "000000010000000000000003"},
	} {
		require.Equal(t, c.name, SegmentName(c.timeline, c.pos, c.size))
		timeline, start, ok := ParseSegmentName(c.name, c.size)
		require.True(t, ok)
		require.Equal(t, c.timeline, timeline)
		require.Equal(t, segmentStart(c.pos, c.size), start)
	}
	for _, bad := range []string{
		"", "00000001000000000000000", "0000000100000000000000FG", "000000010000000000000100",
		"00000001000000000000000a", "prepared-1.tmp",
	} {
		_, _, ok := ParseSegmentName(bad, 16<<20)
		require.False(t, ok, bad)
	}
	require.Equal(t, FirstLSN, firstLSN(1<<20))
	require.Equal(t, LSN(1<<30), firstLSN(1<<30))
}
