package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	jepsenlite "ackdb/jepsen-lite"
)

// lag prints how far a replica is behind while the primary writes at full speed: sampled at both,
// so that no server's own reckoning is trusted.
func (b *replicaBench) lag(ctx context.Context) error {
	pairs, err := b.pairs(ctx, b.Rows, 1)
	if err != nil {
		return err
	}
	script, err := b.upsert()
	if err != nil {
		return err
	}
	fmt.Printf("\nLag of one replica over %v of upserts, off, %d clients, and of its first and last"+
		" third:\n\n", b.LagTime, receiptClients)
	fmt.Println("| | tps | log | lag p50 | p99 | max | p50 first third | p50 last third |" +
		" behind at the end |\n" +
		"|---|--:|--:|--:|--:|--:|--:|--:|--:|")
	for _, p := range pairs {
		if err := b.lagOf(ctx, p, script); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

func (b *replicaBench) lagOf(ctx context.Context, p *pair, script string) error {
	sampling, stop := context.WithCancel(ctx)
	defer stop()
	var done sync.WaitGroup
	var written, replayed []jepsenlite.Sample
	var errs [2]error
	done.Go(func() {
		written, errs[0] = jepsenlite.SampleLSN(sampling, dsnOf(p.primary.port()),
			"pg_current_wal_insert_lsn()", 5*time.Millisecond)
	})
	done.Go(func() {
		replayed, errs[1] = jepsenlite.SampleLSN(sampling, dsnOf(p.replicas[0].port()),
			"pg_last_wal_replay_lsn()", time.Millisecond)
	})
	s, err := pgbench(ctx, p.primary.port(), "-c synchronous_commit=off", script, receiptClients,
		b.LagTime)
	ended := time.Now()
	if err != nil {
		return err
	}
	if err := p.caughtUp(ctx); err != nil {
		return err
	}
	behind := time.Since(ended)
	stop()
	done.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	lags := jepsenlite.Lags(written, replayed)
	if len(lags) < 3 {
		return fmt.Errorf("only %d samples", len(lags))
	}
	third := len(lags) / 3
	first, last := quantiles(lags[:third]), quantiles(lags[2*third:])
	all := quantiles(lags)
	fmt.Printf("| %s | %.1f k | %.0f MB/s | %s | %s | %s | %s | %s | %s |\n", p.name, s.tps/1000,
		float64(written[len(written)-1].LSN-written[0].LSN)/1e6/ended.Sub(written[0].When).Seconds(),
		ms(all(0.5)), ms(all(0.99)), ms(all(1)), ms(first(0.5)), ms(last(0.5)), ms(behind))
	return nil
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

func quantiles(v []time.Duration) func(q float64) time.Duration {
	v = slices.Sorted(slices.Values(v))
	return func(q float64) time.Duration { return v[min(len(v)-1, int(q*float64(len(v))))] }
}
