package wal

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// histogramBuckets bounds the histograms below: bucket i counts values under 2^i.
const histogramBuckets = 40

// Histogram counts values by powers of two: Buckets[i] is how many were below 1<<i and not below
// 1<<(i-1). Durations are counted in microseconds.
type Histogram struct {
	Count   uint64
	Sum     uint64
	Buckets [histogramBuckets]uint64
}

// Quantile is a value that the share q of those counted did not pass, right within a factor of
// two; 0 when nothing was counted.
func (h *Histogram) Quantile(q float64) uint64 {
	rank, seen := uint64(q*float64(h.Count)), uint64(0)
	for i, n := range h.Buckets {
		if seen += n; n > 0 && (seen > rank || seen == h.Count) {
			return 1<<i - 1
		}
	}
	return 0
}

// Stats is what a log has done since it was opened.
type Stats struct {
	Records  uint64
	Bytes    uint64 // of records, fillers' bodies not counted
	Groups   uint64 // writes by Append
	Flushes  uint64
	Recycled uint64 // segments

	GroupSize    Histogram // records in a group
	FlushMicros  Histogram // how long an fsync round took
	FlushedBytes Histogram // what a round made durable
	Sync         SyncStats // the same, finer

	SyncMethod string
	SyncReason string // why this method
}

// stats are the live counters: the leader's and the flusher's, read by anyone.
type stats struct {
	records, bytes, recycled atomic.Uint64

	groupSize    histogram
	flushMicros  histogram
	flushedBytes histogram
	syncs        Latencies
}

type histogram struct {
	sum     atomic.Uint64
	buckets [histogramBuckets]atomic.Uint64
}

func (h *histogram) add(v uint64) {
	h.sum.Add(v)
	h.buckets[min(bits.Len64(v), histogramBuckets-1)].Add(1)
}

func (h *histogram) read() (out Histogram) {
	out.Sum = h.sum.Load()
	for i := range h.buckets {
		out.Buckets[i] = h.buckets[i].Load()
		out.Count += out.Buckets[i]
	}
	return out
}

func (s *stats) appended(group []Entry, bytes int) {
	s.records.Add(uint64(len(group)))
	s.bytes.Add(uint64(bytes))
	s.groupSize.add(uint64(len(group)))
}

func (s *stats) flushed(bytes int64, took time.Duration) {
	s.flushMicros.add(uint64(max(took.Microseconds(), 0)))
	s.syncs.Observe(took, 1)
	s.flushedBytes.add(uint64(bytes))
}

// Stats returns the counters. They are read one by one, so they may differ by what happened
// meanwhile.
func (l *Log) Stats() Stats {
	s := &l.stats
	out := Stats{
		Records: s.records.Load(), Bytes: s.bytes.Load(), Recycled: s.recycled.Load(),
		GroupSize: s.groupSize.read(), FlushMicros: s.flushMicros.read(),
		FlushedBytes: s.flushedBytes.read(), Sync: l.flusher.syncStats(),
		SyncMethod: l.flusher.method, SyncReason: l.flusher.reason,
	}
	out.Groups, out.Flushes = out.GroupSize.Count, out.FlushMicros.Count
	return out
}
