package catalog

import (
	"strings"
	"testing"

	"ackdb/server/sql/types"

	"github.com/stretchr/testify/require"
)

// FuzzDescriptor reads any row as a descriptor: an error or a descriptor that encodes to what reads
// back the same, never a panic.
func FuzzDescriptor(f *testing.F) {
	f.Add([]byte("t\x00\x00\x40\x00"), []byte("\x01"+
		`{"oid":16384,"name":"kv","columns":[{"name":"key"}],"primary_key":{"columns":[0]}}`))
	f.Add([]byte("s\x00\x00\x40\x01"), []byte("\x01{}"))
	f.Add([]byte("n\x00\x00\x40\x01"), []byte("\x01null"))
	f.Add([]byte("t\x00\x00\x40\x00"), []byte("\x01"+
		`{"columns":[],"primary_key":{"columns":[7]}}`))
	f.Add([]byte("t\x00\x00\x40\x00"), []byte("\x02"+
		`{"columns":[{"attnum":3,"type":{"OID":23},"missing":"AQAq"}],"dropped":[{"attnum":1}]}`))
	f.Add([]byte("v\x00\x00\x40\x02"), []byte("\x02"+`{"name":"v","refs":[{"oid":16384}]}`))
	f.Add([]byte("x"), []byte{})
	f.Fuzz(func(t *testing.T, key, value []byte) {
		s := newSnapshot()
		if err := decodeDescriptor(s, key, value); err != nil {
			return
		}
		for _, table := range s.tables {
			again, err := encodeDescriptor(table)
			require.NoError(t, err)
			copied := newSnapshot()
			require.NoError(t, decodeDescriptor(copied, key, again))
			require.Equal(t, table, copied.tables[table.OID])
		}
	})
}

func TestUnknownDescriptorsAreNamed(t *testing.T) {
	key := descriptorKey(kindTable, 16384)
	require.ErrorContains(t, decodeDescriptor(newSnapshot(), key, []byte("\x04{}")),
		"unsupported format 4")
	require.ErrorContains(t, decodeDescriptor(newSnapshot(), descriptorKey('x', 1), []byte("\x01{}")),
		"unknown kind")
	require.ErrorContains(t, decodeDescriptor(newSnapshot(), key[:3], []byte("\x01{}")), "malformed")
}

// What the first format wrote, byte by byte, and what it means. It must read so for good.
func TestFirstFormatStillReads(t *testing.T) {
	value := "\x01" + `{"oid":16400,"schema_oid":2200,"schema":"public","name":"t","storage":16402,` +
		`"columns":[{"name":"a","attnum":1,"type":{"OID":23,"Mod":-1},"not_null":true},` +
		`{"name":"b","attnum":2,"type":{"OID":25,"Mod":-1},"default":"'x'::text"}],` +
		`"primary_key":{"oid":16401,"name":"t_pkey","columns":[0]},"options":["fillfactor=100"]}`
	s := newSnapshot()
	require.NoError(t, decodeDescriptor(s, descriptorKey(kindTable, 16400), []byte(value)))
	table := s.TableByOID(16400)
	require.Equal(t, &Index{OID: 16401, Name: "t_pkey", Columns: []int{0}}, table.PrimaryKey)
	require.Equal(t, []int{1}, table.Stored())
	require.Equal(t, Column{Name: "b", Attnum: 2, Type: types.Type{OID: types.Text, Mod: -1},
		Default: "'x'::text"}, table.Columns[1])
	require.Equal(t, int16(3), table.NextAttnum())
}

// An index of the third format, byte by byte: on an expression, of some rows, with a column beside.
func TestThirdFormatReads(t *testing.T) {
	value := "\x03" + `{"oid":16400,"schema_oid":2200,"schema":"public","name":"t","storage":16400,` +
		`"columns":[{"name":"a","attnum":1,"type":{"OID":25,"Mod":-1}},` +
		`{"name":"b","attnum":2,"type":{"OID":23,"Mod":-1}}],` +
		`"indexes":[{"oid":16401,"name":"i","columns":[-1,1],"include":[0],"storage":16401,` +
		`"unique":true,"exprs":[{"sql":"lower(a)","name":"lower","type":{"OID":25,"Mod":-1}}],` +
		`"where":"(b \u003e 0)","nulls_not_distinct":true}]}`
	s, key := newSnapshot(), descriptorKey(kindTable, 16400)
	require.NoError(t, decodeDescriptor(s, key, []byte(value)))
	table := s.TableByOID(16400)
	require.Equal(t, []string{"lower", "b", "a"}, table.Indexes[0].ColumnNames(table))
	again, err := encodeDescriptor(table)
	require.NoError(t, err)
	require.Equal(t, value, string(again))
	for _, wrong := range []string{`"columns":[-1,-1]`, `"columns":[2]`, `"columns":[1]`,
		`"columns":[-1],"orders":[]`, `"columns":[-1],"include":[-1]`} {
		text := strings.Replace(value, `"columns":[-1,1],"include":[0]`, wrong, 1)
		require.Error(t, decodeDescriptor(newSnapshot(), key, []byte(text)), wrong)
	}
}

// A dropped column keeps its place in rows, and a late one its value in rows from before it.
func TestSecondFormatReads(t *testing.T) {
	value := "\x02" + `{"oid":16400,"schema_oid":2200,"schema":"public","name":"t","storage":16400,` +
		`"columns":[{"name":"a","attnum":1,"type":{"OID":23,"Mod":-1}},` +
		`{"name":"c","attnum":3,"type":{"OID":23,"Mod":-1},"missing":"AQAO"}],` +
		`"dropped":[{"attnum":2,"type":25}],` +
		`"checks":[{"oid":16403,"name":"t_a_check","expr":"(a \u003e 0)"}]}`
	s := newSnapshot()
	require.NoError(t, decodeDescriptor(s, descriptorKey(kindTable, 16400), []byte(value)))
	table := s.TableByOID(16400)
	require.Equal(t, []int{0, -1, 1}, table.Stored())
	require.Equal(t, []types.OID{types.Int4, types.Text, types.Int4}, table.StoredOIDs())
	require.Equal(t, "7", table.Missing()[2].String())
	require.Equal(t, []Check{{OID: 16403, Name: "t_a_check", Expr: "(a > 0)"}}, table.Checks)
	again, err := encodeDescriptor(table)
	require.NoError(t, err)
	require.Equal(t, value, string(again))
	require.ErrorContains(t, decodeDescriptor(newSnapshot(), descriptorKey(kindTable, 16400),
		[]byte("\x02"+`{"columns":[{"attnum":1,"missing":"AA=="}]}`)), "in older rows")
}
