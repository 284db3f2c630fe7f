package builtin

import (
	"context"

	"ackdb/server/sql/types"
)

// Replication is a Host that keeps replication slots, and whose replay of its primary's log can be
// held up.
type Replication interface {
	// PauseReplay stops a standby from applying what it receives, or lets it go on.
	PauseReplay(pause bool) error
	// CreateSlot makes a physical replication slot and returns the position it reserves, 0 when it
	// reserves none yet.
	CreateSlot(ctx context.Context, name string, reserve, temporary bool) (uint64, error)
	DropSlot(ctx context.Context, name string) error
}

func init() {
	name, boolean, void := types.Name, types.Bool, types.Void
	create := fn("pg_create_physical_replication_slot", types.Record, evalCreateSlot, name,
		boolean, boolean).volatile().defaults(2)
	create.Columns = []Column{{"slot_name", name}, {"lsn", types.PgLSN}}
	register(
		create,
		fn("pg_drop_replication_slot", void, evalDropSlot, name).volatile(),
		fn("pg_promote", boolean, evalPromote, boolean, types.Int4).volatile().defaults(2),
		fn("pg_wal_replay_pause", void, evalPause(true)).volatile(),
		fn("pg_wal_replay_resume", void, evalPause(false)).volatile(),
		fn("pg_is_wal_replay_paused", boolean, walFunc("standby", func(p LogPositions) Datum {
			return types.NewBool(p.ReplayPaused)
		})).volatile(),
		fn("pg_get_wal_replay_pause_state", types.Text, walFunc("standby", pauseState)).volatile(),
	)
}

func (c *Context) replication(function string) (Replication, error) {
	h, err := c.host(function)
	if err != nil {
		return nil, err
	}
	if r, ok := h.(Replication); ok {
		return r, nil
	}
	return nil, types.Errorf(types.CodeFeatureNotSupported, "%s is not supported here", function)
}

func errNotInRecovery() error {
	return types.Errorf(types.CodeNotInPrerequisiteState, "recovery is not in progress").
		WithHint("Recovery control functions can only be executed during recovery.")
}

// pauseState has no "pause requested": replay stops between two commits before the request is
// answered.
func pauseState(p LogPositions) Datum {
	if p.ReplayPaused {
		return types.NewText("paused")
	}
	return types.NewText("not paused")
}

func evalPause(pause bool) Eval {
	return func(c *Context, _ []Datum) (Datum, error) {
		p, err := positions(c)
		if err != nil {
			return types.Null, err
		}
		if !p.InRecovery {
			return types.Null, errNotInRecovery()
		}
		r, err := c.replication("pg_wal_replay_pause")
		if err != nil {
			return types.Null, err
		}
		return voidResult(r.PauseReplay(pause))
	}
}

func evalCreateSlot(c *Context, a []Datum) (Datum, error) {
	r, err := c.replication("pg_create_physical_replication_slot")
	if err != nil {
		return types.Null, err
	}
	reserve := len(a) > 1 && a[1].Bool()
	temporary := len(a) > 2 && a[2].Bool()
	lsn, err := r.CreateSlot(c.context(), a[0].Str(), reserve, temporary)
	if err != nil {
		return types.Null, err
	}
	return types.NewRecord(types.Row{a[0], lsnOrNull(lsn)}), nil
}

func evalDropSlot(c *Context, a []Datum) (Datum, error) {
	r, err := c.replication("pg_drop_replication_slot")
	if err != nil {
		return types.Null, err
	}
	return voidResult(r.DropSlot(c.context(), a[0].Str()))
}

// promoteTimeout is how long pg_promote waits by default, in seconds.
const promoteTimeout = 60

func evalPromote(c *Context, a []Datum) (Datum, error) {
	p, err := positions(c)
	if err != nil {
		return types.Null, err
	}
	if !p.InRecovery {
		return types.Null, errNotInRecovery()
	}
	wait, timeout := true, int64(promoteTimeout)
	if len(a) > 0 {
		wait = a[0].Bool()
	}
	if len(a) > 1 {
		timeout = a[1].Int()
	}
	if timeout <= 0 {
		return types.Null, types.Errorf(types.CodeNumericOutOfRange,
			"\"wait_seconds\" must not be negative or zero")
	}
	done, err := c.Host.Promote(c.context(), wait, seconds(timeout))
	return types.NewBool(done), err
}
