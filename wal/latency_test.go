package wal

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The buckets are gapless, and each is at most an eighth wide.
func TestLatencyBuckets(t *testing.T) {
	require.Equal(t, time.Microsecond, latencyUpper(0))
	for i := 1; i < latencyBuckets-1; i++ {
		lower, upper := latencyUpper(i-1), latencyUpper(i)
		require.Less(t, lower, upper)
		require.Equal(t, i, latencyBucket(uint64(lower.Microseconds())))
		require.Equal(t, i, latencyBucket(uint64(upper.Microseconds()-1)))
		if i > latencySteps {
			require.LessOrEqual(t, upper-lower, lower/latencySteps)
		}
	}
	require.Equal(t, latencyBuckets-1, latencyBucket(1<<62))
	require.Greater(t, latencyUpper(latencyBuckets-2), 30*time.Minute)
}

func TestLatencyQuantiles(t *testing.T) {
	var l Latencies
	empty := l.Read()
	require.Zero(t, empty.Quantile(0.5))
	rng := rand.New(rand.NewPCG(1, 1))
	var all []time.Duration
	var sum time.Duration
	for range 10_000 {
		d := time.Duration(rng.ExpFloat64() * float64(3*time.Millisecond))
		all = append(all, d)
		sum += d
		l.Observe(d, 1)
	}
	slices.Sort(all)
	s := l.Read()
	require.Equal(t, uint64(len(all)), s.Count)
	require.Equal(t, sum, s.Sum)
	require.Equal(t, all[len(all)-1], s.Max)
	for _, q := range []float64{0, 0.1, 0.5, 0.9, 0.99, 1} {
		want := all[min(int(q*float64(len(all))), len(all)-1)]
		got := s.Quantile(q)
		require.GreaterOrEqual(t, got, want, "quantile %v", q)
		require.LessOrEqual(t, got, want+want/latencySteps+2*time.Microsecond, "quantile %v", q)
	}
	// As a cumulative histogram it counts the same.
	bounds := 0
	s.Each(func(upper time.Duration, count uint64) {
		bounds++
		below, _ := slices.BinarySearch(all, upper)
		require.Equal(t, uint64(below), count, "below %v", upper)
	})
	require.Equal(t, latencyBuckets/latencySteps-1, bounds)
}

func TestHistogramQuantile(t *testing.T) {
	var h histogram
	for range 99 {
		h.add(1)
	}
	h.add(20)
	out := h.read()
	require.EqualValues(t, 1, out.Quantile(0.5))
	require.EqualValues(t, 31, out.Quantile(0.99))
	require.Zero(t, new(Histogram).Quantile(0.5))
}
