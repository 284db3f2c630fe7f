package catalog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"ackdb/engine"
	"ackdb/server/sql/types"
	"ackdb/wal"
)

// Catalog publishes the committed snapshots of one store. Safe for concurrent use.
type Catalog struct {
	db      *engine.DB
	current atomic.Pointer[Snapshot]

	// committing counts commits with DDL in flight, so that a statement with none about pays one
	// atomic load (C3).
	committing atomic.Int32

	// guarded by mu
	mu       sync.Mutex
	pending  map[touch]int // how many commits of DDL are in flight that touch something so
	settled  chan struct{} // closed and replaced whenever pending shrinks
	virtuals []*VirtualTable

	// following and read are of a standby: read is up to where current holds what was applied.
	following atomic.Bool
	read      atomic.Uint64
	refreshMu sync.Mutex // one reading at a time, so that an older one never replaces a newer

	oidMu sync.Mutex // held over the small commit that advances the oid counter
}

// Open reads the catalog of a store and, when the store is fresh, writes the table kv into it. A
// standby's is its primary's, so nothing is written there, and the catalog follows what is applied.
func Open(ctx context.Context, db *engine.DB) (*Catalog, error) {
	c := &Catalog{db: db, pending: map[touch]int{}, settled: make(chan struct{})}
	c.Follow(db.Role() == wal.RoleStandby)
	if err := c.Reload(ctx); err != nil {
		return nil, err
	}
	if c.following.Load() {
		return c, nil
	}
	if err := errors.Join(c.SweepBuilds(ctx), c.SweepTemp(ctx)); err != nil {
		return nil, err
	}
	fresh, err := c.fresh(ctx)
	if err != nil || !fresh {
		return c, err
	}
	if err := c.bootstrap(ctx); err != nil {
		return nil, fmt.Errorf("catalog: write the first table: %w", err)
	}
	return c, nil
}

// Snapshot is the newest committed catalog.
func (c *Catalog) Snapshot() *Snapshot { return c.current.Load() }

