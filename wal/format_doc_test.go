package wal_test

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

const formatPage = "../docs/WAL_FORMAT.md"

// exampleLog is the beginning of the log that the page shows: what `ackdb start` and one INSERT
// write into an empty directory, with identifiers chosen to be seen.
func exampleLog() []byte {
	id := wal.EpochID{Timeline: 1, Epoch: 0x1_9f31c07b}
	records := []wal.Record{
		{Type: wal.TypeSegment, Payload: wal.AppendSegment(nil, &wal.SegmentHeader{
			Version: wal.FormatVersion, SystemID: 0x4142434445464748,
			SegmentSize: wal.SegmentSizeDefault,
		})},
		{Type: wal.TypeEpochBegin, Payload: wal.AppendBegin(nil, &wal.Begin{
			EpochID: id, Ended: wal.FirstLSN, Node: 0x0d0e0f, Time: 1_767_225_600_000_000, Clean: true,
		})},
		{Type: wal.TypeCommit, Payload: wal.AppendCommit(nil, &wal.CommitHeader{
			Time: 1_767_225_601_000_000, Level: wal.LevelOff, OpCount: 1, User: "postgres", App: "psql",
		}, wal.AppendOp(nil, wal.Op{
			Kind: wal.OpSet, Table: 300, Key: []byte("hello"), Value: []byte("world"),
		}))},
	}
	var log []byte
	before := wal.Record{End: wal.FirstLSN}
	for i := range records {
		r := &records[i]
		r.EpochID, r.LSN, r.Prev, r.PrevCRC = id, before.End, before.LSN, before.CRC
		r.Flushed = wal.FirstLSN
		if r.Type == wal.TypeCommit {
			r.Flushed = r.LSN // BeginEpoch was flushed before anything else could be appended.
		}
		log = wal.AppendRecord(log, r)
		before = *r
	}
	return log
}

// The worked example of docs/WAL_FORMAT.md is what this code writes, byte for byte.
func TestWorkedExampleOfThePage(t *testing.T) {
	page, err := os.ReadFile(formatPage)
	require.NoError(t, err)
	var shown []byte
	inside := false
	for line := range strings.Lines(string(page)) {
		switch line = strings.TrimSpace(line); {
		case line == "```hex":
			inside = true
		case line == "```":
			inside = false
		case inside:
			_, rest, _ := strings.Cut(line, ":") // offset: bytes | what they are
			bytes, _, _ := strings.Cut(rest, "|")
			b, err := hex.DecodeString(strings.ReplaceAll(bytes, " ", ""))
			require.NoError(t, err, line)
			shown = append(shown, b...)
		}
	}
	require.Equal(t, hex.Dump(exampleLog()), hex.Dump(shown))
}

// What the page says of sizes.
func TestNumbersOfThePage(t *testing.T) {
	page, err := os.ReadFile(formatPage)
	require.NoError(t, err)
	require.Contains(t, string(page), "56 bytes")
	require.Equal(t, 56, wal.HeaderSize)
	require.Equal(t, 1<<20-56, wal.MaxPayload(wal.SegmentSizeDefault))
	const size = wal.SegmentSizeDefault
	require.Equal(t, "000000010000000000000001", wal.SegmentName(1, wal.FirstLSN, size))
	require.Equal(t, "00000001000000020000000A", wal.SegmentName(1, 0x2_0ab00000, size))
}
