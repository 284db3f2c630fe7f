package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

// plainLoan is one commit of the model: nothing is joined.
type plainLoan struct {
	end wal.LSN
	at  time.Duration
}

// modelAge is the age of the oldest unflushed answer, by looking at all of them.
func modelAge(loans []plainLoan, flushed wal.LSN, now time.Duration) (age time.Duration, n int64) {
	for _, l := range loans {
		if l.end > flushed {
			age = max(age, now-l.at)
			n++
		}
	}
	return age, n
}

// While it has room the queue is exact, whatever the order of the answers; beyond it a loan is
// never taken for younger than it is.
func TestLoanQueueModel(t *testing.T) {
	for _, count := range []int{loansMax / 2, 6 * loansMax} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			for seed := range uint64(20) {
				loanQueueModel(t, rand.New(rand.NewPCG(seed, 3)), count)
			}
		})
	}
}

func loanQueueModel(t *testing.T, rng *rand.Rand, count int) {
	var q loanQueue
	var model []plainLoan
	end, flushed, now := wal.LSN(1000), wal.LSN(1000), time.Duration(0)
	for range count {
		now += time.Duration(rng.IntN(3))
		end += wal.LSN(1 + rng.IntN(50))
		answered := end
		if rng.IntN(4) == 0 && end-flushed > 100 {
			answered = flushed + 1 + wal.LSN(rng.Int64N(int64(end-flushed))) // a late one
		}
		q.add(answered, now)
		model = append(model, plainLoan{end: answered, at: now})
		if rng.IntN(200) == 0 {
			flushed += wal.LSN(rng.Int64N(int64(end-flushed) + 1))
			for _, ok := q.settle(flushed); ok; _, ok = q.settle(flushed) {
			}
		}
		if rng.IntN(50) != 0 {
			continue
		}
		age, n := modelAge(model, flushed, now)
		var commits int64
		for _, l := range q.live() {
			commits += l.commits
		}
		require.LessOrEqual(t, len(q.live()), loansMax)
		require.GreaterOrEqual(t, q.age(now), age, "never too young")
		require.GreaterOrEqual(t, commits, n)
		if count < loansMax {
			require.Equal(t, age, q.age(now))
		}
	}
}

func TestTighterLimit(t *testing.T) {
	for _, c := range []struct{ a, b, want int64 }{
		{0, 0, 0}, {0, 5, 5}, {5, 0, 5}, {5, 3, 3}, {3, 5, 3}, {-1, 5, 5}, {5, -1, 5},
	} {
		got := LossLimit{Bytes: c.a}.Tighter(LossLimit{Bytes: c.b})
		require.Equal(t, c.want, got.Bytes, "%+v", c)
		byAge := LossLimit{Age: time.Duration(c.a)}.Tighter(LossLimit{Age: time.Duration(c.b)})
		require.Equal(t, time.Duration(c.want), byAge.Age, "%+v", c)
	}
}
