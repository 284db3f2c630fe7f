package engine

import (
	"sync/atomic"

	"ackdb/wal"
)

// metrics are counted without regard to anything they measure: no decision reads them.
type metrics struct {
	groups         atomic.Int64
	commits        atomic.Int64
	groupBytes     atomic.Int64
	largeCommits   atomic.Int64
	spaceWaits     atomic.Int64
	waitsCancelled atomic.Int64
	checkpoints    atomic.Int64
	members        [groupSizeBuckets]atomic.Int64
}

// groupSizeBuckets counts groups of 1, 2, 3-4, 5-8 ... members; the last takes the rest.
const groupSizeBuckets = 10

func (m *metrics) group(g *commitGroup) {
	m.groups.Add(1)
	m.groupBytes.Add(g.size)
	commits := int64(0)
	for _, req := range g.members {
		if req.kind == wal.TypeCommit {
			commits++
		}
		if req.firstData != 0 {
			m.largeCommits.Add(1)
		}
	}
	m.commits.Add(commits)
	m.members[groupSizeBucket(len(g.members))].Add(1)
}

func groupSizeBucket(members int) int {
	bucket := 0
	for limit := 1; members > limit && bucket < groupSizeBuckets-1; limit *= 2 {
		bucket++
	}
	return bucket
}

// Stats are the engine's counters since Open and its positions now.
type Stats struct {
	Applied        wal.LSN // visible
	DurableApplied wal.LSN // the store would still hold this after a power cut
	DurableRedo    wal.LSN // recovery would read the log from here

	Commits, Groups, GroupBytes, LargeCommits int64

	// GroupSizes counts groups by members: 1, 2, up to 4, up to 8, and so on.
	GroupSizes [groupSizeBuckets]int64

	SpaceWaits     int64 // groups that waited for max_wal_size
	WaitsCancelled int64 // commits applied whose waiting ended early
	Checkpoints    int64

	// LossDelays and LossRejects are commits that met the limit, LossViolations answers that broke
	// it: more than 0 is a bug.
	LossDelays, LossRejects, LossViolations int64

	// TimeToDurable is how long commits answered unflushed stayed so.
	TimeToDurable wal.LatencyStats

	Log wal.Stats
}

// StoreStats are the store's own figures.
type StoreStats struct {
	MemTableBytes, MemTableCount int64
	TableBytes, TableCount       int64
	CacheBytes, CacheHits        int64
	CacheMisses                  int64
	Flushes, Compactions         int64
	CompactionDebtBytes          int64
	ReadAmplification            int
	OpenSnapshots                int
}

// Stats reads the counters; it waits for nothing.
func (db *DB) Stats() Stats {
	m := &db.metrics
	s := Stats{
		Applied:        db.Applied(),
		DurableApplied: wal.LSN(db.durable.applied.Load()),
		DurableRedo:    wal.LSN(db.durable.redo.Load()),
		Commits:        m.commits.Load(),
		Groups:         m.groups.Load(),
		GroupBytes:     m.groupBytes.Load(),
		LargeCommits:   m.largeCommits.Load(),
		SpaceWaits:     m.spaceWaits.Load(),
		WaitsCancelled: m.waitsCancelled.Load(),
		Checkpoints:    m.checkpoints.Load(),
		Log:            db.log.Stats(),
	}
	db.lender.stats(&s)
	for i := range s.GroupSizes {
		s.GroupSizes[i] = m.members[i].Load()
	}
	return s
}

// StoreStats asks the store for its figures. It waits while a MANIFEST is being written, and with
// the interlock that is as long as the log's disk stalls: call it from a metrics page, never from
// a session.
func (db *DB) StoreStats() StoreStats {
	p := db.store.Metrics()
	total := p.Total()
	return StoreStats{
		MemTableBytes:       int64(p.MemTable.Size),
		MemTableCount:       p.MemTable.Count,
		TableBytes:          total.TablesSize,
		TableCount:          total.TablesCount,
		CacheBytes:          p.BlockCache.Size,
		CacheHits:           p.BlockCache.Hits,
		CacheMisses:         p.BlockCache.Misses,
		Flushes:             p.Flush.Count,
		Compactions:         p.Compact.Count,
		CompactionDebtBytes: int64(p.Compact.EstimatedDebt),
		ReadAmplification:   p.ReadAmp(),
		OpenSnapshots:       p.Snapshots.Count,
	}
}
