package plan

import (
	"fmt"
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
)

func (r *Result) explain(x *explainer) {
	x.step(r, "Result")
	if r.Filter != nil {
		x.note("One-Time Filter: %s", x.print(r.Filter))
	}
	x.inputs(r)
}

func (s *Scan) explain(x *explainer) {
	name, k := named(s.Table.Name, s.Alias), &s.Access
	switch {
	case k.Narrowed() || k.Ordered || k.Index != nil:
		direction := ""
		if k.Reverse {
			direction = " Backward"
		}
		x.step(s, "Index Scan%s using %s on %s", direction,
			catalog.QuoteIdent(k.index(s.Table).Name), name)
	default:
		x.step(s, "Seq Scan on %s", name)
	}
	if k.Narrowed() {
		x.note("Index Cond: %s", s.indexCond(x))
	}
	if k.Narrowed() || k.Ordered || k.Index != nil {
		x.note("Access: %s", k.describe())
	}
	x.filter(s.Filter)
	x.inputs(s)
}

// describe says what the store is asked for.
func (k *Access) describe() string {
	switch {
	case k.one():
		return "point get"
	case k.Points:
		return "point gets"
	case k.In != nil || k.AnyOf != nil:
		return "bounded scans"
	case k.Tentative:
		return "bounded scan, or the whole table if that has many rows"
	case k.Narrowed():
		return "bounded scan"
	case k.Ordered:
		return "scan in key order"
	}
	return "scan of the index"
}

func (s *Scan) indexCond(x *explainer) string {
	k, t := &s.Access, s.Table
	parts, _ := k.parts(t)
	column := func(i int) string { return Print(parts[i].field(t, 0)) }
	var terms []string
	add := func(i int, op string, v Expr) {
		terms = append(terms, fmt.Sprintf("(%s %s %s)", column(i), op, x.print(v)))
	}
	for i, v := range k.Prefix {
		if _, null := v.(*NullKey); null {
			terms = append(terms, fmt.Sprintf("(%s IS NULL)", column(i)))
			continue
		}
		add(i, "=", v)
	}
	next := len(k.Prefix)
	switch {
	case k.In != nil:
		p := printer{qualify: x.qualify}
		p.elements(k.In)
		terms = append(terms, fmt.Sprintf("(%s = ANY (%s))", column(next), p.String()))
	case k.AnyOf != nil:
		terms = append(terms, fmt.Sprintf("(%s = ANY (%s))", column(next), x.print(k.AnyOf)))
	}
	if k.NotNull {
		terms = append(terms, fmt.Sprintf("(%s IS NOT NULL)", column(next)))
	}
	if k.Low != nil {
		add(next, map[bool]string{true: ">=", false: ">"}[k.Low.Inclusive], k.Low.Value)
	}
	if k.High != nil {
		add(next, map[bool]string{true: "<=", false: "<"}[k.High.Inclusive], k.High.Value)
	}
	if k.Like != nil {
		add(next, "~~", k.Like)
	}
	if len(terms) == 1 {
		return terms[0]
	}
	return "(" + strings.Join(terms, " AND ") + ")"
}

func (v *VirtualScan) explain(x *explainer) {
	x.step(v, "Virtual Scan on %s", named(v.Table.Name, v.Alias))
	x.filter(v.Filter)
	x.inputs(v)
}

func (f *FunctionScan) explain(x *explainer) {
	name := f.Alias
	if call, ok := f.Parts[0].Fn.(*Call); ok && len(f.Parts) == 1 {
		name = call.Fn.Function.Name
	}
	x.step(f, "Function Scan on %s", named(name, f.Alias))
	x.filter(f.Filter)
	x.inputs(f)
}

func (v *Values) explain(x *explainer) {
	x.step(v, "Values Scan on \"*VALUES*\"")
	x.inputs(v)
}

// A filter is not a step of its own in Postgres, but a condition of the step below.
func (f *Filter) explain(x *explainer) {
	x.filters = append(x.filters, f.Cond)
	if x.outer == nil {
		x.outer = f
	}
	f.In.explain(x)
	x.queries(f, true)
	x.queries(f, false)
}

// Nor is a projection: every step projects.
func (p *Project) explain(x *explainer) {
	p.In.explain(x)
	x.queries(p, true)
	x.queries(p, false)
}

func (p *ProjectSet) explain(x *explainer) {
	x.step(p, "ProjectSet")
	x.inputs(p, p.In)
}

func (a *Aggregate) explain(x *explainer) {
	switch {
	case a.Sets != nil:
		a.explainSets(x)
	case len(a.Keys) == 0:
		x.step(a, "Aggregate")
	default:
		x.step(a, "HashAggregate")
		x.note("Group Key: %s", x.list(a.Keys))
	}
	x.inputs(a, a.In)
}

// Postgres shows a step for each partitioning and order, and the sort below it.
func (w *Window) explain(x *explainer) {
	in := w.In
	for i, over := range w.Over {
		in = &shownWindow{over: over[0], in: in, as: map[bool]Node{true: w}[i == len(w.Over)-1]}
	}
	in.explain(x)
}

// shownWindow is what Postgres shows as a step of its own.
type shownWindow struct {
	over *WindowCall
	in   Node
	as   Node // what was measured
}

func (w *shownWindow) explain(x *explainer) {
	x.step(&shownStep{as: w.as}, "WindowAgg")
	keys := make([]SortKey, len(w.over.PartitionBy))
	for i, p := range w.over.PartitionBy {
		keys[i].Expr = p
	}
	if keys = append(keys, w.over.OrderBy...); len(keys) > 0 {
		x.node(&shownSort{keys, w.in})
	} else {
		x.node(w.in)
	}
	if w.as != nil {
		x.queries(w.as, true)
		x.queries(w.as, false)
	}
}

