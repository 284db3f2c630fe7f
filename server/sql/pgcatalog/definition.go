package pgcatalog

import (
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// Definitions prints objects as statements that would make them: what pg_get_indexdef and its kin
// give. It belongs to one session, which keeps it for as long as its view of the catalog lasts:
// what is asked for every row of a listing is looked up in maps made at the first question.
type Definitions struct {
	Snapshot *catalog.Snapshot
	Path     []string // where a name printed in the short form is looked for
	Deparser Deparser // nil to print what is kept as text as it is

	owners   map[uint32]*catalog.Table // of indexes and constraints
	comments map[commented]string
}

// owner finds the table that an index or a constraint belongs to; nil when there is none.
func (d *Definitions) owner(oid uint32) *catalog.Table {
	if d.owners == nil {
		d.owners = map[uint32]*catalog.Table{}
		for _, t := range d.Snapshot.Tables() {
			for _, i := range indexesOf(t) {
				d.owners[i.OID] = t
			}
			for _, c := range constraintsOf(t) {
				d.owners[c.oid] = t
			}
		}
	}
	return d.owners[oid]
}

// Index is CREATE INDEX, or one of the index' columns, counted from 1; false when there is no such
// index. The short form qualifies the table only where it must.
func (d *Definitions) Index(oid uint32, column int, short bool) (string, bool) {
	i := findIndex(d.owner(oid), oid)
	switch {
	case i == nil:
		return "", false
	case column == 0:
		return d.index(i, short), true
	case column < 0 || column > len(i.Columns)+len(i.Include):
		return "", true
	case column > len(i.Columns):
		return columnNames(i.table, i.included()[column-1-len(i.Columns):][:1]), true
	}
	return d.indexColumns(i, short)[column-1], true
}

// findIndex finds an index of a table, which may be nil.
func findIndex(t *catalog.Table, oid uint32) *index {
	if t == nil {
		return nil
	}
	for _, i := range indexesOf(t) {
		if i.OID == oid {
			return &i
		}
	}
	return nil
}

func (d *Definitions) index(i *index, short bool) string {
	var b strings.Builder
	b.WriteString("CREATE ")
	if i.unique {
		b.WriteString("UNIQUE ")
	}
	b.WriteString("INDEX " + catalog.QuoteIdent(i.Name) + " ON ")
	b.WriteString(d.tableName(i.table, short))
	b.WriteString(" USING btree (")
	for n, column := range d.indexColumns(i, short) {
		if n > 0 {
			b.WriteString(", ")
		}
		b.WriteString(column)
		if i.Classes != nil && i.Classes[n] != "" {
			b.WriteString(" " + i.Classes[n])
		}
		b.WriteString(orderText(i.Order(n)))
	}
	b.WriteString(")" + i.includeText())
	if i.NullsNotDistinct {
		b.WriteString(" NULLS NOT DISTINCT")
	}
	if len(i.Options) > 0 {
		options := make([]string, len(i.Options))
		for n, option := range i.Options {
			name, value, _ := strings.Cut(option, "=")
			options[n] = name + "='" + value + "'"
		}
		b.WriteString(" WITH (" + strings.Join(options, ", ") + ")")
	}
	if i.Where != "" {
		b.WriteString(" WHERE " + d.Expression(i.table, i.Where, short))
	}
	return b.String()
}

// includeText is what follows the key of an index or of a constraint that has columns beside it.
func (i *index) includeText() string {
	if len(i.Include) == 0 {
		return ""
	}
	return " INCLUDE (" + columnNames(i.table, i.included()) + ")"
}

// indexColumns prints what the key of an index consists of. An expression that is no call stands in
// parentheses.
func (d *Definitions) indexColumns(i *index, short bool) []string {
	list, exprs := make([]string, len(i.Columns)), i.Exprs
	for n, at := range i.Columns {
		if at != catalog.ExprColumn {
			list[n] = catalog.QuoteIdent(i.table.Columns[at].Name)
			continue
		}
		text := d.Expression(i.table, exprs[0].SQL, short)
		if !isCall(exprs[0].SQL) {
			text = "(" + text + ")"
		}
		list[n], exprs = text, exprs[1:]
	}
	return list
}

// isCall says whether an expression is the call of a function and nothing else.
func isCall(expr string) bool {
	words := wordsOf(expr)
	if len(words) < 3 || !isLetter(expr[0]) && expr[0] != '"' || words[1].text != "(" {
		return false
	}
	depth := 0
	for n, w := range words {
		switch w.text {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 && n < len(words)-1 {
				return false
			}
		}
	}
	return true
}

// orderText is what an index definition says of a column's order: where NULLs lie is said only when
// it does not follow from the direction.
func orderText(o types.KeyOrder) string {
	switch {
	case o.Desc && o.NullsFirst:
		return " DESC"
	case o.Desc:
		return " DESC NULLS LAST"
	case o.NullsFirst:
		return " NULLS FIRST"
	}
	return ""
}

func (d *Definitions) tableName(t *catalog.Table, short bool) string {
	if short && d.Snapshot.Resolve(d.Path, "", t.Name).Table == t {
		return catalog.QuoteIdent(t.Name)
	}
	return catalog.QuoteIdent(t.Schema) + "." + catalog.QuoteIdent(t.Name)
}

// Visible reports whether an object is found by its bare name. Kind is the type of its catalog:
// RegClass, RegType, RegProc, RegProcedure for operators.
func (d *Definitions) Visible(kind types.OID, object uint32) (visible, exists bool) {
	switch kind {
	case types.RegType:
		_, pseudo := PseudoTypeName(types.OID(object))
		return true, pseudo || types.Lookup(types.OID(object)) != nil
	case types.RegProc:
		return true, findProc(object) != nil
	case types.RegClass:
		name := d.relationName(object)
		if name == "" {
			return false, false
		}
		return relationOID(d.Snapshot.Resolve(d.Path, "", name), name) == object, true
	}
	return true, true
}

// relationName is the name of a relation, "" when there is none of that number.
func (d *Definitions) relationName(oid uint32) string {
	if t := d.Snapshot.TableByOID(oid); t != nil {
		return t.Name
	}
	if q := d.Snapshot.SequenceByOID(oid); q != nil {
		return q.Name
	}
	if v := d.Snapshot.VirtualByOID(oid); v != nil {
		return v.Name
	}
	if v := d.Snapshot.ViewByOID(oid); v != nil {
		return v.Name
	}
	if i := findIndex(d.owner(oid), oid); i != nil {
		return i.Name
	}
	return ""
}

// relationOID is the number of what a name was found to stand for.
func relationOID(r catalog.Relation, name string) uint32 {
	switch {
	case r.Table != nil:
		return r.Table.OID
	case r.Sequence != nil:
		return r.Sequence.OID
	case r.Virtual != nil:
		return r.Virtual.OID
	case r.View != nil:
		return r.View.OID
	case r.Index != nil:
		return r.Index.IndexNamed(name).OID
	}
	return 0
}

// Deparser prints anew what the catalog keeps as text: as PostgreSQL writes it, and with what it
// names by its present name. False says that it cannot.
type Deparser interface {
	DeparseView(v *catalog.View, pretty bool, wrap int) (string, bool)
	DeparseExpression(t *catalog.Table, kept string, pretty bool) (string, bool)
}

// Host is a VirtualEnv.Host that prints definitions for its session.
type Host interface {
	Definitions() *Definitions
}

// definitions prints what the rows of a table say of definitions.
func (e *env) definitions() *Definitions {
	if host, ok := e.Host.(Host); ok {
		return host.Definitions()
	}
	return &Definitions{Snapshot: e.Snapshot}
}

// View is the query of a view; false when there is no such view.
func (d *Definitions) View(oid uint32, pretty bool, wrap int) (string, bool) {
	v := d.Snapshot.ViewByOID(oid)
	if v == nil {
		return "", false
	}
	return d.view(v, pretty, wrap), true
}

func (d *Definitions) view(v *catalog.View, pretty bool, wrap int) string {
	if d.Deparser != nil {
		if text, ok := d.Deparser.DeparseView(v, pretty, wrap); ok {
			return text + ";"
		}
	}
	return " " + strings.TrimRight(v.Query, "; \t\n") + ";"
}

// Expression prints a kept expression over the columns of a table, which may be nil.
func (d *Definitions) Expression(t *catalog.Table, kept string, pretty bool) string {
	if d.Deparser != nil {
		if text, ok := d.Deparser.DeparseExpression(t, kept, pretty); ok {
			return text
		}
	}
	return kept
}
