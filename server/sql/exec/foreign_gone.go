package exec

import (
	"bytes"
	"fmt"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// departure is a key of a parent's row that the row has no more.
type departure struct {
	parent *catalog.Table
	check  *plan.ChildCheck
	key    []byte        // as children refer to it
	now    []types.Datum // what the row has instead, in the order of the key; nil: it was deleted
}

func (d *departure) action() catalog.ForeignAction { return d.check.Action(d.now != nil) }

// left notes the keys that a row has no more. row is what it is now, nil when it was deleted.
func (f *foreignWork) left(r *run, t *catalog.Table, old, row []types.Datum) error {
	for _, check := range f.checks.Children {
		key, has := foreignKey(f.key[:0], check.Index, check.Referred, old)
		if f.key = key; !has {
			continue
		}
		d := departure{parent: t, check: check}
		if row != nil {
			now, has := foreignKey(f.was[:0], check.Index, check.Referred, row)
			if f.was = now; has && bytes.Equal(now, key) {
				continue
			}
			for _, i := range check.Referred {
				d.now = append(d.now, row[i].Clone())
			}
		}
		d.key = bytes.Clone(key)
		f.batch.gone = append(f.batch.gone, d)
		if err := r.memory.Keep(len(key) + rowSize(d.now) + entryOverhead); err != nil {
			return err
		}
	}
	return nil
}

// settle does what could only be done at the end of the statement. What is done to children may
// take keys of theirs away, and so on, until nothing is left; then comes what only refuses.
func (b *foreignBatch) settle(r *run) error {
	for len(b.gone) > 0 {
		gone := b.gone
		b.gone = nil
		if err := b.round(r, gone); err != nil {
			return err
		}
	}
	if len(b.refused) > 0 {
		refused := b.refused
		b.refused = nil
		r.seeAll()
		if err := r.dropReturned(&refused); err != nil {
			return err
		}
		if err := b.eachCheck(r, refused, b.refuse); err != nil {
			return err
		}
	}
	return b.payOwed(r)
}

// round does what is to be done about the keys that went in one step: first what refuses it at
// once.
func (b *foreignBatch) round(r *run, gone []departure) error {
	var restricted, acted []departure
	for _, d := range gone {
		switch d.action() {
		case catalog.NoAction:
			b.refused = append(b.refused, d)
		case catalog.Restrict:
			restricted = append(restricted, d)
		default:
			acted = append(acted, d)
		}
	}
	if len(restricted)+len(acted) == 0 {
		return nil
	}
	r.seeAll()
	if err := b.eachCheck(r, restricted, b.refuse); err != nil {
		return err
	}
	return b.eachCheck(r, acted, b.act)
}

// seeAll gives a READ COMMITTED transaction a snapshot from after its locks. One with a single
// snapshot finds what it does not show by eachReferring.
func (r *run) seeAll() {
	if r.txn.Isolation() == engine.ReadCommitted {
		r.txn.StartStatement()
	}
}

// dropReturned takes out the keys that other rows have by now: a key that was there when the
// statement began and is at its end has not gone.
func (r *run) dropReturned(list *[]departure) error {
	kept := (*list)[:0]
	for _, d := range *list {
		_, back, err := r.txn.Get(r.eval.Ctx, keyStorage(d.parent, d.check.Index), d.key)
		if err != nil {
			return fmt.Errorf("exec: look for a key of %s: %w", d.parent.Name, err)
		}
		if !back {
			kept = append(kept, d)
		}
	}
	*list = kept
	return nil
}

// eachCheck looks for the rows that refer to keys that went, those of one foreign key together.
func (b *foreignBatch) eachCheck(
	r *run, gone []departure,
	do func(r *run, d *departure, key []byte, row []types.Datum) error,
) error {
	var order []*plan.ChildCheck
	of := map[*plan.ChildCheck][]departure{}
	for _, d := range gone {
		if of[d.check] == nil {
			order = append(order, d.check)
		}
		of[d.check] = append(of[d.check], d)
	}
	for _, check := range order {
		err := r.eachReferring(check, of[check], func(d *departure, key []byte, row []types.Datum) error {
			return do(r, d, key, row)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
