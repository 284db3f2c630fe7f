package replica

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

func second(n float64) time.Time { return time.Unix(1000, 0).Add(time.Duration(n * 1e9)) }

func lagOf(t *testing.T, l *lagTracker, r rung) time.Duration {
	t.Helper()
	lag, ok := l.lag(r)
	require.True(t, ok)
	return lag
}

func TestLagIsTheAgeOfWhatIsConfirmed(t *testing.T) {
	var l lagTracker
	l.sample(100, second(0))
	l.sample(200, second(10))
	l.report(positions{200, 100, 0}, second(11))
	require.Equal(t, time.Second, lagOf(t, &l, rungWrite))
	require.Equal(t, 11*time.Second, lagOf(t, &l, rungFlush))
	_, ok := l.lag(rungApply)
	require.False(t, ok, "it has confirmed nothing")
	l.report(positions{200, 200, 150}, second(15))
	require.Equal(t, 5*time.Second, lagOf(t, &l, rungFlush))
	require.Equal(t, 10*time.Second, lagOf(t, &l, rungApply), "between two samples: in proportion")
	require.Equal(t, time.Second, lagOf(t, &l, rungWrite), "the same report again changes nothing")
}

// A peer that had everything an hour ago is not an hour behind when something new comes.
func TestLagDoesNotCountIdleTime(t *testing.T) {
	var l lagTracker
	l.sample(100, second(0))
	l.report(positions{100, 100, 100}, second(1))
	l.sample(200, second(3600))
	l.report(positions{100, 100, 100}, second(3601))
	require.Equal(t, time.Second, lagOf(t, &l, rungFlush))
	l.report(positions{200, 200, 150}, second(3602))
	require.Equal(t, 2*time.Second, lagOf(t, &l, rungFlush))
	require.Equal(t, time.Second, lagOf(t, &l, rungApply))
}

func TestLagGrowsWhileAPeerStands(t *testing.T) {
	var l lagTracker
	l.sample(100, second(0))
	l.sample(200, second(10))
	l.report(positions{100, 100, 100}, second(1))
	l.report(positions{100, 100, 100}, second(31))
	require.Equal(t, 31*time.Second, lagOf(t, &l, rungApply))
	l.clear()
	_, ok := l.lag(rungApply)
	require.False(t, ok)
}

func TestLagSamplesAreBounded(t *testing.T) {
	var l lagTracker
	for i := range 10 * lagSamplesMax {
		l.sample(wal.LSN(i+1), second(float64(i)))
		require.LessOrEqual(t, len(l.samples), lagSamplesMax)
	}
	last := float64(10*lagSamplesMax - 1)
	half := wal.LSN(5 * lagSamplesMax)
	l.report(positions{half, half, half}, second(last))
	require.InDelta(t, float64(last)-float64(half-1), lagOf(t, &l, rungFlush).Seconds(), 10,
		"coarser, not wrong")
	l.report(upTo(10*lagSamplesMax), second(last+1))
	l.sample(10*lagSamplesMax+1, second(last+1))
	require.Len(t, l.samples, 1, "what every rung has passed is forgotten")
}
