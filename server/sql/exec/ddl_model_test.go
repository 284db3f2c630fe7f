package exec

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"ackdb/engine"
	"ackdb/engine/enginetest"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"

	"github.com/stretchr/testify/require"
)

// ddl makes up one statement over few names, so that sessions meet: most are refused, for one
// reason or another, and a refusal must leave nothing behind.
func ddl(r *rand.Rand) string {
	schema := []string{"public", "q"}[r.IntN(2)]
	name := func() string { return fmt.Sprintf("%s.%c", schema, 'a'+rune(r.IntN(4))) }
	t, u, c := name(), name(), string('x'+rune(r.IntN(3)))
	list := []string{
		"CREATE TABLE %[1]s (x int PRIMARY KEY, y int UNIQUE, z text)",
		"CREATE TABLE %[1]s (x serial, y int, z int REFERENCES %[2]s)",
		"CREATE TABLE %[1]s (x int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, z int)",
		"CREATE TABLE IF NOT EXISTS %[1]s (x int, y int DEFAULT 5)",
		"INSERT INTO %[1]s (x) SELECT g FROM generate_series(1, 20) g ON CONFLICT DO NOTHING",
		"INSERT INTO %[1]s (y) VALUES (1), (2)",
		"UPDATE %[1]s SET y = x",
		"CREATE TABLE %[1]s AS SELECT * FROM %[2]s", "CREATE TABLE %[1]s (LIKE %[2]s INCLUDING ALL)",
		"CREATE TABLE %[1]s (x int PRIMARY KEY, y int REFERENCES %[2]s ON DELETE CASCADE)",
		"ALTER TABLE %[1]s SET SCHEMA q", "ALTER TABLE %[1]s SET SCHEMA public",
		"ALTER VIEW %[1]s SET SCHEMA q", "ALTER SEQUENCE %[1]s SET SCHEMA q",
		"DELETE FROM %[1]s WHERE x < 5",
		"DROP TABLE %[1]s", "DROP TABLE IF EXISTS %[1]s CASCADE", "DROP TABLE %[1]s, %[2]s CASCADE",
		"CREATE INDEX ON %[1]s (%[3]s)", "CREATE INDEX d ON %[1]s (%[3]s)",
		"CREATE UNIQUE INDEX a ON %[1]s (x)", "DROP INDEX %[1]s", "DROP INDEX %[4]s.d",
		"ALTER INDEX %[4]s.d RENAME TO c",
		"ALTER TABLE %[1]s ADD COLUMN %[3]s int DEFAULT 3", "ALTER TABLE %[1]s DROP COLUMN %[3]s",
		"ALTER TABLE %[1]s DROP COLUMN %[3]s CASCADE", "ALTER TABLE %[1]s ADD COLUMN y serial",
		"ALTER TABLE %[1]s RENAME TO c", "ALTER TABLE %[1]s RENAME COLUMN x TO y",
		"ALTER TABLE %[1]s ALTER COLUMN y TYPE bigint", "ALTER TABLE %[1]s ALTER COLUMN y TYPE text",
		"ALTER TABLE %[1]s ADD PRIMARY KEY (x)", "ALTER TABLE %[1]s ADD UNIQUE (y)",
		"ALTER TABLE %[1]s ADD FOREIGN KEY (y) REFERENCES %[2]s",
		"ALTER TABLE %[1]s ADD CHECK (x > 0)", "ALTER TABLE %[1]s DROP CONSTRAINT a_y_key",
		"ALTER TABLE %[1]s DROP CONSTRAINT b_z_fkey", "ALTER TABLE %[1]s DROP CONSTRAINT c_pkey",
		"CREATE VIEW %[1]s AS SELECT x, y FROM %[2]s", "CREATE VIEW %[1]s AS SELECT * FROM %[2]s",
		"CREATE OR REPLACE VIEW %[1]s AS SELECT x, y FROM %[2]s WHERE x > 1", "DROP VIEW %[1]s",
		"DROP VIEW %[1]s CASCADE", "ALTER VIEW %[1]s RENAME TO d",
		"CREATE SEQUENCE %[1]s", "DROP SEQUENCE %[1]s", "ALTER SEQUENCE %[1]s INCREMENT 2",
		"ALTER SEQUENCE %[1]s RENAME TO b", "ALTER SEQUENCE %[1]s OWNED BY %[2]s.x",
		"SELECT nextval('%[1]s')", "TRUNCATE %[1]s RESTART IDENTITY", "TRUNCATE %[1]s, %[2]s",
		"CREATE SCHEMA q", "CREATE SCHEMA q", "DROP SCHEMA q", "DROP SCHEMA q CASCADE",
		"COMMENT ON TABLE %[1]s IS 'table'", "COMMENT ON VIEW %[1]s IS 'view'",
		"COMMENT ON SEQUENCE %[1]s IS 'sequence'", "COMMENT ON COLUMN %[1]s.y IS 'column'",
		"COMMENT ON SCHEMA %[4]s IS 'schema'",
	}
	return fmt.Sprintf(list[r.IntN(len(list))]+"%[5]s", t, u, c, schema, "")
}

