package exec

import (
	"ackdb/engine"
	"ackdb/server/sql/catalog"
)

// within does work that writes while it still reads: all it reads is as of the start of the
// statement (X6). What can only be checked once everything is written comes behind it.
func (r *run) within(work func() error) error {
	if r.moment != nil {
		return work()
	}
	m, err := r.txn.Keep()
	if err != nil {
		return err
	}
	defer m.Close()
	r.moment = m
	m.Enter()
	err = work()
	m.Leave()
	r.moment = nil
	settle := r.unsettled
	r.unsettled = nil
	for _, w := range settle {
		if err == nil {
			err = w.finish(r)
		}
	}
	return err
}

// lockNewest locks a row for a writer that wants the row as it is now, even if this very statement
// made it so. Then own is set.
func (r *run) lockNewest(
	table engine.TableID, key []byte, mode engine.LockMode,
) (state engine.RowState, own bool, err error) {
	state, err = r.txn.LockRow(r.eval.Ctx, table, key, mode, engine.Wait)
	if err != nil || !state.Skipped || r.moment == nil {
		return state, false, err
	}
	r.moment.Leave()
	defer r.moment.Enter()
	state, err = r.txn.LockRow(r.eval.Ctx, table, key, mode, engine.Wait)
	return state, true, err
}

// owes says whether the foreign keys to a parent are to be checked when the statement has written
// everything, which may be what the row refers to.
func (r *run) owes(t, parent *catalog.Table) bool { return parent.OID == t.OID || r.moment != nil }
