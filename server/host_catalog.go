package server

import (
	"strings"

	"ackdb/server/sql/builtin"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/pgcatalog"
	"ackdb/server/sql/types"
)

// site is what the catalogs say of this server.
var site = pgcatalog.Site{Database: databaseName, DatabaseOID: databaseOID, Superuser: superuser}

// hostCatalog answers what functions ask about objects, as the session's transaction sees them.
type hostCatalog host

func (h *hostCatalog) session() *session { return (*session)(h) }

// definitions prints objects as the session's search path finds them.
func (h *hostCatalog) definitions() *pgcatalog.Definitions { return h.session().Definitions() }

// Visible implements builtin.Catalog.
func (h *hostCatalog) Visible(kind, object types.OID) (visible, exists bool) {
	return h.definitions().Visible(kind, uint32(object))
}

// TypeName implements builtin.Catalog: there are no types of users' own.
func (h *hostCatalog) TypeName(oid types.OID) (string, bool) {
	return pgcatalog.PseudoTypeName(oid)
}

// RoleName implements builtin.Catalog.
func (h *hostCatalog) RoleName(oid types.OID) (string, bool) {
	return site.RoleName(uint32(oid))
}

// IndexDef implements builtin.Catalog.
func (h *hostCatalog) IndexDef(index types.OID, column int, pretty bool) (string, bool) {
	return h.definitions().Index(uint32(index), column, pretty)
}

// ConstraintDef implements builtin.Catalog.
func (h *hostCatalog) ConstraintDef(constraint types.OID, pretty bool) (string, bool) {
	return h.definitions().Constraint(uint32(constraint), pretty)
}

// ViewDef implements builtin.Catalog.
func (h *hostCatalog) ViewDef(view types.OID, pretty bool, wrap int) (string, bool) {
	return h.definitions().View(uint32(view), pretty, wrap)
}

// Expression implements builtin.Catalog.
func (h *hostCatalog) Expression(kept string, relation types.OID, pretty bool) string {
	d := h.definitions()
	return d.Expression(d.Snapshot.TableByOID(uint32(relation)), kept, pretty)
}

// FunctionDef implements builtin.Catalog.
func (h *hostCatalog) FunctionDef(function types.OID, part builtin.FunctionPart) (string, bool) {
	switch part {
	case builtin.FunctionWhole:
		return pgcatalog.FunctionStatement(uint32(function))
	case builtin.FunctionAggregate:
		return pgcatalog.AggregateName(uint32(function))
	case builtin.FunctionResult:
		return pgcatalog.FunctionResult(uint32(function))
	case builtin.FunctionIdentity:
		return pgcatalog.FunctionArguments(uint32(function), true)
	}
	return pgcatalog.FunctionArguments(uint32(function), false)
}

// Comment implements builtin.Catalog.
func (h *hostCatalog) Comment(object types.OID, catalog string, column int) (string, bool) {
	return h.definitions().Comment(uint32(object), catalog, column)
}

// SerialSequence implements builtin.Catalog.
func (h *hostCatalog) SerialSequence(table, column string) (string, bool, error) {
	s := h.session()
	s.refreshText()
	parts, ok := splitQualified(table)
	if !ok {
		return "", false, types.Errorf(types.CodeInvalidName, "invalid name syntax")
	}
	t := s.snapshot().Resolve(s.text.path, parts[0], parts[1]).Table
	if t == nil {
		return "", false, types.Errorf(types.CodeUndefinedTable,
			"relation \"%s\" does not exist", table)
	}
	for _, q := range s.snapshot().Sequences() {
		if q.OwnerTable == t.OID && ownedColumn(t, q) == column {
			return quoteIdentifier(q.Schema) + "." + quoteIdentifier(q.Name), true, nil
		}
	}
	return "", false, nil
}

// ownedColumn is the name of the column a sequence is dropped with.
func ownedColumn(t *catalog.Table, q *catalog.Sequence) string {
	for _, c := range t.Columns {
		if c.Attnum == q.OwnerColumn {
			return c.Name
		}
	}
	return ""
}

// splitQualified reads a name with or without its schema, as text functions are given it.
func splitQualified(text string) (parts [2]string, ok bool) {
	var names []string
	for rest := text; ; {
		var name string
		if rest != "" && rest[0] == '"' {
			if name, rest, ok = cutQuoted(rest); !ok {
				return parts, false
			}
		} else {
			name, rest = cutWord(rest)
		}
		names = append(names, name)
		if rest == "" {
			break
		}
		rest = rest[1:]
	}
	switch len(names) {
	case 1:
		return [2]string{"", names[0]}, true
	case 2:
		return [2]string{names[0], names[1]}, true
	}
	return parts, false
}

// cutWord reads an unquoted name up to a dot.
func cutWord(text string) (word, rest string) {
	if i := strings.IndexByte(text, '.'); i >= 0 {
		return strings.ToLower(text[:i]), text[i:]
	}
	return strings.ToLower(text), ""
}
