package wal

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestJudge(t *testing.T) {
	// Two starts, a promotion at 300 by another node, and a start of that one.
	e1, e2 := EpochID{1, 1<<32 | 7}, EpochID{1, 2<<32 | 7}
	e3, e4 := EpochID{2, 3<<32 | 7}, EpochID{2, 4<<32 | 7}
	list := EpochList{{e1, 100, 1}, {e2, 200, 1}, {e3, 300, 2}, {e4, 400, 2}}
	const flushed = 500
	for _, c := range []struct {
		why  string
		id   EpochID
		lsn  LSN
		want Status
	}{
		{"in the middle of an ended epoch", e1, 150, StatusDurable},
		{"the last commit of an epoch", e1, 200, StatusDurable},
		{"beyond the end of its epoch", e1, 208, StatusLost},
		{"the same position, a later epoch", e2, 208, StatusDurable},
		{"beyond the fork", e2, 308, StatusLost},
		{"at the fork", e2, 300, StatusDurable},
		{"below the begin of its epoch", e3, 300, StatusUnknown},
		{"flushed", e4, 500, StatusDurable},
		{"not flushed yet", e4, 508, StatusUnknown},
		{"the old primary went on and restarted", EpochID{1, 9<<32 | 1}, 350, StatusLost},
		{"a twin of an epoch", EpochID{2, 4<<32 | 8}, 450, StatusLost},
		{"an epoch whose begin was never flushed", EpochID{2, 3<<32 | 8}, 350, StatusLost},
		{"an epoch still to come here", EpochID{2, 5<<32 | 1}, 600, StatusUnknown},
		{"a promotion not heard of", EpochID{3, 6<<32 | 1}, 450, StatusUnknown},
		{"a promotion elsewhere, before our last start", EpochID{3, 4<<32 | 1}, 350, StatusUnknown},
	} {
		require.Equal(t, c.want, list.Judge(Token{c.id, c.lsn}, flushed), c.why)
	}
	require.Equal(t, StatusUnknown, EpochList(nil).Judge(Token{e1, 150}, flushed))
}

func TestEpochListBeforeACut(t *testing.T) {
	list := EpochList{{epoch(1), 100, 1}, {epoch(2), 200, 1}, {epoch(3), 300, 1}}
	require.Len(t, list.Before(301), 3)
	require.Len(t, list.Before(300), 2)
	require.Len(t, list.Before(201), 2)
	require.Empty(t, list.Before(100))
	// What is appended behind a cut does not write into the list it was cut from.
	again := list.Before(300).with(Epoch{epoch(9), 250, 1})
	require.Equal(t, epoch(3), list[2].EpochID)
	require.Equal(t, epoch(9), again[2].EpochID)
}

func TestTimelineOfSegments(t *testing.T) {
	list := EpochList{{EpochID{1, 1 << 32}, 100, 1}, {EpochID{2, 2 << 32}, 250, 2}}
	require.EqualValues(t, 1, EpochList(nil).timelineOf(100))
	require.EqualValues(t, 1, list.timelineOf(250))
	require.EqualValues(t, 2, list.timelineOf(300), "the fork's segment has the new timeline's name")
	require.EqualValues(t, 2, list.timelineOf(900))
}

func TestEpochFileRefusesWhatDoesNotFollow(t *testing.T) {
	for _, list := range []EpochList{
		{{epoch(2), 100, 1}, {epoch(1), 200, 1}},
		{{epoch(1), 200, 1}, {epoch(2), 100, 1}},
		{{EpochID{2, 1 << 32}, 100, 1}, {EpochID{1, 2 << 32}, 200, 1}},
	} {
		_, err := decodeEpochs(EncodeEpochs(list))
		require.ErrorContains(t, err, "does not follow")
	}
}
