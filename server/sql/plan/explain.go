package plan

import (
	"fmt"
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
)

// explainer writes a plan as Postgres does: a line a step, indented under the step that reads it.
type explainer struct {
	lines []string
	depth int
}

// ExplainLines gives the plan's text, without costs: nothing here estimates any.
func ExplainLines(p *Prepared) []string {
	x := &explainer{}
	if p.Root == nil {
		return []string{"Utility Statement"}
	}
	p.Root.explain(x)
	return x.lines
}

// step writes the line of a step.
func (x *explainer) step(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if x.depth > 0 {
		text = strings.Repeat("      ", x.depth-1) + "  ->  " + text
	}
	x.lines = append(x.lines, text)
}

// note writes a line about the step above it.
func (x *explainer) note(format string, args ...any) {
	indent := strings.Repeat("      ", x.depth) + "  "
	x.lines = append(x.lines, indent+fmt.Sprintf(format, args...))
}

func (x *explainer) filter(cond Expr) {
	if cond != nil {
		x.note("Filter: %s", Print(cond))
	}
}

func (x *explainer) input(n Node) {
	x.depth++
	n.explain(x)
	x.depth--
}

func named(name, alias string) string {
	if alias == "" || alias == name {
		return catalog.QuoteIdent(name)
	}
	return catalog.QuoteIdent(name) + " " + catalog.QuoteIdent(alias)
}

func (r *Result) explain(x *explainer) {
	x.step("Result")
	if r.Filter != nil {
		x.note("One-Time Filter: %s", Print(r.Filter))
	}
}

func (s *Scan) explain(x *explainer) {
	name, k := named(s.Table.Name, s.Alias), &s.Access
	switch {
	case k.Narrowed() || k.Ordered:
		direction := ""
		if k.Reverse {
			direction = " Backward"
		}
		x.step("Index Scan%s using %s on %s", direction,
			catalog.QuoteIdent(s.Table.PrimaryKey.Name), name)
	default:
		x.step("Seq Scan on %s", name)
	}
	if k.Narrowed() {
		x.note("Index Cond: %s", s.indexCond())
		x.note("Access: %s", k.describe())
	}
	x.filter(s.Filter)
}

// describe says what the store is asked for.
func (k *Access) describe() string {
	switch {
	case k.Single():
		return "point get"
	case k.Points:
		return "point gets"
	case k.In != nil || k.AnyOf != nil:
		return "bounded scans"
	}
	return "bounded scan"
}

