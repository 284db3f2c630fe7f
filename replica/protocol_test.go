package replica

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

var messageTime = time.UnixMicro(pgEpochMicros + 0x0102030405060708)

// The bytes of every message: they are a contract with Postgres' tools.
func TestMessageBytes(t *testing.T) {
	require.Equal(t, "w"+
		"\x00\x00\x00\x00\x01\x00\x00\x00"+"\x00\x00\x00\x02\x00\x00\x00\x10"+
		"\x01\x02\x03\x04\x05\x06\x07\x08",
		string(AppendDataHeader(nil, 0x1000000, 0x200000010, messageTime)))
	require.Equal(t, "k"+"\x00\x00\x00\x02\x00\x00\x00\x10"+"\x01\x02\x03\x04\x05\x06\x07\x08"+"\x01",
		string(AppendKeepalive(nil, Keepalive{End: 0x200000010, Time: messageTime, Reply: true})))
	require.Equal(t, "k"+"\x00\x00\x00\x02\x00\x00\x00\x10"+"\x01\x02\x03\x04\x05\x06\x07\x08"+"\x00"+
		"\x00\x00\x00\x00\x00\x0f\x42\x40"+"\x00\x00\x00\x00\x00\x00\x00\x07",
		string(AppendKeepalive(nil, Keepalive{
			End: 0x200000010, Time: messageTime, Staled: true, Staleness: time.Second, Heard: 7,
		})))
	require.Equal(t, "r"+"\x00\x00\x00\x00\x00\x00\x00\x03"+"\x00\x00\x00\x00\x00\x00\x00\x02"+
		"\x00\x00\x00\x00\x00\x00\x00\x01"+"\x01\x02\x03\x04\x05\x06\x07\x08"+"\x01",
		string(AppendStatus(nil, Status{Write: 3, Flush: 2, Apply: 1, Time: messageTime, Reply: true})))
}

func TestMessagesOfTheWrongSize(t *testing.T) {
	for _, msg := range [][]byte{nil, {'w'}, {'k'}, {'r'}, {'h'}, make([]byte, 34), make([]byte, 18)} {
		_, err := DecodeData(msg)
		require.ErrorIs(t, err, ErrProtocol)
		_, err = DecodeKeepalive(msg)
		require.ErrorIs(t, err, ErrProtocol)
		_, err = DecodeStatus(msg)
		require.ErrorIs(t, err, ErrProtocol)
		require.ErrorIs(t, CheckFeedback(msg), ErrProtocol)
	}
	require.NoError(t, CheckFeedback(append([]byte{'h'}, make([]byte, 24)...)))
}

// What decodes encodes to the same bytes, but for reply bytes other than 0 and 1 and a staleness
// longer than a Duration.
func FuzzDecodeMessage(f *testing.F) {
	f.Add(AppendKeepalive(nil, Keepalive{End: 7, Time: messageTime}))
	f.Add(AppendKeepalive(nil, Keepalive{Time: messageTime, Staled: true, Staleness: time.Hour}))
	f.Add(AppendStatus(nil, Status{Write: 3, Flush: 2, Apply: 1, Time: messageTime, Reply: true}))
	f.Add(append(AppendDataHeader(nil, 1, 2, messageTime), "log"...))
	f.Add(append([]byte{'h'}, make([]byte, 24)...))
	f.Fuzz(func(t *testing.T, msg []byte) {
		if d, err := DecodeData(msg); err == nil {
			again := append(AppendDataHeader(nil, d.Start, d.End, d.Time), d.Bytes...)
			require.Equal(t, msg, again)
		}
		if k, err := DecodeKeepalive(msg); err == nil {
			again, err := DecodeKeepalive(AppendKeepalive(nil, k))
			require.NoError(t, err)
			require.Equal(t, k, again)
		}
		if s, err := DecodeStatus(msg); err == nil {
			again, err := DecodeStatus(AppendStatus(nil, s))
			require.NoError(t, err)
			require.Equal(t, s, again)
		}
		_ = CheckFeedback(msg)
	})
}

func TestHandshakeReplyRow(t *testing.T) {
	reply := HandshakeReply{
		Node: 0xabc, EpochID: wal.EpochID{Timeline: 3, Epoch: 0x100000007}, Flushed: 0x2000010,
		Relation: RelationDiverged, Fork: 0x1000000, Message: "why",
	}
	require.Equal(t, []string{
		"0000000000000abc", "3", "100000007", "0/2000010", "diverged", "0/1000000", "why",
	}, reply.Row())
	again, err := ParseHandshakeReply(reply.Row())
	require.NoError(t, err)
	require.Equal(t, reply, again)
	require.Len(t, HandshakeColumns(), len(reply.Row()))
}

func TestHandshakeReplyRefuses(t *testing.T) {
	good := HandshakeReply{Relation: RelationMatch}.Row()
	for i := range good[:6] {
		bad := append([]string(nil), good...)
		bad[i] = "?"
		_, err := ParseHandshakeReply(bad)
		require.ErrorIs(t, err, ErrProtocol, HandshakeColumns()[i])
	}
	_, err := ParseHandshakeReply(good[:3])
	require.ErrorIs(t, err, ErrProtocol)
}
