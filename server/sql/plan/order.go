package plan

import (
	"fmt"

	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

func valuesName(i int) string { return fmt.Sprintf("column%d", i+1) }

// orderBy resolves ORDER BY. An item is, tried in this order: the name of an output, the number of
// an output, an expression over the sources.
func (a *analyzer) orderBy(s *selecting) error {
	a.place = "ORDER BY"
	for _, item := range s.n.OrderBy {
		x, column, err := a.orderExpr(s, item)
		if err != nil {
			return err
		}
		key, err := a.sortKey(x, item)
		if err != nil {
			return err
		}
		s.order = append(s.order, orderItem{key: key, column: column})
	}
	return nil
}

func (a *analyzer) orderExpr(s *selecting, item parse.SortBy) (Expr, int, error) {
	switch n := item.Expr.(type) {
	case *parse.ColumnRef:
		if len(n.Fields) == 1 && !n.Star {
			if i, err := a.outputNamed(s, n); i >= 0 || err != nil {
				return exprOf(s, i), i, err
			}
		}
	case *parse.Const:
		i, err := a.outputNumbered(s, n)
		return exprOf(s, i), i, err
	}
	x, err := a.operand(item.Expr)
	if err != nil {
		return nil, -1, err
	}
	text := Print(x)
	for i, out := range s.outs {
		if !isVolatile(x) && Print(out.expr) == text {
			return x, i, nil
		}
	}
	return x, -1, nil
}

func exprOf(s *selecting, i int) Expr {
	if i < 0 {
		return nil
	}
	return s.outs[i].expr
}

func (a *analyzer) outputNamed(s *selecting, n *parse.ColumnRef) (int, error) {
	found := -1
	for i, out := range s.outs {
		if out.name != n.Fields[0] {
			continue
		}
		if found >= 0 && Print(out.expr) != Print(s.outs[found].expr) {
			return -1, a.errorf(n.Pos, CodeAmbiguousColumn,
				"ORDER BY \"%s\" is ambiguous", n.Fields[0])
		}
		if found < 0 {
			found = i
		}
	}
	return found, nil
}

func (a *analyzer) outputNumbered(s *selecting, n *parse.Const) (int, error) {
	if n.Kind != parse.ConstInt4 {
		return -1, a.errorf(n.Pos, types.CodeSyntax, "non-integer constant in ORDER BY")
	}
	if n.Int < 1 || n.Int > int64(len(s.outs)) {
		return -1, a.errorf(n.Pos, CodeInvalidColumnRef,
			"ORDER BY position %d is not in select list", n.Int)
	}
	return int(n.Int) - 1, nil
}

func (a *analyzer) sortKey(x Expr, item parse.SortBy) (SortKey, error) {
	key := SortKey{Expr: x}
	switch item.Dir {
	case parse.SortDesc:
		key.Desc = true
	case parse.SortUsing:
		switch item.Using.Name {
		case "<":
		case ">":
			key.Desc = true
		default:
			return key, a.unsupported(item.Pos, "ORDER BY USING "+item.Using.Name)
		}
	}
	key.NullsFirst = key.Desc
	if item.Nulls != parse.NullsDefault {
		key.NullsFirst = item.Nulls == parse.NullsFirst
	}
	if oid := x.Type().OID; !types.Keyable(oid) {
		return key, a.errorf(startOf(item.Expr), types.CodeUndefinedFunction,
			"could not identify an ordering operator for type %s",
			types.FormatType(oid, types.NoMod)).(*types.Error).WithHint(
			"Use an explicit ordering operator or modify the query.")
	}
	return key, nil
}

// bounds resolves LIMIT and OFFSET.
func (a *analyzer) bounds(s *selecting) error {
	bound := func(n parse.Expr, clause string) (Expr, error) {
		if n == nil {
			return nil, nil
		}
		saved := a.scope
		a.scope, a.place = &scope{}, clause
		defer func() { a.scope = saved }()
		if ref, ok := n.(*parse.ColumnRef); ok {
			return nil, a.errorf(ref.Pos, CodeInvalidColumnRef,
				"argument of %s must not contain variables", clause)
		}
		x, err := a.expr(n)
		if err != nil {
			return nil, err
		}
		return a.coerce(x, int8Type, types.Assignment, "", startOf(n))
	}
	var err error
	if s.count, err = bound(s.n.Limit, "LIMIT"); err != nil {
		return err
	}
	s.skip, err = bound(s.n.Offset, "OFFSET")
	return err
}

// checkGrouping refuses columns beside aggregates: there is one row, and no group to take them
// from.
func (a *analyzer) checkGrouping(s *selecting) error {
	if len(s.aggs) == 0 {
		return nil
	}
	check := func(x Expr, pos parse.Pos) error {
		var bad *Field
		walk(x, func(x Expr) bool {
			bad, _ = x.(*Field)
			return bad == nil
		})
		if bad == nil {
			return nil
		}
		return a.errorf(pos, CodeGrouping, "column \"%s.%s\" must appear in the GROUP BY clause"+
			" or be used in an aggregate function", bad.Table, bad.Name)
	}
	for _, out := range s.outs {
		if err := check(out.expr, out.pos); err != nil {
			return err
		}
	}
	for i, item := range s.order {
		if err := check(item.key.Expr, startOf(s.n.OrderBy[i].Expr)); err != nil {
			return err
		}
	}
	return nil
}

// assemble stacks the steps of a SELECT. The order of Sort, LockRows, Limit and Project is that of
// Postgres: rows are locked in the order they come out, no more of them than the limit lets
// through, and the select list sees the row as it is once locked.
func (a *analyzer) assemble(s *selecting) (Node, error) {
	if s.n.Distinct {
		return a.assembleDistinct(s)
	}
	node := s.in
	exprs := make([]Expr, len(s.outs))
	volatile := false
	for i, out := range s.outs {
		exprs[i] = out.expr
		volatile = volatile || isVolatile(out.expr)
	}
	if len(s.aggs) > 0 {
		if s.scan != nil {
			s.scan.Unread = unread(s)
		}
		node, s.order = &Aggregate{In: node, Calls: s.aggs}, nil
	}
	if volatile && len(s.order) > 0 && len(s.n.Locking) == 0 {
		return a.assembleVolatile(s, exprs), nil
	}
	if len(s.order) > 0 && !orderedByKey(s) {
		node = &Sort{In: node, Keys: sortKeys(s)}
	}
	node, err := a.locking(s, node)
	if err != nil {
		return nil, err
	}
	if s.count != nil || s.skip != nil {
		node = &Limit{In: node, Count: s.count, Offset: s.skip}
	}
	if s.n.Values != nil {
		return node, nil
	}
	return &Project{In: node, Exprs: exprs, Volatile: volatile}, nil
}

func sortKeys(s *selecting) []SortKey {
	keys := make([]SortKey, len(s.order))
	for i, item := range s.order {
		keys[i] = item.key
	}
	return keys
}

// unread says whether the aggregates look at no column, as count(*) does, and no filter either.
func unread(s *selecting) bool {
	if s.scan.Filter != nil {
		return false
	}
	for _, call := range s.aggs {
		if len(call.Args) > 0 || call.Filter != nil || len(call.OrderBy) > 0 {
			return false
		}
	}
	return true
}

// assembleVolatile computes the select list before the sort, so that a volatile output is computed
// once, and what is sorted by is what is shown.
func (a *analyzer) assembleVolatile(s *selecting, exprs []Expr) Node {
	wide := append([]Expr(nil), exprs...)
	keys := sortKeys(s)
	for i, item := range s.order {
		column := item.column
		if column < 0 {
			column = len(wide)
			wide = append(wide, item.key.Expr)
		}
		keys[i].Expr = &Field{Index: column, T: item.key.Expr.Type()}
	}
	var node Node = &Sort{In: &Project{In: s.in, Exprs: wide}, Keys: keys}
	if s.count != nil || s.skip != nil {
		node = &Limit{In: node, Count: s.count, Offset: s.skip}
	}
	narrow := make([]Expr, len(exprs))
	for i, x := range exprs {
		narrow[i] = &Field{Index: i, T: x.Type(), Name: s.outs[i].name}
	}
	return &Project{In: node, Exprs: narrow}
}

// assembleDistinct removes duplicates of the select list, then sorts by it.
func (a *analyzer) assembleDistinct(s *selecting) (Node, error) {
	if len(s.n.Locking) > 0 {
		return nil, a.errorf(parse.NoPos, types.CodeFeatureNotSupported,
			"%s is not allowed with DISTINCT clause", lockName(s.n.Locking[0].Strength))
	}
	node := s.in
	if len(s.aggs) > 0 {
		node = &Aggregate{In: node, Calls: s.aggs}
	}
	exprs := make([]Expr, len(s.outs))
	for i, out := range s.outs {
		exprs[i] = out.expr
		if oid := out.expr.Type().OID; !types.Keyable(oid) {
			return nil, a.errorf(out.pos, types.CodeUndefinedFunction,
				"could not identify an equality operator for type %s",
				types.FormatType(oid, types.NoMod))
		}
	}
	node = &Unique{In: &Project{In: node, Exprs: exprs}}
	keys := sortKeys(s)
	for i, item := range s.order {
		if item.column < 0 {
			return nil, a.errorf(startOf(s.n.OrderBy[i].Expr), CodeInvalidColumnRef,
				"for SELECT DISTINCT, ORDER BY expressions must appear in select list")
		}
		out := s.outs[item.column]
		keys[i].Expr = &Field{Index: item.column, T: out.expr.Type(), Name: out.name}
	}
	if len(keys) > 0 {
		node = &Sort{In: node, Keys: keys}
	}
	if s.count != nil || s.skip != nil {
		node = &Limit{In: node, Count: s.count, Offset: s.skip}
	}
	return node, nil
}

// locking adds FOR UPDATE and its kin. Of several clauses the strongest lock and the strictest
// wait count.
func (a *analyzer) locking(s *selecting, in Node) (Node, error) {
	if len(s.n.Locking) == 0 {
		return in, nil
	}
	var strength parse.LockStrength
	var wait parse.LockWait
	for _, clause := range s.n.Locking {
		strength, wait = max(strength, clause.Strength), max(wait, clause.Wait)
		for _, of := range clause.Of {
			if _, err := a.findSource("", of.Name.Name, of.Pos); err != nil {
				return nil, a.errorf(of.Pos, types.CodeUndefinedTable,
					"relation \"%s\" in %s clause not found in FROM clause", of.Name.Name,
					lockName(clause.Strength))
			}
		}
	}
	switch {
	case len(s.aggs) > 0:
		return nil, a.errorf(parse.NoPos, types.CodeFeatureNotSupported,
			"%s is not allowed with aggregate functions", lockName(strength))
	case s.n.Values != nil:
		return nil, a.errorf(parse.NoPos, types.CodeFeatureNotSupported,
			"%s cannot be applied to VALUES", lockName(strength))
	case s.scan == nil && len(s.n.From) == 1:
		return nil, a.unsupported(parse.NoPos, lockName(strength)+" on what is not a table")
	case s.scan == nil:
		return in, nil
	}
	s.scan.WithKey = true
	return &LockRows{In: in, Table: s.scan.Table, Strength: strength, Wait: wait,
		Recheck: s.scan.Filter}, nil
}

func lockName(s parse.LockStrength) string {
	return [...]string{"", "FOR KEY SHARE", "FOR SHARE", "FOR NO KEY UPDATE", "FOR UPDATE"}[s]
}
