package plan

import (
	"slices"
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// dependents gathers what cannot stay when something is dropped, and says so as Postgres does.
type dependents struct {
	a       *analyzer
	dropped []*catalog.View  // which go by their own names
	tables  []*catalog.Table // likewise
	foreign []Unreferenced
	views   []*catalog.View
	lines   []string // "view v depends on table t"
}

func (d *dependents) none() bool { return len(d.lines) == 0 }

// ofRelation adds the views that read a relation, and those that read them. what is how messages
// name it.
func (d *dependents) ofRelation(oid uint32, what string) {
	for _, v := range d.a.env.Catalog.ViewsOf(oid) {
		d.addView(v, what)
	}
}

func (d *dependents) ofColumn(t *catalog.Table, c *catalog.Column) {
	what := "column " + catalog.QuoteIdent(c.Name) + " of table " + d.a.shown(t.Schema, t.Name)
	for _, v := range d.a.env.Catalog.ViewsOf(t.OID) {
		if v.Uses(t.OID, c.Attnum) {
			d.addView(v, what)
		}
	}
}

func (d *dependents) addView(v *catalog.View, what string) {
	if slices.Contains(d.views, v) || slices.Contains(d.dropped, v) {
		return
	}
	name := "view " + d.a.shown(v.Schema, v.Name)
	d.views = append(d.views, v)
	d.lines = append(d.lines, name+" depends on "+what)
	d.ofRelation(v.OID, name)
}

// refuse is the error of dropping what with RESTRICT.
func (d *dependents) refuse(what string) error {
	return types.Errorf(CodeDependentObjects,
		"cannot drop %s because other objects depend on it", what).
		WithDetail("%s", strings.Join(d.lines, "\n")).
		WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
}

// refuseOf is the error of dropping several objects, the first in the way being what.
func (d *dependents) refuseOf(objects int, what string) error {
	if objects == 1 {
		return d.refuse(what)
	}
	return types.Errorf(CodeDependentObjects,
		"cannot drop desired object(s) because other objects depend on them").
		WithDetail("%s", strings.Join(d.lines, "\n")).
		WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
}

// announce says what CASCADE takes with it.
func (d *dependents) announce(p *Prepared) {
	var objects []string
	for _, line := range d.lines {
		object, _, _ := strings.Cut(line, " depends on ")
		objects = append(objects, object)
	}
	switch len(objects) {
	case 0:
	case 1:
		p.notice("00000", "drop cascades to %s", objects[0])
	default:
		p.Notices = append(p.Notices, types.Errorf("00000", "drop cascades to %d other objects",
			len(objects)).WithDetail("drop cascades to %s",
			strings.Join(objects, "\ndrop cascades to ")))
	}
}

// shown is a name as messages show it: qualified only when the search path would not find it.
func (a *analyzer) shown(schema, name string) string {
	if a.env.Catalog.Resolve(a.env.SearchPath, "", name) ==
		a.env.Catalog.Relation(schema, name) {
		return catalog.QuoteIdent(name)
	}
	return catalog.QuoteIdent(schema) + "." + catalog.QuoteIdent(name)
}
