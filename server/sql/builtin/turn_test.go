package builtin

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCheckGivesWay: who computes and asks Check ends its turn when it has been long enough, and
// another goroutine runs on the single processor there is. The turn is made long by hand: how much
// the test computes in a stretch is the kernel's to say. The bound leaves room for the runtime,
// which now and then takes up the goroutine that gave way.
func TestCheckGivesWay(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	c := &Context{Ctx: context.Background()}
	require.NoError(t, c.Check())
	require.NotZero(t, c.turn, "the first call begins the turn")

	var ran atomic.Bool
	go ran.Store(true)
	for calls := 0; !ran.Load(); calls++ {
		require.Less(t, calls, 100, "nobody else ran")
		long := c.turn - turn(turnLength)
		c.turn = long
		require.NoError(t, c.Check())
		require.Greater(t, c.turn, long, "the turn goes on")
	}

	c.Begin(context.Background())
	require.Zero(t, c.turn)
}
