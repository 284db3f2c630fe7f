package catalog

import (
	"context"

	"ackdb/wal"
)

// On a standby descriptors arrive with the log, applied by the engine and not by a commit of this
// process. Each session looks, before it plans and again once its statement has its snapshot,
// whether the engine has applied any since the catalog was last read.

// Follow begins or ends looking. While it does not, Refresh costs one atomic load.
func (c *Catalog) Follow(on bool) { c.following.Store(on) }

// Refresh reads the catalog again when descriptors have arrived that it may not hold. Called with a
// snapshot taken, it leaves a catalog that holds every descriptor the snapshot can see (C5).
func (c *Catalog) Refresh(ctx context.Context) error {
	if !c.stale() {
		return nil
	}
	c.refreshMu.Lock()
	defer c.refreshMu.Unlock()
	if !c.stale() {
		return nil
	}
	return c.Reload(ctx)
}

// stale compares with a position that the engine moves before it shows the descriptors: who sees
// one sees the position too.
func (c *Catalog) stale() bool {
	return c.following.Load() && c.db.SystemVersion() > c.read.Load()
}

// readFrom notes that the catalog holds what was visible at applied, a position looked at before
// the catalog was read.
func (c *Catalog) readFrom(applied wal.LSN) { c.read.Store(uint64(applied)) }
