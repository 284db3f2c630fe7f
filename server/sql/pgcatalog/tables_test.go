package pgcatalog_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/exec"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/pgcatalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
	"ackdb/wal"
)

// node is a store with the catalogs registered.
type node struct {
	t       *testing.T
	catalog *catalog.Catalog
	planner *plan.Planner
	exec    *exec.Executor
}

var site = pgcatalog.Site{Database: "postgres", DatabaseOID: 5, Superuser: "postgres"}

// schema is what the tests look at through the catalogs.
var schema = []string{"CREATE SCHEMA s", "CREATE SEQUENCE s.loose",
	`CREATE TABLE plain (a text, "B c" int[])`,
	`CREATE TABLE s.keyed (id serial, k varchar(10) NOT NULL DEFAULT 'x', n numeric(6,2),
		t timestamptz(3), PRIMARY KEY (k, id), UNIQUE (n, t), CHECK (n > 0))`,
	"CREATE INDEX ON s.keyed (t DESC)", "CREATE VIEW seen AS SELECT k, n FROM s.keyed"}

func newNode(t *testing.T) *node {
	ctx := context.Background()
	db, _, err := engine.Open(ctx, engine.Options{Dir: t.TempDir(),
		Log:   wal.Options{SegmentSize: 1 << 20, SyncMethod: "fdatasync"},
		Fatal: func(err error) { panic(err) },
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close(ctx)) })
	n := &node{t: t}
	n.catalog, err = catalog.Open(ctx, db)
	require.NoError(t, err)
	for _, v := range pgcatalog.Tables(site) {
		n.catalog.Register(v)
	}
	n.planner = plan.New(n.catalog, plan.Options{})
	n.exec = exec.New(db, n.catalog, n.planner)
	for _, sql := range schema {
		n.query(sql)
	}
	return n
}

// query runs one statement and gives its rows as text.
func (n *node) query(sql string) [][]string {
	n.t.Helper()
	ctx := context.Background()
	stmt, err := parse.ParseOne(sql)
	require.NoError(n.t, err, sql)
	txn := n.exec.Begin(engine.TxnOptions{})
	defer txn.Rollback()
	env := &exec.Env{Txn: txn, Session: n.exec.NewSession(nil), SearchPath: []string{"public"}}
	p, err := n.planner.Prepare(env.Plan(), stmt, nil)
	require.NoError(n.t, err, sql)
	c, err := n.exec.Open(ctx, p, env)
	require.NoError(n.t, err, sql)
	defer c.Close()
	var rows [][]string
	for {
		row, err := c.Next(ctx)
		require.NoError(n.t, err, sql)
		if row == nil {
			break
		}
		texts := make([]string, len(row))
		for i, d := range row {
			texts[i] = d.String()
		}
		rows = append(rows, texts)
	}
	_, err = txn.Commit(ctx, engine.CommitOptions{Level: wal.LevelOff})
	require.NoError(n.t, err, sql)
	return rows
}

// G1: every row has a value of its type, or NULL, for every column.
func TestRowsHaveTheColumnsTypes(t *testing.T) {
	n := newNode(t)
	snapshot := n.exec.Begin(engine.TxnOptions{}).Catalog()
	oids := map[uint32]string{}
	for _, v := range snapshot.Virtuals() {
		require.Empty(t, oids[v.OID], "the oid of %s", v.Name)
		oids[v.OID] = v.Name
		err := v.Rows(context.Background(), &catalog.VirtualEnv{Snapshot: snapshot},
			func(row []types.Datum) error {
				require.Len(t, row, len(v.Columns))
				for i, d := range row {
					if !d.IsNull() && d.OID() != v.Columns[i].Type.OID {
						return fmt.Errorf("%s is a %s", v.Columns[i].Name,
							types.FormatType(d.OID(), types.NoMod))
					}
				}
				return nil
			})
		require.NoError(t, err, v.Name)
	}
}

