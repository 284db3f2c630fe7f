package wal

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Latencies are counted in microseconds, each power of two in latencySteps parts, so that a
// quantile is right within an eighth.
const (
	latencySteps    = 8
	latencyStepBits = 3
	latencyBuckets  = 31 * latencySteps // up to half an hour and more; the last takes the rest
)

// Latencies counts durations. Its zero value is ready; anybody may call it at any time.
type Latencies struct {
	sum, max atomic.Int64 // nanoseconds
	buckets  [latencyBuckets]atomic.Uint64
}

// Observe counts n durations of d.
func (l *Latencies) Observe(d time.Duration, n uint64) {
	d = max(d, 0)
	l.sum.Add(int64(d) * int64(n))
	for old := l.max.Load(); int64(d) > old; old = l.max.Load() {
		if l.max.CompareAndSwap(old, int64(d)) {
			break
		}
	}
	l.buckets[latencyBucket(uint64(d.Microseconds()))].Add(n)
}

// latencyBucket is the bucket of a number of microseconds: the first latencySteps hold one value
// each, and from there on every power of two has latencySteps of equal width.
func latencyBucket(us uint64) int {
	if us < latencySteps {
		return int(us)
	}
	shift := bits.Len64(us) - 1 - latencyStepBits
	return min((shift+1)*latencySteps+int(us>>shift)-latencySteps, latencyBuckets-1)
}

// latencyUpper is the first duration that is too long for a bucket.
func latencyUpper(bucket int) time.Duration {
	if bucket < latencySteps {
		return time.Duration(bucket+1) * time.Microsecond
	}
	shift := bucket/latencySteps - 1
	step := uint64(bucket%latencySteps + latencySteps)
	return time.Duration((step+1)<<shift) * time.Microsecond
}

// Read returns the counts so far.
func (l *Latencies) Read() LatencyStats {
	s := LatencyStats{Sum: time.Duration(l.sum.Load()), Max: time.Duration(l.max.Load())}
	for i := range l.buckets {
		s.buckets[i] = l.buckets[i].Load()
		s.Count += s.buckets[i]
	}
	return s
}

// LatencyStats is what Latencies had counted at one time.
type LatencyStats struct {
	Count    uint64
	Sum, Max time.Duration
	buckets  [latencyBuckets]uint64
}

// Quantile is a duration that the share q of those counted did not pass, at most an eighth too
// long, 0 when nothing was counted.
func (s *LatencyStats) Quantile(q float64) time.Duration {
	rank, seen := uint64(q*float64(s.Count)), uint64(0)
	for i, n := range s.buckets {
		if seen += n; n > 0 && (seen > rank || seen == s.Count) {
			return min(latencyUpper(i), s.Max)
		}
	}
	return 0
}

// Each gives the bounds of a cumulative histogram, a power of two apart: how many durations were
// shorter than upper. The last bound has all that were not beyond every bound.
func (s *LatencyStats) Each(f func(upper time.Duration, count uint64)) {
	var count uint64
	for i, n := range s.buckets[:latencyBuckets-1] {
		count += n
		if i%latencySteps == latencySteps-1 {
			f(latencyUpper(i), count)
		}
	}
}
