package pgcatalog

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/server/sql/builtin"
	"ackdb/server/sql/types"
	"ackdb/server/sql/types/pgoracle"
)

// relationNames are the relations of PostgreSQL 15 that are here. Those it has in addition either
// hold what this system has nothing of (statistics of I/O, prepared row patterns), or are made by
// the server, which knows its settings and sessions.
var relationNames = map[string]string{
	"pg_catalog": `pg_aggregate pg_am pg_amop pg_amproc pg_attrdef pg_attribute pg_auth_members
		pg_authid pg_available_extension_versions pg_available_extensions pg_cast pg_class
		pg_collation pg_constraint pg_conversion pg_database pg_db_role_setting pg_default_acl
		pg_depend pg_description pg_enum pg_event_trigger pg_extension pg_foreign_data_wrapper
		pg_foreign_server pg_foreign_table pg_group pg_index pg_indexes pg_inherits pg_init_privs
		pg_language pg_largeobject_metadata pg_matviews pg_namespace pg_opclass pg_operator
		pg_opfamily pg_parameter_acl pg_partitioned_table pg_policies pg_policy pg_proc
		pg_publication pg_publication_namespace pg_publication_rel pg_publication_tables pg_range
		pg_replication_origin pg_rewrite pg_roles pg_rules pg_seclabel pg_seclabels pg_sequence
		pg_sequences pg_shadow pg_shdepend pg_shdescription pg_shseclabel pg_statistic_ext
		pg_subscription pg_subscription_rel pg_tables pg_tablespace pg_transform pg_trigger
		pg_ts_config pg_ts_config_map pg_ts_dict pg_ts_parser pg_ts_template pg_type pg_user
		pg_user_mapping pg_user_mappings pg_views`,
	"information_schema": `applicable_roles check_constraints column_privileges columns
		constraint_column_usage constraint_table_usage domain_constraints domains enabled_roles
		information_schema_catalog_name key_column_usage parameters referential_constraints
		role_table_grants routines schemata sequences table_constraints table_privileges tables
		triggers view_column_usage view_table_usage views`,
}

// oracle is what asks PostgreSQL 15 for facts.
type oracle struct {
	t *testing.T
	*pgoracle.Oracle
	referred *[]string // queries that give the functions which rows name
}

// copyOut gives the rows of a query in the text form of COPY.
func (o oracle) copyOut(query string) string {
	var out bytes.Buffer
	_, err := o.Conn.PgConn().CopyTo(context.Background(), &out, "COPY ("+query+") TO STDOUT")
	require.NoError(o.t, err, query)
	return out.String()
}

func (o oracle) write(file, query string) {
	path := filepath.Join("facts", file)
	require.NoError(o.t, os.WriteFile(path, []byte(o.copyOut(query)), 0o644))
}

// rows writes rows of a catalog, functions by number, and notes which functions they name.
func (o oracle) rows(table, where string) {
	attributes, err := o.Conn.Query(context.Background(), `SELECT attname::text, atttypid::int4
		FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 ORDER BY attnum`,
		table)
	require.NoError(o.t, err)
	defer attributes.Close()
	var columns []string
	for attributes.Next() {
		var name string
		var typ int32
		require.NoError(o.t, attributes.Scan(&name, &typ))
		if types.OID(typ) == types.RegProc || name == "castfunc" {
			name += "::oid"
			*o.referred = append(*o.referred, "SELECT "+name+" FROM "+table+" WHERE "+where)
		}
		columns = append(columns, name)
	}
	require.NoError(o.t, attributes.Err())
	o.write(table+".tsv", "SELECT "+strings.Join(columns, ", ")+" FROM "+table+" WHERE "+where+
		" ORDER BY 1")
}

// list writes numbers as a literal array of oids.
func list[T ~uint32](oids []T) string {
	words := make([]string, len(oids))
	for i, oid := range oids {
		words[i] = fmt.Sprint(uint32(oid))
	}
	return "ANY ('{" + strings.Join(words, ",") + "}'::oid[])"
}