// ddlSession runs transactions of a few statements, some of which are taken back, whole or in part.
func (m *indexModel) ddlSession(seed, number uint64, transactions int) error {
	levels := []engine.Isolation{engine.ReadCommitted, engine.ReadCommitted, engine.Serializable}
	return m.transactions(rand.New(rand.NewPCG(seed, number)), transactions, levels,
		m.ddlTransaction, isDDLRefusal)
}

func (m *indexModel) ddlTransaction(r *rand.Rand, txn *Txn) error {
	for range 1 + r.IntN(4) {
		before := txn.Savepoint()
		sql := ddl(r)
		err := attempt(m.x, txn, sql)
		if err != nil && !isDDLRefusal(err) {
			return fmt.Errorf("%s: %w", sql, err)
		}
		time.Sleep(time.Duration(r.IntN(300)) * time.Microsecond) // so that others come between
		if err == nil && r.IntN(8) > 0 {
			continue
		}
		if err := txn.RollbackTo(before); err != nil {
			return err
		}
	}
	return nil
}

// isDDLRefusal says whether a statement failed as statements may: for what it asked for, or for what
// others do, but not because something is broken.
func isDDLRefusal(err error) bool {
	var e *types.Error
	if errors.As(err, &e) {
		return e.Code[:2] != "XX"
	}
	return isLoss(err)
}

// shapes shows every descriptor.
func shapes(s *catalog.Snapshot) []string {
	var list []string
	show := func(v any) {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		list = append(list, string(text))
	}
	for _, t := range s.Tables() {
		show(t)
	}
	for _, v := range s.Views() {
		show(v)
	}
	for _, q := range s.Sequences() {
		show(q)
	}
	for _, c := range s.Schemas() {
		show(c)
	}
	return list
}

