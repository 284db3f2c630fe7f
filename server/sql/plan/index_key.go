package plan

import (
	"slices"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// IndexKey is what an index has of a row of its table.
type IndexKey struct {
	Parts []KeyPart
	Pred  Expr // of a partial index: which rows it has; else nil

	terms []predTerm // of Pred
}

// KeyPart is a column by which keys are ordered, or an expression in its place, and how.
type KeyPart struct {
	Column  int  // position in the table; catalog.ExprColumn with Expr
	Expr    Expr // over the table's columns; nil for a column
	Type    types.OID
	NotNull bool
	Order   types.KeyOrder

	text string // of Expr, exactly
}

// predTerm is one of the conditions that all rows of a partial index pass.
type predTerm struct {
	cond Expr
	text string // exactly
}

// KeyOf gives the key of the primary key or of an index. What an index has of texts is read once for
// everybody who uses the descriptor.
func KeyOf(env Env, t *catalog.Table, index *catalog.Index) (*IndexKey, error) {
	if len(index.Exprs) == 0 && index.Where == "" {
		return plainKey(t, index), nil
	}
	key, err := index.Derive(func() (any, error) {
		a := newAnalyzer(env, new(parse.Stmt), nil)
		return a.readKey(t, index)
	})
	if err != nil {
		return nil, err
	}
	return key.(*IndexKey), nil
}

// plainKey is KeyOf of what consists of columns.
func plainKey(t *catalog.Table, index *catalog.Index) *IndexKey {
	key := &IndexKey{Parts: make([]KeyPart, len(index.Columns))}
	for i, column := range index.Columns {
		key.Parts[i] = KeyPart{Column: column, Order: index.Order(i)}
		if column != catalog.ExprColumn {
			c := &t.Columns[column]
			key.Parts[i].Type, key.Parts[i].NotNull = c.Type.OID, c.NotNull
		}
	}
	return key
}

// readKey reads the expressions of an index back from their texts.
func (a *analyzer) readKey(t *catalog.Table, index *catalog.Index) (*IndexKey, error) {
	key, exprs := plainKey(t, index), index.Exprs
	for i := range key.Parts {
		if key.Parts[i].Column != catalog.ExprColumn {
			continue
		}
		inner, n, err := a.stored(exprs[0].SQL, "expression of index \""+index.Name+"\"")
		if err != nil {
			return nil, err
		}
		x, err := inner.inRow(t, n, "index expressions")
		if err != nil {
			return nil, withoutPosition(err)
		}
		p := &key.Parts[i]
		p.Expr, p.Type, p.text = x, x.Type().OID, exactly(x)
		exprs = exprs[1:]
	}
	if index.Where == "" {
		return key, nil
	}
	inner, n, err := a.stored(index.Where, "predicate of index \""+index.Name+"\"")
	if err != nil {
		return nil, err
	}
	x, err := inner.inRow(t, n, "index predicates")
	if err != nil {
		return nil, withoutPosition(err)
	}
	key.Pred = x
	for _, term := range conjuncts(x, nil) {
		key.terms = append(key.terms, predTerm{term, exactly(term)})
	}
	return key, nil
}

// reads says whether the key changes with a column of the table.
func (k *IndexKey) reads(column int) bool {
	return k.Pred != nil && readsField(k.Pred, column) ||
		slices.ContainsFunc(k.Parts, func(p KeyPart) bool { return p.reads(column) })
}

func (p *KeyPart) reads(column int) bool {
	return p.Column == column || p.Expr != nil && readsField(p.Expr, column)
}

func readsField(x Expr, index int) bool {
	return !walk(x, func(x Expr) bool {
		f, ok := x.(*Field)
		return !ok || f.Index != index
	})
}

// field gives the part as an expression over a row in which the table's columns begin at offset.
func (p *KeyPart) field(t *catalog.Table, offset int) Expr {
	if p.Expr != nil {
		return shift(p.Expr, offset)
	}
	c := &t.Columns[p.Column]
	return &Field{Index: offset + p.Column, T: c.Type, Name: c.Name}
}

// Value gives the part as an expression over the table's columns.
func (p *KeyPart) Value(t *catalog.Table) Expr { return p.field(t, 0) }

// is says whether x is the part, perhaps renamed to a type of the same key encoding.
func (p *KeyPart) is(x Expr) bool {
	if p.same(x) {
		return true
	}
	cast, ok := x.(*Cast)
	return ok && cast.relabel && keyClass(cast.To.OID) == keyClass(cast.X.Type().OID) &&
		p.same(cast.X)
}

func (p *KeyPart) same(x Expr) bool {
	if p.Expr != nil {
		return keyClass(x.Type().OID) == keyClass(p.Type) && exactly(x) == p.text
	}
	c, ok := x.(*Field)
	return ok && c.Index == p.Column
}

// bounds says whether x can be computed before the scan and encodes as the part's keys do.
func (p *KeyPart) bounds(x Expr) bool {
	return keyClass(x.Type().OID) == keyClass(p.Type) && !readsRow(x) && !isVolatile(x)
}

// comparison reads term as a comparison of the part with a value known before the scan, and gives it
// with the part on the left; nil when it is none.
func (p *KeyPart) comparison(term Expr) (CompareOp, Expr) {
	cmp, ok := term.(*Compare)
	if !ok {
		return 0, nil
	}
	switch {
	case p.is(cmp.L) && p.bounds(cmp.R):
		return cmp.Op, cmp.R
	case p.is(cmp.R) && p.bounds(cmp.L):
		return cmp.Op.flip(), cmp.L
	}
	return 0, nil
}

// pinned gives the value when term is part = value, with a value that is known before the scan, or
// NullKey when it is part IS NULL.
func (p *KeyPart) pinned(term Expr) Expr {
	op, x := p.comparison(term)
	switch {
	case x == nil:
		return p.nullTest(term)
	case op != EQ:
		return nil
	}
	return x
}

// Shown is the part as messages name it: an expression that is no call stands in parentheses.
func (p *KeyPart) Shown(t *catalog.Table) string {
	if p.Expr == nil {
		return catalog.QuoteIdent(t.Columns[p.Column].Name)
	}
	text := printer{short: true}
	p.Expr.print(&text)
	switch x := p.Expr.(type) {
	case *Call:
		if x.Op == "" {
			return text.String()
		}
	case *Coalesce, *Extreme, *NullIf:
		return text.String()
	}
	if s := text.String(); s[0] == '(' {
		return s
	}
	return "(" + text.String() + ")"
}
