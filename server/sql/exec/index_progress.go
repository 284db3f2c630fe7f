package exec

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"ackdb/server/sql/catalog"
)

// IndexBuild says how far the making of an index has come.
type IndexBuild struct {
	PID                int32 // of the session that makes it
	Table, Index       string
	TableOID, IndexOID uint32
	Started            time.Time
	Rows               int64 // entered so far
}

// indexBuild is one that runs.
type indexBuild struct {
	of     *indexBuilds
	state  IndexBuild // guarded by of.mu
	logged time.Time  // the builder's alone
}

// indexBuilds knows the indexes that are being made. Safe for concurrent use.
type indexBuilds struct {
	mu       sync.Mutex
	running  []*indexBuild    // guarded by mu
	progress func(IndexBuild) // set before the first build
}

// progressEvery is how often a build is reported that runs.
const progressEvery = time.Second

// OnIndexBuild has f called about once a second with each index that is being made. It is called
// before the first statement.
func (x *Executor) OnIndexBuild(f func(IndexBuild)) { x.builds.progress = f }

// IndexBuilds lists the indexes that are being made, by oid.
func (x *Executor) IndexBuilds() []IndexBuild {
	x.builds.mu.Lock()
	defer x.builds.mu.Unlock()
	list := make([]IndexBuild, len(x.builds.running))
	for i, b := range x.builds.running {
		list[i] = b.state
	}
	slices.SortFunc(list, func(a, b IndexBuild) int { return cmp.Compare(a.IndexOID, b.IndexOID) })
	return list
}

func (s *indexBuilds) begin(pid int32, t *catalog.Table, index *catalog.Index) *indexBuild {
	now := time.Now()
	b := &indexBuild{of: s, logged: now, state: IndexBuild{PID: pid, Table: t.Name,
		Index: index.Name, TableOID: t.OID, IndexOID: index.OID, Started: now}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = append(s.running, b)
	return b
}

func (s *indexBuilds) end(b *indexBuild) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = slices.DeleteFunc(s.running, func(x *indexBuild) bool { return x == b })
}

// restart begins to count anew.
func (b *indexBuild) restart() {
	b.of.mu.Lock()
	defer b.of.mu.Unlock()
	b.state.Rows = 0
}

// advance counts rows, and reports when it is time to.
func (b *indexBuild) advance(rows int64, now time.Time) {
	b.of.mu.Lock()
	b.state.Rows += rows
	state := b.state
	b.of.mu.Unlock()
	if b.of.progress != nil && now.Sub(b.logged) >= progressEvery {
		b.logged = now
		b.of.progress(state)
	}
}
