package catalog_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
	"ackdb/wal"

	"github.com/stretchr/testify/require"
)

func openDB(t *testing.T, dir string) *engine.DB {
	db, _, err := engine.Open(context.Background(), engine.Options{Dir: dir,
		Log: wal.Options{SegmentSize: 1 << 20, SyncMethod: "fdatasync"}})
	require.NoError(t, err)
	return db
}

func openCatalog(t *testing.T) (*engine.DB, *catalog.Catalog) {
	db := openDB(t, t.TempDir())
	t.Cleanup(func() { require.NoError(t, db.Close(context.Background())) })
	c, err := catalog.Open(context.Background(), db)
	require.NoError(t, err)
	return db, c
}

func newTable(oid uint32, name string) *catalog.Table {
	return &catalog.Table{OID: oid, SchemaOID: catalog.PublicOID, Schema: catalog.Public, Name: name,
		Storage: engine.TableID(oid),
		Columns: []catalog.Column{
			{Name: "n", Attnum: 1, Type: types.Type{OID: types.Numeric, Mod: types.NoMod}, NotNull: true},
			{Name: "i", Attnum: 2, Type: types.Type{OID: types.Int4, Mod: types.NoMod}, NotNull: true},
			{Name: "v", Attnum: 3, Type: types.Type{OID: types.Text, Mod: types.NoMod},
				Default: "'x'::text"},
		},
		PrimaryKey: &catalog.Index{OID: oid + 1, Name: name + "_pkey", Columns: []int{1, 0}}}
}

// create commits a table and gives the transaction that did.
func create(t *testing.T, db *engine.DB, c *catalog.Catalog, table *catalog.Table) {
	ctx := context.Background()
	txn := db.Begin(engine.TxnOptions{})
	defer txn.Rollback()
	tx := c.Begin(txn)
	require.NoError(t, tx.PutTable(ctx, table))
	require.NoError(t, tx.Commit(func() error {
		_, err := txn.Commit(ctx, engine.CommitOptions{Level: wal.LevelLocal})
		return err
	}))
}

func TestFreshStoreHasKV(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // the second time it is read back
		db := openDB(t, dir)
		c, err := catalog.Open(context.Background(), db)
		require.NoError(t, err)
		kv := c.Snapshot().Resolve([]string{"public"}, "", "kv").Table
		require.NotNil(t, kv)
		require.Equal(t, catalog.FirstUserOID, kv.OID)
		require.Equal(t, []int{0}, kv.PrimaryKey.Columns)
		require.Equal(t, []int{1}, kv.Stored())
		require.NoError(t, db.Close(context.Background()))
	}
}

// TestDropOfKVLasts: a store that was used once is not fresh again.
func TestDropOfKVLasts(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	db := openDB(t, dir)
	c, err := catalog.Open(ctx, db)
	require.NoError(t, err)
	txn := db.Begin(engine.TxnOptions{})
	tx := c.Begin(txn)
	require.NoError(t, tx.DropTable(ctx, c.Snapshot().TableByOID(catalog.FirstUserOID)))
	require.NoError(t, tx.Commit(func() error {
		_, err := txn.Commit(ctx, engine.CommitOptions{Level: wal.LevelLocal})
		return err
	}))
	require.NoError(t, db.Close(ctx))
	db = openDB(t, dir)
	defer db.Close(ctx)
	c, err = catalog.Open(ctx, db)
	require.NoError(t, err)
	require.False(t, c.Snapshot().Relation("public", "kv").Exists())
	oid, err := c.NewOID(ctx)
	require.NoError(t, err)
	require.Equal(t, catalog.FirstUserOID+2, oid)
}

func TestDescriptorsSurviveReload(t *testing.T) {
	db, c := openCatalog(t)
	create(t, db, c, newTable(20000, "t"))
	before := c.Snapshot().TableByOID(20000)
	require.NoError(t, c.Reload(context.Background()))
	after := c.Snapshot().TableByOID(20000)
	require.NotSame(t, before, after)
	require.Equal(t, before, after)
	// i comes back from the key; n does not, since 1.0 and 1.00 are one key.
	require.Equal(t, []int{0, 2}, after.Stored())
	require.Same(t, after, c.Snapshot().Relation("public", "t_pkey").Index)
}

// TestUncommittedDDL: a transaction sees its own DDL, others do not, and a mark takes it back.
func TestUncommittedDDL(t *testing.T) {
	ctx := context.Background()
	db, c := openCatalog(t)
	txn := db.Begin(engine.TxnOptions{})
	defer txn.Rollback()
	tx := c.Begin(txn)
	require.NoError(t, tx.PutTable(ctx, newTable(20000, "a")))
	mark := tx.Mark()
	require.NoError(t, tx.PutTable(ctx, newTable(20002, "b")))
	require.NotNil(t, tx.Snapshot().TableByOID(20000))
	require.NotNil(t, tx.Snapshot().TableByOID(20002))
	require.Nil(t, c.Snapshot().TableByOID(20000))

	// What others commit meanwhile shows under the own changes.
	create(t, db, c, newTable(20004, "c"))
	require.NotNil(t, tx.Snapshot().TableByOID(20004))
	require.NotNil(t, tx.Snapshot().TableByOID(20002))

	tx.Reset(mark)
	require.NotNil(t, tx.Snapshot().TableByOID(20000))
	require.Nil(t, tx.Snapshot().TableByOID(20002))
	require.True(t, tx.Touched(20000))
	require.False(t, tx.Touched(20002))
}

