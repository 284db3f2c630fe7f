package plan

import (
	"strconv"

	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// call writes a function or an operator.
func (p *deparser) call(c *Call) {
	if c.Op != "" {
		p.operator(c, c.Op, c.Args)
		return
	}
	p.function(functionName(c.Fn.Function.Name), c.Args)
}

// spelled writes a call in the syntax that SQL has for it.
func (p *deparser) spelled(s *spelledCall) {
	args := s.Args
	part := func(i int, before string) {
		if i < len(args) {
			p.add(before)
			p.expr(args[i], false)
		}
	}
	switch name := s.Fn.Function.Name; name {
	case "timezone":
		p.within(true, func() {
			p.operand(args[1], false, s)
			p.add(" AT TIME ZONE ")
			p.operand(args[0], false, s)
		})
	case "extract":
		p.add("EXTRACT(")
		if field, ok := bareOf(args[0]).(*Const); ok {
			p.add(field.Value.Str())
		}
		part(1, " FROM ")
		p.add(")")
	case "overlay":
		part(0, "OVERLAY(")
		part(1, " PLACING ")
		part(2, " FROM ")
		part(3, " FOR ")
		p.add(")")
	case "position":
		part(1, "POSITION((")
		part(0, ") IN (")
		p.add("))")
	case "substring":
		if args[1].Type().OID == types.Text {
			p.function(functionName(name), args)
			return
		}
		part(0, "SUBSTRING(")
		part(1, " FROM ")
		part(2, " FOR ")
		p.add(")")
	case "btrim", "ltrim", "rtrim":
		p.add("TRIM(" + map[string]string{"btrim": "BOTH", "ltrim": "LEADING",
			"rtrim": "TRAILING"}[name])
		part(1, " ")
		part(0, " FROM ")
		p.add(")")
	default:
		p.function(functionName(name), args)
	}
}

// valueWord writes CURRENT_DATE and its kin.
func (p *deparser) valueWord(n *parse.SQLValueFunction) {
	p.add(map[parse.ValueFunction]string{
		parse.CurrentDate: "CURRENT_DATE", parse.CurrentTime: "CURRENT_TIME",
		parse.CurrentTimestamp: "CURRENT_TIMESTAMP", parse.LocalTime: "LOCALTIME",
		parse.LocalTimestamp: "LOCALTIMESTAMP", parse.CurrentRole: "CURRENT_ROLE",
		parse.CurrentUser: "CURRENT_USER", parse.User: "USER", parse.SessionUser: "SESSION_USER",
		parse.CurrentCatalog: "CURRENT_CATALOG", parse.CurrentSchema: "CURRENT_SCHEMA",
	}[n.Func])
	if n.Precision >= 0 {
		p.add("(" + strconv.Itoa(n.Precision) + ")")
	}
}

func (p *deparser) aggregate(c *AggregateCall) {
	p.add(functionName(c.Name) + "(")
	if c.Distinct {
		p.add("DISTINCT ")
	}
	if c.Star {
		p.add("*")
	}
	if c.Fn.Aggregate.Ordered {
		p.list(c.Direct, true)
		p.add(") WITHIN GROUP (ORDER BY ")
		p.keys(c.OrderBy)
		p.add(")")
		p.filter(c.Filter)
		return
	}
	p.list(c.Args, true)
	if len(c.written()) > 0 {
		p.add(" ORDER BY ")
		p.keys(c.written())
	}
	p.add(")")
	p.filter(c.Filter)
}

func (p *deparser) filter(x Expr) {
	if x != nil {
		p.add(" FILTER (WHERE ")
		p.expr(x, false)
		p.add(")")
	}
}

func (p *deparser) windowCall(r *WindowRef) {
	c := r.call
	p.add(functionName(c.Name) + "(")
	if c.Star {
		p.add("*")
	}
	p.list(c.Args, true)
	p.add(")")
	p.filter(c.Filter)
	p.add(" OVER ")
	w := p.queries[len(p.queries)-1].windowOf[c]
	switch {
	case w == nil:
		p.fail(errNotDefined("this window"))
	case w.name != "":
		p.name(w.name)
	default:
		p.window(w)
	}
}

// standsAlone says whether an operand needs no parentheses in the pretty form, for what is around
// it: it binds tighter, or what is around it separates it from the rest by itself.
func standsAlone(x, around Expr) bool {
	switch x := x.(type) {
	case *Var, *Const, *Subscript, *Slice, *ArrayOf, *RowOf, *Coalesce, *Extreme, *valueWord,
		*NullIf, *AggRef, *WindowRef, *SetRef, *SequenceCall, *spelledCall, *Case, *caseOf:
		return true
	case *Cast:
		return byFunction(x) || standsAlone(x.X, x)
	case *sugared:
		return standsAlone(x.Expr, around)
	case *Call:
		return x.Op == "" || operatorAlone(x, around)
	case *Compare:
		return operatorAlone(x, around)
	case *Distinct:
		return !x.Negate && separates(around, true)
	case *definedLink, *NullTest, *BoolTest:
		return separates(around, true)
	case *And, *Not:
		switch around.(type) {
		case *And, *Or:
			return true
		}
		return separates(around, false)
	case *Or:
		if _, ok := around.(*Or); ok {
			return true
		}
		return separates(around, false)
	}
	return false
}

// separates says whether what is around an operand needs no parentheses to tell it from others: it
// has commas or keywords, or, as AND does, it binds less.
func separates(around Expr, boolean bool) bool {
	switch x := around.(type) {
	case *Call:
		return x.Op == ""
	case *SequenceCall, *Subscript, *Slice, *ArrayOf, *RowOf, *Coalesce, *Extreme, *NullIf,
		*AggRef, *WindowRef, *Case, *caseOf:
		return true
	case *And, *Or, *Not:
		return boolean
	}
	return false
}

// operatorAlone knows the precedence of + - * / and %, and that they group from the left.
func operatorAlone(x, around Expr) bool {
	outer, args := operatorOf(around)
	if outer == "" {
		return separates(around, true)
	}
	inner, _ := operatorOf(x)
	low, high := inner == "+" || inner == "-", inner == "*" || inner == "/" || inner == "%"
	lowOuter := outer == "+" || outer == "-"
	highOuter := outer == "*" || outer == "/" || outer == "%"
	switch {
	case !low && !high || !lowOuter && !highOuter || len(args) < 2 || len(x.inputs()) < 2:
		return false
	case high && lowOuter:
		return true
	case low && highOuter:
		return false
	}
	return args[0] == x
}

// operatorOf is the operator that an expression is of; "" for other expressions.
func operatorOf(x Expr) (string, []Expr) {
	switch x := x.(type) {
	case *Compare:
		return x.Op.String(), []Expr{x.L, x.R}
	case *Call:
		return x.Op, x.Args
	}
	return "", nil
}
