package plan

import (
	"slices"

	"ackdb/server/sql/builtin"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// indexPredicate resolves the WHERE of an index.
func (a *analyzer) indexPredicate(t *catalog.Table, index *catalog.Index, n parse.Expr) error {
	if n == nil {
		return nil
	}
	x, err := a.inRow(t, n, "index predicates")
	if err != nil {
		return err
	}
	if x, err = a.boolean(x, "WHERE", startOf(n)); err != nil {
		return err
	}
	if err := a.refuseInTable(x, n, "index predicate"); err != nil {
		return err
	}
	if !isImmutable(x) {
		return types.Errorf(CodeInvalidObjectDef,
			"functions in index predicate must be marked IMMUTABLE")
	}
	index.Where = PrintKept(x)
	return nil
}

// indexColumn adds a column or an expression to the key of an index.
func (a *analyzer) indexColumn(
	t *catalog.Table, index *catalog.Index, item parse.IndexElem,
) error {
	if c := item.Collation; c != nil && !isByteOrder(c.Name) {
		return a.unsupported(parse.NoPos, "collation \""+c.Name+"\"")
	}
	column, oid, err := a.indexedValue(t, index, item)
	if err != nil {
		return err
	}
	class, err := a.classFor(item.OpClass, oid)
	if err != nil {
		return err
	}
	if class != "" && index.Classes == nil {
		index.Classes = make([]string, len(index.Columns))
	}
	if index.Classes != nil {
		index.Classes = append(index.Classes, class)
	}
	order := types.KeyOrder{Desc: item.Dir == parse.SortDesc}
	order.NullsFirst = order.Desc
	if item.Nulls != parse.NullsDefault {
		order.NullsFirst = item.Nulls == parse.NullsFirst
	}
	if order != (types.KeyOrder{}) && index.Orders == nil {
		index.Orders = make([]types.KeyOrder, len(index.Columns))
	}
	index.Columns = append(index.Columns, column)
	if index.Orders != nil {
		index.Orders = append(index.Orders, order)
	}
	return nil
}

// indexedValue finds the column of an item, or takes its expression up into the index.
func (a *analyzer) indexedValue(
	t *catalog.Table, index *catalog.Index, item parse.IndexElem,
) (column int, oid types.OID, err error) {
	if item.Expr == nil {
		column = t.ColumnIndex(item.Name)
		if column < 0 {
			return 0, 0, types.Errorf(CodeUndefinedColumn, "column \"%s\" does not exist", item.Name)
		}
		return column, t.Columns[column].Type.OID, nil
	}
	x, err := a.inRow(t, item.Expr, "index expressions")
	if err != nil {
		return 0, 0, err
	}
	if f, ok := x.(*Field); ok && f.Index < len(t.Columns) {
		return f.Index, f.T.OID, nil // a column in parentheses
	}
	if err := a.refuseInTable(x, item.Expr, "index expression"); err != nil {
		return 0, 0, err
	}
	if !isImmutable(x) {
		return 0, 0, types.Errorf(CodeInvalidObjectDef,
			"functions in index expression must be marked IMMUTABLE")
	}
	name, _ := figureName(item.Expr)
	if name == "" {
		name = "expr"
	}
	index.Exprs = append(index.Exprs, catalog.IndexExpr{SQL: PrintKept(x), Name: name, Type: x.Type()})
	return catalog.ExprColumn, x.Type().OID, nil
}

// includeColumn adds a column that an index is to have beside its key. Rows are read by their own
// key here, so it is only remembered.
func (a *analyzer) includeColumn(
	t *catalog.Table, index *catalog.Index, item parse.IndexElem,
) error {
	refuse := func(format string) error { return types.Errorf(CodeInvalidObjectDef, "%s", format) }
	switch {
	case item.Expr != nil:
		return types.Errorf(types.CodeFeatureNotSupported,
			"expressions are not supported in included columns")
	case item.Collation != nil:
		return refuse("including column does not support a collation")
	case item.OpClass != nil:
		return refuse("including column does not support an operator class")
	case item.Dir != parse.SortDefault:
		return refuse("including column does not support ASC/DESC options")
	case item.Nulls != parse.NullsDefault:
		return refuse("including column does not support NULLS FIRST/LAST options")
	}
	i := t.ColumnIndex(item.Name)
	if i < 0 {
		return types.Errorf(CodeUndefinedColumn, "column \"%s\" does not exist", item.Name)
	}
	index.Include = append(index.Include, i)
	return nil
}

// keyIncludes finds the columns of UNIQUE or PRIMARY KEY ... INCLUDE.
func (a *analyzer) keyIncludes(t *catalog.Table, con *parse.Constraint) ([]int, error) {
	var columns []int
	for _, name := range con.Including {
		i := t.ColumnIndex(name)
		if i < 0 {
			return nil, a.errorf(con.Pos, CodeUndefinedColumn,
				"column \"%s\" named in key does not exist", name)
		}
		columns = append(columns, i)
	}
	return columns, nil
}

// textClasses are the operator classes of text that compare bytes, as the default one does here.
// The first of a type is its default.
var textClasses = map[types.OID][]string{
	types.Text:    {"text_ops", "varchar_ops", "text_pattern_ops", "varchar_pattern_ops"},
	types.VarChar: {"text_ops", "varchar_ops", "varchar_pattern_ops", "text_pattern_ops"},
	types.BPChar:  {"bpchar_ops", "bpchar_pattern_ops"},
}

// classFor gives the name that is kept of an operator class of an index over a type: "" for the
// default one.
func (a *analyzer) classFor(class *parse.QName, oid types.OID) (string, error) {
	if err := indexable(oid); err != nil && class == nil {
		return "", err
	}
	switch {
	case class == nil:
		return "", nil
	case slices.Contains(textClasses[oid], class.Name):
		if class.Name == textClasses[oid][0] {
			return "", nil
		}
		return class.Name, nil
	case types.Keyable(oid) && class.Name == defaultClassName(oid):
		return "", nil
	}
	return "", a.unsupported(parse.NoPos, "operator class \""+class.Name+"\"")
}

// defaultClassName is what PostgreSQL calls the default operator class of a type.
func defaultClassName(oid types.OID) string {
	switch {
	case types.ElemOf(oid) != 0:
		return "array_ops"
	case oid == types.TimestampTZ:
		return "timestamptz_ops"
	}
	if info := types.Lookup(oid); info != nil {
		return info.Name + "_ops"
	}
	return ""
}

// isImmutable says whether an expression gives the same for the same row always, whatever the
// session's settings are.
func isImmutable(x Expr) bool {
	return walk(x, func(x Expr) bool {
		switch x := x.(type) {
		case *SequenceCall:
			return false
		case *Call:
			return x.Fn.Volatility() == builtin.Immutable
		case *Cast:
			return x.relabel || !hangsOnSettings(x.X.Type().OID, x.To.OID)
		}
		return true
	})
}

// hangsOnSettings says whether a conversion depends on the time zone or on how dates are written.
func hangsOnSettings(from, to types.OID) bool {
	moment := func(oid types.OID) bool {
		switch oid {
		case types.Date, types.Time, types.Timestamp, types.TimestampTZ, types.Interval:
			return true
		}
		return false
	}
	text := func(oid types.OID) bool { return keyClass(oid) == types.Text || oid == types.BPChar }
	zoned := from == types.TimestampTZ || to == types.TimestampTZ
	return from != to && (moment(from) && text(to) || text(from) && moment(to) ||
		zoned && moment(from) && moment(to))
}

// reindex reads the expressions of the indexes anew, whose operators may be others now, and writes
// them with what change makes of their parts; change may be nil.
func (s *altering) reindex(change func(Expr) Expr) error {
	text := func(x Expr) string {
		if change != nil {
			x = rewrite(x, change)
		}
		return PrintKept(x)
	}
	for _, index := range s.t.Indexes {
		if len(index.Exprs) == 0 && index.Where == "" {
			continue
		}
		key, err := s.a.readKey(s.t, index)
		if err != nil {
			return err
		}
		names := index.ColumnNames(s.t)
		if key.Pred != nil {
			index.Where = text(key.Pred)
		}
		index.Exprs = nil
		for i, p := range key.Parts {
			if p.Expr == nil {
				continue
			}
			if err := indexable(p.Type); err != nil {
				return err
			}
			if f, ok := p.Expr.(*Field); ok { // all there was to it was a conversion
				index.Columns[i] = f.Index
				continue
			}
			index.Exprs = append(index.Exprs,
				catalog.IndexExpr{SQL: text(p.Expr), Name: names[i], Type: p.Expr.Type()})
		}
	}
	return nil
}

// dropIndexesOf drops the indexes whose expressions read a column.
func (s *altering) dropIndexesOf(column int) error {
	kept := s.t.Indexes[:0:0]
	for _, index := range s.t.Indexes {
		key, err := KeyOf(s.a.env, s.t, index)
		if err != nil {
			return err
		}
		if !key.reads(column) {
			kept = append(kept, index)
		}
	}
	s.t.Indexes = kept
	return nil
}
