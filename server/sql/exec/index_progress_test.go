package exec

import (
	"testing"
	"time"

	"ackdb/server/sql/catalog"

	"github.com/stretchr/testify/require"
)

// TestIndexBuildProgress: a build is listed while it runs, and reported once a second.
func TestIndexBuildProgress(t *testing.T) {
	x := openExecutor(t)
	var heard []IndexBuild
	x.OnIndexBuild(func(b IndexBuild) { heard = append(heard, b) })
	kv := x.catalog.Snapshot().Relation(catalog.Public, "kv").Table
	b := x.builds.begin(7, kv, &catalog.Index{OID: 9, Name: "i"})
	start := b.logged
	b.advance(100, start.Add(progressEvery/2))
	require.Empty(t, heard, "not yet a second")
	b.advance(100, start.Add(progressEvery))
	b.advance(100, start.Add(progressEvery+time.Millisecond))
	require.Len(t, heard, 1)
	require.Equal(t, int64(200), heard[0].Rows)
	list := x.IndexBuilds()
	require.Len(t, list, 1)
	require.Equal(t, int64(300), list[0].Rows)
	require.Equal(t, [2]uint32{kv.OID, 9}, [2]uint32{list[0].TableOID, list[0].IndexOID})
	require.Equal(t, int32(7), list[0].PID)
	x.builds.end(b)
	require.Empty(t, x.IndexBuilds())
}