// G4: what a row refers to is there. Zero refers to nothing.
func TestReferences(t *testing.T) {
	n := newNode(t)
	for _, ref := range []struct{ table, column, target string }{
		{"pg_class", "relnamespace", "pg_namespace"}, {"pg_class", "relowner", "pg_authid"},
		{"pg_class", "relam", "pg_am"}, {"pg_class", "reltablespace", "pg_tablespace"},
		{"pg_attribute", "attrelid", "pg_class"}, {"pg_attribute", "atttypid", "pg_type"},
		{"pg_attribute", "attcollation", "pg_collation"}, {"pg_attrdef", "adrelid", "pg_class"},
		{"pg_index", "indexrelid", "pg_class"}, {"pg_index", "indrelid", "pg_class"},
		{"pg_constraint", "conrelid", "pg_class"}, {"pg_constraint", "conindid", "pg_class"},
		{"pg_sequence", "seqrelid", "pg_class"}, {"pg_sequence", "seqtypid", "pg_type"},
		{"pg_namespace", "nspowner", "pg_authid"},
		{"pg_database", "dattablespace", "pg_tablespace"},
		{"pg_proc", "prorettype", "pg_type"}, {"pg_proc", "prolang", "pg_language"},
		{"pg_type", "typelem", "pg_type"}, {"pg_type", "typarray", "pg_type"},
		{"pg_type", "typinput", "pg_proc"}, {"pg_type", "typsend", "pg_proc"},
		{"pg_type", "typcollation", "pg_collation"}, {"pg_operator", "oprcode", "pg_proc"},
		{"pg_operator", "oprleft", "pg_type"}, {"pg_operator", "oprresult", "pg_type"},
		{"pg_aggregate", "aggfnoid", "pg_proc"}, {"pg_aggregate", "aggtransfn", "pg_proc"},
		{"pg_cast", "castfunc", "pg_proc"}, {"pg_opclass", "opcfamily", "pg_opfamily"},
		{"pg_amop", "amopfamily", "pg_opfamily"}, {"pg_amop", "amopopr", "pg_operator"},
		{"pg_amproc", "amproc", "pg_proc"}, {"pg_rewrite", "ev_class", "pg_class"},
	} {
		rows := n.query(fmt.Sprintf(`SELECT DISTINCT f.%s FROM %s f LEFT JOIN %s t
			ON t.oid = f.%s::oid WHERE f.%s::oid <> 0 AND t.oid IS NULL`, ref.column, ref.table,
			ref.target, ref.column, ref.column))
		require.Empty(t, rows, "%s.%s", ref.table, ref.column)
	}
	require.Empty(t, n.query(`SELECT i.indexrelid FROM pg_index i, unnest(indclass) c
		WHERE NOT EXISTS (SELECT FROM pg_opclass WHERE oid = c)`))
}

// G2: an oid names one object of its catalog.
func TestOIDsAreUnique(t *testing.T) {
	n := newNode(t)
	for _, table := range []string{"pg_class", "pg_type", "pg_proc", "pg_operator", "pg_constraint",
		"pg_attrdef", "pg_namespace", "pg_authid", "pg_cast"} {
		rows := n.query("SELECT oid FROM " + table + " GROUP BY oid HAVING count(*) > 1")
		require.Empty(t, rows, table)
	}
	require.Empty(t, n.query("SELECT attrelid, attnum FROM pg_attribute GROUP BY 1, 2 "+
		"HAVING count(*) > 1"))
}

// A column by which rows are looked up gives the rows that a look at all of them gives.
func TestKeysFindTheSameRows(t *testing.T) {
	snapshot := newNode(t).exec.Begin(engine.TxnOptions{}).Catalog()
	rows := func(v *catalog.VirtualTable, env *catalog.VirtualEnv, key int) map[string][]string {
		found := map[string][]string{}
		env.Snapshot = snapshot
		err := v.Rows(context.Background(), env, func(row []types.Datum) error {
			value := row[key].String()
			found[value] = append(found[value], fmt.Sprint(row))
			return nil
		})
		require.NoError(t, err)
		return found
	}
	tried := 0
	for _, v := range snapshot.Virtuals() {
		for _, key := range v.Keys {
			for value, want := range rows(v, &catalog.VirtualEnv{}, key) {
				tried++
				if tried%7 != 0 && len(v.Keys) == 1 {
					continue // some of the many will do
				}
				d, err := types.ParseText(v.Columns[key].Type, value, nil)
				require.NoError(t, err)
				got := rows(v, &catalog.VirtualEnv{Key: key, Value: d}, key)
				require.Equal(t, map[string][]string{value: want}, got, v.Name)
			}
		}
	}
	require.Greater(t, tried, 1000)
}
