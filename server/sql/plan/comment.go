package plan

import (
	"slices"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// Comment gives one object another comment: the one field that is set is the descriptor that holds
// it, as it will be.
type Comment struct {
	Old      *catalog.Table
	Table    *catalog.Table
	View     *catalog.View
	Sequence *catalog.Sequence
	Schema   *catalog.Schema
}

func (n *Comment) explain(x *explainer) { x.step(n, "Utility Statement") }

func (a *analyzer) comment(n *parse.CommentStmt) (Node, error) {
	switch n.Kind {
	case parse.ObjectSchema:
		return a.commentOnSchema(n)
	case parse.ObjectTable, parse.ObjectView, parse.ObjectSequence, parse.ObjectIndex:
		return a.commentOnRelation(n, objectName(n.Object))
	case parse.ObjectColumn, parse.ObjectConstraint:
		last := len(n.Object) - 1
		if last < 1 {
			return nil, types.Errorf(types.CodeSyntax, "column name must be qualified")
		}
		return a.commentOnPart(n, objectName(n.Object[:last]), n.Object[last])
	}
	return nil, a.unsupported(parse.NoPos, "COMMENT on this kind of object")
}

// objectName makes a name of its parts.
func objectName(parts []string) parse.QName {
	name := parse.QName{Name: parts[len(parts)-1]}
	if len(parts) > 1 {
		name.Schema = parts[len(parts)-2]
	}
	return name
}

func (a *analyzer) commentOnSchema(n *parse.CommentStmt) (Node, error) {
	s := a.env.Catalog.Schema(n.Object[len(n.Object)-1])
	if s == nil {
		return nil, types.Errorf(types.CodeInvalidSchemaName,
			"schema \"%s\" does not exist", n.Object[len(n.Object)-1])
	}
	commented := *s
	commented.Comment = n.Comment
	return &Comment{Schema: &commented}, nil
}

func (a *analyzer) commentOnRelation(n *parse.CommentStmt, name parse.QName) (Node, error) {
	rel := a.resolve(name)
	wrong := func(what string) error {
		return types.Errorf(types.CodeWrongObjectType, "\"%s\" is not %s", name.Name, what)
	}
	switch {
	case !rel.Exists():
		return nil, withoutPosition(a.noRelation(&parse.RangeVar{Name: name}))
	case n.Kind == parse.ObjectTable && rel.Table == nil:
		return nil, wrong("a table")
	case n.Kind == parse.ObjectView && rel.View == nil:
		return nil, wrong("a view")
	case n.Kind == parse.ObjectSequence && rel.Sequence == nil:
		return nil, wrong("a sequence")
	case n.Kind == parse.ObjectIndex && rel.Index == nil:
		return nil, wrong("an index")
	}
	switch n.Kind {
	case parse.ObjectView:
		v := *rel.View
		v.Comment = n.Comment
		return &Comment{View: &v}, nil
	case parse.ObjectSequence:
		q := *rel.Sequence
		q.Comment = n.Comment
		return &Comment{Sequence: &q}, nil
	case parse.ObjectIndex:
		t := rel.Index.Clone()
		t.IndexNamed(name.Name).Comment = n.Comment
		return &Comment{Old: rel.Index, Table: t}, nil
	}
	t := rel.Table.Clone()
	t.Comment = n.Comment
	return &Comment{Old: rel.Table, Table: t}, nil
}

// commentOnPart comments on a column or a constraint.
func (a *analyzer) commentOnPart(
	n *parse.CommentStmt, name parse.QName, part string,
) (Node, error) {
	rel := a.resolve(name)
	switch {
	case !rel.Exists():
		return nil, withoutPosition(a.noRelation(&parse.RangeVar{Name: name}))
	case rel.View != nil && n.Kind == parse.ObjectColumn:
		return a.commentOnViewColumn(rel.View, n, part)
	case rel.Table == nil:
		return nil, types.Errorf(types.CodeWrongObjectType, "\"%s\" is not a table", name.Name)
	}
	t := rel.Table.Clone()
	if n.Kind == parse.ObjectConstraint {
		if t.IndexNamed(part) != nil {
			return nil, a.unsupported(parse.NoPos, "COMMENT ON CONSTRAINT of a key")
		}
		if !setConstraintComment(t, part, n.Comment) {
			return nil, types.Errorf(types.CodeUndefinedObject,
				"constraint \"%s\" for table \"%s\" does not exist", part, t.Name)
		}
		return &Comment{Old: rel.Table, Table: t}, nil
	}
	i := t.ColumnIndex(part)
	if i < 0 {
		return nil, types.Errorf(CodeUndefinedColumn,
			"column \"%s\" of relation \"%s\" does not exist", part, t.Name)
	}
	t.Columns[i].Comment = n.Comment
	return &Comment{Old: rel.Table, Table: t}, nil
}

func (a *analyzer) commentOnViewColumn(
	of *catalog.View, n *parse.CommentStmt, column string,
) (Node, error) {
	v := *of
	v.Columns = slices.Clone(v.Columns)
	for i := range v.Columns {
		if v.Columns[i].Name == column {
			v.Columns[i].Comment = n.Comment
			return &Comment{View: &v}, nil
		}
	}
	return nil, types.Errorf(CodeUndefinedColumn,
		"column \"%s\" of relation \"%s\" does not exist", column, v.Name)
}

// setConstraintComment finds a constraint that is no index by its name.
func setConstraintComment(t *catalog.Table, name, comment string) bool {
	for i := range t.Checks {
		if t.Checks[i].Name == name {
			t.Checks[i].Comment = comment
			return true
		}
	}
	for i := range t.ForeignKeys {
		if t.ForeignKeys[i].Name == name {
			t.ForeignKeys[i].Comment = comment
			return true
		}
	}
	return false
}