// dangling lists what a catalog says of things that are not there.
func dangling(s *catalog.Snapshot) []string {
	var list []string
	want := func(there bool, format string, args ...any) {
		if !there {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	for _, t := range s.Tables() {
		want(s.Schema(t.Schema) != nil, "table %s.%s: no schema", t.Schema, t.Name)
		for i := range t.ForeignKeys {
			parent := s.TableByOID(t.ForeignKeys[i].RefTable)
			want(parent != nil && slices.Contains(parent.ReferencedBy, t.OID),
				"table %s.%s: no parent that knows it", t.Schema, t.Name)
		}
		for _, oid := range t.ReferencedBy {
			child := s.TableByOID(oid)
			want(child != nil && len(child.Referencing(t.OID)) > 0,
				"table %s.%s: child %d does not refer to it", t.Schema, t.Name, oid)
		}
		for i := range t.Columns {
			if q := t.Columns[i].IdentitySequence; q != 0 {
				want(s.SequenceByOID(q) != nil, "table %s.%s: no identity sequence", t.Schema, t.Name)
			}
		}
	}
	for _, v := range s.Views() {
		want(s.Schema(v.Schema) != nil, "view %s.%s: no schema", v.Schema, v.Name)
		for i := range v.Refs {
			want(s.RelationByOID(v.Refs[i].OID).Exists(), "view %s.%s: no %s", v.Schema, v.Name,
				v.Refs[i].Name)
		}
	}
	for _, q := range s.Sequences() {
		want(s.Schema(q.Schema) != nil, "sequence %s.%s: no schema", q.Schema, q.Name)
		want(q.OwnerTable == 0 || s.TableByOID(q.OwnerTable) != nil, "sequence %s.%s: no owner",
			q.Schema, q.Name)
	}
	return list
}

// The tables of the catalog, as catalog/ids.go has them.
const nameRows, sequenceRows engine.TableID = 2, 3

// unaccounted lists rows that no descriptor accounts for, and names that are not their bearers'.
func (m *indexModel) unaccounted() []string {
	var list []string
	s, txn := m.x.catalog.Snapshot(), m.x.db.Begin(engine.TxnOptions{ReadOnly: true})
	defer txn.Rollback()
	names, storages, highest := map[string]uint32{}, map[engine.TableID]bool{}, uint32(0)
	name := func(schema, oid uint32, name string) {
		names[string(binary.BigEndian.AppendUint32(nil, schema))+name] = oid
		highest = max(highest, oid)
	}
	for _, t := range s.Tables() {
		name(t.SchemaOID, t.OID, t.Name)
		storages[t.Storage], highest = true, max(highest, uint32(t.Storage))
		if t.PrimaryKey != nil {
			name(t.SchemaOID, t.PrimaryKey.OID, t.PrimaryKey.Name)
		}
		for _, index := range t.Indexes {
			name(t.SchemaOID, index.OID, index.Name)
			storages[index.Storage] = true
		}
	}
	for _, v := range s.Views() {
		name(v.SchemaOID, v.OID, v.Name)
	}
	for _, q := range s.Sequences() {
		name(q.SchemaOID, q.OID, q.Name)
	}
	for _, c := range s.Schemas() {
		name(0, c.OID, c.Name)
	}
	it := txn.Scan(nameRows, nil, nil, false)
	for it.Next() {
		oid, there := names[string(it.Key())]
		if !there || oid != binary.BigEndian.Uint32(it.Value()) {
			list = append(list, fmt.Sprintf("name %q of %x", it.Key(), it.Value()))
		}
		delete(names, string(it.Key()))
	}
	require.NoError(m.t, errors.Join(it.Err(), it.Close()))
	for name, oid := range names {
		if oid < catalog.FirstUserOID {
			continue // a schema that is there without a row
		}
		list = append(list, fmt.Sprintf("no row for name %q of %d", name, oid))
	}
	it = txn.Scan(sequenceRows, nil, nil, false)
	for it.Next() {
		if s.SequenceByOID(binary.BigEndian.Uint32(it.Key())) == nil {
			list = append(list, fmt.Sprintf("state of no sequence %x", it.Key()))
		}
	}
	require.NoError(m.t, errors.Join(it.Err(), it.Close()))
	for id := engine.TableID(catalog.FirstUserOID); id < engine.TableID(highest+1000); id++ {
		if storages[id] {
			continue
		}
		it := txn.Scan(id, nil, nil, false)
		if it.Next() {
			list = append(list, fmt.Sprintf("rows of no table or index in storage %d", id))
		}
		require.NoError(m.t, errors.Join(it.Err(), it.Close()))
	}
	return list
}

func (m *indexModel) requireSoundCatalog(when string) {
	m.t.Helper()
	require.Empty(m.t, dangling(m.x.catalog.Snapshot()), when)
	require.Empty(m.t, m.unaccounted(), when)
	m.requireAgreement(when)
}

// TestCatalogAgrees: whatever DDL sessions do at once, commit and take back, the catalog in memory
// is the one on disk, nothing in it depends on what is not there, every name is its bearer's, and no
// row is without a table: at once, after a power cut and after a restart.
func TestCatalogAgrees(t *testing.T) {
	const sessions, transactions, seeds = 4, 150, 3
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			m := &indexModel{t: t, fs: enginetest.New()}
			m.open()
			var wg sync.WaitGroup
			failures := make(chan error, sessions)
			for n := range uint64(sessions) {
				wg.Go(func() { failures <- m.ddlSession(seed, n, transactions) })
			}
			wg.Wait()
			for range sessions {
				require.NoError(t, <-failures)
			}
			m.requireSoundCatalog("while it runs")
			last := shapes(m.x.catalog.Snapshot())
			require.Greater(t, len(last), 4, "a test of an empty catalog shows nothing")
			after := m.fs.Crash(seed, 50)
			m.close()
			m.fs = after
			m.open()
			m.requireSoundCatalog("after a power cut")
			require.Equal(t, last, shapes(m.x.catalog.Snapshot()), "DDL is on disk when it is answered")
			m.close()
			m.open()
			m.requireSoundCatalog("after a restart")
			m.close()
		})
	}
}
