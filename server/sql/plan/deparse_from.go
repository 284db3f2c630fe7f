package plan

import (
	"bytes"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
)

// from writes FROM. An item stands on a line of its own if it does not fit beside those before.
func (p *deparser) from(d *definition) {
	for i, item := range d.from {
		if i == 0 {
			p.line(" FROM ", -standardIndent, standardIndent, 2)
			p.item(item)
			continue
		}
		p.add(", ")
		text := p.apart(func() { p.item(item) })
		switch {
		case bytes.HasPrefix(text, []byte("\n")):
			p.trim()
		case p.layout.Wrap >= 0 && p.column()+len(text) > p.layout.Wrap:
			p.line("", -standardIndent, standardIndent, itemIndent)
		}
		p.add(string(text))
	}
}

func (p *deparser) item(item definedItem) {
	if item.join != nil {
		p.join(item.join)
		return
	}
	src := item.source
	if src.lateral {
		p.add("LATERAL ")
	}
	aliased := src.alias != nil || src.shown.listColumns
	switch src.kind {
	case ofTable:
		if src.only {
			p.add("ONLY ")
		}
		p.add(p.relation(src))
		aliased = aliased || src.shown.name != src.name
	case ofCTE:
		p.name(src.name)
		aliased = aliased || src.shown.name != src.name
	case ofQuery:
		p.within(true, func() { p.query(src.query, nil, true) })
		aliased = true
	case ofFunction:
		p.called(src.fn)
		if src.ordinality {
			p.add(" WITH ORDINALITY")
		}
		aliased = true
	}
	if !aliased {
		return
	}
	p.add(" ")
	p.name(src.shown.name)
	p.columnNames(src)
}

// called writes what stands in FROM as a function, as a cast where it is none.
func (p *deparser) called(x Expr) {
	switch inner := x.(type) {
	case *Call:
		if inner.Op == "" {
			p.expr(x, true)
			return
		}
	case *spelledCall, *SequenceCall, *Coalesce, *Extreme, *NullIf, *valueWord:
		p.expr(x, true)
		return
	}
	p.add("CAST(")
	p.expr(x, false)
	p.add(" AS " + typeText(x.Type()) + ")")
}

func (p *deparser) columnNames(src *definedSource) {
	if src.shown.listColumns {
		p.within(true, func() { p.names(src.shown.columns) })
	}
}

// relation is the name of a table: qualified where the search path finds another, or WITH does.
func (p *deparser) relation(src *definedSource) string {
	found := p.env.Catalog.Resolve(p.env.SearchPath, "", src.name)
	plain := found.Exists() && found == p.env.Catalog.Relation(src.schema, src.name)
	for _, d := range p.queries {
		for _, cte := range d.with {
			plain = plain && cte.name != src.name
		}
	}
	if plain {
		return catalog.QuoteIdent(src.name)
	}
	return catalog.QuoteIdent(src.schema) + "." + catalog.QuoteIdent(src.name)
}

// join writes a join in parentheses; the pretty form has them where the right side is a join, or
// the join has a name.
func (p *deparser) join(j *definedJoin) {
	alias := j.source.alias != nil
	around := !p.layout.Pretty || alias
	right := p.layout.Pretty && j.right.join != nil && j.right.source.alias == nil
	p.within(around, func() {
		p.item(j.left)
		p.line(j.keyword(), -standardIndent, standardIndent, joinIndent)
		p.within(right, func() { p.item(j.right) })
		p.joinCondition(j)
	})
	if alias {
		p.add(" ")
		p.name(j.source.shown.name)
		p.columnNames(j.source)
	}
}

func (j *definedJoin) keyword() string {
	if j.kind == parse.JoinInner && j.on == nil && len(j.using) == 0 {
		return " CROSS JOIN "
	}
	return [...]string{" JOIN ", " LEFT JOIN ", " FULL JOIN ", " RIGHT JOIN "}[j.kind]
}

func (p *deparser) joinCondition(j *definedJoin) {
	switch {
	case len(j.using) > 0:
		p.add(" USING (")
		p.names(j.source.shown.columns[:len(j.using)])
		p.add(")")
		if j.usingAlias != "" {
			p.add(" AS ")
			p.name(j.usingAlias)
		}
	case j.on != nil:
		p.add(" ON ")
		p.within(!p.layout.Pretty, func() { p.expr(j.on, false) })
	case j.kind != parse.JoinInner:
		p.add(" ON TRUE")
	}
}
