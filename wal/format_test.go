package wal

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what the golden tests see into testdata")

// golden compares got with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "the format changed; -update if it was meant to")
}

var testEpoch = EpochID{Timeline: 1, Epoch: 0x2a_9f31c07b}

// sample is a log of one record of every type, chained, without the segment's filler body.
func sample() []Record {
	commit := AppendCommit(nil, &CommitHeader{
		Time: 1_700_000_000_000_001, Level: LevelLocal, FirstData: 0x1000058, OpCount: 3,
		User: "postgres", App: "psql",
	}, AppendOp(AppendOp(AppendOp(nil,
		Op{Kind: OpSet, Table: 300, Key: []byte("key"), Value: []byte("value")}),
		Op{Kind: OpDelete, Table: 1, Key: []byte("gone")}),
		Op{Kind: OpDeleteRange, Table: 2, Key: []byte("a"), Value: []byte("b")}))
	begin := Begin{
		EpochID: testEpoch, Previous: EpochID{Timeline: 1, Epoch: 0x29_00000001},
		Ended: 0x1000000, Node: 0xfeed, Time: 5, Clean: true,
	}
	fork := begin
	fork.Reason = "promoted by an operator"
	records := []Record{
		{Type: TypeSegment, Payload: AppendSegment(nil, &SegmentHeader{
			Version: FormatVersion, SystemID: 0x1122334455667788, SegmentSize: 16 << 20})},
		{Type: TypeEpochBegin, Payload: AppendBegin(nil, &begin)},
		{Type: TypeData, Payload: AppendData(nil, DataHeader{}, []byte("piece"))},
		{Type: TypeData, Payload: AppendData(nil, DataHeader{First: 7, Piece: 1}, []byte("next"))},
		{Type: TypeAbort, Payload: AppendAbort(nil, 0x1000058)},
		{Type: TypeCommit, Payload: commit},
		{Type: TypeTimelineBegin, Payload: AppendBegin(nil, &fork)},
		{Type: TypeNoop, Length: 4096},
	}
	at := link{end: FirstLSN}
	for i := range records {
		r := &records[i]
		r.LSN, r.Prev, r.PrevCRC, r.EpochID, r.Flushed = at.end, at.lsn, at.crc, testEpoch, at.lsn
		AppendRecord(nil, r)
		at = link{end: r.End, lsn: r.LSN, crc: r.CRC}
	}
	return records
}

func TestGoldenRecords(t *testing.T) {
	var out strings.Builder
	out.WriteString("One record of every type, as they stand one behind the other in a log.\n")
	for _, r := range sample() {
		fmt.Fprintf(&out, "\n%s at %s\n%s", r.Type, r.LSN, hex.Dump(AppendRecord(nil, &r)))
	}
	golden(t, "records.golden", out.String())
}

func TestGoldenFiles(t *testing.T) {
	control := Control{
		SystemID: 1, NodeID: 2, SegmentSize: 16 << 20, Role: RoleStandby, Clean: true,
		EpochID: testEpoch, Flushed: 3, Applied: 4, Redo: 5, Cut: Cut{Timeline: 6, At: 7},
		BackupStart: 8, BackupEnd: 9, PrimaryConn: "host=a port=5433", Time: 10,
	}
	list := EpochList{{EpochID: EpochID{1, 1 << 32}, Begin: FirstLSN, Node: 2},
		{EpochID: testEpoch, Begin: 0x1000100, Node: 2}}
	block := encodeControl(&control, 11)
	require.True(t, allZero(block[192:]))
	golden(t, "files.golden", fmt.Sprintf(
		"A copy of control, but for 3904 zeros at its end, and a list of two epochs.\n\n"+
			"control\n%s\nepochs\n%s", hex.Dump(block[:192]), hex.Dump(EncodeEpochs(list))))

	got, seq, err := decodeControl(block)
	require.NoError(t, err)
	require.Equal(t, control, got)
	require.EqualValues(t, 11, seq)
	gotList, err := decodeEpochs(EncodeEpochs(list))
	require.NoError(t, err)
	require.Equal(t, list, gotList)
}

// reread decodes and verifies the record at the front of b.
func reread(b []byte, pos LSN, room int64) (Record, error) {
	r, err := checkHeader(b, pos, room)
	if err != nil {
		return r, err
	}
	if r.Type == TypeNoop {
		return r, checkRecord(b[:HeaderSize], &r)
	}
	if r.size() > int64(len(b)) {
		return r, badFrame("cut short")
	}
	return r, checkRecord(b[:r.size()], &r)
}

func TestRecordsReadBack(t *testing.T) {
	c := wholeChain(16 << 20)
	c.id = EpochID{Timeline: 1, Epoch: 0x29_00000001}
	for _, want := range sample()[:6] {
		b := AppendRecord(nil, &want)
		require.Zero(t, len(b)%recordAlign)
		got, err := reread(b, want.LSN, 1<<20)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.NoError(t, c.accept(&got), want.Type)
	}
}

// A flip of any bit of any record is seen, in header, payload and padding alike.
func TestEveryBitOfARecordCounts(t *testing.T) {
	for _, r := range sample() {
		b := AppendRecord(nil, &r)
		for i := range len(b) * 8 {
			b[i/8] ^= 1 << (i % 8)
			_, err := reread(b, r.LSN, 1<<20)
			var bad *frameError
			require.ErrorAs(t, err, &bad, "%s bit %d", r.Type, i)
			b[i/8] ^= 1 << (i % 8)
		}
	}
}

// reseal makes a record whose header was changed by hand valid again.
func reseal(b []byte) []byte {
	crc := crc32.Checksum(b[4:], castagnoli)
	return append([]byte{byte(crc), byte(crc >> 8), byte(crc >> 16), byte(crc >> 24)}, b[4:]...)
}

