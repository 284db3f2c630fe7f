package server

import (
	"ackdb/pgwire"
	"ackdb/replica"
)

// createSlot answers as Postgres does for a physical slot: nothing is consistent yet, no snapshot,
// no plugin.
func (r *replicationSession) createSlot(c replica.CreateSlot, w *pgwire.Writer) error {
	if _, err := r.server.hub.CreateSlot(c, r.conn.PID()); err != nil {
		return err
	}
	return writeResult(w, []pgwire.Column{textColumn("slot_name"), textColumn("consistent_point"),
		textColumn("snapshot_name"), textColumn("output_plugin")}, c.Name, "0/0", nil, nil)
}

// readSlot: a row of NULLs says that there is no such slot, NULL positions that it holds nothing
// yet.
func (r *replicationSession) readSlot(c replica.ReadSlot, w *pgwire.Writer) error {
	columns := []pgwire.Column{textColumn("slot_type"), textColumn("restart_lsn"),
		int8Column("restart_tli")}
	slot, ok := r.server.hub.ReadSlot(c.Name)
	switch {
	case !ok:
		return writeResult(w, columns, nil, nil, nil)
	case slot.Restart == 0:
		return writeResult(w, columns, "physical", nil, nil)
	}
	return writeResult(w, columns, "physical", slot.Restart, slot.Timeline)
}
