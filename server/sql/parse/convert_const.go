package parse

import (
	"sort"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// constant converts a literal and, in a template, finds the text's literal it came from.
func (c *converter) constant(n *pg.A_Const) *Const {
	out := &Const{Lit: NoLit, Pos: c.pos(n.Location)}
	switch v := n.Val.(type) {
	case *pg.A_Const_Ival:
		out.Negated = v.Ival.GetIval() < 0
		out.Kind, out.Int = ConstInt4, int64(v.Ival.GetIval())
	case *pg.A_Const_Fval:
		setNumber(out, v.Fval.GetFval())
	case *pg.A_Const_Boolval:
		out.Kind = ConstBool
		if v.Boolval.GetBoolval() {
			out.Int = 1
		}
	case *pg.A_Const_Sval:
		out.Kind, out.Str = ConstString, v.Sval.GetSval()
	case *pg.A_Const_Bsval:
		out.Kind, out.Str = ConstBit, v.Bsval.GetBsval()
	}
	if c.isTemplate() {
		c.bindLiteral(out)
	}
	return out
}

// setNumber stores a number the grammar could not fit into an int4, its sign included.
func setNumber(c *Const, text string) {
	digits, negated := strings.CutPrefix(text, "-")
	c.Negated = negated
	based := len(digits) > 2 && digits[0] == '0' && baseDigits(digits[1]) != ""
	if end, integer := decimalEnd(digits, 0); based || integer && end == len(digits) {
		if kind, v := classifyInteger(digits); kind != TokenNumeric && kind != TokenInt8Min {
			setInteger(c, v)
			return
		}
	}
	setNumeric(c, digits)
}

// indexLiterals prepares bindLiteral.
func (c *converter) indexLiterals() {
	base := c.tokens.Offset()
	for _, tok := range c.tokens.tokens() {
		if tok.Kind.isLiteral() {
			c.starts = append(c.starts, tok.Start-uint32(base))
		}
	}
}

// bindLiteral makes a constant a hole, if it stands for a literal of the text and nothing forbids.
//
// The grammar gives a negated number the position of its minus; between the two only more signs
// and brackets can stand, as anything else would have kept the minus an operator.
func (c *converter) bindLiteral(out *Const) {
	if out.Pos < 0 {
		return
	}
	lit := sort.Search(len(c.starts), func(i int) bool { return c.starts[i] >= uint32(out.Pos) })
	if lit == len(c.starts) {
		return
	}
	negated, found := signBetween(c.text[out.Pos:c.starts[lit]])
	if !found {
		return
	}
	if c.sealing > 0 {
		c.sealed = true
	}
	if c.pinning > 0 || c.sealing > 0 {
		return
	}
	out.Lit, out.Negated = int32(lit), negated
	c.use[lit] = literalHole
}

// signBetween reads what stands between a constant's position and its literal. A constant that
// stands for a word (EXTRACT's field, TRUE) has a word there, and no literal of its own.
func signBetween(text string) (negated, found bool) {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '-' && !isCommentStart(text, i):
			negated = !negated
		case text[i] == '(' || classTable[text[i]] == classSpace:
		case isCommentStart(text, i):
			end := commentEnd(text, i)
			if end < 0 {
				return false, false
			}
			i = end - 1
		default:
			return false, false
		}
	}
	return negated, true
}
