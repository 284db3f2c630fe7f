package jepsenlite

import (
	"context"
	"fmt"
	"sort"
	"time"

	"github.com/jackc/pgx/v5"
)

// Sample is a position of a log and when it was shown.
type Sample struct {
	When time.Time
	LSN  uint64
}

// SampleLSN asks the server for a position (a call that returns pg_lsn), again and again, until ctx
// ends. It asks PostgreSQL as well as ackdb.
func SampleLSN(ctx context.Context, dsn, call string, every time.Duration) (
	samples []Sample, err error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		var text string
		err := conn.QueryRow(ctx, "SELECT "+call+"::text").Scan(&text)
		if ctx.Err() != nil {
			return samples, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", call, err)
		}
		lsn, err := parseLSN(text)
		if err != nil {
			return nil, err
		}
		samples = append(samples, Sample{time.Now(), lsn})
		select {
		case <-ctx.Done():
			return samples, nil
		case <-tick.C:
		}
	}
}

// Lags is, for each new position of the first, how much later the second first showed it, as long
// as it has.
func Lags(written, replayed []Sample) (lags []time.Duration) {
	for i, w := range written {
		if i > 0 && w.LSN == written[i-1].LSN {
			continue // nobody wrote: its time says nothing
		}
		n := sort.Search(len(replayed), func(n int) bool { return replayed[n].LSN >= w.LSN })
		if n == len(replayed) {
			break
		}
		lags = append(lags, max(0, replayed[n].When.Sub(w.When)))
	}
	return lags
}

// PromoteAndWrite has the standby at dsn promoted and tries a statement until it is taken, for at
// most startTimeout. It returns how long that took. Both connections are made before, as a pool's
// are; kill is called between that and the promotion.
func PromoteAndWrite(ctx context.Context, dsn, statement string, kill func() error) (
	time.Duration, error) {
	var conns [2]*pgx.Conn
	for i := range conns {
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			return 0, err
		}
		defer conn.Close(context.WithoutCancel(ctx))
		conns[i] = conn
	}
	if err := kill(); err != nil {
		return 0, err
	}
	start := time.Now()
	promoted := make(chan error, 1)
	go func() {
		_, err := conns[0].Exec(ctx, "SELECT pg_promote()")
		promoted <- err
	}()
	err := poll(ctx, statement, func(ctx context.Context) (bool, error) {
		_, err := conns[1].Exec(ctx, statement)
		return err == nil, err
	})
	took := time.Since(start)
	if err := <-promoted; err != nil {
		return took, fmt.Errorf("pg_promote: %w", err)
	}
	return took, err
}
