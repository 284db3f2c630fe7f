package pgcatalog

import (
	"context"
	"slices"
	"sort"
	"sync"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// Site is what the catalogs say of the server they are in.
type Site struct {
	Database    string
	DatabaseOID uint32
	Superuser   string // the role with BootstrapRoleOID
}

// made are the tables whose rows are made of the snapshot.
var made = map[[2]string]source{
	{catalog.PgCatalog, "pg_attrdef"}:     attrdefRows,
	{catalog.PgCatalog, "pg_attribute"}:   attributeRows,
	{catalog.PgCatalog, "pg_authid"}:      authidRows,
	{catalog.PgCatalog, "pg_class"}:       classRows,
	{catalog.PgCatalog, "pg_constraint"}:  constraintRows,
	{catalog.PgCatalog, "pg_database"}:    databaseRows,
	{catalog.PgCatalog, "pg_depend"}:      dependRows,
	{catalog.PgCatalog, "pg_description"}: descriptionRows,
	{catalog.PgCatalog, "pg_index"}:       indexRows,
	{catalog.PgCatalog, "pg_indexes"}:     indexesRows,
	{catalog.PgCatalog, "pg_namespace"}:   namespaceRows,
	{catalog.PgCatalog, "pg_proc"}:        procRows,
	{catalog.PgCatalog, "pg_rewrite"}:     rewriteRows,
	{catalog.PgCatalog, "pg_roles"}:       rolesRows,
	{catalog.PgCatalog, "pg_sequence"}:    sequenceRows,
	{catalog.PgCatalog, "pg_sequences"}:   sequencesRows,
	{catalog.PgCatalog, "pg_shadow"}:      userRows,
	{catalog.PgCatalog, "pg_tables"}:      tablesRows,
	{catalog.PgCatalog, "pg_user"}:        userRows,
	{catalog.PgCatalog, "pg_views"}:       viewsRows,

	{catalog.InformationSchema, "check_constraints"}:               schemaChecks,
	{catalog.InformationSchema, "column_privileges"}:               schemaColumnPrivileges,
	{catalog.InformationSchema, "parameters"}:                      schemaParameters,
	{catalog.InformationSchema, "role_table_grants"}:               schemaTablePrivileges,
	{catalog.InformationSchema, "routines"}:                        schemaRoutines,
	{catalog.InformationSchema, "table_privileges"}:                schemaTablePrivileges,
	{catalog.InformationSchema, "columns"}:                         schemaColumns,
	{catalog.InformationSchema, "constraint_column_usage"}:         schemaColumnUsage,
	{catalog.InformationSchema, "constraint_table_usage"}:          schemaTableUsage,
	{catalog.InformationSchema, "enabled_roles"}:                   schemaRoles,
	{catalog.InformationSchema, "information_schema_catalog_name"}: schemaCatalogName,
	{catalog.InformationSchema, "key_column_usage"}:                schemaKeyUsage,
	{catalog.InformationSchema, "schemata"}:                        schemaSchemata,
	{catalog.InformationSchema, "sequences"}:                       schemaSequences,
	{catalog.InformationSchema, "table_constraints"}:               schemaConstraints,
	{catalog.InformationSchema, "tables"}:                          schemaTables,
	{catalog.InformationSchema, "referential_constraints"}:         schemaReferences,
	{catalog.InformationSchema, "view_column_usage"}:               schemaViewColumns,
	{catalog.InformationSchema, "view_table_usage"}:                schemaViewTables,
	{catalog.InformationSchema, "views"}:                           schemaViews,
}

// keys are the columns that rows are looked up by, where that is less work than to make them all.
var keys = map[string][]string{
	"pg_attrdef":     {"adrelid"},
	"pg_attribute":   {"attrelid"},
	"pg_class":       {"oid", "relname"},
	"pg_constraint":  {"conrelid"},
	"pg_description": {"objoid"},
	"pg_index":       {"indexrelid", "indrelid"},
	"pg_operator":    {"oid"},
	"pg_proc":        {"oid", "proname"},
	"pg_sequence":    {"seqrelid"},
	"pg_type":        {"oid"},
}

// fixed are the catalogs whose rows are facts, the same everywhere.
var fixed = []string{"pg_aggregate", "pg_am", "pg_amop", "pg_amproc", "pg_cast", "pg_collation",
	"pg_language", "pg_opclass", "pg_operator", "pg_opfamily", "pg_shdescription",
	"pg_tablespace", "pg_type"}

// Tables gives the tables of pg_catalog and information_schema that are made here, by oid. Those
// with neither rows made nor facts are of things that are not there, and empty.
func Tables(site Site) []*catalog.VirtualTable {
	sources := make(map[[2]string]source, len(made)+len(fixed))
	for name, rows := range made {
		sources[name] = rows
	}
	for _, name := range fixed {
		sources[[2]string{catalog.PgCatalog, name}] = fixedRows(name)
	}
	var tables []*catalog.VirtualTable
	for name, rel := range relations() {
		tables = append(tables, table(rel, &site, sources[name]))
	}
	sort.Slice(tables, func(i, j int) bool { return tables[i].OID < tables[j].OID })
	return tables
}

func table(rel *relation, site *Site, rows source) *catalog.VirtualTable {
	v := &catalog.VirtualTable{Schema: rel.schema, Name: rel.name, OID: rel.oid,
		Columns: append([]catalog.Column(nil), rel.columns...)}
	for i := range rel.columns {
		if rel.schema == catalog.PgCatalog && slices.Contains(keys[rel.name], rel.columns[i].Name) {
			v.Keys = append(v.Keys, i)
		}
	}
	v.Rows = func(
		ctx context.Context, ve *catalog.VirtualEnv, yield func([]types.Datum) error,
	) error {
		if rows == nil {
			return nil
		}
		w := &writer{relation: rel, row: make([]types.Datum, len(rel.columns)), yield: yield}
		return rows(&env{VirtualEnv: ve, ctx: ctx, site: site}, w)
	}
	return v
}

func compareOID(row []types.Datum, oid int64) int { return int(row[0].Int() - oid) }

// fixedRows gives the facts of a catalog, read at the first use, by oid.
func fixedRows(name string) source {
	rows := sync.OnceValue(func() [][]types.Datum { return factRows(name) })
	return func(e *env, w *writer) error {
		wanted := rows()
		if oid, ok := e.only(w, "oid"); ok {
			at, found := slices.BinarySearchFunc(wanted, oid.Int(), compareOID)
			if !found {
				return nil
			}
			wanted = wanted[at : at+1]
		}
		for _, row := range wanted {
			if err := w.yield(row); err != nil {
				return err
			}
		}
		return nil
	}
}
