package plan

import (
	"strconv"
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// printer writes expressions in the form Postgres prints them in, which the grammar reads back.
type printer struct {
	strings.Builder

	exact   bool // columns by their place, so that equal text means equal expressions
	qualify bool // columns with their table
	short   bool // no parentheses around a column that is cast
	kept    bool // as the catalog keeps it: a list of constants is not made one
}

// exactly gives a text that two expressions over one row share only if they are the same.
func exactly(x Expr) string {
	p := printer{exact: true}
	x.print(&p)
	return p.String()
}

// Print gives the SQL of an expression: for EXPLAIN, and for the defaults kept in the catalog.
func Print(x Expr) string {
	var p printer
	x.print(&p)
	return p.String()
}

// PrintKept is Print for what is kept in the catalog, and shown as it was written.
func PrintKept(x Expr) string {
	p := printer{kept: true}
	x.print(&p)
	return p.String()
}

func (p *printer) list(xs []Expr, separator string) {
	for i, x := range xs {
		if i > 0 {
			p.WriteString(separator)
		}
		x.print(p)
	}
}

func (p *printer) quote(s string) {
	if strings.Contains(s, `\`) {
		p.WriteString("E")
		s = strings.ReplaceAll(s, `\`, `\\`)
	}
	p.WriteString("'" + strings.ReplaceAll(s, "'", "''") + "'")
}

func (c *Const) print(p *printer) {
	t := typeText(c.T)
	switch {
	case c.Value.IsNull() && c.T.OID == types.Unknown:
		p.WriteString("NULL")
	case c.Value.IsNull():
		p.WriteString("NULL::" + t)
	case c.T.OID == types.Bool:
		p.WriteString(strconv.FormatBool(c.Value.Bool()))
	case (c.T.OID == types.Int4 || c.T.OID == types.Numeric) && isUnsigned(c.Value.String()):
		p.WriteString(c.Value.String())
	default:
		p.quote(c.Value.String())
		p.WriteString("::" + t)
	}
}

// typeText names a type so that it reads back as itself: character without a length would be one
// of a single character.
func typeText(t types.Type) string {
	switch {
	case t.OID == types.BPChar && t.Mod == types.NoMod:
		return "bpchar"
	case t.OID == types.BPCharArray && t.Mod == types.NoMod:
		return "bpchar[]"
	}
	return types.FormatType(t.OID, t.Mod)
}

// isUnsigned says whether a number reads back as itself without quotes.
func isUnsigned(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

func (x *Param) print(p *printer) { p.WriteString("$" + strconv.Itoa(x.Index+1)) }

func (c *Field) print(p *printer) {
	switch {
	case p.exact:
		p.WriteString("@" + strconv.Itoa(c.Index))
	case c.of != nil:
		c.of.print(p)
	default:
		p.column(c.Table, c.Name, p.qualify)
	}
}

func (p *printer) column(table, name string, qualify bool) {
	if qualify && table != "" {
		p.WriteString(catalog.QuoteIdent(table) + ".")
	}
	p.WriteString(catalog.QuoteIdent(name))
}

func (o *Outer) print(p *printer) {
	switch {
	case p.exact:
		p.WriteString("^" + strconv.Itoa(o.Slot))
	case o.of != nil:
		o.of.print(p)
	default:
		p.column(o.Table, o.Name, true)
	}
}

func (s *SubPlan) print(p *printer) {
	if s.Hashed != nil {
		p.WriteString("(hashed SubPlan " + strconv.Itoa(s.Hashed.Query.Index+1) + ")")
		return
	}
	p.WriteString("(SubPlan " + strconv.Itoa(s.Index+1) + ")")
}

func (r *WindowRef) print(p *printer) {
	if p.exact {
		p.WriteString("window " + strconv.Itoa(r.Index))
		return
	}
	p.WriteString(r.call.Name + "(")
	if r.call.Star {
		p.WriteString("*")
	}
	p.list(r.call.Args, ", ")
	p.WriteString(") OVER (?)")
}

func (r *SetRef) print(p *printer) {
	if p.exact {
		p.WriteString("set " + strconv.Itoa(r.Index))
		return
	}
	r.Set.Call.print(p)
}

func (c *Call) print(p *printer) {
	if c.Op == "" {
		p.WriteString(catalog.QuoteIdent(c.Fn.Function.Name) + "(")
		p.list(c.Args, ", ")
		p.WriteString(")")
		return
	}
	p.WriteString("(")
	if len(c.Args) == 1 {
		p.WriteString(c.Op + " ")
		c.Args[0].print(p)
	} else {
		p.list(c.Args, " "+c.Op+" ")
	}
	p.WriteString(")")
}

func (c *Compare) print(p *printer) {
	p.WriteString("(")
	c.L.print(p)
	p.WriteString(" " + c.Op.String() + " ")
	c.R.print(p)
	p.WriteString(")")
}

func (c *Cast) print(p *printer) {
	switch c.X.(type) {
	case *Call, *Compare, *And, *Or, *Not, *NullTest, *Cast:
		c.X.print(p)
	case *Param:
		c.X.print(p)
	case *Field:
		if p.short {
			c.X.print(p)
			break
		}
		p.WriteString("(")
		c.X.print(p)
		p.WriteString(")")
	default:
		p.WriteString("(")
		c.X.print(p)
		p.WriteString(")")
	}
	p.WriteString("::" + typeText(c.To))
}

func (a *And) print(p *printer) {
	p.WriteString("(")
	p.list(a.Args, " AND ")
	p.WriteString(")")
}

func (o *Or) print(p *printer) {
	p.WriteString("(")
	p.list(o.Args, " OR ")
	p.WriteString(")")
}

func (n *Not) print(p *printer) {
	p.WriteString("(NOT ")
	n.X.print(p)
	p.WriteString(")")
}

func (n *NullTest) print(p *printer) { p.test(n.X, n.Negate, "NULL") }

func (b *BoolTest) print(p *printer) {
	word := "UNKNOWN"
	if !b.Want.IsNull() {
		word = strings.ToUpper(strconv.FormatBool(b.Want.Bool()))
	}
	p.test(b.X, b.Negate, word)
}

func (p *printer) test(x Expr, negate bool, word string) {
	p.WriteString("(")
	x.print(p)
	p.WriteString(" IS ")
	if negate {
		p.WriteString("NOT ")
	}
	p.WriteString(word + ")")
}

func (d *Distinct) print(p *printer) {
	p.WriteString("(")
	d.L.print(p)
	p.WriteString(" IS ")
	if d.Negate {
		p.WriteString("NOT ")
	}
	p.WriteString("DISTINCT FROM ")
	d.R.print(p)
	p.WriteString(")")
}

func (c *Case) print(p *printer) {
	p.WriteString("CASE")
	for i := range c.When {
		p.WriteString(" WHEN ")
		c.When[i].print(p)
		p.WriteString(" THEN ")
		c.Then[i].print(p)
	}
	p.WriteString(" ELSE ")
	c.Else.print(p)
	p.WriteString(" END")
}

func (p *printer) call(name string, args []Expr) {
	p.WriteString(name + "(")
	p.list(args, ", ")
	p.WriteString(")")
}

func (c *Coalesce) print(p *printer) { p.call("COALESCE", c.Args) }

func (n *NullIf) print(p *printer) { p.call("NULLIF", n.Equal.inputs()) }

func (x *Extreme) print(p *printer) {
	if x.Least {
		p.call("LEAST", x.Args)
		return
	}
	p.call("GREATEST", x.Args)
}

func (s *SequenceCall) print(p *printer) { p.call(sequenceNames[s.Op], s.Args) }

func (a *AnyAll) print(p *printer) {
	p.WriteString("(")
	a.X.print(p)
	p.WriteString(" " + a.Op)
	if a.All {
		p.WriteString(" ALL (")
	} else {
		p.WriteString(" ANY (")
	}
	if a.Array != nil {
		a.Array.print(p)
	} else {
		p.elements(a.List)
	}
	p.WriteString("))")
}

// elements prints an IN list as the array it stands for: a literal when all of it is constant.
func (p *printer) elements(list []Expr) {
	elem := list[0].Type().OID
	values := make([]types.Datum, len(list))
	for i, x := range list {
		c, ok := x.(*Const)
		if !ok || p.kept {
			p.WriteString("ARRAY[")
			p.list(list, ", ")
			p.WriteString("]")
			return
		}
		values[i] = c.Value
	}
	p.quote(types.NewArray(elem, values).String())
	p.WriteString("::" + typeText(types.Of(types.ArrayOf(elem))))
}

func (a *ArrayOf) print(p *printer) {
	p.WriteString("ARRAY[")
	p.list(a.Elems, ", ")
	p.WriteString("]")
	if len(a.Elems) == 0 {
		p.WriteString("::" + typeText(types.Of(a.T.OID)))
	}
}

func (s *Subscript) print(p *printer) {
	if _, ok := s.X.(*Field); ok {
		s.X.print(p)
	} else {
		p.WriteString("(")
		s.X.print(p)
		p.WriteString(")")
	}
	for _, index := range s.Index {
		p.WriteString("[")
		index.print(p)
		p.WriteString("]")
	}
}

func (s *Slice) print(p *printer) {
	p.WriteString("(")
	s.X.print(p)
	p.WriteString(")")
	for i := range s.Lower {
		p.WriteString("[")
		if s.Lower[i] != nil {
			s.Lower[i].print(p)
		}
		p.WriteString(":")
		if s.Upper[i] != nil {
			s.Upper[i].print(p)
		}
		p.WriteString("]")
	}
}

func (r *AggRef) print(p *printer) { r.call.print(p) }

func (c *AggregateCall) print(p *printer) {
	p.WriteString(c.Name + "(")
	if c.Star {
		p.WriteString("*")
	}
	if c.Distinct {
		p.WriteString("DISTINCT ")
	}
	if c.Fn.Aggregate.Ordered {
		p.list(c.Direct, ", ")
		p.WriteString(") WITHIN GROUP (ORDER BY ")
	} else {
		p.list(c.Args, ", ")
		if len(c.written()) > 0 {
			p.WriteString(" ORDER BY ")
		}
	}
	p.keys(c.written())
	p.WriteString(")")
	if c.Filter != nil {
		p.WriteString(" FILTER (WHERE ")
		c.Filter.print(p)
		p.WriteString(")")
	}
}

func (p *printer) keys(keys []SortKey) {
	for i, key := range keys {
		if i > 0 {
			p.WriteString(", ")
		}
		key.Expr.print(p)
		if key.Desc {
			p.WriteString(" DESC")
		}
		if key.NullsFirst != key.Desc {
			if key.NullsFirst {
				p.WriteString(" NULLS FIRST")
			} else {
				p.WriteString(" NULLS LAST")
			}
		}
	}
}
