package plan

import (
	"fmt"
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// explainer writes a plan as Postgres does: a line a step, indented under the step that reads it.
type explainer struct {
	lines   []string
	indent  int    // in steps of two blanks
	ctes    []*CTE // of a WITH above the next step, which are shown before what it reads
	filters []Expr // conditions that belong to the next step
	outer   Node   // the node they stand in, whose rows are those of the next step
	qualify bool
	measure func(Node) string // what is written behind the line of a step
}

// ExplainLines gives the plan's text, without costs: nothing here estimates any. measure, unless it
// is nil, gives what was measured of a step.
func ExplainLines(p *Prepared, measure func(Node) string) []string {
	if p.Root == nil {
		return []string{"Utility Statement"}
	}
	x := &explainer{measure: measure}
	sources := 0
	visit(p.Root, func(n Node) bool {
		switch n.(type) {
		case *Scan, *VirtualScan, *FunctionScan, *SubqueryScan, *CTEScan,
			*WorkTableScan, *Values:
			sources++
		}
		return true
	})
	x.qualify = sources > 1
	x.node(p.Root)
	return x.lines
}

// node writes a step and all below it.
func (x *explainer) node(n Node) {
	indent := x.indent
	n.explain(x)
	x.indent = indent
}

// step writes the line of a step; what is written next is about it.
func (x *explainer) step(n Node, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if x.indent > 0 {
		text = strings.Repeat("  ", x.indent) + "->  " + text
		x.indent += 2
	}
	if h, ok := n.(*shownStep); ok {
		n = h.as
	}
	if x.outer != nil {
		n, x.outer = x.outer, nil
	}
	if x.measure != nil && n != nil {
		text += x.measure(n)
	}
	x.indent++
	x.lines = append(x.lines, text)
}

// note writes a line about the step above it.
func (x *explainer) note(format string, args ...any) {
	x.lines = append(x.lines, strings.Repeat("  ", x.indent)+fmt.Sprintf(format, args...))
}

func (x *explainer) print(e Expr) string {
	p := printer{qualify: x.qualify}
	e.print(&p)
	return p.String()
}

func (x *explainer) list(es []Expr) string {
	p := printer{qualify: x.qualify}
	p.list(es, ", ")
	return p.String()
}

func (x *explainer) keys(keys []SortKey) string {
	p := printer{qualify: x.qualify}
	p.keys(keys)
	return p.String()
}

// filter writes the condition of a step, with those that stand above it in the plan.
func (x *explainer) filter(cond Expr) {
	terms := x.filters
	if cond != nil {
		terms = append(terms, cond)
	}
	x.filters = nil
	if all := conjunction(terms); all != nil {
		x.note("Filter: %s", x.print(all))
	}
}

// inputs writes the steps that n reads, and the queries in its expressions.
func (x *explainer) inputs(n Node, in ...Node) {
	x.filter(nil)
	ctes := x.ctes
	x.ctes = nil
	for _, cte := range ctes {
		x.note("CTE %s", catalog.QuoteIdent(cte.Name))
		x.indent++
		x.node(cte.Node)
		x.indent--
	}
	x.queries(n, true)
	for _, child := range in {
		x.node(child)
	}
	x.queries(n, false)
}

// queries writes those of a step's expressions that run once, or the others.
func (x *explainer) queries(n Node, once bool) {
	for _, sub := range subplans(n) {
		if (sub.Fixed && !sub.Hash) != once {
			continue
		}
		name := "SubPlan"
		if once {
			name = "InitPlan"
		}
		x.note("%s %d", name, sub.Index+1)
		x.indent++
		x.node(sub.Node)
		x.indent--
	}
}

func named(name, alias string) string {
	if alias == "" || alias == name {
		return catalog.QuoteIdent(name)
	}
	return catalog.QuoteIdent(name) + " " + catalog.QuoteIdent(alias)
}

// explainStmt plans EXPLAIN.
func (a *analyzer) explainStmt(pl *Planner, n *parse.ExplainStmt) (*Prepared, error) {
	ex, err := a.explainOptions(n.Options)
	if err != nil {
		return nil, err
	}
	inner := *a.stmt
	inner.Tree = n.Query
	if cursor, ok := n.Query.(*parse.DeclareCursorStmt); ok {
		inner.Tree = cursor.Query
	}
	target, err := pl.analyze(a, &inner)
	if err != nil {
		return nil, err
	}
	ex.Target = target
	p := &Prepared{Kind: KindRows, Tag: "EXPLAIN", ReadOnly: true, Root: ex,
		Columns: []Column{{Name: "QUERY PLAN", Type: textType}}}
	if ex.Analyze {
		p.ReadOnly, p.Refusal = target.ReadOnly, target.Refusal
	}
	return p, nil
}

func (a *analyzer) explainOptions(options []parse.DefElem) (*Explain, error) {
	ex := &Explain{}
	given := map[string]bool{}
	for _, option := range options {
		name, on := strings.ToLower(option.Name), defBool(option)
		switch name {
		case "analyze":
			ex.Analyze = on
		case "timing":
			ex.Timing = on
		case "summary":
			ex.Summary = on
		case "verbose", "costs", "buffers", "settings", "wal", "generic_plan":
		case "format":
			if text := strings.ToLower(defString(option)); text != "text" {
				return nil, a.unsupported(option.Pos, "EXPLAIN (FORMAT "+text+")")
			}
		default:
			return nil, a.errorf(option.Pos, types.CodeSyntax,
				"unrecognized EXPLAIN option \"%s\"", option.Name)
		}
		given[name] = on
	}
	for _, name := range []string{"wal", "timing"} {
		if given[name] && !ex.Analyze {
			return nil, types.Errorf(types.CodeInvalidParameter,
				"EXPLAIN option %s requires ANALYZE", strings.ToUpper(name))
		}
	}
	if _, chosen := given["timing"]; !chosen {
		ex.Timing = ex.Analyze
	}
	if _, chosen := given["summary"]; !chosen {
		ex.Summary = ex.Analyze
	}
	return ex, nil
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
