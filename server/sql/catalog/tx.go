package catalog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"ackdb/engine"
)

// Tx is the uncommitted DDL of one transaction. It belongs to the transaction's goroutine.
type Tx struct {
	catalog *Catalog
	txn     *engine.Txn
	changes []change

	merged *Snapshot // base with the changes in it; nil when it has to be made again
	base   *Snapshot // the committed snapshot merged was made from
}

// change is one DDL step: how it alters a snapshot, the object it changes, and those that object
// depends on.
type change struct {
	oid    uint32
	apply  func(*Snapshot)
	beside []uint32
	temp   bool // of a relation that goes with its session
}

// Begin gives the catalog as one transaction sees and alters it.
func (c *Catalog) Begin(t *engine.Txn) *Tx {
	x := new(Tx)
	c.BeginInto(x, t)
	return x
}

// BeginInto is Begin in memory that the caller reuses.
func (c *Catalog) BeginInto(x *Tx, t *engine.Txn) { *x = Tx{catalog: c, txn: t} }

// Touched says whether this transaction created or altered the relation.
func (x *Tx) Touched(oid uint32) bool {
	for _, ch := range x.changes {
		if ch.oid == oid {
			return true
		}
	}
	return false
}

// Snapshot is the newest committed catalog with this transaction's own DDL in it.
func (x *Tx) Snapshot() *Snapshot {
	committed := x.catalog.Snapshot()
	if len(x.changes) == 0 {
		return committed
	}
	if x.merged == nil || x.base != committed {
		x.base, x.merged = committed, committed.clone()
		for _, ch := range x.changes {
			ch.apply(x.merged)
		}
	}
	return x.merged
}

// Changed says whether the transaction holds DDL.
func (x *Tx) Changed() bool { return len(x.changes) > 0 }

// Lasting says whether the transaction holds DDL that must be flushed at commit: any but that of
// temporary relations, which do not outlive the process.
func (x *Tx) Lasting() bool {
	for _, ch := range x.changes {
		if !ch.temp {
			return true
		}
	}
	return false
}

// Mark is a place to Reset to: taken at a savepoint.
func (x *Tx) Mark() int { return len(x.changes) }

// Reset forgets the DDL since the mark. The rows themselves are the engine's to take back.
func (x *Tx) Reset(mark int) {
	x.changes, x.merged = x.changes[:mark:mark], nil
}

// Commit runs commit, which must commit the engine's transaction, and publishes. A commit that is
// applied but whose wait was cancelled has happened and is published too.
func (x *Tx) Commit(commit func() error) error {
	if len(x.changes) == 0 {
		return commit()
	}
	touches := make([]touch, 0, 2*len(x.changes))
	for _, ch := range x.changes {
		touches = append(touches, touch{oid: ch.oid})
		for _, oid := range ch.beside {
			touches = append(touches, touch{oid: oid, beside: true})
		}
	}
	x.catalog.announce(touches)
	err := commit()
	if err != nil && !errors.Is(err, engine.ErrCommitWaitCancelled) {
		x.catalog.settle(touches, nil)
		return err
	}
	x.catalog.settle(touches, x.changes)
	return err
}

// LockName makes the name ours alone until the end of the transaction and gives the oid that bears
// it, 0 for none. Two CREATE TABLE of one name meet here: the second waits for the first.
func (x *Tx) LockName(ctx context.Context, schemaOID uint32, name string) (uint32, error) {
	row, err := x.txn.LockRow(ctx, nameTable, nameKey(schemaOID, name), engine.RowUpdate, engine.Wait)
	if err != nil {
		return 0, fmt.Errorf("catalog: lock the name %q: %w", name, err)
	}
	if !row.Exists {
		return 0, nil
	}
	return binary.BigEndian.Uint32(row.Value), nil
}

func (x *Tx) put(table engine.TableID, key, value []byte) error {
	if err := x.txn.Put(table, key, value); err != nil {
		return fmt.Errorf("catalog: write %d/%x: %w", table, key, err)
	}
	return nil
}

func (x *Tx) remove(table engine.TableID, key []byte) error {
	if err := x.txn.Delete(table, key); err != nil {
		return fmt.Errorf("catalog: delete %d/%x: %w", table, key, err)
	}
	return nil
}

func (x *Tx) putName(schemaOID uint32, name string, oid uint32) error {
	return x.put(nameTable, nameKey(schemaOID, name), binary.BigEndian.AppendUint32(nil, oid))
}

func (x *Tx) note(oid uint32, apply func(*Snapshot), beside ...uint32) *change {
	x.changes = append(x.changes, change{oid: oid, apply: apply, beside: beside})
	x.merged = nil
	return &x.changes[len(x.changes)-1]
}

