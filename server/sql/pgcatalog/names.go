package pgcatalog

import (
	"sync"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// Names knows what a catalog.Snapshot has no part in: functions, roles and types without values.
type Names struct{ Site Site }

// NameOf implements types.Names.
func (n Names) NameOf(kind, object types.OID) (string, bool) {
	switch kind {
	case types.RegType:
		return PseudoTypeName(object)
	case types.RegRole:
		name, ok := n.Site.RoleName(uint32(object))
		return catalog.QuoteIdent(name), ok
	case types.RegProc:
		p := findProc(uint32(object))
		if p == nil {
			return "", false
		}
		// A name that stands for several functions is qualified, to say that it alone will not do.
		if len(procsNamed(p.name)) > 1 {
			return catalog.PgCatalog + "." + catalog.QuoteIdent(p.name), true
		}
		return catalog.QuoteIdent(p.name), true
	case types.RegProcedure:
		p := findProc(uint32(object))
		if p == nil {
			return "", false
		}
		return p.signature(), true
	}
	return "", false
}

// signature is the name with the types of the input arguments.
func (p *proc) signature() string {
	text := catalog.QuoteIdent(p.name) + "("
	for i, arg := range p.args {
		if i > 0 {
			text += ","
		}
		text += TypeName(arg)
	}
	return text + ")"
}

// OIDOf implements types.Names. A name that stands for several functions names none.
func (n Names) OIDOf(kind types.OID, parts []string) (types.OID, bool) {
	name := parts[len(parts)-1]
	switch kind {
	case types.RegRole:
		switch {
		case len(parts) != 1:
		case name == n.Site.Superuser:
			return types.OID(catalog.BootstrapRoleOID), true
		case name == databaseOwner:
			return databaseOwnerRole, true
		}
	case types.RegProc, types.RegProcedure:
		if len(parts) > 2 || len(parts) == 2 && parts[0] != catalog.PgCatalog {
			return 0, false
		}
		if found := procsNamed(name); len(found) == 1 {
			return types.OID(found[0].oid), true
		}
	}
	return 0, false
}

// pseudoTypes names the types of pg_type that no value here has: internal, trigger.
var pseudoTypes = sync.OnceValue(func() map[types.OID]string {
	const oid, name = 0, 1 // columns of pg_type
	names := map[types.OID]string{}
	for _, row := range factRows("pg_type") {
		if typ := types.OID(row[oid].Int()); types.Lookup(typ) == nil {
			names[typ] = row[name].Str()
		}
	}
	return names
})

// PseudoTypeName names a type of pg_type that is not among the types of values.
func PseudoTypeName(oid types.OID) (string, bool) {
	name, ok := pseudoTypes()[oid]
	return catalog.QuoteIdent(name), ok
}

// TypeName is the type as format_type shows it without a modifier.
func TypeName(oid types.OID) string {
	if types.Lookup(oid) != nil {
		return types.FormatType(oid, types.NoMod)
	}
	if name, ok := PseudoTypeName(oid); ok {
		return name
	}
	return "???"
}
