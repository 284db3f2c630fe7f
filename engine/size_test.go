package engine

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/engine/enginetest"
)

// A table's size is that of its own rows in the store's files, once a checkpoint has put them there.
func TestDiskUsage(t *testing.T) {
	db := mustOpen(t, crashOptions(enginetest.New()))
	defer mustClose(t, db)
	writeMuch(t, db, 1<<20, func() {})
	require.NoError(t, db.Checkpoint(context.Background()))
	size, err := db.DiskUsage(FirstUserTable)
	require.NoError(t, err)
	require.NotZero(t, size)
	other, err := db.DiskUsage(FirstUserTable + 1)
	require.NoError(t, err)
	require.Zero(t, other)
	total, err := db.TotalDiskUsage()
	require.NoError(t, err)
	require.GreaterOrEqual(t, total, size)
}
