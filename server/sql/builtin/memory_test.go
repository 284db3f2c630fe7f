package builtin

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/server/sql/types"
)

func fixed(n int64) func() int64 { return func() int64 { return n } }

// TestShare: what is kept takes of the memory of all in steps, meets both bounds, and is given back.
func TestShare(t *testing.T) {
	m := NewMemory(fixed(8<<20), fixed(12<<20))
	var one, two Share
	one.Open(m)
	two.Open(m)
	require.NoError(t, one.Keep(1000))
	require.Zero(t, m.Taken(), "most statements ask never")
	require.NoError(t, one.Keep(5<<20))
	one.Drop(1 << 20)
	require.NoError(t, one.Keep(1<<20))
	require.EqualValues(t, 5<<20, m.Taken(), "what was taken is used again")

	err := two.Keep(9 << 20)
	require.ErrorContains(t, err, "out of memory")
	e := err.(*types.Error)
	require.Equal(t, CodeOutOfMemory, e.Code)
	require.Equal(t, "The statement would hold more than 8 MB of rows.", e.Detail)
	require.Equal(t, "The bound is ack.statement_memory.", e.Hint)
	two.Drop(9 << 20)

	require.NoError(t, two.Keep(7<<20))
	e = two.Keep(1 << 20).(*types.Error)
	require.Equal(t, "The statements of the server would hold more than 12 MB together.", e.Detail)
	require.Equal(t, "The bound is a half of ack.server_memory.", e.Hint)
	one.Close()
	two.Close()
	require.Zero(t, m.Taken())
}

// TestLargeValues: a large value has its part of the memory until it is collected, and the part of
// those that nobody holds is free for the next.
func TestLargeValues(t *testing.T) {
	m := NewMemory(fixed(1<<30), fixed(40<<20))
	c := &Context{Ctx: context.Background(), Memory: m}
	call, err := Resolve("repeat", []OID{types.Text, types.Int4})
	require.NoError(t, err)
	repeat := func(n int32) (Datum, error) {
		return call.Eval(c, []Datum{types.NewText("x"), types.NewInt4(n)})
	}
	kept, err := repeat(16 << 20)
	require.NoError(t, err)
	for range 3 {
		_, err := repeat(16 << 20)
		require.NoError(t, err, "the one before is garbage")
	}
	_, err = repeat(30 << 20)
	require.Equal(t, CodeOutOfMemory, err.(*types.Error).Code)
	require.Less(t, m.Taken(), int64(40<<20))
	require.Zero(t, c.reserved)
	runtime.KeepAlive(kept)
}