// TestFailedCommitPublishesNothing, and a commit whose wait was cancelled publishes all the same:
// it has happened.
func TestFailedCommitPublishesNothing(t *testing.T) {
	ctx := context.Background()
	db, c := openCatalog(t)
	commit := func(oid uint32, err error) {
		txn := db.Begin(engine.TxnOptions{})
		defer txn.Rollback()
		tx := c.Begin(txn)
		require.NoError(t, tx.PutTable(ctx, newTable(oid, "t")))
		require.ErrorIs(t, tx.Commit(func() error { return err }), err)
		require.False(t, c.Committing())
	}
	commit(20000, errors.New("no"))
	require.Nil(t, c.Snapshot().TableByOID(20000))
	commit(20002, engine.ErrCommitWaitCancelled)
	require.NotNil(t, c.Snapshot().TableByOID(20002))
}

// TestAwaitSettled: who uses a relation whose DDL is committing waits for it; others do not (C3).
func TestAwaitSettled(t *testing.T) {
	ctx := context.Background()
	db, c := openCatalog(t)
	txn := db.Begin(engine.TxnOptions{})
	defer txn.Rollback()
	tx := c.Begin(txn)
	require.NoError(t, tx.PutTable(ctx, newTable(20000, "t")))
	waited := make(chan error, 1)
	require.NoError(t, tx.Commit(func() error {
		require.NoError(t, c.AwaitSettled(ctx, 12345))
		require.NoError(t, c.AwaitSettled(ctx, catalog.PublicOID), "it is used, not changed")
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		require.ErrorIs(t, c.AwaitSettled(cancelled, 20000), context.Canceled)
		require.ErrorIs(t, c.AwaitDependents(cancelled, catalog.PublicOID), context.Canceled)
		go func() {
			err := c.AwaitSettled(ctx, 12345, 20000)
			if c.Snapshot().TableByOID(20000) == nil {
				err = errors.New("came back before the table was published")
			}
			waited <- err
		}()
		return nil
	}))
	require.NoError(t, <-waited)
}

// TestOIDsAreNeverGivenTwice, over sessions and restarts (C4).
func TestOIDsAreNeverGivenTwice(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	seen := map[uint32]bool{}
	var mu sync.Mutex
	for range 3 {
		db := openDB(t, dir)
		c, err := catalog.Open(ctx, db)
		require.NoError(t, err)
		var wg sync.WaitGroup
		for range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for range 20 {
					oid, err := c.NewOID(ctx)
					mu.Lock()
					if err != nil || seen[oid] || oid < catalog.FirstUserOID {
						t.Errorf("oid %d, error %v", oid, err)
					}
					seen[oid] = true
					mu.Unlock()
				}
			}()
		}
		wg.Wait()
		require.NoError(t, db.Close(ctx))
	}
	require.Len(t, seen, 3*4*20)
}

func TestResolve(t *testing.T) {
	db, c := openCatalog(t)
	c.Register(&catalog.VirtualTable{Schema: catalog.PgCatalog, Name: "kv", OID: 9999})
	create(t, db, c, newTable(20000, "t"))
	s := c.Snapshot()
	require.NotNil(t, s.Resolve([]string{"public"}, "", "kv").Virtual, "pg_catalog comes first")
	require.NotNil(t, s.Resolve([]string{"public", "pg_catalog"}, "", "kv").Table,
		"unless the path names it later")
	require.NotNil(t, s.Resolve(nil, "public", "kv").Table)
	require.False(t, s.Resolve(nil, "", "t").Exists())
	require.NotNil(t, s.Resolve([]string{"nowhere", "public"}, "", "t").Table)
}

func TestNames(t *testing.T) {
	_, c := openCatalog(t)
	n := catalog.Names{Snapshot: c.Snapshot(), Path: []string{"public"}}
	oid, ok := n.OIDOf(types.RegClass, []string{"kv"})
	require.True(t, ok)
	name, ok := n.NameOf(types.RegClass, oid)
	require.True(t, ok)
	require.Equal(t, "kv", name)
	n.Path = nil
	name, _ = n.NameOf(types.RegClass, oid)
	require.Equal(t, "public.kv", name)
	_, ok = n.OIDOf(types.RegClass, []string{"nothing"})
	require.False(t, ok)
	oid, ok = n.OIDOf(types.RegNamespace, []string{"pg_catalog"})
	require.True(t, ok)
	require.Equal(t, types.OID(catalog.PgCatalogOID), oid)
}

func TestQuoteIdent(t *testing.T) {
	for name, want := range map[string]string{
		"kv": "kv", "Key": `"Key"`, "a b": `"a b"`, `q"t`: `"q""t"`, "select": `"select"`,
		"1a": `"1a"`, "_a1$": "_a1$", "": `""`, "value": "value", "é": `"é"`,
	} {
		require.Equal(t, want, catalog.QuoteIdent(name), name)
	}
}
