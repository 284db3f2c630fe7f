package engine

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"ackdb/wal"
)

// flushedViewsMax is how many views are kept: the one that readers use, the one that the fsync
// under way will make readable, and the newest, which the fsync after that may.
const flushedViewsMax = 3

// flushedViews keeps views of the store for readers who must not see what a power cut could take.
// Such a view is taken between two groups while it is still ahead of the disk, and is read once
// flushed has reached it. Taken any later, behind a flush, it would have the commits of meanwhile
// in it and would have to wait for the next.
//
// The leader takes the views, one a group, while somebody holds; else a group costs one look at a
// counter. Nothing runs for it and no reader waits for the disk: whoever reads takes the newest
// view at or below flushed. It also has to be fresh, which is to have every commit that was
// answered as flushed before the reader began:
//
//	leader                     flusher              reader
//	------                     -------              ------
//	group up to 100: view 100
//	                           target = 200
//	group up to 200
//	group up to 300: only now is 200 in a view, with 300
//	                           flushed = 200
//	answers 200 as flushed
//	                                                view 100 lacks it
//
// So each view knows the end of the first commit that it lacks, and serves while that is not
// flushed. The leader keeps a view per group, and of those it need not keep all: flushed will next
// stand at the target of the fsync under way, and after that at something newer than that. When
// the leader and the flusher cross and the right one was dropped, as when nobody held, a reader
// takes a view of its own and waits for its flush.
type flushedViews struct {
	holders atomic.Int32 // changed under mu

	mu sync.Mutex

	// guarded by mu
	views  []flushedView // ascending
	era    int           // of holding without a gap
	closed bool
}

// flushedView is a view and the end of the first commit it lacks, 0 while there is none.
type flushedView struct {
	*view
	lacks wal.LSN
}

// HoldFlushed has views kept ready for transactions with ReadFlushed until release is called,
// once. Without it they work too, but each of their reads may wait for an fsync.
func (db *DB) HoldFlushed() (release func()) {
	f := &db.flushed
	if era, first := f.hold(); first && !db.isStandby() && db.closing() == nil {
		// The first view, so that a disk that stands still from here on holds up nobody.
		if v, err := db.newView(); err == nil {
			f.adopt(v, era)
			v.close()
		}
	}
	return f.release
}

// hold says which era it is in, and whether that begins here.
func (f *flushedViews) hold() (era int, first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if first = f.holders.Add(1) == 1; first {
		f.era++
	}
	return f.era, first
}

func (f *flushedViews) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.holders.Add(-1)
	f.dropLocked()
}

// dropLocked lets go of every view, unless somebody holds. REQUIRES: mu.
func (f *flushedViews) dropLocked() {
	if f.holders.Load() > 0 && !f.closed {
		return
	}
	for i := range f.views {
		f.views[i].close()
	}
	f.views = slices.Delete(f.views, 0, len(f.views))
}

// close lets go of the views for good; the store is about to be closed.
func (f *flushedViews) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.dropLocked()
}

// keepFlushedView takes a view behind an applied group while somebody holds. It comes before any
// member is answered, so that whoever hears of a commit finds it in a view. Leader only.
func (db *DB) keepFlushedView(g *commitGroup) {
	if db.flushed.holders.Load() == 0 {
		return
	}
	first := g.firstCommit()
	if first == 0 {
		return
	}
	v, err := db.openView(db.store.NewSnapshot())
	f := &db.flushed
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.views); n > 0 && f.views[n-1].lacks == 0 {
		f.views[n-1].lacks = first
	}
	if err != nil {
		f.era++ // a view on its way to adopt may lack this group, and nobody would say so
		return  // readers find that their view lacks a commit and take their own
	}
	f.views = append(f.views, flushedView{view: v})
	f.thinLocked(db.log.Flushed(), db.log.Flushing())
	f.dropLocked()
}

// firstCommit is the end of the group's first commit, 0 when it has none.
func (g *commitGroup) firstCommit() wal.LSN {
	for _, req := range g.members {
		if req.kind == wal.TypeCommit {
			return req.result.End
		}
	}
	return 0
}

// thinLocked keeps the newest view at or below flushed, the newest at or below the target of the
// fsync under way, and the newest. REQUIRES: mu.
func (f *flushedViews) thinLocked(flushed, flushing wal.LSN) {
	kept := f.views[:0]
	for i, v := range f.views {
		newest := i == len(f.views)-1
		if newest || v.lsn <= flushed && f.views[i+1].lsn > flushed ||
			v.lsn > flushed && v.lsn <= flushing && f.views[i+1].lsn > flushing {
			kept = append(kept, v)
			continue
		}
		v.close()
	}
	clear(f.views[len(kept):])
	f.views = kept
}

// fresh returns the view to read when the log is flushed so far, acquired, or nil, and the era.
func (f *flushedViews) fresh(flushed wal.LSN) (*view, int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, v := range slices.Backward(f.views) {
		if v.lsn > flushed {
			continue
		}
		if v.lacks != 0 && v.lacks <= flushed {
			break
		}
		return v.acquire(), f.era
	}
	return nil, f.era
}

// adopt keeps a view that a reader has taken in this era, while there is none. Somebody has held
// since before it was taken, so every commit it lacks belongs to a group whose leader sees that and
// comes here: with nothing kept yet none has, and the first that does will say what it lacks.
func (f *flushedViews) adopt(v *view, era int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.views) == 0 && era == f.era {
		f.views = append(f.views, flushedView{view: v.acquire()})
		f.dropLocked()
	}
}

// flushedView returns a view of which nothing can be lost any more and that has every commit
// answered as flushed before the call. The caller closes it. ctx ends the waiting.
func (db *DB) flushedView(ctx context.Context) (*view, error) {
	if db.opts.hooks.readUnflushed {
		return db.newView()
	}
	if db.isStandby() {
		// All that it shows is flushed. Such a view is not kept: there is no leader to say what it
		// lacks. And it must have been taken while nobody could commit.
		v, err := db.newView()
		if err != nil || db.isStandby() {
			return v, err
		}
		v.close()
	}
	v, era := db.flushed.fresh(db.log.Flushed())
	if v != nil {
		return v, nil
	}
	v, err := db.newView()
	if err != nil {
		return nil, err
	}
	db.flushed.adopt(v, era)
	if err := db.log.WaitFlushed(ctx, v.lsn); err != nil {
		v.close()
		return nil, err
	}
	return v, nil
}
