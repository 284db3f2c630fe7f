package wal_test

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"
)

var (
	seedFlag  = flag.Int64("seed", envInt("ACKDB_SEED", -1), "run seeded tests with this seed only")
	seedsFlag = flag.Int64("seeds", envInt("ACKDB_SEEDS", 0), "seeds to run; 0: each test's own count")
)

func envInt(name string, or int64) int64 {
	n, err := strconv.ParseInt(os.Getenv(name), 10, 64)
	if err != nil {
		return or
	}
	return n
}

// eachSeed runs a test under many seeds, or under the one that -seed or ACKDB_SEED names. A
// failure prints the command that runs its seed again. The seed fixes what is written, where the
// power goes and what survives; how the log's goroutines interleave it cannot fix, so a rare
// failure may want -count.
func eachSeed(t *testing.T, plain int, run func(t *testing.T, seed uint64)) {
	t.Helper()
	first, count := int64(0), int64(plain)
	if *seedsFlag > 0 {
		count = *seedsFlag
	}
	if testing.Short() || raceDetector && *seedsFlag == 0 {
		count = max(2, count/8) // The detector looks for races, and sees them in the first few.
	}
	if *seedFlag >= 0 {
		first, count = *seedFlag, 1
	}
	for seed := first; seed < first+count; seed++ {
		ok := t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("replay: go test ./wal -run '^%s$' -seed %d -count 20", root(t), seed)
				}
			}()
			run(t, uint64(seed))
		})
		if !ok {
			return
		}
	}
}

// root is the name of the test function that t runs under.
func root(t *testing.T) string {
	name := t.Name()
	for i := range name {
		if name[i] == '/' {
			return name[:i]
		}
	}
	return name
}
