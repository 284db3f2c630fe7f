package builtin

import (
	"context"

	"ackdb/server/sql/types"
)

// IndexChecker is a Host that can walk an index against its table.
type IndexChecker interface {
	// CheckIndex walks one index, or all keys of a table, and says how many entries are right.
	CheckIndex(ctx context.Context, relation OID) (entries int64, err error)
}

func init() {
	register(fn("ack_index_check", types.Int8, evalIndexCheck, types.RegClass).volatile())
}

func evalIndexCheck(c *Context, a []Datum) (Datum, error) {
	h, err := c.host("ack_index_check")
	if err != nil {
		return types.Null, err
	}
	checker, ok := h.(IndexChecker)
	if !ok {
		return types.Null, types.Errorf(types.CodeFeatureNotSupported,
			"ack_index_check is not supported here")
	}
	n, err := checker.CheckIndex(c.context(), OID(a[0].Int()))
	if err != nil {
		return types.Null, err
	}
	return types.NewInt8(n), nil
}
