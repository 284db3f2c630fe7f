package types_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/server/sql/types"
	"ackdb/server/sql/types/pgoracle"
)

// TestAgainstPostgres sends random values in binary to a PostgreSQL 15 and compares the text it
// prints, then sends our text and compares the binary form it makes. It needs a PostgreSQL, and
// takes seconds to start one, so it runs with -update only, as the making of golden files does.
func TestAgainstPostgres(t *testing.T) {
	oracle := pgoracle.StartForUpdate(t)
	r := types.NewRand(t)
	for _, oid := range types.RandomTypes {
		for range 300 {
			d := types.RandomDatum(r, oid)
			binary := types.AppendBinary([]byte{}, d)
			text, err := types.CastDatum(d, types.Of(types.Text), types.Explicit, nil)
			require.NoError(t, err)
			got := ask(t, oracle, "SELECT $1::text", oid, 1, binary, 0)
			if !asPostgres(oid, d) {
				continue
			}
			require.Equal(t, text.Str(), got, "%s [%x]", types.FormatType(oid, types.NoMod), binary)
			if oid == types.Char {
				continue // its cast to text and its text form differ
			}
			plain := types.AppendText([]byte{}, d, nil)
			back := ask(t, oracle, "SELECT $1", oid, 0, plain, 1)
			require.Equal(t, string(binary), back, "%s %q", types.FormatType(oid, types.NoMod), plain)
		}
	}
}

// asPostgres leaves out types that exist there and not here.
func asPostgres(oid types.OID, d types.Datum) bool {
	return oid != types.RegType || types.Lookup(types.OID(d.Int())) == nil && d.Int() > 1<<20
}

func ask(t *testing.T, o *pgoracle.Oracle, query string, oid types.OID, format int16, arg []byte,
	resultFormat int16) string {
	t.Helper()
	result := o.Conn.PgConn().ExecParams(context.Background(), query, [][]byte{arg},
		[]uint32{uint32(oid)}, []int16{format}, []int16{resultFormat}).Read()
	require.NoError(t, result.Err, "%s: %x", types.FormatType(oid, types.NoMod), arg)
	return string(result.Rows[0][0])
}
