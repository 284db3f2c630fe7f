package catalog

import (
	"testing"

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
	require.ErrorContains(t, decodeDescriptor(newSnapshot(), key, []byte("\x02{}")),
		"unsupported format 2")
	require.ErrorContains(t, decodeDescriptor(newSnapshot(), descriptorKey('x', 1), []byte("\x01{}")),
		"unknown kind")
	require.ErrorContains(t, decodeDescriptor(newSnapshot(), key[:3], []byte("\x01{}")), "malformed")
}
