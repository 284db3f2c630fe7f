package catalog

import (
	"strings"

	"ackdb/server/sql/types"
)

// Names resolves and prints the reg* types under one snapshot and search path.
type Names struct {
	Snapshot *Snapshot
	Path     []string

	// Next answers what the catalog has no part in: functions and roles. May be nil.
	Next types.Names
}

// NameOf implements types.Names.
func (n Names) NameOf(kind, object types.OID) (string, bool) {
	switch kind {
	case types.RegClass:
		return n.className(uint32(object))
	case types.RegNamespace:
		for _, c := range n.Snapshot.schemas {
			if c.OID == uint32(object) {
				return QuoteIdent(c.Name), true
			}
		}
		return "", false
	}
	if n.Next == nil {
		return "", false
	}
	return n.Next.NameOf(kind, object)
}

func (n Names) className(oid uint32) (string, bool) {
	s := n.Snapshot
	switch {
	case s.tables[oid] != nil:
		return n.visible(s.tables[oid].Schema, s.tables[oid].Name), true
	case s.sequences[oid] != nil:
		return n.visible(s.sequences[oid].Schema, s.sequences[oid].Name), true
	case s.views[oid] != nil:
		return n.visible(s.views[oid].Schema, s.views[oid].Name), true
	case s.virtuals[oid] != nil:
		return n.visible(s.virtuals[oid].Schema, s.virtuals[oid].Name), true
	}
	for _, t := range s.tables {
		for _, x := range t.keys() {
			if x.OID == oid {
				return n.visible(t.Schema, x.Name), true
			}
		}
	}
	return "", false
}

// visible qualifies the name only when the search path would not find it.
func (n Names) visible(schema, name string) string {
	if n.Snapshot.Resolve(n.Path, "", name) == n.Snapshot.Relation(schema, name) {
		return QuoteIdent(name)
	}
	return QuoteIdent(schema) + "." + QuoteIdent(name)
}

// OIDOf implements types.Names.
func (n Names) OIDOf(kind types.OID, parts []string) (types.OID, bool) {
	switch {
	case kind == types.RegClass && (len(parts) == 1 || len(parts) == 2):
		schema := ""
		if len(parts) == 2 {
			schema = parts[0]
		}
		name := parts[len(parts)-1]
		return n.Snapshot.Resolve(n.Path, schema, name).oid(name)
	case kind == types.RegNamespace && len(parts) == 1:
		if c := n.Snapshot.Schema(parts[0]); c != nil {
			return types.OID(c.OID), true
		}
		return 0, false
	case n.Next == nil:
		return 0, false
	}
	return n.Next.OIDOf(kind, parts)
}

func (r Relation) oid(name string) (types.OID, bool) {
	switch {
	case r.Table != nil:
		return types.OID(r.Table.OID), true
	case r.Sequence != nil:
		return types.OID(r.Sequence.OID), true
	case r.View != nil:
		return types.OID(r.View.OID), true
	case r.Virtual != nil:
		return types.OID(r.Virtual.OID), true
	case r.Index != nil:
		return types.OID(r.Index.IndexNamed(name).OID), true
	}
	return 0, false
}

// QuoteIdent writes an identifier as it must stand in a statement.
func QuoteIdent(name string) string {
	plain := name != "" && !isReserved(name)
	for i := 0; i < len(name) && plain; i++ {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c == '_'
		plain = letter || i > 0 && (c >= '0' && c <= '9' || c == '$')
	}
	if plain {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// isReserved knows the words that Postgres' grammar does not take as a column name unquoted.
func isReserved(word string) bool {
	_, found := reserved[word]
	return found
}

var reserved = words(`
	all analyse analyze and any array as asc asymmetric authorization between bigint
	binary bit boolean both case cast char character check coalesce collate collation column
	concurrently constraint create cross current_catalog current_date current_role current_schema
	current_time current_timestamp current_user dec decimal default deferrable desc distinct do else
	end except exists extract false fetch float for foreign freeze from full grant greatest group
	grouping having ilike in initially inner inout int integer intersect interval into is isnull join
	lateral leading least left like limit localtime localtimestamp national natural nchar none
	normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay
	placing position precision primary real references returning right row select session_user setof
	similar smallint some substring symmetric table tablesample then time timestamp to trailing treat
	trim true union unique user using values varchar variadic verbose when where window with
	xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot
	xmlserialize xmltable`)

func words(list string) map[string]struct{} {
	set := map[string]struct{}{}
	for _, w := range strings.Fields(list) {
		set[w] = struct{}{}
	}
	return set
}
