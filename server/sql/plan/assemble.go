package plan

import (
	"slices"

	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// assemble stacks the steps of a SELECT. The order of Sort, LockRows, Limit and Project is that of
// Postgres: rows are locked in the order they come out, no more of them than the limit lets
// through, and the select list sees the row as it is once locked.
func (a *analyzer) assemble(s *selecting) (Node, error) {
	lock, err := a.rowLock(s)
	if err != nil {
		return nil, err
	}
	node, err := a.computed(s)
	if err != nil {
		return nil, err
	}
	switch {
	case len(s.distinct) > 0:
		return a.assembleDistinctOn(s, node)
	case s.n.Distinct:
		return a.assembleDistinct(s, node)
	}
	exprs := make([]Expr, len(s.outs))
	volatile, once := false, false
	for i, out := range s.outs {
		exprs[i] = out.expr
		volatile = volatile || isVolatile(out.expr) || runsQuery(out.expr)
		once = once || isVolatile(out.expr)
	}
	if once && len(s.order) > 0 && lock == nil {
		return s.assembleEarly(node, sortKeys(s), nil), nil
	}
	if len(s.order) > 0 && !a.orderedByKey(s) {
		node = &Sort{In: node, Keys: sortKeys(s)}
	}
	if lock != nil {
		lock.In = node
		node = lock
	}
	node = s.limit(node, sortKeys(s))
	if s.n.Values != nil {
		return node, nil
	}
	return &Project{In: node, Exprs: exprs, Volatile: volatile}, nil
}

// computed gives the rows that the select list is computed from: those of FROM and WHERE, grouped,
// beside the results of window functions and of set-returning ones.
func (a *analyzer) computed(s *selecting) (Node, error) {
	var node Node
	switch {
	case s.n.Values != nil:
		node = s.in
	case s.tree == nil:
		node = &Result{Filter: s.where}
	default:
		var terms []Expr
		if s.where != nil {
			terms = conjuncts(s.where, nil)
		}
		node = a.planTree(s.tree, terms)
		s.scan, _ = node.(*Scan)
	}
	width := a.scope.width
	above, err := a.group(s, node)
	if err != nil {
		return nil, err
	}
	if above != node {
		if agg := aggregateOf(above); len(agg.Keys) == 0 && len(agg.Sets) < 2 {
			s.order = nil // there is one row
		}
		s.scan, width = nil, aggregateOf(above).width()
	}
	plain := above
	above, width = a.overWindows(s, above, width)
	if above = a.overSets(s, above, width); above != plain {
		s.scan = nil
	}
	return above, nil
}

func aggregateOf(n Node) *Aggregate {
	if f, ok := n.(*Filter); ok {
		n = f.In
	}
	return n.(*Aggregate)
}

func sortKeys(s *selecting) []SortKey {
	keys := make([]SortKey, len(s.order))
	for i, item := range s.order {
		keys[i] = item.key
	}
	return keys
}

// limit adds LIMIT and OFFSET; ties are rows equal by keys.
func (s *selecting) limit(in Node, keys []SortKey) Node {
	if s.count == nil && s.skip == nil {
		return in
	}
	l := &Limit{In: in, Count: s.count, Offset: s.skip}
	if s.n.WithTies {
		l.Ties = keys
	}
	return l
}

// assembleEarly computes the select list before the sort, so that a volatile output is computed
// once, and what is sorted by is what is shown. Of rows with the same values of distinct only the
// first is wanted; each of distinct is among the keys.
func (s *selecting) assembleEarly(in Node, keys []SortKey, distinct []Expr) Node {
	var wide []Expr
	for _, out := range s.outs {
		wide = append(wide, out.expr)
	}
	sorted := slices.Clone(keys)
	for i, key := range keys {
		column := outputLike(s, key.Expr)
		if i < len(s.order) && s.order[i].column >= 0 {
			column = s.order[i].column
		}
		if column < 0 {
			column = len(wide)
			wide = append(wide, key.Expr)
		}
		sorted[i].Expr = &Field{Index: column, T: key.Expr.Type(), of: key.Expr}
	}
	var node Node = &Sort{In: &Project{In: in, Exprs: wide, Volatile: true}, Keys: sorted}
	if distinct != nil {
		on := &DistinctOn{In: node}
		for _, x := range distinct {
			text := exactly(x)
			i := slices.IndexFunc(keys, func(k SortKey) bool { return exactly(k.Expr) == text })
			on.Keys = append(on.Keys, sorted[i].Expr)
		}
		node = on
	}
	node = s.limit(node, sorted)
	narrow := make([]Expr, len(s.outs))
	for i, out := range s.outs {
		narrow[i] = &Field{Index: i, T: out.expr.Type(), Name: out.name, of: out.expr}
	}
	return &Project{In: node, Exprs: narrow}
}

// assembleDistinct removes duplicates of the select list, then sorts by it.
func (a *analyzer) assembleDistinct(s *selecting, node Node) (Node, error) {
	exprs := make([]Expr, len(s.outs))
	for i, out := range s.outs {
		exprs[i] = out.expr
		if err := a.groupable(out.expr, out.pos); err != nil {
			return nil, err
		}
	}
	node = &Unique{In: &Project{In: node, Exprs: exprs, Volatile: true}}
	keys := sortKeys(s)
	for i, item := range s.order {
		if item.column < 0 {
			return nil, a.errorf(startOf(s.n.OrderBy[i].Expr), CodeInvalidColumnRef,
				"for SELECT DISTINCT, ORDER BY expressions must appear in select list")
		}
		out := s.outs[item.column]
		keys[i].Expr = &Field{Index: item.column, T: out.expr.Type(), Name: out.name, of: out.expr}
	}
	if len(keys) > 0 {
		node = &Sort{In: node, Keys: keys}
	}
	return s.limit(node, keys), nil
}

// assembleDistinctOn sorts by the expressions of DISTINCT ON and whatever else ORDER BY names, and
// keeps the first row of each.
func (a *analyzer) assembleDistinctOn(s *selecting, node Node) (Node, error) {
	rest := make(map[string]Expr, len(s.distinct))
	for _, x := range s.distinct {
		rest[exactly(x)] = x
	}
	var keys []SortKey
	for i, item := range s.order {
		text := exactly(item.key.Expr)
		if _, is := rest[text]; is {
			delete(rest, text)
		} else if len(rest) > 0 && !sortedBy(keys, text) {
			return nil, a.errorf(a.firstOf(s, rest), CodeInvalidColumnRef,
				"SELECT DISTINCT ON expressions must match initial ORDER BY expressions")
		}
		keys = append(keys, s.order[i].key)
	}
	order := keys
	for _, x := range s.distinct {
		if _, is := rest[exactly(x)]; is {
			delete(rest, exactly(x))
			order = append(order, SortKey{Expr: x})
		}
	}
	return s.assembleEarly(node, order, s.distinct), nil
}

func sortedBy(keys []SortKey, text string) bool {
	return slices.ContainsFunc(keys, func(k SortKey) bool { return exactly(k.Expr) == text })
}

// firstOf is where the first of DISTINCT ON's expressions stands that ORDER BY does not begin with.
func (a *analyzer) firstOf(s *selecting, rest map[string]Expr) parse.Pos {
	for i, x := range s.distinct {
		if _, is := rest[exactly(x)]; is && i < len(s.n.DistinctOn) {
			return startOf(s.n.DistinctOn[i])
		}
	}
	return parse.NoPos
}

// width is how many columns the step yields.
func (n *Aggregate) width() int {
	width := len(n.Keys) + len(n.Calls) + len(n.Carry)
	if n.Sets != nil {
		width++
	}
	return width
}

// rowLock resolves FOR UPDATE and its kin; nil for none. Of several clauses the strongest lock and
// the strictest wait count.
func (a *analyzer) rowLock(s *selecting) (*LockRows, error) {
	if len(s.n.Locking) == 0 {
		return nil, nil
	}
	lock := &LockRows{}
	for _, clause := range s.n.Locking {
		lock.Strength = max(lock.Strength, clause.Strength)
		lock.Wait = max(lock.Wait, clause.Wait)
		if err := a.lockNames(clause); err != nil {
			return nil, err
		}
	}
	name := lockName(lock.Strength)
	refuse := func(format string) (*LockRows, error) {
		return nil, a.errorf(parse.NoPos, types.CodeFeatureNotSupported, format, name)
	}
	switch {
	case s.n.Distinct:
		return refuse("%s is not allowed with DISTINCT clause")
	case s.n.GroupBy != nil:
		return refuse("%s is not allowed with GROUP BY clause")
	case s.having != nil:
		return refuse("%s is not allowed with HAVING clause")
	case len(s.aggs) > 0:
		return refuse("%s is not allowed with aggregate functions")
	case len(s.windows) > 0:
		return refuse("%s is not allowed with window functions")
	case len(s.sets) > 0:
		return refuse("%s is not allowed with set-returning functions in the target list")
	case s.n.Values != nil:
		return refuse("%s cannot be applied to VALUES")
	case s.tree == nil:
		return nil, nil
	}
	return lock, a.lockedRows(s, lock)
}

func (a *analyzer) lockNames(clause parse.LockingClause) error {
	for _, of := range clause.Of {
		if !slices.ContainsFunc(a.scope.sources, func(src *source) bool {
			return !src.hidden && src.name == of.Name.Name
		}) {
			return a.errorf(of.Pos, types.CodeUndefinedTable,
				"relation \"%s\" in %s clause not found in FROM clause", of.Name.Name,
				lockName(clause.Strength))
		}
	}
	return nil
}

// lockedRows finds the tables whose rows are locked, and what a row that changed meanwhile has to
// pass again: all that was asked of it, for in a join each side's keys hang on the other's values.
func (a *analyzer) lockedRows(s *selecting, lock *LockRows) error {
	name := lockName(lock.Strength)
	for _, src := range a.scope.sources {
		switch {
		case src.key && src.nullable:
			return a.errorf(parse.NoPos, types.CodeFeatureNotSupported,
				"%s cannot be applied to the nullable side of an outer join", name)
		case src.key:
			lock.Tables = append(lock.Tables, LockedTable{Table: src.table, Offset: src.offset})
		case src.merged:
			if err := a.refuseLock(src.name, "a join"); err != nil {
				return err
			}
		}
	}
	terms, inner := s.tree.conditions(nil)
	if !inner && len(lock.Tables) > 0 {
		lock.Outer = s.tree.outerJoins(nil)
	}
	if s.where != nil {
		terms = conjuncts(s.where, terms)
	}
	lock.Recheck = conjunction(terms)
	return nil
}

// outerJoins lists the outer joins of a tree, the inner before those around them.
func (t *joinTree) outerJoins(list []OuterJoin) []OuterJoin {
	if t.leaf != nil {
		return list
	}
	list = t.right.outerJoins(t.left.outerJoins(list))
	switch t.kind {
	case parse.JoinLeft:
		list = append(list, OuterJoin{On: conjunction(t.on), Low: t.right.lo, High: t.right.hi})
	case parse.JoinRight:
		list = append(list, OuterJoin{On: conjunction(t.on), Low: t.left.lo, High: t.left.hi})
	}
	return list
}

// conditions gathers the conditions of joins that hold in every row of a tree, and says whether
// all its joins are inner ones.
func (t *joinTree) conditions(list []Expr) (terms []Expr, inner bool) {
	list = append(list, t.terms...)
	if t.leaf != nil {
		return list, true
	}
	switch t.kind {
	case parse.JoinInner:
		list, inner = t.left.conditions(append(list, t.on...))
		list, right := t.right.conditions(list)
		return list, inner && right
	case parse.JoinLeft:
		list, _ = t.left.conditions(list)
	case parse.JoinRight:
		list, _ = t.right.conditions(list)
	}
	return list, false
}

func lockName(s parse.LockStrength) string {
	return [...]string{"", "FOR KEY SHARE", "FOR SHARE", "FOR NO KEY UPDATE", "FOR UPDATE"}[s]
}
