package jepsenlite

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// killArgs keep segments and checkpoints small, so that a short load crosses many of both.
var killArgs = []string{"-c", "wal_segment_size=1MB", "-c", "max_wal_size=8MB",
	"-c", "wal_keep_size=0"}

func binary(t *testing.T) string {
	t.Helper()
	bin, err := Binary(t.TempDir())
	require.NoError(t, err)
	return bin
}

// seed is ACKDB_SEED, or a new one; a failing test prints how to replay it.
func seed(t *testing.T) uint64 {
	t.Helper()
	s := uint64(time.Now().UnixNano())
	if env := os.Getenv("ACKDB_SEED"); env != "" {
		var err error
		s, err = strconv.ParseUint(env, 10, 64)
		require.NoError(t, err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("replay: ACKDB_SEED=%d go test ./jepsen-lite/ -run '^%s$' -count=1", s, t.Name())
		}
	})
	return s
}

func TestKillNineLosesNothingAcknowledged(t *testing.T) {
	const kills = 30
	history := &bytes.Buffer{}
	run := &CrashRun{
		Node:     &Node{Bin: binary(t), Dir: filepath.Join(t.TempDir(), "data"), Args: killArgs},
		Sessions: 2 * len(Modes), Crashes: kills, Seed: seed(t), Journal: NewJournal(history),
	}
	require.NoError(t, run.Run(context.Background()))
	if dir := os.Getenv("ACKDB_HISTORY"); dir != "" {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "kill.jsonl"), history.Bytes(), 0o644))
	}
	v, err := Judge(history)
	require.NoError(t, err)
	t.Log(v)
	require.Empty(t, v.Breaches)
	require.Equal(t, kills, v.Rounds)
	for _, mode := range Modes {
		require.Positive(t, v.ByMode[mode], "no transaction was acknowledged in mode %s", mode)
	}
	require.Positive(t, v.Ticks)
}

// The negative control of the test above: the end of the log is cut off behind the server's back,
// and the judge must see that acknowledged commits are gone. Without it, a judge or a workload that
// looks at nothing would pass.
func TestKillJudgeSeesACutLog(t *testing.T) {
	ctx := context.Background()
	history := &bytes.Buffer{}
	// No flush but by a waiter: the log's tail stays above the durable point, so that recovery takes
	// the cut for a torn tail, as it must, and does not refuse.
	node := &Node{Bin: binary(t), Dir: filepath.Join(t.TempDir(), "data"),
		Args: []string{"-c", "wal_writer_delay=10s", "-c", "wal_writer_flush_after=1GB"}}
	require.NoError(t, node.Start(ctx))
	defer node.Kill()
	require.NoError(t, CreateSchema(ctx, node.DSN()))
	journal := NewJournal(history)
	s := connect(t, node, journal, "off")
	for n := int64(1); n <= 50; n++ {
		require.NoError(t, s.transaction(ctx, n))
	}
	require.NoError(t, node.Kill())
	cutLogTail(t, node.Dir, 4096)
	require.NoError(t, node.Start(ctx))
	seen, err := Read(ctx, node.DSN())
	require.NoError(t, err)
	journal.Add(Event{Type: State, Seen: seen})
	require.NoError(t, journal.Flush())

	v, err := Judge(history)
	require.NoError(t, err)
	require.NotEmpty(t, v.Breaches, "acknowledged commits were cut from the log and nobody noticed")
	require.Contains(t, fmt.Sprint(v.Breaches), "J1")
}

// A clean stop and start keeps everything too, and exits 0.
func TestCleanStopKeepsEverything(t *testing.T) {
	ctx := context.Background()
	history := &bytes.Buffer{}
	node := &Node{Bin: binary(t), Dir: filepath.Join(t.TempDir(), "data"), Args: killArgs}
	require.NoError(t, node.Start(ctx))
	defer node.Kill()
	require.NoError(t, CreateSchema(ctx, node.DSN()))
	journal := NewJournal(history)
	for round := range int64(3) {
		s := connect(t, node, journal, Modes[round])
		for n := 1 + 40*round; n <= 40*(round+1); n++ {
			require.NoError(t, s.transaction(ctx, n))
		}
		require.NoError(t, node.Stop())
		require.NoError(t, node.Start(ctx))
		seen, err := Read(ctx, node.DSN())
		require.NoError(t, err)
		journal.Add(Event{Type: State, Seen: seen})
	}
	require.NoError(t, journal.Flush())
	v, err := Judge(history)
	require.NoError(t, err)
	require.Empty(t, v.Breaches)
	require.Equal(t, 120, v.Acknowledged)
}

func connect(t *testing.T, node *Node, journal *Journal, mode string) *session {
	t.Helper()
	s, err := newSession(context.Background(), node.DSN(), 1, 1, mode, 7, journal)
	require.NoError(t, err)
	t.Cleanup(func() { s.conn.Close(context.Background()) })
	return s
}

// cutLogTail zeroes the last length bytes that are not zero of the newest segment in use.
func cutLogTail(t *testing.T, dir string, length int) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "wal", "????????????????????????"))
	require.NoError(t, err)
	slices.Sort(names)
	require.NotEmpty(t, names)
	name := names[len(names)-1]
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	end := len(bytes.TrimRight(data, "\x00"))
	require.Greater(t, end, 2*length)
	clear(data[end-length:])
	require.NoError(t, os.WriteFile(name, data, 0o600))
}
