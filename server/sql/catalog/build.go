package catalog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"ackdb/engine"
	"ackdb/wal"
)

// An index of many rows is filled by commits of their own, ahead of the transaction that makes it.
// A row of buildTable, its key the storage of the index, says that no descriptor names the entries
// yet. It is written by the first of those commits and deleted by the transaction: so whatever
// becomes of that, entries whose index does not exist are found by the row, and only they are.

func buildKey(storage engine.TableID) []byte {
	return binary.BigEndian.AppendUint32(nil, uint32(storage))
}

// NoteBuild says in t, the first commit with entries of an index, that nothing names them yet.
func NoteBuild(t *engine.Txn, storage engine.TableID) error {
	if err := t.Put(buildTable, buildKey(storage), nil); err != nil {
		return fmt.Errorf("catalog: note the build of index storage %d: %w", storage, err)
	}
	return nil
}

// EndBuild takes the note back in the transaction whose commit shows the index.
func (x *Tx) EndBuild(storage engine.TableID) error {
	return x.remove(buildTable, buildKey(storage))
}

// SweepBuild removes the entries of an index that came to nothing. One whose transaction did commit
// has no note any more and is left alone.
func (c *Catalog) SweepBuild(ctx context.Context, storage engine.TableID) error {
	t := c.db.Begin(engine.TxnOptions{})
	defer t.Rollback()
	t.StartStatement()
	note, err := t.LockRow(ctx, buildTable, buildKey(storage), engine.RowUpdate, engine.Wait)
	if err != nil || !note.Exists {
		return err
	}
	err = errors.Join(t.DeleteTable(storage), t.Delete(buildTable, buildKey(storage)))
	if err == nil {
		_, err = t.Commit(ctx, engine.CommitOptions{Level: wal.LevelOff})
	}
	if err != nil {
		return fmt.Errorf("catalog: sweep index storage %d: %w", storage, err)
	}
	return nil
}

// SweepBuilds removes the entries of all indexes whose making was cut short. It is called when a
// node begins to write, at start and after a promotion, while nobody makes an index.
func (c *Catalog) SweepBuilds(ctx context.Context) error {
	var dead []engine.TableID
	t := c.db.Begin(engine.TxnOptions{ReadOnly: true})
	defer t.Rollback()
	t.StartStatement()
	it := t.Scan(buildTable, nil, nil, false)
	defer it.Close()
	for it.Next() {
		if len(it.Key()) != 4 {
			return fmt.Errorf("catalog: note %x of a build is malformed", it.Key())
		}
		dead = append(dead, engine.TableID(binary.BigEndian.Uint32(it.Key())))
	}
	if err := it.Err(); err != nil {
		return fmt.Errorf("catalog: read the notes of builds: %w", err)
	}
	for _, storage := range dead {
		if err := c.SweepBuild(ctx, storage); err != nil {
			return err
		}
	}
	return nil
}