// TestFacts writes the facts anew, with -update, of a PostgreSQL 15.
func TestFacts(t *testing.T) {
	o := oracle{t, pgoracle.StartForUpdate(t), new([]string)}
	o.relations()
	var known []types.OID
	for _, info := range types.All() {
		known = append(known, info.OID)
	}
	slices.Sort(known)
	typ := list(known)
	o.rows("pg_type", "oid = "+typ+" OR typtype = 'p'")
	o.rows("pg_am", "oid IN (2, 403)")
	o.rows("pg_cast", "castsource = "+typ+" AND casttarget = "+typ)
	o.rows("pg_collation", "oid IN (100, 950, 951)")
	o.rows("pg_language", "oid = 12")
	o.rows("pg_tablespace", "true")
	o.rows("pg_description", "classoid = 2615 AND objoid = 2200")
	o.rows("pg_shdescription", "classoid = 1262 AND objoid = 5")
	const classes = "opcmethod = 403 AND opcintype = "
	o.rows("pg_opclass", classes+typ)
	o.rows("pg_opfamily", "oid IN (SELECT opcfamily FROM pg_opclass WHERE "+classes+typ+")")
	o.rows("pg_amproc", "amproclefttype = "+typ+" AND amprocrighttype = "+typ+
		" AND amprocfamily IN (SELECT oid FROM pg_opfamily WHERE opfmethod = 403)")
	o.operators()
	o.procedures()
}

// relations writes names, numbers and columns; a column of a domain has the type below it.
func (o oracle) relations() {
	var out strings.Builder
	for _, schema := range []string{"pg_catalog", "information_schema"} {
		for _, name := range strings.Fields(relationNames[schema]) {
			out.WriteString(o.copyOut(fmt.Sprintf(`SELECT relname, '%s', oid, relkind, relisshared
				FROM pg_class WHERE oid = '%s.%s'::regclass`, schema, schema, name)))
			out.WriteString(o.copyOut(fmt.Sprintf(`SELECT '', attname,
				coalesce(b.typname, t.typname),
				CASE WHEN b.oid IS NULL THEN atttypmod ELSE t.typtypmod END, attnotnull
				FROM pg_attribute JOIN pg_type t ON t.oid = atttypid
				LEFT JOIN pg_type b ON b.oid = t.typbasetype
				WHERE attrelid = '%s.%s'::regclass AND attnum > 0 ORDER BY attnum`, schema, name)))
		}
	}
	require.NoError(o.t, os.WriteFile("facts/relations.tsv", []byte(out.String()), 0o644))
}

// registered gives the numbers of what the registry has, of a query that gives number and
// signature.
func (o oracle) registered(query string, has map[string]bool) []uint32 {
	rows, err := o.Conn.Query(context.Background(), query)
	require.NoError(o.t, err)
	defer rows.Close()
	var found []uint32
	for rows.Next() {
		var oid uint32
		var signature string
		require.NoError(o.t, rows.Scan(&oid, &signature))
		if has[signature] {
			found = append(found, oid)
		}
	}
	require.NoError(o.t, rows.Err())
	return found
}

func (o oracle) operators() {
	has := map[string]bool{}
	builtin.EachOperator(func(op *builtin.Operator) {
		has[fmt.Sprint(op.Name, " ", uint32(op.Left), " ", uint32(op.Right))] = true
	})
	ops := list(o.registered(`SELECT oid, concat(oprname, ' ', oprleft, ' ', oprright)
		FROM pg_operator ORDER BY oid`, has))
	o.rows("pg_operator", "oid = "+ops)
	o.rows("pg_amop", "amopmethod = 403 AND amopopr = "+ops)
}

// procColumns are those of pg_proc, less what is the same for all, and with the defaults' text.
const procColumns = `SELECT oid, proname, prokind, prorettype, proargtypes, proretset, proisstrict,
	provolatile, provariadic, proallargtypes, proargmodes, proargnames,
	pg_get_expr(proargdefaults, 0), prosrc, proparallel, procost, prorows, proleakproof
	FROM pg_proc`

func (o oracle) procedures() {
	has := map[string]bool{}
	builtin.EachFunction(func(f *builtin.Function) { has[procSignature(f.Name, f.Args)] = true })
	builtin.EachAggregate(func(a *builtin.Aggregate) { has[procSignature(a.Name, a.Args)] = true })
	found := list(o.registered(`SELECT oid, concat(proname, ' ', proargtypes) FROM pg_proc
		WHERE pronamespace = 11 ORDER BY oid`, has))
	o.rows("pg_aggregate", "aggfnoid = "+found)
	// Window functions are the planner's, and not in the registry.
	o.write("pg_proc.tsv", procColumns+" WHERE oid = "+found+" OR prokind = 'w' AND proname IN"+
		" ('row_number', 'rank', 'dense_rank') OR oid IN ("+
		strings.Join(*o.referred, " UNION ")+") ORDER BY oid")
}
