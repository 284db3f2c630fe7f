package builtin

import (
	"fmt"

	"ackdb/server/sql/types"
)

func init() {
	lsn, text := types.PgLSN, types.Text
	register(
		fn("pg_is_in_recovery", types.Bool, walFunc("", func(p LogPositions) Datum {
			return types.NewBool(p.InRecovery)
		})).volatile(),
		fn("pg_current_wal_lsn", lsn, walFunc("primary", func(p LogPositions) Datum {
			return newLSN(p.Write)
		})).volatile(),
		fn("pg_current_wal_insert_lsn", lsn, walFunc("primary", func(p LogPositions) Datum {
			return newLSN(p.Insert)
		})).volatile(),
		fn("pg_current_wal_flush_lsn", lsn, walFunc("primary", func(p LogPositions) Datum {
			return newLSN(p.Flush)
		})).volatile(),
		fn("pg_last_wal_receive_lsn", lsn, walFunc("", func(p LogPositions) Datum {
			return lsnOrNull(p.Receive)
		})).volatile(),
		fn("pg_last_wal_replay_lsn", lsn, walFunc("", func(p LogPositions) Datum {
			return lsnOrNull(p.Replay)
		})).volatile(),
		fn("pg_last_xact_replay_timestamp", types.TimestampTZ, walFunc("", lastReplay)).volatile(),
		fn("pg_switch_wal", lsn, evalSwitch).volatile(),
		fn("pg_walfile_name", text, evalWalFile, lsn).stable(),
		walFileOffset(),
	)
}

func newLSN(v uint64) Datum { return types.NewInt(types.PgLSN, int64(v)) }

func lsnOrNull(v uint64) Datum {
	if v == 0 {
		return types.Null
	}
	return newLSN(v)
}

func lastReplay(p LogPositions) Datum {
	if p.LastReplay.IsZero() {
		return types.Null
	}
	return types.NewTimestampTZ(p.LastReplay)
}

// walFunc shows a position of the log; some exist only on a primary or only on a standby.
func walFunc(only string, pick func(LogPositions) Datum) Eval {
	return func(c *Context, _ []Datum) (Datum, error) {
		p, err := positions(c)
		if err != nil {
			return types.Null, err
		}
		switch {
		case only == "primary" && p.InRecovery:
			return types.Null, errInRecovery()
		case only == "standby" && !p.InRecovery:
			return types.Null, errNotInRecovery()
		}
		return pick(p), nil
	}
}

func errInRecovery() error {
	return types.Errorf(types.CodeNotInPrerequisiteState, "recovery is in progress").
		WithHint("WAL control functions cannot be executed during recovery.")
}

func positions(c *Context) (LogPositions, error) {
	h, err := c.host("this function")
	if err != nil {
		return LogPositions{}, err
	}
	return h.Positions()
}

func evalSwitch(c *Context, _ []Datum) (Datum, error) {
	p, err := positions(c)
	if err != nil {
		return types.Null, err
	}
	if p.InRecovery {
		return types.Null, errInRecovery()
	}
	end, err := c.Host.SwitchSegment()
	return newLSN(end), err
}

// evalWalFile names the segment a position lies in; a position on an edge belongs to the segment
// that ends there.
func evalWalFile(c *Context, a []Datum) (Datum, error) {
	p, err := positions(c)
	if err != nil {
		return types.Null, err
	}
	if p.InRecovery {
		return types.Null, types.Errorf(types.CodeNotInPrerequisiteState,
			"recovery is in progress").
			WithHint("pg_walfile_name() cannot be executed during recovery.")
	}
	return types.NewText(walFileName(p, uint64(a[0].Int())-1)), nil
}

func walFileName(p LogPositions, lsn uint64) string {
	segment := lsn / p.SegmentSize
	perHigh := 1 << 32 / p.SegmentSize
	return fmt.Sprintf("%08X%08X%08X", p.Timeline, segment/perHigh, segment%perHigh)
}

func walFileOffset() Function {
	f := fn("pg_walfile_name_offset", types.Record, evalWalFileOffset, types.PgLSN).stable()
	f.Columns = []Column{{"file_name", types.Text}, {"file_offset", types.Int4}}
	return f
}

func evalWalFileOffset(c *Context, a []Datum) (Datum, error) {
	name, err := evalWalFile(c, a)
	if err != nil {
		return types.Null, err
	}
	p, err := positions(c)
	if err != nil {
		return types.Null, err
	}
	offset := uint64(a[0].Int()) % p.SegmentSize
	return types.NewRecord(types.Row{name, types.NewInt4(int32(offset))}), nil
}
