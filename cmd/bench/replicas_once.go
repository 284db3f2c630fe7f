package main

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	jepsenlite "ackdb/jepsen-lite"
)

func dsnOf(port string) string {
	return "postgres://postgres@" + net.JoinHostPort("127.0.0.1", port) + "/postgres?sslmode=disable"
}

// seed prints how fast an empty directory becomes a replica that serves.
func (b *replicaBench) seed(ctx context.Context) error {
	pairs, err := b.pairs(ctx, b.Seed, 0)
	if err != nil {
		return err
	}
	type result struct{ took, rate []float64 }
	results := map[string]*result{}
	megabytes := map[string]float64{}
	for round := range b.Rounds {
		for _, p := range pairs {
			before, err := size(b.dir)
			if err != nil {
				return err
			}
			start := time.Now()
			r, err := p.follow(ctx, fmt.Sprintf("seeded%d", round))
			if err != nil {
				return err
			}
			took := time.Since(start).Seconds()
			if err := r.halt(); err != nil {
				return err
			}
			after, err := size(b.dir)
			if err != nil {
				return err
			}
			if results[p.name] == nil {
				results[p.name] = &result{}
			}
			got := results[p.name]
			megabytes[p.name] = float64(after-before) / 1e6
			got.took, got.rate = append(got.took, took), append(got.rate, megabytes[p.name]/took)
		}
	}
	fmt.Printf("\nSeed of a replica from %d rows of 100 bytes, from the command to the first answer,"+
		" medians of %d:\n\n", b.Seed, b.Rounds)
	fmt.Println("| | time | written | MB/s |\n|---|--:|--:|--:|")
	for _, p := range pairs {
		fmt.Printf("| %s | %.2f s | %.0f MB | %.0f |\n", p.name, median(results[p.name].took),
			megabytes[p.name], median(results[p.name].rate))
	}
	return nil
}

// size is how many bytes the files below dir take on disk's behalf: their lengths.
func size(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // a running server removes files
		}
		if info, err := os.Lstat(path); err == nil {
			total += info.Size()
		}
		return nil
	})
	return total, err
}

// promote prints how long after pg_promote() the first write is taken, with the primary just dead.
func (b *replicaBench) promote(ctx context.Context) error {
	times := map[string][]time.Duration{}
	names := []string{}
	for round := range b.Rounds {
		pairs, err := b.pairs(ctx, b.Rows, 1)
		if err != nil {
			return err
		}
		for _, p := range pairs {
			took, err := p.promoted(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			times[p.name] = append(times[p.name], took)
			if err := p.replicas[0].halt(); err != nil {
				return err
			}
			if round == 0 {
				names = append(names, p.name)
			}
		}
	}
	fmt.Printf("\nFrom pg_promote() to the first write that is taken, median of %d (lowest to"+
		" highest):\n\n", b.Rounds)
	fmt.Println("| | time |\n|---|--:|")
	for _, name := range names {
		var ms []float64
		for _, d := range times[name] {
			ms = append(ms, float64(d.Microseconds())/1000)
		}
		fmt.Printf("| %s | %.0f ms (%s) |\n", name, median(ms), lowHigh(ms, "%.0f"))
	}
	return nil
}

// promoted kills the primary and promotes its replica.
func (p *pair) promoted(ctx context.Context) (time.Duration, error) {
	if err := p.caughtUp(ctx); err != nil {
		return 0, err
	}
	return jepsenlite.PromoteAndWrite(ctx, dsnOf(p.replicas[0].port()),
		"UPDATE bench SET value = 'new' WHERE key = 1", p.primary.crash)
}