// shownSort is the sort that a step does by itself.
type shownSort struct {
	keys []SortKey
	in   Node
}

func (s *shownSort) explain(x *explainer) {
	x.step(&shownStep{}, "Sort")
	x.note("Sort Key: %s", x.keys(s.keys))
	x.inputs(s, s.in)
}

// explainSets names the keys of each grouping set; a set without any is the group of all rows.
func (a *Aggregate) explainSets(x *explainer) {
	name, empty := "HashAggregate", 0
	for _, set := range a.Sets {
		if len(set) == 0 {
			empty++
		}
	}
	switch empty {
	case 0:
	case len(a.Sets):
		name = "Aggregate"
	default:
		name = "MixedAggregate"
	}
	x.step(a, "%s", name)
	for _, set := range a.Sets {
		keys := make([]Expr, len(set))
		for i, key := range set {
			keys[i] = a.Keys[key]
		}
		if len(keys) == 0 {
			x.note("Group Key: ()")
			continue
		}
		x.note("Hash Key: %s", x.list(keys))
	}
}

func (s *Sort) explain(x *explainer) {
	x.step(s, "Sort")
	x.note("Sort Key: %s", x.keys(s.Keys))
	x.inputs(s, s.In)
}

func (u *Unique) explain(x *explainer) {
	x.step(u, "HashAggregate")
	x.inputs(u, u.In)
}

func (d *DistinctOn) explain(x *explainer) {
	x.step(d, "Unique")
	x.inputs(d, d.In)
}

func (l *Limit) explain(x *explainer) {
	x.step(l, "Limit")
	x.inputs(l, l.In)
}

func (l *LockRows) explain(x *explainer) {
	x.step(l, "LockRows")
	x.inputs(l, l.In)
}

func (j *Join) explain(x *explainer) {
	kind := [...]string{"", " Left", " Full", " Right"}[j.Kind]
	kept := "Materialize"
	switch {
	case len(j.LeftKeys) > 0:
		kept = "Hash"
		if kind != "" {
			kind += " Join"
		} else {
			kind = " Join"
		}
		x.step(j, "Hash%s", kind)
		conds := make([]string, len(j.LeftKeys))
		for i := range j.LeftKeys {
			conds[i] = "(" + x.print(j.LeftKeys[i]) + " = " + x.print(j.RightKeys[i]) + ")"
		}
		if len(conds) == 1 {
			x.note("Hash Cond: %s", conds[0])
		} else {
			x.note("Hash Cond: (%s)", strings.Join(conds, " AND "))
		}
	case kind != "":
		x.step(j, "Nested Loop%s Join", kind)
	default:
		x.step(j, "Nested Loop")
	}
	if j.Cond != nil {
		x.note("Join Filter: %s", x.print(j.Cond))
	}
	if len(j.Bind) > 0 {
		x.inputs(j, j.Left, j.Right)
		return
	}
	driving, held := j.Left, j.Right
	if j.BuildLeft {
		driving, held = j.Right, j.Left
	}
	x.inputs(j, driving, &shownStep{kept, []Node{held}, held})
}

// shownStep is what Postgres shows as a step and is a part of one here, such as the side of a join
// that is read once and kept. It shows what was measured of as, if that is not nil.
type shownStep struct {
	name string
	in   []Node
	as   Node
}

func (h *shownStep) explain(x *explainer) {
	x.step(h, "%s", h.name)
	x.inputs(h, h.in...)
}

func (s *SubqueryScan) explain(x *explainer) {
	if s.Filter == nil && len(x.filters) == 0 {
		s.In.explain(x)
		return
	}
	x.step(s, "Subquery Scan on %s", catalog.QuoteIdent(s.Alias))
	x.filter(s.Filter)
	x.inputs(s, s.In)
}

func (c *CTEScan) explain(x *explainer) {
	switch {
	case c.CTE.Inline && c.Filter == nil && len(x.filters) == 0:
		c.CTE.Node.explain(x)
		return
	case c.CTE.Inline:
		x.step(c, "Subquery Scan on %s", catalog.QuoteIdent(c.Alias))
		x.filter(c.Filter)
		x.inputs(c, c.CTE.Node)
		return
	}
	x.step(c, "CTE Scan on %s", named(c.CTE.Name, c.Alias))
	x.filter(c.Filter)
	x.inputs(c)
}

func (s *SetOp) explain(x *explainer) {
	switch {
	case s.Op == parse.SetUnion && s.All:
		x.step(s, "Append")
	case s.Op == parse.SetUnion:
		x.step(s, "HashAggregate")
		x.inputs(s, &shownStep{"Append", []Node{s.Left, s.Right}, nil})
		return
	default:
		all := ""
		if s.All {
			all = " All"
		}
		word := setOpName(s.Op)
		x.step(s, "HashSetOp %s%s", word[:1]+strings.ToLower(word[1:]), all)
	}
	x.inputs(s, s.Left, s.Right)
}

func (u *RecursiveUnion) explain(x *explainer) {
	x.step(u, "Recursive Union")
	x.inputs(u, u.First, u.Next)
}

func (w *WorkTableScan) explain(x *explainer) {
	x.step(w, "WorkTable Scan on %s", named(w.Name, w.Alias))
	x.filter(w.Filter)
	x.inputs(w)
}

func (w *With) explain(x *explainer) {
	x.ctes = append(x.ctes, w.CTEs...)
	w.In.explain(x)
}
