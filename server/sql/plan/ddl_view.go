package plan

import (
	"slices"
	"strings"
	"time"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// CreateView makes a view, or gives one that is there another query.
type CreateView struct {
	View   *catalog.View
	Old    *catalog.View    // OR REPLACE, or a new name
	Tables []*catalog.Table // that it reads
	Views  []*catalog.View
}

// DropViews removes views.
type DropViews struct{ Views []*catalog.View }

func (n *CreateView) explain(x *explainer) { x.step(n, "Utility Statement") }
func (n *DropViews) explain(x *explainer)  { x.step(n, "Utility Statement") }

func (a *analyzer) createView(p *Prepared, n *parse.ViewStmt) (Node, error) {
	switch {
	case n.CheckOption:
		return nil, a.unsupported(parse.NoPos, "WITH CHECK OPTION")
	}
	v := &catalog.View{Name: n.View.Name.Name, Query: a.stmt.ViewQuery()}
	node := &CreateView{View: v}
	if err := a.viewOptions(v, n.Options); err != nil {
		return nil, err
	}
	if err := a.describeView(v, n); err != nil {
		return nil, err
	}
	schema, err := a.viewSchema(p, v, n)
	if err != nil {
		return nil, withoutPosition(err)
	}
	v.SchemaOID, v.Schema = schema.OID, schema.Name
	if err := a.replaced(node, n, schema); err != nil {
		return nil, err
	}
	for i := range v.Refs {
		if t := a.env.Catalog.TableByOID(v.Refs[i].OID); t != nil {
			node.Tables = append(node.Tables, t)
		}
		if read := a.env.Catalog.ViewByOID(v.Refs[i].OID); read != nil {
			node.Views = append(node.Views, read)
		}
	}
	return node, nil
}

// viewOptions notes the options of a view. There is one role, so that it is all the same whose rights
// a view is read with and who sees what of it.
func (a *analyzer) viewOptions(v *catalog.View, options []parse.DefElem) error {
	for _, option := range options {
		value := "true"
		if option.Arg != nil {
			value = defString(option)
		}
		switch option.Name {
		case "security_barrier", "security_invoker":
			if _, err := types.ParseText(boolType, value, nil); err != nil {
				return types.Errorf(types.CodeInvalidParameter,
					"invalid value for boolean option \"%s\": %s", option.Name, value)
			}
			v.Options = append(v.Options, option.Name+"="+value)
		case "check_option":
			return a.unsupported(parse.NoPos, "WITH CHECK OPTION")
		default:
			return types.Errorf(types.CodeInvalidParameter,
				"unrecognized parameter \"%s\"", option.Name)
		}
	}
	return nil
}

// describeView resolves the query, and notes what it reads and gives.
func (a *analyzer) describeView(v *catalog.View, n *parse.ViewStmt) error {
	a.making, a.env.NoParams = v, true
	node, columns, err := a.query(n.Query)
	a.making = nil
	if err != nil {
		return err
	}
	if with, ok := node.(*With); ok && with.Writes {
		return types.Errorf(types.CodeFeatureNotSupported,
			"views must not contain data-modifying statements in WITH")
	}
	if len(n.Columns) > len(columns) {
		return types.Errorf(types.CodeSyntax,
			"CREATE VIEW specifies more column names than columns")
	}
	for i, c := range columns {
		column := catalog.Column{Name: c.Name, Attnum: int16(i + 1), Type: c.Type}
		if i < len(n.Columns) {
			column.Name = n.Columns[i]
		}
		same := func(o catalog.Column) bool { return o.Name == column.Name }
		if slices.ContainsFunc(v.Columns, same) {
			return types.Errorf(CodeDuplicateColumn,
				"column \"%s\" specified more than once", column.Name)
		}
		if info := types.Lookup(c.Type.OID); info == nil || info.Pseudo {
			return types.Errorf(CodeInvalidTableDef, "column \"%s\" has pseudo-type %s",
				column.Name, types.FormatType(c.Type.OID, types.NoMod))
		}
		v.Columns = append(v.Columns, column)
	}
	a.keepQuery(v, n.Query)
	return nil
}

// keepQuery gives the view its query as it is kept. That is the text as it was written, unless this
// would not mean the same to every session at any time: a literal may hang on the time zone, on the
// clock as 'tomorrow' does, or on the search path. Then it is written anew, with every literal in
// the type it has.
func (a *analyzer) keepQuery(v *catalog.View, n *parse.SelectStmt) {
	kept := &catalog.View{Name: v.Name, Columns: v.Columns}
	var err error
	if kept.Query, err = a.keptQuery(v, n, a.env.Types, a.env.SearchPath); err != nil {
		return
	}
	elsewhere := types.Env{Location: time.FixedZone("", 4321), DateOrder: types.DMY, Now: 1 << 50}
	if a.env.Types != nil && a.env.Types.DateOrder == types.DMY {
		elsewhere.DateOrder = types.MDY
	}
	other, err := a.keptQuery(v, n, &elsewhere, nil)
	if err == nil && other == kept.Query {
		return
	}
	stmt, err := parse.ParseOne(kept.Query)
	if err != nil {
		return
	}
	again := newAnalyzer(Env{Catalog: a.env.Catalog, User: a.env.User, NoParams: true}, stmt, nil)
	again.making = kept
	_, columns, err := again.query(stmt.Tree.(*parse.SelectStmt))
	same := func(is Column, was catalog.Column) bool {
		return is.Name == was.Name && is.Type == was.Type
	}
	if err == nil && slices.EqualFunc(columns, v.Columns, same) {
		v.Query, v.Refs = kept.Query, kept.Refs
	}
}

// keptQuery writes a query anew, as an environment reads its literals.
func (a *analyzer) keptQuery(
	v *catalog.View, n *parse.SelectStmt, env *types.Env, literals []string,
) (string, error) {
	inner := newAnalyzer(a.env, a.stmt, nil)
	inner.text = Env{Catalog: a.env.Catalog, SearchPath: literals, Types: env}.names()
	d, err := inner.define(n)
	if err != nil {
		return "", err
	}
	return viewText(Env{Catalog: a.env.Catalog}, v, d, Layout{Kept: true})
}

// replaced finds the view that OR REPLACE means, whose columns have to stay what they are.
func (a *analyzer) replaced(node *CreateView, n *parse.ViewStmt, schema *catalog.Schema) error {
	v := node.View
	taken := a.taken(schema, v.Name)
	if taken == nil {
		return nil
	}
	if !n.Replace {
		return taken
	}
	old := a.env.Catalog.Relation(schema.Name, v.Name).View
	if old == nil {
		return types.Errorf(types.CodeWrongObjectType, "\"%s\" is not a view", v.Name)
	}
	if len(v.Columns) < len(old.Columns) {
		return types.Errorf(CodeInvalidTableDef, "cannot drop columns from view")
	}
	for i := range old.Columns {
		was, is := &old.Columns[i], &v.Columns[i]
		if was.Name != is.Name {
			return types.Errorf(CodeInvalidTableDef,
				"cannot change name of view column \"%s\" to \"%s\"", was.Name, is.Name).WithHint(
				"Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.")
		}
		if was.Type != is.Type {
			return types.Errorf(CodeInvalidTableDef,
				"cannot change data type of view column \"%s\" from %s to %s", was.Name,
				types.FormatType(was.Type.OID, was.Type.Mod),
				types.FormatType(is.Type.OID, is.Type.Mod))
		}
		is.Comment = was.Comment
	}
	node.Old, v.OID, v.Comment = old, old.OID, old.Comment
	return nil
}

func (a *analyzer) dropViews(p *Prepared, n *parse.DropStmt) (Node, error) {
	node := &DropViews{}
	for _, name := range n.Names {
		switch rel := a.resolve(name); {
		case rel.View != nil:
			node.Views = append(node.Views, rel.View)
		case rel.Exists():
			return nil, notThatKind(rel, name, "view")
		default:
			if err := a.missing(p, n, types.CodeUndefinedTable, "view", name); err != nil {
				return nil, err
			}
		}
	}
	d := dependents{a: a, dropped: slices.Clone(node.Views)}
	what := ""
	for _, v := range node.Views {
		name := "view " + a.shown(v.Schema, v.Name)
		if d.ofRelation(v.OID, name); what == "" && !d.none() {
			what = name
		}
	}
	if !d.none() && n.Behavior != parse.Cascade {
		return nil, d.refuse(what)
	}
	d.announce(p)
	node.Views = append(node.Views, d.views...)
	return node, nil
}

// notThatKind is the error of a DROP of another kind of relation.
func notThatKind(rel catalog.Relation, name parse.QName, kind string) error {
	err := types.Errorf(types.CodeWrongObjectType, "\"%s\" is not a %s", name.Name, kind)
	is, article := "", "a"
	switch {
	case rel.Table != nil || rel.Virtual != nil:
		is = "table"
	case rel.View != nil:
		is = "view"
	case rel.Sequence != nil:
		is = "sequence"
	case rel.Index != nil:
		is, article = "index", "an"
	}
	return err.WithHint("Use DROP %s to remove %s %s.", strings.ToUpper(is), article, is)
}

// renamePartOfView plans ALTER VIEW ... RENAME COLUMN, and what ALTER TABLE renames of a view.
func (a *analyzer) renamePartOfView(
	p *Prepared, n *parse.RenameStmt, old *catalog.View,
) (Node, error) {
	if n.Kind == parse.ObjectTable {
		return a.renameView(p, n)
	}
	v := *old
	v.Columns = slices.Clone(old.Columns)
	called := func(name string) int {
		return slices.IndexFunc(v.Columns, func(c catalog.Column) bool { return c.Name == name })
	}
	i := called(n.Old)
	switch {
	case i < 0:
		return nil, types.Errorf(CodeUndefinedColumn, "column \"%s\" does not exist", n.Old)
	case called(n.New) >= 0:
		return nil, types.Errorf(CodeDuplicateColumn,
			"column \"%s\" of relation \"%s\" already exists", n.New, v.Name)
	}
	v.Columns[i].Name = n.New
	return &CreateView{View: &v, Old: old}, nil
}

// renameView plans ALTER VIEW ... RENAME TO.
func (a *analyzer) renameView(p *Prepared, n *parse.RenameStmt) (Node, error) {
	rel := a.resolve(n.Table.Name)
	switch {
	case !rel.Exists() && n.IfExists:
		p.notice("00000", "relation \"%s\" does not exist, skipping", n.Table.Name.Name)
		return &Nothing{}, nil
	case !rel.Exists():
		return nil, withoutPosition(a.noRelation(n.Table))
	case rel.View == nil:
		return nil, types.Errorf(types.CodeWrongObjectType, "\"%s\" is not a view", n.Table.Name.Name)
	}
	if taken := a.taken(a.env.Catalog.Schema(rel.View.Schema), n.New); taken != nil {
		return nil, taken
	}
	v := *rel.View
	v.Name = n.New
	return &CreateView{View: &v, Old: rel.View}, nil
}
