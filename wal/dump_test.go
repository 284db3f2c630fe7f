package wal_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

// dumped is a small log with every type of record that a primary writes.
func dumped(t *testing.T) *machine {
	m := newMachine(t, 4242)
	m.lazy = true // So that the figure of flushed in each record is the same every time.
	m.mustStart()
	var ops []byte
	for _, op := range []wal.Op{
		{Kind: wal.OpSet, Table: 100, Key: []byte("k1"), Value: []byte("v\x00")},
		{Kind: wal.OpDelete, Table: 100, Key: []byte("k2")},
		{Kind: wal.OpDeleteRange, Table: 7, Key: []byte("a"), Value: []byte("b")},
	} {
		ops = wal.AppendOp(ops, op)
	}
	commit := wal.AppendCommit(nil, &wal.CommitHeader{
		Time: 1_700_000_000_123_456, Level: wal.LevelLocal, OpCount: 3, User: "postgres", App: "psql",
	}, ops)
	first := m.log.NextLSN(100)
	piece0 := wal.AppendData(nil, wal.DataHeader{}, bytes.Repeat([]byte("d"), 84))
	piece1 := wal.AppendData(nil, wal.DataHeader{First: first, Piece: 1}, []byte("e"))
	for _, e := range []wal.Entry{
		{Type: wal.TypeData, Payload: piece0},
		{Type: wal.TypeData, Payload: piece1},
		{Type: wal.TypeCommit, Payload: commit},
		{Type: wal.TypeAbort, Payload: wal.AppendAbort(nil, first)},
	} {
		require.NoError(t, m.log.Append([]wal.Entry{e}))
	}
	_, err := m.log.SwitchSegment()
	require.NoError(t, err)
	h := wal.CommitHeader{Time: 1, FirstData: first, OpCount: 9}
	large := wal.AppendCommit(nil, &h, []byte("tail"))
	require.NoError(t, m.log.Append([]wal.Entry{{Type: wal.TypeCommit, Payload: large}}))
	require.NoError(t, m.flush())
	m.holdControl()
	return m
}

func TestDumpGolden(t *testing.T) {
	m := dumped(t)
	defer m.stop()
	for name, opts := range map[string]wal.DumpOptions{
		"dump.txt":  {Ops: true},
		"dump.json": {JSON: true, Ops: true},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, wal.Dump(m.disk, machineDir, opts, &out))
			compareGolden(t, filepath.Join("testdata", name), out.Bytes())
			if opts.JSON {
				for line := range bytes.Lines(out.Bytes()) {
					require.True(t, json.Valid(line), "%s", line)
				}
			}
		})
	}
}

// compareGolden compares with a file of testdata, or rewrites it with -update.
func compareGolden(t *testing.T, path string, got []byte) {
	t.Helper()
	if flag.Lookup("update").Value.String() == "true" {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run with -update if the change is meant")
}

func TestDumpRange(t *testing.T) {
	m := dumped(t)
	defer m.stop()
	var all, part bytes.Buffer
	require.NoError(t, wal.Dump(m.disk, machineDir, wal.DumpOptions{}, &all))
	from, err := wal.ParseLSN(strings.Fields(strings.Split(all.String(), "\n")[2])[0])
	require.NoError(t, err)
	require.NoError(t, wal.Dump(m.disk, machineDir, wal.DumpOptions{From: from, To: from + 1}, &part))
	require.Len(t, strings.Split(strings.TrimSpace(part.String()), "\n"), 2, "one record and the end")
}

// A directory of segments alone, as pg_receivewal fills, needs no control.
func TestDumpOfSegmentsAlone(t *testing.T) {
	m := dumped(t)
	defer m.stop()
	var whole, alone bytes.Buffer
	require.NoError(t, wal.Dump(m.disk, machineDir, wal.DumpOptions{}, &whole))
	require.NoError(t, wal.Dump(m.disk, machineDir+"/wal", wal.DumpOptions{}, &alone))
	require.Equal(t, whole.String(), alone.String())
	report, err := wal.Verify(m.disk, machineDir+"/wal")
	require.NoError(t, err)
	require.Equal(t, wal.VerdictOK, report.Verdict)
	require.NotEqual(t, "ok", report.Control)

	_, err = wal.Verify(m.disk, "/")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// Verify says beforehand what recovery will do, for every kind of end, and changes nothing.
func TestVerifyForetellsRecovery(t *testing.T) {
	eachSeed(t, 60, func(t *testing.T, seed uint64) {
		m := newMachine(t, seed)
		defer func() { m.stop() }()
		m.mustStart()
		for range 3 + m.rng.IntN(20) {
			if m.act() != nil {
				break
			}
		}
		m.marker = 0 // Verify does not ask the store.
		m.powerCut(seed)
		paths := m.disk.Files()
		if m.rng.IntN(3) > 0 {
			path := paths[m.rng.IntN(len(paths))]
			if size := len(m.disk.Content(path)); strings.Contains(path, "/wal/0") && size > 0 {
				m.disk.FlipBit(path, m.rng.Int64N(min(int64(size), 4000)), 3)
			}
		}
		before := m.disk.Changes()
		report, err := wal.Verify(m.disk, machineDir)
		require.NoError(t, err)
		require.Equal(t, before, m.disk.Changes())

		err = m.recover()
		if report.Verdict == wal.VerdictDamaged {
			require.EqualError(t, err, report.Damage)
			return
		}
		require.NoError(t, err)
		require.Equal(t, report.End, m.report.End.String())
		require.Equal(t, report.Verdict == wal.VerdictTorn, m.report.Torn, "%+v %+v", report, m.report)
	})
}

func TestVerifyCounts(t *testing.T) {
	m := dumped(t)
	defer m.stop()
	report, err := wal.Verify(m.disk, machineDir)
	require.NoError(t, err)
	require.Equal(t, map[string]int64{
		"segment": 2, "epoch-begin": 1, "data": 2, "commit": 2, "abort": 1, "noop": 1,
	}, report.Records)
	require.Equal(t, 2, report.Segments)
	require.Equal(t, 1, report.Epochs)
	require.Equal(t, "control", report.Says)
	require.Equal(t, report.End, report.Durable)

	m.disk.FlipBit(segmentPath(wal.FirstLSN), 300, 1)
	report, err = wal.Verify(m.disk, machineDir)
	require.NoError(t, err)
	require.Equal(t, wal.VerdictDamaged, report.Verdict)
	require.Contains(t, report.Damage, "000000010000000000000010 is damaged at offset")
}
