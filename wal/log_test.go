package wal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

// options are those of a small log on disk, whose failures fail the test unless it expects them.
func options(t *testing.T, disk wal.Disk) wal.Options {
	return wal.Options{
		Dir: "/data", Disk: disk, SegmentSize: wal.SegmentSizeMin,
		KeepSize: func() int64 { return 0 },
		Fatal:    func(err error) { t.Errorf("log poisoned: %v", err) },
	}
}

// open opens a log that the store holds nothing of, and begins an epoch.
func open(t *testing.T, opts wal.Options, start wal.Start) (*wal.Log, wal.RecoveryReport) {
	t.Helper()
	log, report, err := tryOpen(opts, start)
	require.NoError(t, err)
	require.NoError(t, log.BeginEpoch(context.Background()))
	return log, report
}

func tryOpen(opts wal.Options, start wal.Start) (*wal.Log, wal.RecoveryReport, error) {
	dir, err := wal.OpenDir(opts)
	if err != nil {
		return nil, wal.RecoveryReport{}, err
	}
	log, report, err := dir.OpenLog(context.Background(), start)
	if err != nil {
		return nil, report, errors.Join(err, dir.Close())
	}
	return log, report, nil
}

// commit appends one commit record whose operations are ops.
func commit(t *testing.T, log *wal.Log, ops string) wal.Entry {
	t.Helper()
	group := []wal.Entry{{
		Type:    wal.TypeCommit,
		Payload: wal.AppendCommit(nil, &wal.CommitHeader{OpCount: 1, User: "u"}, []byte(ops)),
	}}
	require.NoError(t, log.Append(group))
	return group[0]
}

func flush(t *testing.T, log *wal.Log) {
	t.Helper()
	require.NoError(t, log.WaitFlushed(context.Background(), log.Written()))
}

// commits reads the operations of every commit in the log.
func commits(t *testing.T, log *wal.Log) []string {
	t.Helper()
	cursor, err := log.Cursor(0)
	require.NoError(t, err)
	var out []string
	for {
		rec, err := cursor.Next()
		if err == io.EOF {
			require.NoError(t, cursor.Close())
			return out
		}
		require.NoError(t, err)
		if rec.Type != wal.TypeCommit {
			continue
		}
		_, ops, err := wal.DecodeCommit(rec.Payload)
		require.NoError(t, err)
		out = append(out, string(ops))
	}
}

func TestAppendFlushReopen(t *testing.T) {
	disk := waltest.New()
	log, report := open(t, options(t, disk), wal.Start{})
	require.Equal(t, wal.FirstLSN, report.End)
	require.True(t, report.Clean)

	var want []string
	for i := range 100 {
		want = append(want, fmt.Sprintf("commit %d", i))
		e := commit(t, log, want[i])
		require.Equal(t, e.End, log.Written())
	}
	flush(t, log)
	require.Equal(t, log.Written(), log.Flushed())
	require.Equal(t, want, commits(t, log))
	end := log.Flushed()
	require.NoError(t, log.Close(true))

	log, report = open(t, options(t, disk), wal.Start{})
	require.Equal(t, end, report.End)
	require.Equal(t, end, report.Durable)
	require.True(t, report.Clean)
	require.False(t, report.Torn)
	require.Equal(t, want, commits(t, log))
	require.Len(t, log.Epochs(), 2)
	require.NoError(t, log.Close(true))
}

func TestManySegments(t *testing.T) {
	disk := waltest.New()
	log, _ := open(t, options(t, disk), wal.Start{})
	payload := make([]byte, 100_000)
	var last wal.Entry
	for i := range 100 {
		last = commit(t, log, fmt.Sprintf("%d %s", i, payload))
	}
	flush(t, log)
	require.Len(t, commits(t, log), 100)
	require.NoError(t, log.Close(false))

	log, report := open(t, options(t, disk), wal.Start{Applied: last.End, Redo: last.End})
	require.Equal(t, last.End, report.End)
	require.Less(t, report.Records, int64(12))
	require.Len(t, commits(t, log), 100)

	log.SetDurableApplied(log.Flushed(), log.Flushed())
	require.NoError(t, log.Recycle(log.Flushed()))
	_, err := log.Cursor(wal.FirstLSN)
	require.ErrorIs(t, err, wal.ErrRecycled)
	require.Less(t, len(commits(t, log)), 12)
	require.NoError(t, log.Close(true))
}

func TestKillLosesNothing(t *testing.T) {
	disk := waltest.New()
	opts := options(t, disk)
	opts.WriterDelay = func() time.Duration { return time.Hour }
	opts.Fatal = func(error) {} // the killed process finds out when it touches the disk
	log, _ := open(t, opts, wal.Start{})
	commit(t, log, "written, not flushed")
	disk = disk.Kill()

	log, report := open(t, options(t, disk), wal.Start{})
	require.False(t, report.Clean)
	require.Equal(t, []string{"written, not flushed"}, commits(t, log))
	require.NoError(t, log.Close(true))
}