// PutTable creates or replaces a table. The caller holds its name, and its lock when it exists.
func (x *Tx) PutTable(ctx context.Context, t *Table) error {
	t = t.Clone()
	if err := t.finish(); err != nil {
		return err
	}
	if err := x.forgetNames(t); err != nil {
		return err
	}
	value, err := encodeDescriptor(t)
	if err != nil {
		return err
	}
	if err := x.put(descriptorTable, descriptorKey(kindTable, t.OID), value); err != nil {
		return err
	}
	if err := x.putName(t.SchemaOID, t.Name, t.OID); err != nil {
		return err
	}
	if err := x.nameIndexes(t); err != nil {
		return err
	}
	x.note(t.OID, func(s *Snapshot) { s.putTable(t) }, t.SchemaOID).temp = IsTemp(t.Schema)
	return ctx.Err()
}

// forgetNames gives back the names that the table had and its new form has not.
func (x *Tx) forgetNames(t *Table) error {
	old := x.Snapshot().TableByOID(t.OID)
	if old == nil {
		return nil
	}
	if old.Name != t.Name || old.SchemaOID != t.SchemaOID {
		if err := x.remove(nameTable, nameKey(old.SchemaOID, old.Name)); err != nil {
			return err
		}
	}
	return x.forgetIndexes(old, t)
}

// DropTable removes a table's descriptor and rows. The caller holds its lock.
func (x *Tx) DropTable(ctx context.Context, t *Table) error {
	if err := x.remove(descriptorTable, descriptorKey(kindTable, t.OID)); err != nil {
		return err
	}
	if err := x.remove(nameTable, nameKey(t.SchemaOID, t.Name)); err != nil {
		return err
	}
	for _, index := range t.keys() {
		if err := x.forgetIndex(t, index); err != nil {
			return err
		}
	}
	if err := x.txn.DeleteTable(t.Storage); err != nil {
		return fmt.Errorf("catalog: delete the rows of %q: %w", t.Name, err)
	}
	x.note(t.OID, func(s *Snapshot) { s.dropTable(t) }, t.SchemaOID).temp = IsTemp(t.Schema)
	return ctx.Err()
}

// PutSequence creates or replaces a sequence's descriptor, not its state.
func (x *Tx) PutSequence(ctx context.Context, q *Sequence) error {
	value, err := encodeDescriptor(q)
	if err != nil {
		return err
	}
	if err := x.put(descriptorTable, descriptorKey(kindSequence, q.OID), value); err != nil {
		return err
	}
	old := x.Snapshot().SequenceByOID(q.OID)
	if old != nil && (old.Name != q.Name || old.SchemaOID != q.SchemaOID) {
		if err := x.remove(nameTable, nameKey(old.SchemaOID, old.Name)); err != nil {
			return err
		}
	}
	if err := x.putName(q.SchemaOID, q.Name, q.OID); err != nil {
		return err
	}
	x.note(q.OID, func(s *Snapshot) { s.putSequence(q) }, q.SchemaOID, q.OwnerTable).temp =
		IsTemp(q.Schema)
	return ctx.Err()
}

// DropSequence removes a sequence and its state.
func (x *Tx) DropSequence(ctx context.Context, q *Sequence) error {
	if err := x.remove(descriptorTable, descriptorKey(kindSequence, q.OID)); err != nil {
		return err
	}
	if err := x.remove(nameTable, nameKey(q.SchemaOID, q.Name)); err != nil {
		return err
	}
	if err := x.remove(SequenceTable, SequenceKey(q.OID)); err != nil {
		return err
	}
	x.note(q.OID, func(s *Snapshot) { s.dropSequence(q) }, q.SchemaOID, q.OwnerTable).temp =
		IsTemp(q.Schema)
	return ctx.Err()
}

// PutSchema creates a schema.
func (x *Tx) PutSchema(ctx context.Context, c *Schema) error {
	value, err := encodeDescriptor(c)
	if err != nil {
		return err
	}
	if err := x.put(descriptorTable, descriptorKey(kindSchema, c.OID), value); err != nil {
		return err
	}
	if err := x.putName(0, c.Name, c.OID); err != nil {
		return err
	}
	x.note(c.OID, func(s *Snapshot) { s.putSchema(c) })
	return ctx.Err()
}

// DropSchema removes a schema that holds nothing.
func (x *Tx) DropSchema(ctx context.Context, c *Schema) error {
	if err := x.remove(descriptorTable, descriptorKey(kindSchema, c.OID)); err != nil {
		return err
	}
	if err := x.remove(nameTable, nameKey(0, c.Name)); err != nil {
		return err
	}
	x.note(c.OID, func(s *Snapshot) { delete(s.schemas, c.Name) })
	return ctx.Err()
}
