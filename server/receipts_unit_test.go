package server

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/engine"
	"ackdb/wal"
)

// TestTokenText: the text a client is sent is the one that the log's own parser reads.
func TestTokenText(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var text []byte
	for range 1000 {
		token := wal.Token{LSN: wal.LSN(rng.Uint64() >> rng.IntN(64)),
			EpochID: wal.EpochID{Timeline: rng.Uint32(), Epoch: rng.Uint64() >> rng.IntN(64)}}
		text = appendToken(text[:0], token)
		require.Equal(t, token.String(), string(text))
		read, err := parseReceipt(string(text))
		require.NoError(t, err)
		require.Equal(t, receiptText{Token: token}, read)
	}
	require.Zero(t, testing.AllocsPerRun(100, func() { text = appendToken(text[:0], wal.Token{}) }))
}

// TestLossLimitText: what SHOW prints is read as the same limit.
func TestLossLimitText(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		limit := engine.LossLimit{Age: time.Duration(rng.Int64N(1e9)+1) * time.Microsecond,
			Bytes: rng.Int64N(lossLimitMax) + 1}
		switch rng.IntN(3) {
		case 0:
			limit.Age = 0
		case 1:
			limit.Bytes = 0
		}
		read, ok := parseLossLimit(formatLossLimit(limit))
		require.True(t, ok, formatLossLimit(limit))
		require.Equal(t, limit, read)
	}
	off, ok := parseLossLimit(" OFF ")
	require.True(t, ok)
	require.Zero(t, off)
	require.Equal(t, "off", formatLossLimit(off))
}

// TestOutboxFolds: with few and with many, and again after a rollback to a savepoint, of equal
// notifications there is one.
func TestOutboxFolds(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		var o outbox
		var want []notification
		marks := []outboxMark{o.mark()}
		kept := []int{0}
		for range rng.IntN(200) {
			switch rng.IntN(10) {
			case 0:
				marks, kept = append(marks, o.mark()), append(kept, len(want))
			case 1:
				i := rng.IntN(len(marks))
				o.rollbackTo(marks[i])
				want = want[:kept[i]]
				marks, kept = marks[:i+1], kept[:i+1]
			default:
				n := notification{channel: "c", payload: strconv.Itoa(rng.IntN(60))}
				require.NoError(t, o.add(n))
				if !slices.Contains(want, n) {
					want = append(want, n)
				}
			}
			require.Equal(t, len(want), len(o.queue))
		}
		bytes := 0
		for i, n := range want {
			require.Equal(t, n, o.queue[i])
			bytes += n.size()
		}
		require.Equal(t, bytes, o.bytes)
	}
}

// TestSettingNames: every setting that code reads has been given its place.
func TestSettingNames(t *testing.T) {
	for _, id := range []settingID{idCommitWait, idMaxAsyncLoss, idOnLossLimit, idReadDurability,
		idReportCommit} {
		require.Contains(t, settings[id].name, reservedPrefix)
	}
}
