package server

import (
	"context"
	"errors"

	"ackdb/engine"
	"ackdb/pgwire"
	"ackdb/server/sql/builtin"
	"ackdb/server/sql/types"
)

// AdvisoryLock implements builtin.Host.
func (h *host) AdvisoryLock(ctx context.Context, op builtin.AdvisoryOp) (bool, error) {
	s := h.session()
	if s.advisory == nil {
		if op.UnlockAll { // what poolers do on return
			return true, nil
		}
		s.advisory = s.server.db.AdvisoryLocks(s.commonID)
	}
	// A transaction that was open before the first advisory lock has not joined.
	s.advisory.Join(s.txn.tx.Engine())
	key := engine.AdvisoryKey{Value: op.Key, Pair: op.Pair}
	switch {
	case op.UnlockAll:
		s.advisory.UnlockAll()
		return true, nil
	case op.Unlock:
		return h.advisoryUnlock(key, op.Shared), nil
	}
	policy, timeout := engine.Wait, milliseconds(s.settings.number(idLockTimeout))
	if op.Try {
		policy = engine.NoWait
	}
	err := s.advisory.Lock(ctx, key, op.Shared, op.Txn, policy, timeout)
	if op.Try && errors.Is(err, engine.ErrLockNotAvailable) {
		return false, nil
	}
	return err == nil, err
}

func (h *host) advisoryUnlock(key engine.AdvisoryKey, shared bool) bool {
	if h.advisory.Unlock(key, shared) {
		return true
	}
	mode := engine.ExclusiveLock
	if shared {
		mode = engine.ShareLock
	}
	h.session().notice(warning(pgwire.CodeWarning, "you don't own a lock of type %s", mode))
	return false
}

// advisoryObject is what pg_locks shows of an advisory lock: no relation, and the key in classid,
// objid and objsubid.
func advisoryObject(key engine.AdvisoryKey) [4]types.Datum {
	kind := int64(1)
	if key.Pair {
		kind = 2
	}
	return [4]types.Datum{types.Null, types.NewOID(types.OID(uint64(key.Value) >> 32)),
		types.NewOID(types.OID(uint32(key.Value))), types.NewInt(types.Int2, kind)}
}
