package wal_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

// The environment that makes the test binary a writer to be killed, see TestKillNine.
const (
	writerDirEnv    = "ACKDB_TEST_WRITER_DIR"
	writerMethodEnv = "ACKDB_TEST_WRITER_METHOD"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerDirEnv); dir != "" {
		err := writeUntilKilled(dir, os.Getenv(writerMethodEnv), os.Stdout)
		fmt.Fprintln(os.Stderr, "writer:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// openReal opens a log in a directory of the operating system and begins an epoch.
func openReal(dir, method string) (*wal.Log, error) {
	d, err := wal.OpenDir(wal.Options{
		Dir: dir, SegmentSize: wal.SegmentSizeMin, SyncMethod: method,
		WriterDelay: func() time.Duration { return time.Millisecond },
	})
	if err != nil {
		return nil, err
	}
	log, _, err := d.OpenLog(context.Background(), wal.Start{})
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return log, log.BeginEpoch(context.Background())
}

func numbered(n int) wal.Entry {
	op := wal.AppendOp(nil, wal.Op{
		Kind: wal.OpSet, Table: 100, Key: fmt.Appendf(nil, "%d", n), Value: make([]byte, n%3000),
	})
	h := wal.CommitHeader{Time: int64(n), OpCount: 1}
	return wal.Entry{Type: wal.TypeCommit, Payload: wal.AppendCommit(nil, &h, op)}
}

// numbersIn reads the numbers of all commits in the log.
func numbersIn(log *wal.Log) ([]int, error) {
	c, err := log.Cursor(wal.FirstLSN)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	var all []int
	for {
		r, err := c.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if r.Type != wal.TypeCommit {
			continue
		}
		h, _, err := wal.DecodeCommit(r.Payload)
		if err != nil {
			return nil, err
		}
		all = append(all, int(h.Time))
	}
}

// eachMethod runs a test for each way to flush that works here.
func eachMethod(t *testing.T, run func(t *testing.T, method string)) {
	for _, method := range []string{wal.MethodIOUring, wal.MethodFdatasync} {
		t.Run(method, func(t *testing.T) {
			log, err := openReal(filepath.Join(t.TempDir(), "probe"), method)
			var refused *wal.SyncMethodError
			if errors.As(err, &refused) {
				t.Skipf("not here: %s", refused.Reason)
			}
			require.NoError(t, err)
			require.NoError(t, log.Close(true))
			run(t, method)
		})
	}
}

// On a real disk, several lives: everything confirmed is there after a clean stop, and after one
// that flushed nothing.
func TestRealDisk(t *testing.T) {
	eachMethod(t, func(t *testing.T, method string) {
		dir, next := filepath.Join(t.TempDir(), "data"), 0
		for life := range 4 {
			log, err := openReal(dir, method)
			require.NoError(t, err)
			found, err := numbersIn(log)
			require.NoError(t, err)
			require.Len(t, found, next, "life %d", life)
			for range 600 {
				require.NoError(t, log.Append([]wal.Entry{numbered(next)}))
				next++
				if next%50 == 0 {
					require.NoError(t, log.WaitFlushed(context.Background(), log.Written()))
				}
			}
			stats := log.Stats()
			require.Equal(t, method, stats.SyncMethod)
			require.NotEmpty(t, stats.SyncReason)
			require.NotZero(t, stats.Flushes)
			require.NoError(t, log.Close(life%2 == 0))
			report, err := wal.Verify(wal.OSDisk(), dir)
			require.NoError(t, err)
			require.Equal(t, wal.VerdictOK, report.Verdict, "%+v", report)
		}
	})
}

func TestSecondServerIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	log, err := openReal(dir, "")
	require.NoError(t, err)
	_, err = openReal(dir, "")
	require.ErrorIs(t, err, wal.ErrLocked)
	require.NoError(t, log.Close(true))
}

// kill -9 in the middle of a load loses nothing that Append returned for, flushed or not: it was
// in the page cache.
func TestKillNine(t *testing.T) {
	kills := 4
	if *seedsFlag > 0 {
		kills = int(*seedsFlag)
	}
	eachMethod(t, func(t *testing.T, method string) {
		dir, acknowledged := filepath.Join(t.TempDir(), "data"), -1
		for kill := range kills {
			last := runWriterAndKill(t, dir, method, time.Duration(20+13*kill%60)*time.Millisecond)
			acknowledged = max(acknowledged, last)
			log, err := openReal(dir, method)
			require.NoError(t, err)
			found, err := numbersIn(log)
			require.NoError(t, err)
			require.Greater(t, len(found), acknowledged, "kill %d: acknowledged commits are gone", kill)
			for i, n := range found {
				require.Equal(t, i, n, "kill %d: a hole", kill)
			}
			require.NoError(t, log.Close(false))
		}
	})
}

// runWriterAndKill returns the last number the writer said it had appended.
func runWriterAndKill(t *testing.T, dir, method string, after time.Duration) int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerDirEnv+"="+dir, writerMethodEnv+"="+method)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines, last := bufio.NewScanner(out), -1
	for lines.Scan() {
		if last < 0 {
			time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		}
		n, err := strconv.Atoi(strings.TrimSpace(lines.Text()))
		if err == nil { // The last line may be cut short, and then names a smaller number.
			last = max(last, n)
		}
	}
	require.Error(t, cmd.Wait(), "the writer should have been killed")
	require.GreaterOrEqual(t, last, 0, "the writer wrote nothing")
	return last
}

// writeUntilKilled goes on where the log ends, and says each number once it was appended.
func writeUntilKilled(dir, method string, out io.Writer) error {
	log, err := openReal(dir, method)
	if err != nil {
		return err
	}
	found, err := numbersIn(log)
	if err != nil {
		return err
	}
	for n := len(found); ; n++ {
		if err := log.Append([]wal.Entry{numbered(n)}); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, n); err != nil {
			return err
		}
	}
}
