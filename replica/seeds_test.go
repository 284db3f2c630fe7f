package replica_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
)

// eachSeed runs a test under as many seeds as given, as ACKDB_SEEDS asks for, or under the one that
// ACKDB_SEED names. A failure prints the command that runs its seed again. How goroutines interleave
// no seed fixes, so a rare failure may want -count.
func eachSeed(t *testing.T, plain uint64, run func(t *testing.T, seed uint64)) {
	t.Helper()
	first, count := uint64(0), plain
	if n, err := strconv.ParseUint(os.Getenv("ACKDB_SEEDS"), 10, 64); err == nil && n > 0 {
		count = n
	}
	if seed, err := strconv.ParseUint(os.Getenv("ACKDB_SEED"), 10, 64); err == nil {
		first, count = seed, 1
	}
	for seed := first; seed < first+count; seed++ {
		ok := t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { run(t, seed) })
		if !ok {
			t.Logf("replay: ACKDB_SEED=%d go test ./replica -run '^%s$' -count 20", seed, t.Name())
			return
		}
	}
}