func TestLaterVersionsAreNotCalledCorrupt(t *testing.T) {
	r := sample()[5]
	for _, at := range []int{48, 49, 50, 55} {
		b := AppendRecord(nil, &r)
		b[at] = 0x77
		_, err := reread(reseal(b), r.LSN, 1<<20)
		var unsupported *UnsupportedError
		require.ErrorAs(t, err, &unsupported, "byte %d", at)
	}
	header := AppendSegment(nil, &SegmentHeader{Version: FormatVersion + 1, SegmentSize: 1 << 20})
	_, err := DecodeSegment(header)
	require.ErrorContains(t, err, "log format version 2")
	block := encodeControl(&Control{SegmentSize: 1 << 20}, 1)
	block[12] = 9
	_, _, err = decodeControl(append(append(block[:8:8], reseal(block[8:])[:4]...), block[12:]...))
	require.ErrorContains(t, err, "control version 9")
	list := EncodeEpochs(nil)
	list[12] = 9
	_, err = decodeEpochs(append(append(list[:8:8], reseal(list[8:])[:4]...), list[12:]...))
	require.ErrorContains(t, err, "epochs version 9")
}

func TestCommitNamesAreCut(t *testing.T) {
	long := strings.Repeat("ä", 40) // 80 bytes; the 64th is the first of a character
	b := AppendCommit(nil, &CommitHeader{User: long, App: strings.Repeat("x", 70)}, nil)
	h, ops, err := DecodeCommit(b)
	require.NoError(t, err)
	require.Empty(t, ops)
	require.Equal(t, strings.Repeat("ä", 31), h.User)
	require.Len(t, h.App, NameSizeMax)
}

func TestOpsAcrossPieces(t *testing.T) {
	ops := []Op{
		{Kind: OpSet, Table: 1 << 31, Key: []byte("k"), Value: bytes.Repeat([]byte("v"), 300)},
		{Kind: OpDelete, Table: 7, Key: []byte{}},
		{Kind: OpDeleteRange, Table: 7, Key: []byte("a"), Value: []byte("z")},
	}
	var stream []byte
	for _, op := range ops {
		stream = AppendOp(stream, op)
	}
	for cut := range stream {
		var got []Op
		rest := stream[:cut]
		for len(rest) > 0 {
			op, next, err := DecodeOp(rest)
			if err != nil {
				require.ErrorIs(t, err, ErrOpIncomplete)
				break
			}
			got, rest = append(got, op), next
		}
		require.Less(t, len(got), len(ops))
		for i, op := range got {
			require.Equal(t, ops[i], op)
		}
	}
}

func TestOpErrors(t *testing.T) {
	_, _, err := DecodeOp([]byte{9, 0, 0})
	var unsupported *UnsupportedError
	require.ErrorAs(t, err, &unsupported)
	for _, b := range [][]byte{
		append([]byte{1}, bytes.Repeat([]byte{0xff}, 11)...),        // table too long
		{1, 0xff, 0xff, 0xff, 0xff, 0x7f},                           // table above 32 bits
		{1, 1, 0xff, 0xff, 0xff, 0xff, 0x7f},                        // key too long
		append([]byte{1, 1}, bytes.Repeat([]byte{0xff}, 11)...),     // length too long
		append([]byte{1, 1, 0}, bytes.Repeat([]byte{0xff}, 11)...),  // same of a value
		append([]byte{3, 1, 0}, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), // value too long
	} {
		_, _, err := DecodeOp(b)
		require.ErrorIs(t, err, errPayload, "%x", b)
		require.False(t, errors.Is(err, ErrOpIncomplete))
	}
}

func TestDataPieces(t *testing.T) {
	r := Record{LSN: 0x2000, Payload: AppendData(nil, DataHeader{First: 99}, []byte("x"))}
	_, _, err := DecodeData(&r)
	require.ErrorIs(t, err, errPayload, "piece 0 names another first")
	r.Payload = AppendData(nil, DataHeader{}, []byte("x"))
	h, piece, err := DecodeData(&r)
	require.NoError(t, err)
	require.Equal(t, DataHeader{First: 0x2000}, h)
	require.Equal(t, "x", string(piece))
	r.Payload = AppendData(nil, DataHeader{Piece: 3}, nil)
	_, _, err = DecodeData(&r)
	require.ErrorIs(t, err, errPayload, "piece 3 names no first")
}

func TestLSNText(t *testing.T) {
	for text, lsn := range map[string]LSN{
		"0/0": 0, "0/1000000": FirstLSN, "16/B374D848": 0x16_b374d848, "FFFFFFFF/FFFFFFFF": 1<<64 - 1,
	} {
		require.Equal(t, text, lsn.String())
		got, err := ParseLSN(strings.ToLower(text))
		require.NoError(t, err)
		require.Equal(t, lsn, got)
	}
	for _, bad := range []string{
		"", "/", "1", "0/", "/0", "0/1/2", "0/123456789", "x/1", "-1/0", "0/+1",
	} {
		_, err := ParseLSN(bad)
		require.Error(t, err, bad)
	}
}

func TestTokenText(t *testing.T) {
	token := Token{EpochID: testEpoch, LSN: 0x16B3748}
	require.Equal(t, "1.2a9f31c07b/0/16B3748", token.String())
	got, err := ParseToken(token.String())
	require.NoError(t, err)
	require.Equal(t, token, got)
	for _, bad := range []string{
		"", "0/1", "1/0/1", "1./0/1", ".1/0/1", "1.x/0/1", "1.1/0", "-1.1/0/1",
	} {
		_, err := ParseToken(bad)
		require.Error(t, err, bad)
	}
}
