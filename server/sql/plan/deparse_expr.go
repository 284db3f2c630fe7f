package plan

import (
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// expr writes an expression. implicit says that a cast around it which nobody wrote is shown, too:
// where the text is read again, nothing else would make it.
func (p *deparser) expr(x Expr, implicit bool) {
	switch x := x.(type) {
	case *Var:
		p.variable(x)
	case *Const:
		p.constant(x, labelNeeded)
	case *Cast:
		p.cast(x, implicit)
	case *Call:
		p.call(x)
	case *Compare:
		p.operator(x, x.Op.String(), []Expr{x.L, x.R})
	case *And:
		p.boolean(x, " AND ", x.Args)
	case *Or:
		p.boolean(x, " OR ", x.Args)
	case *Not:
		p.parens(func() {
			p.add("NOT ")
			p.operand(x.X, false, x)
		})
	case *NullTest:
		p.test(x, x.X, true, x.Negate, "NULL")
	case *BoolTest:
		word := "UNKNOWN"
		if !x.Want.IsNull() {
			word = map[bool]string{true: "TRUE", false: "FALSE"}[x.Want.Bool()]
		}
		p.test(x, x.X, false, x.Negate, word)
	default:
		p.rareExpr(x, implicit)
	}
}

// rareExpr is the rest of expr.
func (p *deparser) rareExpr(x Expr, implicit bool) {
	switch x := x.(type) {
	case *spelledCall:
		p.spelled(x)
	case *sugared:
		if p.layout.Kept {
			x.keep(p)
		} else {
			p.expr(x.Expr, implicit)
		}
	case *Distinct:
		p.distinct(x)
	case *AnyAll:
		p.anyAll(x)
	case *Case:
		p.caseExpr(x, nil)
	case *caseOf:
		p.caseExpr(x.Case, x.arg)
	case *Coalesce:
		p.function("COALESCE", x.Args)
	case *NullIf:
		p.function("NULLIF", x.Equal.inputs())
	case *Extreme:
		p.function(map[bool]string{true: "LEAST", false: "GREATEST"}[x.Least], x.Args)
	case *ArrayOf:
		p.array(x)
	case *Subscript:
		p.subscripts(x.X, nil, x.Index)
	case *Slice:
		p.subscripts(x.X, x.Lower, x.Upper)
	case *RowOf:
		p.function("ROW", x.Args)
	case *rowCompared:
		p.within(true, func() {
			p.function("ROW", x.left)
			p.add(" " + x.op + " ")
			p.function("ROW", x.right)
		})
	case *valueWord:
		p.valueWord(x.word)
	case *collated:
		p.parens(func() {
			p.operand(x.Expr, implicit, x)
			p.add(" COLLATE ")
			p.name(x.name)
		})
	case *definedLink:
		p.link(x)
	case *SequenceCall:
		p.function(sequenceNames[x.Op], x.Args)
	case *AggRef:
		p.aggregate(&x.call)
	case *WindowRef:
		p.windowCall(x)
	case *SetRef:
		p.call(x.Set.Call)
	default:
		p.fail(errNotDefined("this expression"))
	}
}

// parens writes around an operation the parentheses that only the pretty form can leave out.
func (p *deparser) parens(write func()) { p.within(!p.layout.Pretty, write) }

// operand writes an operand of around, which in the pretty form has parentheses if it needs them.
func (p *deparser) operand(x Expr, implicit bool, around Expr) {
	p.within(p.layout.Pretty && !standsAlone(x, around), func() { p.expr(x, implicit) })
}

// variable writes a column, and gives its name.
func (p *deparser) variable(v *Var) string {
	name := "tableoid"
	if v.at >= 0 {
		name = v.source.shown.columns[v.at]
	}
	if !p.bare && v.source.shown.name != "" {
		p.name(v.source.shown.name)
		p.add(".")
	}
	p.name(name)
	return name
}

// label says whether a constant is followed by its type.
type label uint8

const (
	labelNeeded label = iota // if it would be read as another type
	labelAlways
	labelNever
)

func (p *deparser) constant(c *Const, l label) {
	if c.Value.IsNull() {
		p.add("NULL")
		if l != labelNever && c.T.OID != types.Unknown {
			p.typeName(c.T)
		}
		return
	}
	text := string(types.AppendText(nil, c.Value, p.env.Types))
	needed := true
	switch c.T.OID {
	case types.Bool:
		text = map[string]string{"t": "true", "f": "false"}[text]
		p.add(text)
		needed = false
	case types.Int4:
		if needed = text[0] == '-'; needed {
			text = "'" + text + "'"
		}
		p.add(text)
	case types.Numeric:
		if isUnsigned(text) && strings.Contains(text, ".") {
			p.add(text)
			needed = c.T.Mod != types.NoMod
		} else {
			p.quote(text)
		}
	default:
		p.quote(text)
		needed = c.T.OID != types.Unknown
	}
	if l == labelAlways || l == labelNeeded && needed {
		p.typeName(c.T)
	}
}

// cast writes a cast, or without implicit only what is in one that nobody wrote.
func (p *deparser) cast(c *Cast, implicit bool) {
	if c.Implicit && !implicit {
		p.operand(c.X, false, c)
		return
	}
	if k, ok := c.X.(*Const); ok && k.T.OID == c.To.OID && k.T.Mod == types.NoMod {
		p.constant(k, labelNever)
	} else {
		p.parens(func() { p.operand(c.ofItsType(), false, c) })
	}
	p.typeName(c.To)
}

// ofItsType is what a cast to a length is made of: a cast to the type, which is not shown.
func (c *Cast) ofItsType() Expr {
	if c.To.Mod == types.NoMod || c.X.Type().OID == c.To.OID {
		return c.X
	}
	return &Cast{X: c.X, To: types.Of(c.To.OID), Implicit: true}
}

// byFunction says whether a cast calls a function; the others change the name of the type, or go
// through text.
func byFunction(c *Cast) bool {
	return c.To.Mod != types.NoMod || types.CastByFunction(c.X.Type().OID, c.To.OID)
}

// bareOf is an expression without the casts around it.
func bareOf(x Expr) Expr {
	for {
		c, ok := x.(*Cast)
		if !ok {
			return x
		}
		x = c.X
	}
}

func (p *deparser) operator(x Expr, op string, args []Expr) {
	p.parens(func() {
		if len(args) > 1 {
			p.operand(args[0], true, x)
			p.add(" ")
			args = args[1:]
		}
		p.add(op + " ")
		p.operand(args[0], true, x)
	})
}

func (p *deparser) boolean(x Expr, word string, args []Expr) {
	p.parens(func() {
		for i, arg := range args {
			if i > 0 {
				p.add(word)
			}
			p.operand(arg, false, x)
		}
	})
}

func (p *deparser) test(x, of Expr, implicit, negate bool, word string) {
	p.parens(func() {
		p.operand(of, implicit, x)
		p.add(" IS ")
		if negate {
			p.add("NOT ")
		}
		p.add(word)
	})
}

// distinct writes IS DISTINCT FROM, whose negation is a NOT around it.
func (p *deparser) distinct(d *Distinct) {
	if d.Negate {
		p.expr(&Not{X: &Distinct{L: d.L, R: d.R}}, false)
		return
	}
	p.parens(func() {
		p.operand(d.L, true, d)
		p.add(" IS DISTINCT FROM ")
		p.operand(d.R, true, d)
	})
}

// anyAll writes x op ANY (array). The casts that the comparison makes are those of Test.
func (p *deparser) anyAll(a *AnyAll) {
	array := a.Array
	if array == nil {
		elem := a.List[0].Type().OID
		array = &ArrayOf{Elems: a.List, T: types.Of(types.ArrayOf(elem))}
	}
	in := a.Test.inputs()
	left := rewrite(in[0], func(x Expr) Expr {
		if _, ok := x.(*Field); ok {
			return a.X
		}
		return nil
	})
	// Read again, a kept text gets this cast by itself, and an array in front of it would take it
	// for one of its elements.
	if c, ok := in[1].(*Cast); ok && !p.layout.Kept {
		to := types.Of(types.ArrayOf(c.To.OID))
		array = &Cast{X: array, To: to, Implicit: true, relabel: c.relabel}
	}
	p.parens(func() {
		p.operand(left, true, a)
		p.add(" " + a.Op + map[bool]string{true: " ALL (", false: " ANY ("}[a.All])
		p.operand(array, true, a)
		if link, ok := array.(*definedLink); ok {
			p.typeName(link.T) // without which it would be read as ANY of the query's rows
		}
		p.add(")")
	})
}

func (p *deparser) caseExpr(c *Case, arg Expr) {
	p.line("CASE", 0, itemIndent, 0)
	if arg != nil {
		p.add(" ")
		p.expr(arg, true)
	}
	for i, when := range c.When {
		p.line("WHEN ", 0, 0, 0)
		if arg != nil {
			when = when.inputs()[1]
		}
		p.expr(when, false)
		p.add(" THEN ")
		p.expr(c.Then[i], true)
	}
	p.line("ELSE ", 0, 0, 0)
	p.expr(c.Else, true)
	p.line("END", -itemIndent, 0, 0)
}

func (p *deparser) function(name string, args []Expr) {
	p.add(name + "(")
	p.list(args, true)
	p.add(")")
}

func (p *deparser) array(a *ArrayOf) {
	p.add("ARRAY[")
	p.list(a.Elems, true)
	p.add("]")
	if len(a.Elems) == 0 {
		p.typeName(a.T)
	}
}

// subscripts writes x[i], or with lower, whose items may be nil, x[i:j].
func (p *deparser) subscripts(x Expr, lower, upper []Expr) {
	_, column := x.(*Var)
	p.within(!column, func() { p.expr(x, true) })
	for i := range upper {
		p.add("[")
		if lower != nil {
			if lower[i] != nil {
				p.expr(lower[i], false)
			}
			p.add(":")
		}
		if upper[i] != nil {
			p.expr(upper[i], false)
		}
		p.add("]")
	}
}

// link writes a query in an expression.
func (p *deparser) link(l *definedLink) {
	p.add(map[bool]string{true: "ARRAY(", false: "("}[l.kind == parse.SubArray])
	if len(l.left) == 1 {
		p.expr(l.left[0], true)
	} else if len(l.left) > 1 {
		p.within(true, func() { p.list(l.left, true) })
	}
	apart := true
	switch {
	case l.kind == parse.SubExists:
		p.add("EXISTS ")
	case l.kind == parse.SubAny && l.op == "=":
		p.add(" IN ")
	case l.kind == parse.SubAny:
		p.add(" " + l.op + " ANY ")
	case l.kind == parse.SubAll:
		p.add(" " + l.op + " ALL ")
	default:
		apart = false
	}
	p.within(apart, func() { p.query(l.query, nil, false) })
	p.add(")")
}

// functionName is the name of a function as it is called, in quotes where it is a keyword.
func functionName(name string) string { return catalog.QuoteIdent(name) }
