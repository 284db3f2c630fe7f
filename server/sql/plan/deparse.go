package plan

import (
	"bytes"
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// Layout is how a definition is written.
type Layout struct {
	Pretty bool // without the parentheses that precedence makes superfluous
	Wrap   int  // the width up to which a list stays on one line; 0 puts each item on its own
	Kept   bool // for the catalog: relations that a literal names are there by number
}

// ViewText gives the query of a view as it stands for what the view means now: whatever it reads is
// called by its present name. An error says that the text has something that cannot be printed.
func ViewText(env Env, v *catalog.View, layout Layout) (string, error) {
	stmt, err := parse.ParseOne(v.Query)
	if err != nil {
		return "", err
	}
	n, ok := stmt.Tree.(*parse.SelectStmt)
	if !ok {
		return "", errNotDefined("what is no query")
	}
	a := newAnalyzer(env, stmt, nil)
	a.view = v
	d, err := a.define(n)
	if err != nil {
		return "", err
	}
	return viewText(env, v, d, layout)
}

func viewText(env Env, v *catalog.View, d *definition, layout Layout) (string, error) {
	names := make([]string, len(v.Columns))
	for i := range names {
		names[i] = v.Columns[i].Name
	}
	p := newDeparser(env, layout)
	// Postgres has two relations more in every view, which nothing else can be called by.
	p.taken = map[string]int{"old": 0, "new": 0}
	p.query(d, names, true)
	return string(p.text), p.err
}

// ExprText prints an expression that the catalog keeps as text, or several with commas between, over
// the columns of a table, which may be nil.
func ExprText(env Env, t *catalog.Table, text string, layout Layout) (string, error) {
	a := newAnalyzer(env, new(parse.Stmt), nil)
	inner, _, err := a.stored(text, "expression")
	if err != nil {
		return "", err
	}
	inner.defines = &defining{}
	var list []string
	for _, target := range inner.stmt.Tree.(*parse.SelectStmt).Targets {
		x, err := inner.defineOver(sourceOf(t), target.Val)
		if err != nil {
			return "", err
		}
		text, err := exprText(env, x, layout)
		if err != nil {
			return "", err
		}
		list = append(list, text)
	}
	return strings.Join(list, ", "), nil
}

func exprText(env Env, x Expr, layout Layout) (string, error) {
	p := newDeparser(env, layout)
	p.bare = true
	p.expr(x, false)
	return string(p.text), p.err
}

// sourceOf makes a source of a table, which may be nil, whose columns are shown by their names.
func sourceOf(t *catalog.Table) *definedSource {
	src := &definedSource{}
	if t == nil {
		return src
	}
	src.kind, src.schema, src.name = ofTable, t.Schema, t.Name
	src.calledIn, src.called = t.Schema, t.Name
	for i := range t.Columns {
		c := &t.Columns[i]
		src.columns = append(src.columns, definedColumn{name: c.Name, real: c.Name, t: c.Type})
		src.shown.columns = append(src.shown.columns, c.Name)
	}
	return src
}

// defineOver resolves an expression over one source to what is printed of it.
func (a *analyzer) defineOver(src *definedSource, n parse.Expr) (Expr, error) {
	if err := a.enter(src); err != nil {
		return nil, err
	}
	return a.expr(n)
}

// deparser writes definitions as Postgres does. Its first error stays: what it writes is worth
// nothing then.
type deparser struct {
	env    Env
	text   []byte
	layout Layout
	bare   bool // columns without their source
	level  int  // of indentation, in spaces
	err    error

	taken   map[string]int // names of sources in use, and how many more were made of each
	queries []*definition  // those being written, the innermost last
}

func newDeparser(env Env, layout Layout) *deparser {
	env.Types = env.names()
	if layout.Kept {
		env.Types.Names = nil
	}
	return &deparser{env: env, layout: layout}
}

func (p *deparser) add(s string) { p.text = append(p.text, s...) }

func (p *deparser) name(s string) { p.add(catalog.QuoteIdent(s)) }

func (p *deparser) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// The steps of indentation. Beyond deepIndent a step is narrower, and starts over at the left.
const (
	standardIndent = 8
	joinIndent     = 4
	itemIndent     = 4
	deepIndent     = 40
)

// line starts a line with a keyword: the level changes by before, and after the keyword by after;
// plus moves this line alone.
func (p *deparser) line(keyword string, before, after, plus int) {
	p.level += before
	p.trim()
	p.add("\n")
	width := max(p.level, 0)
	if p.level >= deepIndent {
		width = (deepIndent + (p.level-deepIndent)/(standardIndent/2)) % deepIndent
	}
	p.add(strings.Repeat(" ", width+plus))
	p.add(keyword)
	p.level = max(p.level+after, 0)
}

// trim takes off the spaces at the end.
func (p *deparser) trim() { p.text = bytes.TrimRight(p.text, " ") }

// apart gives what write writes, and leaves the text as it was.
func (p *deparser) apart(write func()) []byte {
	saved := p.text
	p.text = nil
	write()
	out := p.text
	p.text = saved
	return out
}

// column is how many bytes the last line has.
func (p *deparser) column() int { return len(p.text) - bytes.LastIndexByte(p.text, '\n') - 1 }

// list writes expressions with commas between.
func (p *deparser) list(xs []Expr, implicit bool) {
	for i, x := range xs {
		if i > 0 {
			p.add(", ")
		}
		p.expr(x, implicit)
	}
}

// names writes names with commas between.
func (p *deparser) names(list []string) {
	for i, name := range list {
		if i > 0 {
			p.add(", ")
		}
		p.name(name)
	}
}

// within writes something in parentheses, or without when they are not wanted.
func (p *deparser) within(parentheses bool, write func()) {
	if parentheses {
		p.add("(")
	}
	write()
	if parentheses {
		p.add(")")
	}
}

// quote writes a literal. A backslash in one means itself: standard_conforming_strings is on.
func (p *deparser) quote(s string) { p.add("'" + strings.ReplaceAll(s, "'", "''") + "'") }

// typeName writes ::type.
func (p *deparser) typeName(t types.Type) { p.add("::" + typeText(t)) }
