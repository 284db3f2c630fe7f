package jepsenlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// watchEvery is the pause between two questions of a watcher.
const watchEvery = 3 * time.Millisecond

// watcher journals what the server says of durability until the server or the run ends.
type watcher func(ctx context.Context, dsn string) error

// ask asks, again and again, how far the log is flushed.
func (w *Workload) ask(ctx context.Context, dsn string) error {
	return watch(ctx, dsn, func(conn *pgx.Conn) error {
		var lsn string
		err := conn.QueryRow(ctx, "SELECT pg_current_wal_flush_lsn()::text").Scan(&lsn)
		if err == nil {
			w.Journal.Add(Event{Type: Flushed, How: "asked", LSN: lsn})
		}
		pause(ctx)
		return err
	})
}

// listen is told.
func (w *Workload) listen(ctx context.Context, dsn string) error {
	return Listen(ctx, dsn, func(payload string) error {
		var mark struct{ Flushed string }
		if err := json.Unmarshal([]byte(payload), &mark); err != nil {
			return fmt.Errorf("watermark %q: %w", payload, err)
		}
		w.Journal.Add(Event{Type: Flushed, How: "notified", LSN: mark.Flushed})
		return nil
	})
}

// Listen calls each with every watermark of ack_durable until ctx or the server ends.
func Listen(ctx context.Context, dsn string, each func(payload string) error) error {
	listening := false
	return watch(ctx, dsn, func(conn *pgx.Conn) error {
		if !listening {
			listening = true
			_, err := conn.Exec(ctx, "LISTEN ack_durable")
			return err
		}
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		return each(n.Payload)
	})
}

// readDurable reads the ticker in a session that is shown nothing that can still be lost.
func (w *Workload) readDurable(ctx context.Context, dsn string) error {
	return watch(ctx, dsn+"&ack.read_durability=flushed", func(conn *pgx.Conn) error {
		var tick int64
		err := conn.QueryRow(ctx, "SELECT n FROM ticker WHERE id = 1").Scan(&tick)
		if err == nil {
			w.Journal.Add(Event{Type: Shown, Tick: tick})
		}
		pause(ctx)
		return err
	})
}

func watch(ctx context.Context, dsn string, step func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, dsn)
	for err == nil && ctx.Err() == nil {
		err = step(conn)
	}
	if conn != nil {
		conn.Close(context.WithoutCancel(ctx))
	}
	return serverGone(err)
}

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(watchEvery):
	}
}

// errorList gathers the errors of several goroutines.
type errorList struct {
	mu   sync.Mutex
	errs []error // guarded by mu
}

func (l *errorList) add(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errs = append(l.errs, err)
}

func (l *errorList) join() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.errs...)
}