// Reload reads every descriptor again and publishes the result: at start, and whenever descriptors
// arrived by another way than a commit of this process.
func (c *Catalog) Reload(ctx context.Context) error {
	applied := c.db.Applied()
	t := c.db.Begin(engine.TxnOptions{ReadOnly: true})
	defer t.Rollback()
	t.StartStatement()
	next := newSnapshot()
	it := t.Scan(descriptorTable, nil, nil, false)
	defer it.Close()
	for it.Next() {
		if err := decodeDescriptor(next, it.Key(), it.Value()); err != nil {
			return err
		}
	}
	if err := it.Err(); err != nil {
		return fmt.Errorf("catalog: read descriptors: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range c.virtuals {
		next.putVirtual(v)
	}
	c.current.Store(next)
	c.readFrom(applied)
	return ctx.Err()
}

var oidCounter = []byte("oid")

// NewOID gives an oid that was never given before (C4). Its commit is not waited for: the DDL that
// uses the oid is flushed, and a flushed commit makes every earlier one durable (W7).
func (c *Catalog) NewOID(ctx context.Context) (uint32, error) {
	c.oidMu.Lock()
	defer c.oidMu.Unlock()
	t := c.db.Begin(engine.TxnOptions{})
	defer t.Rollback()
	t.StartStatement()
	row, err := t.LockRow(ctx, counterTable, oidCounter, engine.RowUpdate, engine.Wait)
	if err != nil {
		return 0, fmt.Errorf("catalog: lock the oid counter: %w", err)
	}
	oid := FirstUserOID
	if row.Exists {
		oid = binary.BigEndian.Uint32(row.Value)
	}
	if oid == 0 {
		return 0, &types.Error{Code: "54000", Message: "all object identifiers are used up"}
	}
	next := binary.BigEndian.AppendUint32(nil, oid+1)
	if err := t.Put(counterTable, oidCounter, next); err != nil {
		return 0, fmt.Errorf("catalog: advance the oid counter: %w", err)
	}
	if _, err := t.Commit(ctx, engine.CommitOptions{Level: wal.LevelOff}); err != nil {
		return 0, fmt.Errorf("catalog: advance the oid counter: %w", err)
	}
	return oid, nil
}

// fresh says whether no oid was ever given here.
func (c *Catalog) fresh(ctx context.Context) (bool, error) {
	t := c.db.Begin(engine.TxnOptions{ReadOnly: true})
	defer t.Rollback()
	t.StartStatement()
	_, found, err := t.Get(ctx, counterTable, oidCounter)
	if err != nil {
		return false, fmt.Errorf("catalog: read the oid counter: %w", err)
	}
	return !found, nil
}

// bootstrap creates kv(key text primary key, value text), so that the first statement anyone types
// works. A crash between the oids and the commit leaves a store that is not fresh and has no kv;
// the first two oids come from within the same transaction for that reason.
func (c *Catalog) bootstrap(ctx context.Context) error {
	t := c.db.Begin(engine.TxnOptions{})
	defer t.Rollback()
	t.StartStatement()
	next := binary.BigEndian.AppendUint32(nil, FirstUserOID+2)
	if err := t.Put(counterTable, oidCounter, next); err != nil {
		return err
	}
	tx := c.Begin(t)
	text := types.Type{OID: types.Text, Mod: types.NoMod}
	kv := &Table{
		OID: FirstUserOID, SchemaOID: PublicOID, Schema: Public, Name: "kv",
		Storage: engine.TableID(FirstUserOID),
		Columns: []Column{
			{Name: "key", Attnum: 1, Type: text, NotNull: true},
			{Name: "value", Attnum: 2, Type: text},
		},
		PrimaryKey: &Index{OID: FirstUserOID + 1, Name: "kv_pkey", Columns: []int{0}},
	}
	if err := tx.PutTable(ctx, kv); err != nil {
		return err
	}
	return tx.Commit(func() error {
		_, err := t.Commit(ctx, engine.CommitOptions{Level: wal.LevelLocal})
		return err
	})
}

// Committing says whether any commit with DDL is in flight.
func (c *Catalog) Committing() bool { return c.committing.Load() != 0 }

// touch is what a commit with DDL does to an object: it changes it or, with beside, brings or takes
// what depends on it and is found by looking through the catalog. The one concerns whoever uses the
// object, the other only who would take it away.
type touch struct {
	oid    uint32
	beside bool
}

// AwaitSettled waits until no commit in flight changes one of the objects (C3).
func (c *Catalog) AwaitSettled(ctx context.Context, oids ...uint32) error {
	return c.await(ctx, func() bool {
		return slices.ContainsFunc(oids, func(oid uint32) bool {
			return c.pending[touch{oid: oid}] > 0
		})
	})
}

// AwaitDependents waits until no commit in flight changes one of the objects or what depends on it.
func (c *Catalog) AwaitDependents(ctx context.Context, oids ...uint32) error {
	return c.await(ctx, func() bool {
		return slices.ContainsFunc(oids, func(oid uint32) bool {
			return c.pending[touch{oid: oid}]+c.pending[touch{oid: oid, beside: true}] > 0
		})
	})
}

// await waits until the pending set is no longer in the way. busy is asked under mu.
func (c *Catalog) await(ctx context.Context, busy func() bool) error {
	for c.committing.Load() != 0 {
		c.mu.Lock()
		wait, settled := busy(), c.settled
		c.mu.Unlock()
		if !wait {
			return nil
		}
		select {
		case <-settled:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// announce puts what a commit touches into the pending set.
func (c *Catalog) announce(touches []touch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range touches {
		c.pending[t]++
	}
	c.committing.Add(1)
}

// settle publishes the changes, unless nil, and takes what was announced out of the pending set.
func (c *Catalog) settle(touches []touch, changes []change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(changes) > 0 {
		next := c.current.Load().clone()
		for _, ch := range changes {
			ch.apply(next)
		}
		c.current.Store(next)
	}
	for _, t := range touches {
		if c.pending[t]--; c.pending[t] == 0 {
			delete(c.pending, t)
		}
	}
	c.committing.Add(-1)
	close(c.settled)
	c.settled = make(chan struct{})
}
