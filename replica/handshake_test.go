package replica

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

func epochID(timeline uint32, counter, random uint64) wal.EpochID {
	return wal.EpochID{Timeline: timeline, Epoch: counter<<32 | random}
}

// testJudge is a node with three epochs on two timelines; a record of 8 bytes with its own end as
// crc ends at every multiple of 0x10.
func testJudge(at wal.EpochID, lsn wal.LSN) judge {
	epochs := wal.EpochList{
		{EpochID: epochID(1, 1, 0xaa), Begin: 0x1000},
		{EpochID: epochID(1, 2, 0xbb), Begin: 0x2000},
		{EpochID: epochID(2, 3, 0xcc), Begin: 0x3000},
	}
	return judge{
		asked:  Handshake{Position: wal.Token{EpochID: at, LSN: lsn}, CRC: uint32(lsn)},
		epochs: epochs, flushed: 0x4000,
		linkAt: func(end wal.LSN) (wal.Link, error) {
			id := epochs[0].EpochID
			for _, e := range epochs {
				if e.Begin < end {
					id = e.EpochID
				}
			}
			switch {
			case end < 0x1800:
				return wal.Link{}, wal.ErrRecycled
			case end%16 != 0:
				return wal.Link{}, wal.ErrNoRecord
			}
			return wal.Link{End: end, CRC: uint32(end), EpochID: id}, nil
		},
	}
}

func TestHandshakeRelations(t *testing.T) {
	a, b, c := epochID(1, 1, 0xaa), epochID(1, 2, 0xbb), epochID(2, 3, 0xcc)
	for name, test := range map[string]struct {
		at   wal.EpochID
		lsn  wal.LSN
		want Relation
		fork wal.LSN
	}{
		"in the newest epoch":               {c, 0x3800, RelationMatch, 0},
		"at the end":                        {c, 0x4000, RelationMatch, 0},
		"in an older epoch":                 {b, 0x2800, RelationMatch, 0},
		"exactly where an epoch ended":      {b, 0x3000, RelationMatch, 0},
		"before a restart of the primary":   {a, 0x1f00, RelationMatch, 0},
		"the log is gone":                   {a, 0x1400, RelationRemoved, 0},
		"more than is flushed":              {c, 0x4010, RelationAhead, 0},
		"beyond the fork":                   {b, 0x3010, RelationDiverged, 0x3000},
		"beyond a restart":                  {a, 0x2010, RelationDiverged, 0x2000},
		"no record ends there":              {c, 0x3808, RelationDiverged, 0x3000},
		"another epoch of the same counter": {epochID(1, 2, 0xdd), 0x2800, RelationDiverged, 0x2000},
		"a sibling of our timeline":         {epochID(2, 3, 0xdd), 0x3800, RelationDiverged, 0x3000},
		"a later epoch than the primary's":  {epochID(2, 4, 0xdd), 0x4100, RelationDiverged, 0x4000},
		"a later timeline":                  {epochID(3, 4, 0xdd), 0x4100, RelationAhead, 0},
		"a later timeline, from long ago":   {epochID(3, 4, 0xdd), 0x2800, RelationDiverged, 0x2800},
	} {
		reply, err := testJudge(test.at, test.lsn).relation()
		require.NoError(t, err, name)
		require.Equal(t, test.want, reply.Relation, "%s: %s", name, reply.Message)
		require.Equal(t, test.fork, reply.Fork, name)
		require.Equal(t, test.want == RelationMatch, reply.Message == "", name)
	}
}

func TestHandshakeComparesTheRecord(t *testing.T) {
	j := testJudge(epochID(2, 3, 0xcc), 0x3800)
	j.asked.CRC++
	reply, err := j.relation()
	require.NoError(t, err)
	require.Equal(t, RelationDiverged, reply.Relation)
	require.Equal(t, wal.LSN(0x3000), reply.Fork)

	broken := errors.New("input/output error")
	j.linkAt = func(wal.LSN) (wal.Link, error) { return wal.Link{}, broken }
	_, err = j.relation()
	require.ErrorIs(t, err, broken, "a disk that fails is no divergence")
}

// A standby may yet hear of an epoch it does not know; a primary never will.
func TestHandshakeWithAStandbyThatLags(t *testing.T) {
	j := testJudge(epochID(2, 4, 0xdd), 0x4100)
	j.standby = true
	reply, err := j.relation()
	require.NoError(t, err)
	require.Equal(t, RelationAhead, reply.Relation)
}
