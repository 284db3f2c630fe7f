package plan

import (
	"slices"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// codeInvalidObject is the SQLSTATE of a view that reads itself.
const codeInvalidObject types.Code = "42P17"

// viewing is what an analyzer knows of the view whose query it is in.
type viewing struct {
	// view is one that is read: its names of relations mean what they did when it was made.
	view *catalog.View
	// making is one that is being made: what its query names is noted in it.
	making *catalog.View
	within []uint32 // the views around the query, the innermost last
}

// named finds what a name in FROM stands for, in the query of a view too.
func (a *analyzer) named(r *parse.RangeVar) (catalog.Relation, error) {
	if a.view == nil {
		return a.relation(r)
	}
	ref := a.view.Ref(r.Name.Schema, r.Name.Name)
	if ref == nil {
		return catalog.Relation{}, types.Errorf(types.CodeDataCorrupted,
			"view \"%s\" reads \"%s\", which it does not list", a.view.Name, r.Name.String())
	}
	rel := a.usedRelation(ref.OID)
	if !rel.Exists() {
		return rel, types.Errorf(types.CodeDataCorrupted,
			"view \"%s\" reads \"%s\", which is not there", a.view.Name, r.Name.String())
	}
	return rel, nil
}

// fromView puts the query of a view in FROM.
func (a *analyzer) fromView(item *parse.RangeVar, v *catalog.View) (*joinTree, error) {
	if slices.Contains(a.within, v.OID) {
		return nil, errRecursion(v)
	}
	if a.making != nil {
		a.noteRef(item.Name, v.OID, v.Columns)
	}
	q, err := a.viewQuery(v)
	if err != nil {
		return nil, err
	}
	for i := range q.columns {
		c := &q.columns[i]
		c.Name = a.nameThen(item, v.OID, &v.Columns[i])
		c.TableOID, c.Attnum = v.OID, v.Columns[i].Attnum
	}
	schema, name := a.calledThen(item, v.Schema, v.Name)
	src := querySource(name, q.columns, item.Alias)
	if item.Alias == nil {
		src.schema = schema
	} else {
		a.hidden[item.Alias.Name] = name
		name = item.Alias.Name
	}
	if a.locks(name) {
		return nil, a.unsupported(parse.NoPos, lockName(a.locking[0].Strength)+" of a view")
	}
	if a.making != nil {
		src.reads = a.readsOf(item.Name)
	}
	return a.beside(src, q, item.Alias, name)
}

func errRecursion(v *catalog.View) error {
	return types.Errorf(codeInvalidObject,
		"infinite recursion detected in rules for relation \"%s\"", v.Name)
}

// viewQuery resolves the query of a view, in which nothing of the query around it can be named.
func (a *analyzer) viewQuery(v *catalog.View) (*queryInFrom, error) {
	stmt, err := parse.ParseOne(v.Query)
	if err != nil {
		return nil, types.Errorf(types.CodeDataCorrupted,
			"view \"%s\" cannot be read: %v", v.Name, err)
	}
	level, viewing, own, hidden := a.level, a.viewing, a.stmt, a.hidden
	defer func() { a.level, a.viewing, a.stmt, a.hidden = level, viewing, own, hidden }()
	a.ctes, a.laterCTEs, a.unreachable = nil, nil, nil
	a.viewing.view, a.making, a.within = v, nil, append(slices.Clip(a.within), v.OID)
	a.stmt, a.hidden = stmt, map[string]string{}
	q, err := a.resolveInFrom(nil, stmt.Tree.(*parse.SelectStmt))
	if err != nil {
		return nil, withoutPosition(err)
	}
	if len(q.columns) != len(v.Columns) {
		return nil, types.Errorf(types.CodeDataCorrupted, "view \"%s\" has %d columns for %d",
			v.Name, len(q.columns), len(v.Columns))
	}
	return q, nil
}

// tableInFrom describes a table in FROM. In the query of a view it has the columns that it had when
// the view was made, by their names of then.
func (a *analyzer) tableInFrom(item *parse.RangeVar, t *catalog.Table) *source {
	switch {
	case a.making != nil:
		a.noteRef(item.Name, t.OID, t.Columns)
		src := tableSource(t, item.Alias)
		src.reads = a.readsOf(item.Name)
		return src
	case a.view == nil:
		return tableSource(t, item.Alias)
	}
	src := tableSource(t, nil)
	src.schema, src.name = a.calledThen(item, t.Schema, t.Name)
	var aliases []string
	if item.Alias != nil {
		src.name, src.schema, aliases = item.Alias.Name, "", item.Alias.Columns
	}
	for i := range src.columns {
		c := &src.columns[i]
		c.name = a.nameThen(item, t.OID, &t.Columns[i])
		if c.name != "" && len(aliases) > 0 {
			c.name, aliases = aliases[0], aliases[1:]
		}
	}
	return src
}

// calledThen is what a relation is called in the query that is being analyzed: in that of a view,
// what it was called when the view was made.
func (a *analyzer) calledThen(item *parse.RangeVar, schema, name string) (string, string) {
	if a.view == nil {
		return schema, name
	}
	if item.Name.Schema != "" {
		schema = item.Name.Schema
	}
	return schema, item.Name.Name
}

// nameThen is what a column was called when the view was made whose query this is; "" when it was
// not there.
func (a *analyzer) nameThen(item *parse.RangeVar, oid uint32, c *catalog.Column) string {
	if a.view == nil || oid == 0 {
		return c.Name
	}
	for _, was := range a.view.Ref(item.Name.Schema, item.Name.Name).Columns {
		if was.Attnum == c.Attnum {
			return was.Name
		}
	}
	return ""
}

// noteRef notes a relation that the query of a view names.
func (a *analyzer) noteRef(name parse.QName, oid uint32, columns []catalog.Column) {
	if a.making.Ref(name.Schema, name.Name) != nil {
		return
	}
	ref := catalog.ViewRef{Schema: name.Schema, Name: name.Name, OID: oid}
	for i := range columns {
		ref.Columns = append(ref.Columns,
			catalog.ViewColumn{Attnum: columns[i].Attnum, Name: columns[i].Name})
	}
	a.making.Refs = append(a.making.Refs, ref)
}

// noteKey notes that the query reads what the primary key of a table decides.
func (a *analyzer) noteKey(oid uint32) {
	for i := range a.making.Refs {
		if ref := &a.making.Refs[i]; ref.OID == oid {
			ref.Key = true
		}
	}
}

// readsOf gives where to note which columns of a relation the query reads.
func (a *analyzer) readsOf(name parse.QName) func(column int) {
	making := a.making
	return func(column int) {
		making.Ref(name.Schema, name.Name).Columns[column].Used = true
	}
}

// changedView is the error of a statement that would write to a view, in Postgres' words where it
// would not do so either.
func (a *analyzer) changedView(v *catalog.View) error {
	verb, kind, preposition := "update", "UPDATE", "updating"
	switch a.stmt.Tree.(type) {
	case *parse.InsertStmt:
		verb, kind, preposition = "insert into", "INSERT", "inserting into"
	case *parse.DeleteStmt:
		verb, kind, preposition = "delete from", "DELETE", "deleting from"
	case *parse.TruncateStmt:
		return types.Errorf(types.CodeWrongObjectType, "\"%s\" is not a table", v.Name)
	case *parse.CopyStmt:
		return types.Errorf(types.CodeWrongObjectType, "cannot copy to view \"%s\"", v.Name).
			WithHint("To enable copying to a view, provide an INSTEAD OF INSERT trigger.")
	}
	if slices.Contains(a.within, v.OID) {
		return errRecursion(v)
	}
	a.within = append(slices.Clip(a.within), v.OID)
	why, base := a.notUpdatable(v, kind != "DELETE")
	switch {
	case why == "" && base != nil:
		return a.changedView(base)
	case why == "":
		return a.unsupported(parse.NoPos, kind+" on a view")
	}
	return types.Errorf(codeNotInState, "cannot %s view \"%s\"", verb, v.Name).
		WithDetail("Views %s are not automatically updatable.", why).
		WithHint("To enable %s the view, provide an INSTEAD OF %s trigger or an unconditional"+
			" ON %s DO INSTEAD rule.", preposition, kind, kind)
}

// notUpdatable says why Postgres would not write through a view; "" when it would, or when that is
// decided by another view, which the view reads.
func (a *analyzer) notUpdatable(v *catalog.View, columns bool) (why string, base *catalog.View) {
	stmt, err := parse.ParseOne(v.Query)
	if err != nil {
		return "that cannot be read", nil
	}
	n := stmt.Tree.(*parse.SelectStmt)
	switch {
	case n.Distinct:
		return "containing DISTINCT", nil
	case n.GroupBy != nil:
		return "containing GROUP BY", nil
	case n.Having != nil:
		return "containing HAVING", nil
	case n.Op != parse.SetNone:
		return "containing UNION, INTERSECT, or EXCEPT", nil
	case n.With != nil:
		return "containing WITH", nil
	case n.Limit != nil || n.Offset != nil:
		return "containing LIMIT or OFFSET", nil
	}
	inner := newAnalyzer(a.env, stmt, nil)
	inner.view = v
	d, err := inner.define(n)
	if err != nil {
		return "", nil
	}
	return d.notUpdatable(columns), inner.viewRead(n)
}

// notUpdatable is why the select list and FROM of a view do not let anybody write through it;
// columns says that there has to be one that is a column of a table.
func (d *definition) notUpdatable(columns bool) string {
	switch {
	case len(d.aggs) > 0:
		return "that return aggregate functions"
	case len(d.selecting.windows) > 0:
		return "that return window functions"
	case len(d.sets) > 0:
		return "that return set-returning functions"
	case len(d.from) != 1 || d.from[0].source.kind != ofTable:
		return "that do not select from a single table or view"
	}
	for _, out := range d.outs {
		if v, ok := out.expr.(*Var); ok && v.at >= 0 && v.source == d.from[0].source {
			return ""
		}
	}
	if columns {
		return "that have no updatable columns"
	}
	return ""
}

// viewRead is the view that a query reads and nothing else; nil when it reads something else.
func (a *analyzer) viewRead(n *parse.SelectStmt) *catalog.View {
	if len(n.From) != 1 {
		return nil
	}
	item, ok := n.From[0].(*parse.RangeVar)
	if !ok {
		return nil
	}
	rel, err := a.named(item)
	if err != nil {
		return nil
	}
	return rel.View
}
