package wal

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The queue against a sorted list: random adds, removes and wakes. Whoever is woken wakes those it
// is charged with, so all who are due run, each once.
func TestWaitQueueModel(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 2))
		var q waitQueue
		var model []*waiter
		for range 300 {
			switch rng.IntN(8) {
			case 0:
				to := LSN(rng.IntN(1000))
				q.wake(to, nil)
				due := 0
				for ; due < len(model) && model[due].lsn <= to; due++ {
				}
				drain(t, model[:due])
				model = model[due:]
			case 1:
				if len(model) > 0 {
					i := rng.IntN(len(model))
					require.True(t, q.remove(model[i]))
					require.False(t, q.remove(model[i]), "twice")
					model = slices.Delete(model, i, i+1)
				}
			default:
				w := &waiter{lsn: LSN(rng.IntN(1000)), done: make(chan wakeUp, 1)}
				q.add(w)
				model = append(model, w)
				slices.SortStableFunc(model, func(a, b *waiter) int { return int(a.lsn) - int(b.lsn) })
			}
			require.True(t, slices.Equal(model, q.array[q.head:]), "seed %d", seed)
			if len(model) > 0 {
				require.Same(t, model[0], q.first())
			} else {
				require.Nil(t, q.first())
			}
		}
	}
}

// drain has every waiter take its wake-up, in any order that the charges allow.
func drain(t *testing.T, due []*waiter) {
	t.Helper()
	for left := slices.Clone(due); len(left) > 0; {
		before := len(left)
		left = slices.DeleteFunc(left, func(w *waiter) bool {
			select {
			case woken := <-w.done:
				reached, err := woken.outcome()
				require.True(t, reached)
				require.NoError(t, err)
				return true
			default:
				return false
			}
		})
		require.Less(t, len(left), before, "%d of %d were never woken", len(left), len(due))
	}
	for _, w := range due {
		require.Empty(t, w.done, "woken twice")
	}
}

// BenchmarkAdvance is what one advance costs the flusher, with everybody waiting for it.
func BenchmarkAdvance(b *testing.B) {
	const waiters = 10_000
	var h horizon
	h.start(FirstLSN)
	at := FirstLSN
	woken := make(chan struct{}, waiters)
	next := make([]chan LSN, waiters)
	for i := range next {
		next[i] = make(chan LSN)
		go func() {
			for lsn := range next[i] {
				_, _ = h.wait(context.Background(), lsn, nil, func() {})
				woken <- struct{}{}
			}
		}()
	}
	b.StopTimer()
	for range b.N {
		at += 100
		for i := range next {
			next[i] <- at
		}
		for {
			h.mu.Lock()
			n := len(h.waiters.array) - h.waiters.head
			h.mu.Unlock()
			if n == waiters {
				break
			}
		}
		b.StartTimer()
		h.advance(at)
		b.StopTimer()
		for range next {
			<-woken
		}
	}
	for i := range next {
		close(next[i])
	}
}
