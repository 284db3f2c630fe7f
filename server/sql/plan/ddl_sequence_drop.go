package plan

import (
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// DropSequences removes sequences, and with CASCADE the defaults that draw from them.
type DropSequences struct {
	Sequences []*catalog.Sequence
	Defaults  []DefaultOf
}

// DefaultOf is the default of a column.
type DefaultOf struct {
	Table  *catalog.Table
	Attnum int16
}

func (a *analyzer) dropSequences(p *Prepared, n *parse.DropStmt) (Node, error) {
	node, d := &DropSequences{}, dependents{a: a}
	what := ""
	for _, name := range n.Names {
		rel := a.resolve(name)
		switch {
		case rel.Sequence != nil:
		case rel.Exists():
			return nil, notThatKind(rel, name, "sequence")
		default:
			if err := a.missing(p, n, types.CodeUndefinedTable, "sequence", name); err != nil {
				return nil, err
			}
			continue
		}
		q := rel.Sequence
		if err := a.refuseIdentity(q); err != nil {
			return nil, err
		}
		node.Sequences = append(node.Sequences, q)
		shown := "sequence " + a.shown(q.Schema, q.Name)
		if err := d.ofSequence(node, q, shown); err != nil {
			return nil, err
		}
		if what == "" && !d.none() {
			what = shown
		}
	}
	if !d.none() && n.Behavior != parse.Cascade {
		return nil, d.refuseOf(len(node.Sequences), what)
	}
	d.announce(p)
	return node, nil
}

// refuseIdentity refuses to drop the sequence of an identity column from under it.
func (a *analyzer) refuseIdentity(q *catalog.Sequence) error {
	t := a.usedRelation(q.OwnerTable).Table
	if t == nil {
		return nil
	}
	i := t.ColumnByAttnum(q.OwnerColumn)
	if i < 0 || t.Columns[i].IdentitySequence != q.OID {
		return nil
	}
	column := "column " + catalog.QuoteIdent(t.Columns[i].Name) + " of table " +
		a.shown(t.Schema, t.Name)
	return types.Errorf(CodeDependentObjects, "cannot drop sequence %s because %s requires it",
		a.shown(q.Schema, q.Name), column).WithHint("You can drop %s instead.", column)
}

// ofSequence adds the defaults that draw from a sequence.
func (d *dependents) ofSequence(node *DropSequences, q *catalog.Sequence, what string) error {
	for _, t := range d.a.env.Catalog.Tables() {
		for i := range t.Columns {
			c := &t.Columns[i]
			if c.Identity != "" || !strings.Contains(c.Default, "::regclass") {
				continue
			}
			uses, err := d.a.defaultUses(c, q.OID)
			if err != nil {
				return err
			}
			if !uses {
				continue
			}
			d.lines = append(d.lines, "default value for column "+catalog.QuoteIdent(c.Name)+
				" of table "+d.a.shown(t.Schema, t.Name)+" depends on "+what)
			node.Defaults = append(node.Defaults, DefaultOf{Table: t, Attnum: c.Attnum})
		}
	}
	return nil
}
