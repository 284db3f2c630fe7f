package wal

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Each fuzzer holds a decoder to two things: it does not panic on any bytes, and what it takes it
// would have written.

func FuzzRecord(f *testing.F) {
	for _, r := range sample() {
		f.Add(AppendRecord(nil, &r), uint64(r.LSN))
	}
	f.Fuzz(func(t *testing.T, b []byte, pos uint64) {
		if len(b) < HeaderSize {
			return
		}
		// The crc is made to match, or nothing behind it would ever be reached.
		for _, b := range [][]byte{b, reseal(b)} {
			r, err := reread(b, LSN(pos), int64(len(b))&^7)
			if err != nil {
				continue
			}
			fuzzPayload(t, &r)
			again := r
			if r.Type == TypeNoop {
				b = b[:HeaderSize]
			} else {
				b = b[:r.size()]
			}
			require.Equal(t, b, AppendRecord(nil, &again))
			require.Equal(t, r, again)
		}
	})
}

// fuzzPayload decodes the payload by the record's type.
func fuzzPayload(t *testing.T, r *Record) {
	switch r.Type {
	case TypeCommit:
		h, ops, err := DecodeCommit(r.Payload)
		if err == nil {
			require.Equal(t, r.Payload, AppendCommit(nil, &h, ops))
		}
		for err == nil && len(ops) > 0 {
			_, ops, err = DecodeOp(ops)
		}
	case TypeData:
		if h, piece, err := DecodeData(r); err == nil && h.Piece > 0 {
			require.Equal(t, r.Payload, AppendData(nil, h, piece))
		}
	case TypeAbort:
		if first, err := DecodeAbort(r.Payload); err == nil {
			require.Equal(t, r.Payload, AppendAbort(nil, first))
		}
	case TypeEpochBegin, TypeTimelineBegin:
		if b, err := DecodeBegin(r.Payload); err == nil {
			require.Equal(t, r.Payload, AppendBegin(nil, &b))
		}
	case TypeSegment:
		_, _ = DecodeSegment(r.Payload)
	}
}

func FuzzSegmentRecord(f *testing.F) {
	f.Add(AppendSegment(nil, &SegmentHeader{Version: 1, SystemID: 2, SegmentSize: 1 << 20}))
	f.Add(AppendSegment(nil, &SegmentHeader{Version: 2}))
	f.Add([]byte("ackdbLOG"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := DecodeSegment(b); err == nil {
			require.Equal(t, b, AppendSegment(nil, &h))
		}
	})
}

func FuzzControl(f *testing.F) {
	f.Add(encodeControl(&Control{SegmentSize: 1 << 20}, 1))
	f.Add(encodeControl(&Control{
		SegmentSize: 1 << 30, Clean: true, PrimaryConn: "host=a", Cut: Cut{1, FirstLSN},
	}, 1<<63))
	f.Add([]byte("ackCTROL"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, sealed(b)} {
			c, seq, err := decodeControl(b)
			if err != nil {
				continue
			}
			again, seqAgain, err := decodeControl(encodeControl(&c, seq))
			require.NoError(t, err)
			require.Equal(t, c, again)
			require.Equal(t, seq, seqAgain)
		}
	})
}

func FuzzEpochs(f *testing.F) {
	f.Add(EncodeEpochs(nil))
	f.Add(EncodeEpochs(EpochList{{EpochID: testEpoch, Begin: FirstLSN, Node: 1}}))
	f.Add([]byte("ackEPOCH"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, sealed(b)} {
			list, err := decodeEpochs(b)
			if err != nil {
				continue
			}
			require.Equal(t, b, EncodeEpochs(list))
			for _, e := range list {
				token := Token{EpochID: e.EpochID, LSN: e.Begin + 1}
				list.Judge(token, e.Begin)
			}
		}
	})
}

// sealed makes the crc of a control block or of a list of epochs match.
func sealed(b []byte) []byte {
	if len(b) < 12 {
		return b
	}
	return append(b[:8:8], reseal(b[8:])...)
}

func FuzzNames(f *testing.F) {
	f.Add("000000010000000000000001", "0/1000000", "1.2a9f31c07b/0/16B3748", uint8(4))
	f.Fuzz(func(t *testing.T, name, lsn, token string, shift uint8) {
		size := int64(SegmentSizeMin) << (shift % 11)
		if timeline, start, ok := ParseSegmentName(name, size); ok {
			require.Equal(t, name, SegmentName(timeline, start, size))
			require.Equal(t, start, segmentStart(start, size))
		}
		if l, err := ParseLSN(lsn); err == nil {
			again, err := ParseLSN(l.String())
			require.NoError(t, err)
			require.Equal(t, l, again)
		}
		if k, err := ParseToken(token); err == nil {
			again, err := ParseToken(k.String())
			require.NoError(t, err)
			require.Equal(t, k, again)
		}
	})
}
