package replica

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

func at(n int) time.Time { return time.Unix(int64(n), 0) }

func TestFreshnessIsTheReceiptOfWhatIsApplied(t *testing.T) {
	var f freshness
	require.True(t, f.asOf().IsZero(), "nothing was heard yet")
	f.saw(100, at(1), 50)
	require.True(t, f.asOf().IsZero(), "100 is not applied")
	f.saw(100, at(2), 50) // a keepalive: upstream is still at 100
	f.saw(200, at(3), 60)
	f.reached(99)
	require.True(t, f.asOf().IsZero())
	f.reached(100)
	require.Equal(t, at(2), f.asOf())
	f.reached(150)
	require.Equal(t, at(2), f.asOf())
	f.reached(200)
	require.Equal(t, at(3), f.asOf())
	f.saw(200, at(4), 200)
	require.Equal(t, at(4), f.asOf(), "what upstream has is applied already")
	f.saw(200, at(3), 200)
	require.Equal(t, at(4), f.asOf(), "it goes forwards only")
}

// A sighting below one that waits says nothing of what lies between them.
func TestFreshnessTakesNoLowerPosition(t *testing.T) {
	var f freshness
	f.saw(200, at(1), 0)
	f.saw(100, at(2), 0)
	f.reached(200)
	require.Equal(t, at(1), f.asOf())
}

func TestFreshnessForgetsALostLink(t *testing.T) {
	var f freshness
	f.saw(200, at(1), 0)
	f.forget(0)
	f.reached(200)
	require.True(t, f.asOf().IsZero())
}

// Whatever is dropped for want of space, the answer is never younger than the truth, and all of it
// applied it is the truth.
func TestFreshnessIsNeverTooYoung(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var f freshness
	var all []sighting
	end, applied := wal.LSN(0), wal.LSN(0)
	truth := func() (newest time.Time) {
		for _, s := range all {
			if s.end <= applied {
				newest = s.at
			}
		}
		return newest
	}
	for n := 1; n < 4000; n++ {
		end += wal.LSN(rng.IntN(3))
		all = append(all, sighting{end: end, at: at(n)})
		f.saw(end, at(n), applied)
		if rng.IntN(700) == 0 {
			applied += wal.LSN(rng.Uint64N(uint64(end - applied + 1)))
			f.reached(applied)
		}
		require.False(t, f.asOf().After(truth()))
		require.LessOrEqual(t, len(f.pending), sightingsMax)
	}
	applied = end
	f.reached(applied)
	require.Equal(t, truth(), f.asOf())
}

func TestBackOffGrowsToItsBound(t *testing.T) {
	least, most := func() float64 { return 0 }, func() float64 { return 0.999999 }
	for failures, bound := range map[int]time.Duration{
		0: backOffMin, 1: backOffMin, 2: 2 * backOffMin, 4: 8 * backOffMin, 6: 32 * backOffMin,
		7: backOffMax, 1000: backOffMax,
	} {
		require.Equal(t, bound/2, backOff(failures, least))
		require.InDelta(t, float64(bound), float64(backOff(failures, most)), float64(time.Microsecond)*10)
	}
}
