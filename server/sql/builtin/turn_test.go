package builtin

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCheckGivesWay: who computes and asks Check ends its turn, and another goroutine runs on the
// single processor there is. How often is the kernel's to say.
func TestCheckGivesWay(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	c := &Context{Ctx: context.Background()}
	let, others := 0, 0
	done := make(chan struct{})
	go func() {
		defer close(done)
		for others < 100 {
			others++
			runtime.Gosched()
		}
	}()
	for calls := 0; others < 100; calls++ {
		before := c.turn
		require.NoError(t, c.Check())
		if before != 0 && c.turn != before {
			let++
		}
	}
	<-done
	require.Positive(t, let)

	c.Begin(context.Background())
	require.Zero(t, c.turn)
}
