package exec

import (
	"slices"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// cascadeWriter writes to the child of a foreign key what its action says. What its writes take
// away in turn goes to the batch of the statement.
type cascadeWriter struct {
	*writer
	setsKey [2]bool // whether the primary key is among what is set: of deletions, of moves
}

func (b *foreignBatch) writer(then *plan.ForeignActions) *cascadeWriter {
	if w := b.writers[then]; w != nil {
		return w
	}
	w := &cascadeWriter{writer: changer(then.Child)}
	w.checks = then.Checks
	w.foreign = &foreignWork{checks: then.Foreign, batch: b}
	setsKey := func(s plan.SetColumn) bool { return then.Child.InKey(s.Column) }
	w.setsKey = [2]bool{slices.ContainsFunc(then.OnDelete, setsKey),
		slices.ContainsFunc(then.OnUpdate, setsKey)}
	if b.writers == nil {
		b.writers = map[*plan.ForeignActions]*cascadeWriter{}
	}
	b.writers[then] = w
	return w
}

// refuse is what NO ACTION and RESTRICT do about a row that refers to a key that went.
func (b *foreignBatch) refuse(r *run, d *departure, _ []byte, row []types.Datum) error {
	return errReferenced(d.parent, d.check, row, &r.text)
}

// act does to a row, which is locked, what the foreign key says.
func (b *foreignBatch) act(r *run, d *departure, key []byte, row []types.Datum) error {
	then, moved := d.check.Then, d.now != nil
	w := b.writer(then)
	sets := then.Sets(moved)
	if sets == nil {
		return w.remove(r, key, row)
	}
	next := slices.Clone(row)
	for _, set := range sets {
		v, err := set.Expr.Eval(&r.eval, d.now)
		if err != nil {
			return err
		}
		next[set.Column] = v
	}
	if d.action() == catalog.SetDefault {
		// The default may be the very key that went.
		b.refused = append(b.refused, *d)
	}
	setsKey := w.setsKey[0]
	if moved {
		setsKey = w.setsKey[1]
	}
	return w.replace(r, key, row, next, setsKey)
}
