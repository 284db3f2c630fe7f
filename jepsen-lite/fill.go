package jepsenlite

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"

	"github.com/jackc/pgx/v5"
)

// fillRow is a row of Fill: a few of them fill a small segment, and none is near a record's limit.
const fillRow = 50_000

// Fill writes about that many bytes of log into the table filler, which it makes when it must. They
// do not compress, so a base backup of them is as large.
func Fill(ctx context.Context, dsn string, size int) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, "CREATE TABLE IF NOT EXISTS filler (k serial PRIMARY KEY, v text)")
	if err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	insert := func(ctx context.Context, text string) error {
		_, err := conn.Exec(ctx, "INSERT INTO filler (v) VALUES ($1)", text)
		return err
	}
	return fillRows(ctx, size, insert)
}

// FillAtOnce writes as much into filler, which must be there, in one transaction.
func FillAtOnce(ctx context.Context, dsn string, size int) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		return fillRows(ctx, size, func(ctx context.Context, text string) error {
			_, err := tx.Exec(ctx, "INSERT INTO filler (v) VALUES ($1)", text)
			return err
		})
	})
}

func fillRows(ctx context.Context, size int, insert func(context.Context, string) error) error {
	random := rand.NewChaCha8([32]byte{})
	row := make([]byte, fillRow*3/4)
	for range max(1, size/fillRow) {
		_, _ = random.Read(row)
		if err := insert(ctx, base64.StdEncoding.EncodeToString(row)); err != nil {
			return fmt.Errorf("fill: %w", err)
		}
	}
	return nil
}
