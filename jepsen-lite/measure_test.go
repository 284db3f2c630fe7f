package jepsenlite

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLags(t *testing.T) {
	at := func(ms int, lsn uint64) Sample {
		return Sample{time.UnixMilli(int64(ms)), lsn}
	}
	written := []Sample{at(0, 10), at(5, 20), at(10, 20), at(15, 30), at(20, 40)}
	replayed := []Sample{at(1, 5), at(3, 10), at(9, 25), at(40, 30)}
	const ms = time.Millisecond
	require.Equal(t, []time.Duration{3 * ms, 4 * ms, 25 * ms}, Lags(written, replayed),
		"the same position twice counts once, one never shown does not count")
	require.Empty(t, Lags(written, nil))
}
