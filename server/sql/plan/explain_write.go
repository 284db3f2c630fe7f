package plan

import (
	"strings"

	"ackdb/server/sql/catalog"
)

func (i *Insert) explain(x *explainer) {
	x.step(i, "Insert on %s", catalog.QuoteIdent(i.Table.Name))
	if c := i.Conflict; c != nil {
		if !c.DoUpdate {
			x.note("Conflict Resolution: NOTHING")
		} else {
			x.note("Conflict Resolution: UPDATE")
		}
		if len(c.Arbiters) > 0 {
			names := make([]string, len(c.Arbiters))
			for at, index := range c.Arbiters {
				names[at] = catalog.QuoteIdent(index.Name)
			}
			x.note("Conflict Arbiter Indexes: %s", strings.Join(names, ", "))
		}
		if c.Where != nil {
			x.note("Conflict Filter: %s", x.print(c.Where))
		}
		if i.BlindUpsert {
			x.note("Access: blind write, the old row is not read")
		}
	}
	x.inputs(i, i.In)
}

func (u *Update) explain(x *explainer) {
	x.step(u, "Update on %s", named(u.Table.Name, u.Alias))
	x.inputs(u, u.rows())
}

func (d *Delete) explain(x *explainer) {
	x.step(d, "Delete on %s", named(d.Table.Name, d.Alias))
	x.inputs(d, d.rows())
}

func (e *Explain) explain(x *explainer) { e.Target.Root.explain(x) }

func (c *Copy) explain(x *explainer) {
	if c.In != nil {
		c.In.explain(x)
	}
}