func (s *Scan) indexCond() string {
	k, t := &s.Access, s.Table
	column := func(i int) string {
		return catalog.QuoteIdent(t.Columns[t.PrimaryKey.Columns[i]].Name)
	}
	var terms []string
	add := func(i int, op string, x Expr) {
		terms = append(terms, fmt.Sprintf("(%s %s %s)", column(i), op, Print(x)))
	}
	for i, x := range k.Prefix {
		add(i, "=", x)
	}
	next := len(k.Prefix)
	switch {
	case k.In != nil:
		var p printer
		p.elements(k.In)
		terms = append(terms, fmt.Sprintf("(%s = ANY (%s))", column(next), p.String()))
	case k.AnyOf != nil:
		terms = append(terms, fmt.Sprintf("(%s = ANY (%s))", column(next), Print(k.AnyOf)))
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
	x.step("Virtual Scan on %s", named(v.Table.Name, v.Alias))
	x.filter(v.Filter)
}

func (f *FunctionScan) explain(x *explainer) {
	name := "function"
	if call, ok := f.Fn.(*Call); ok {
		name = call.Fn.Function.Name
	}
	x.step("Function Scan on %s", named(name, f.Alias))
	x.filter(f.Filter)
}

func (v *Values) explain(x *explainer) { x.step("Values Scan on \"*VALUES*\"") }

func (f *Filter) explain(x *explainer) {
	x.step("Filter")
	x.filter(f.Cond)
	x.input(f.In)
}

// A projection is not a step of its own in Postgres: every step projects.
func (p *Project) explain(x *explainer) { p.In.explain(x) }

func (a *Aggregate) explain(x *explainer) {
	x.step("Aggregate")
	x.input(a.In)
}

func (s *Sort) explain(x *explainer) {
	x.step("Sort")
	x.note("Sort Key: %s", printKeys(s.Keys))
	x.input(s.In)
}

func (u *Unique) explain(x *explainer) {
	x.step("HashAggregate")
	x.input(u.In)
}

func (l *Limit) explain(x *explainer) {
	x.step("Limit")
	x.input(l.In)
}

func (l *LockRows) explain(x *explainer) {
	x.step("LockRows")
	x.input(l.In)
}

func (i *Insert) explain(x *explainer) {
	x.step("Insert on %s", catalog.QuoteIdent(i.Table.Name))
	if c := i.Conflict; c != nil {
		if !c.DoUpdate {
			x.note("Conflict Resolution: NOTHING")
		} else {
			x.note("Conflict Resolution: UPDATE")
		}
		if pk := i.Table.PrimaryKey; pk != nil {
			x.note("Conflict Arbiter Indexes: %s", catalog.QuoteIdent(pk.Name))
		}
		if c.Where != nil {
			x.note("Conflict Filter: %s", Print(c.Where))
		}
		if i.BlindUpsert {
			x.note("Access: blind write, the old row is not read")
		}
	}
	x.input(i.In)
}

func (u *Update) explain(x *explainer) {
	x.step("Update on %s", named(u.Table.Name, u.In.Alias))
	x.input(u.In)
}

func (d *Delete) explain(x *explainer) {
	x.step("Delete on %s", named(d.Table.Name, d.In.Alias))
	x.input(d.In)
}

func (e *Explain) explain(x *explainer) { e.Target.Root.explain(x) }

func (c *Copy) explain(x *explainer) {
	if c.In != nil {
		c.In.explain(x)
	}
}

// explainStmt plans EXPLAIN.
func (a *analyzer) explainStmt(pl *Planner, n *parse.ExplainStmt) (*Prepared, error) {
	ex := &Explain{}
	for _, option := range n.Options {
		switch on := defBool(option); strings.ToLower(option.Name) {
		case "analyze":
			if on {
				return nil, a.unsupported(option.Pos, "EXPLAIN ANALYZE")
			}
		case "verbose", "costs", "buffers", "timing", "summary", "settings", "wal", "generic_plan":
		case "format":
			if text := strings.ToLower(defString(option)); text != "text" {
				return nil, a.unsupported(option.Pos, "EXPLAIN (FORMAT "+text+")")
			}
		default:
			return nil, a.errorf(option.Pos, "42601",
				"unrecognized EXPLAIN option \"%s\"", option.Name)
		}
	}
	inner := *a.stmt
	inner.Tree = n.Query
	target, err := pl.analyze(a, &inner)
	if err != nil {
		return nil, err
	}
	ex.Target = target
	return &Prepared{Kind: KindRows, Tag: "EXPLAIN", ReadOnly: true, Root: ex,
		Columns: []Column{{Name: "QUERY PLAN", Type: textType}}}, nil
}

// defString gives an option's argument as a word.
func defString(d parse.DefElem) string {
	switch arg := d.Arg.(type) {
	case *parse.Const:
		if arg.Kind == parse.ConstString || arg.Kind == parse.ConstNumeric {
			return arg.Str
		}
		return fmt.Sprint(arg.Int)
	case *parse.TypeName:
		return arg.Name.Name
	}
	return ""
}

// defBool gives an option's argument as a switch; none means on.
func defBool(d parse.DefElem) bool {
	if d.Arg == nil {
		return true
	}
	switch strings.ToLower(defString(d)) {
	case "false", "off", "0":
		return false
	}
	return true
}
