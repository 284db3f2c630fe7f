package server

import (
	"strings"

	"ackdb/server/sql/builtin"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// hostCatalog answers what functions ask about objects, as the session's transaction sees them.
type hostCatalog host

func (h *hostCatalog) session() *session { return (*session)(h) }

// Visible implements builtin.Catalog: an object is visible when its bare name finds it.
func (h *hostCatalog) Visible(kind, object types.OID) (visible, exists bool) {
	switch kind {
	case types.RegType:
		return true, types.Lookup(object) != nil
	case types.RegClass:
		return h.relationVisible(uint32(object))
	}
	return false, false
}

func (h *hostCatalog) relationVisible(oid uint32) (visible, exists bool) {
	s := h.session()
	s.refreshText()
	snapshot := s.snapshot()
	name, exists := relationName(snapshot, oid)
	if !exists {
		return false, false
	}
	return relationOID(snapshot.Resolve(s.text.path, "", name)) == oid, true
}

// relationName is the name of a table, sequence, index or view of the system.
func relationName(snapshot *catalog.Snapshot, oid uint32) (string, bool) {
	if t := snapshot.TableByOID(oid); t != nil {
		return t.Name, true
	}
	if q := snapshot.SequenceByOID(oid); q != nil {
		return q.Name, true
	}
	if v := snapshot.VirtualByOID(oid); v != nil {
		return v.Name, true
	}
	return "", false
}

func relationOID(r catalog.Relation) uint32 {
	switch {
	case r.Table != nil:
		return r.Table.OID
	case r.Sequence != nil:
		return r.Sequence.OID
	case r.Virtual != nil:
		return r.Virtual.OID
	}
	return 0
}

// TypeName implements builtin.Catalog: there are no types of users' own.
func (h *hostCatalog) TypeName(types.OID) (string, bool) { return "", false }

// RoleName implements builtin.Catalog.
func (h *hostCatalog) RoleName(oid types.OID) (string, bool) {
	return superuser, oid == superuserOID
}

// IndexDef implements builtin.Catalog.
func (h *hostCatalog) IndexDef(types.OID, int, bool) (string, bool) { return "", false }

// ConstraintDef implements builtin.Catalog.
func (h *hostCatalog) ConstraintDef(types.OID, bool) (string, bool) { return "", false }

// ViewDef implements builtin.Catalog.
func (h *hostCatalog) ViewDef(types.OID, bool) (string, bool) { return "", false }

// Comment implements builtin.Catalog.
func (h *hostCatalog) Comment(types.OID, string, int) (string, bool) { return "", false }

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

// Size implements builtin.Catalog: the store does not keep tables apart.
func (h *hostCatalog) Size(types.OID, builtin.SizeKind) (int64, bool) { return 0, true }

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
