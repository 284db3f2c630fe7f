package builtin

import "ackdb/server/sql/types"

func init() {
	register(fn("pg_column_size", types.Int4, evalColumnSize, types.Any).stable())
}

// evalColumnSize is what a value takes in a row: the width of its type, or its bytes and a header.
func evalColumnSize(_ *Context, a []Datum) (Datum, error) {
	if info := types.Lookup(a[0].OID()); info != nil && info.Len > 0 {
		return types.NewInt4(int32(info.Len)), nil
	}
	size := len(types.AppendBinary(nil, a[0])) + 4
	if a[0].OID() == types.Numeric {
		size -= 6 // Postgres keeps a shorter header than it sends
	}
	return types.NewInt4(int32(size)), nil
}
