package replica_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/replica"
	"ackdb/wal"
	"ackdb/wal/waltest"
)

// fakeSnapshot is a store of some files.
type fakeSnapshot struct {
	dir           string
	redo, applied wal.LSN
}

func (s fakeSnapshot) Dir() string      { return s.dir }
func (s fakeSnapshot) Redo() wal.LSN    { return s.redo }
func (s fakeSnapshot) Applied() wal.LSN { return s.applied }

// snapshot makes one of the node as it is now.
func (n *servedNode) snapshot(redo wal.LSN) fakeSnapshot {
	n.t.Helper()
	dir := n.t.TempDir()
	require.NoError(n.t, os.Mkdir(filepath.Join(dir, "sub"), 0o700))
	for name, size := range map[string]int{"000001.sst": 300_000, "MANIFEST-1": 17, "sub/empty": 0} {
		content := bytes.Repeat([]byte(name), size/len(name)+1)[:size]
		require.NoError(n.t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	return fakeSnapshot{dir: dir, redo: redo, applied: n.log.Flushed()}
}

// copied is what a client makes of a backup.
type copied struct {
	t          *testing.T
	start, end wal.LSN
	timelines  [2]uint32
	sizeKB     int64
	archive    bytes.Buffer
	manifest   bytes.Buffer
	progress   []uint64
	to         *bytes.Buffer
	ended      bool
	fail       func(sent int) error
	while      func() // called at the first bytes
}

func (c *copied) Begin(start wal.LSN, timeline uint32, sizeKB int64) error {
	c.start, c.timelines[0], c.sizeKB = start, timeline, sizeKB
	return nil
}

func (c *copied) Data(parts ...[]byte) error {
	require.False(c.t, c.ended)
	msg := bytes.Join(parts, nil)
	require.LessOrEqual(c.t, len(msg), 64<<10+1, "a named bound")
	switch msg[0] {
	case 'n':
		require.Equal(c.t, "nbase.tar\x00\x00", string(msg))
		c.to = &c.archive
	case 'm':
		require.Len(c.t, msg, 1)
		c.to = &c.manifest
	case 'd':
		c.to.Write(msg[1:])
	case 'p':
		c.progress = append(c.progress, binary.BigEndian.Uint64(msg[1:]))
	default:
		c.t.Fatalf("unexpected message %q", msg[0])
	}
	if c.while != nil && c.archive.Len() > 0 {
		c.while()
		c.while = nil
	}
	if c.fail != nil {
		return c.fail(c.archive.Len())
	}
	return nil
}

func (c *copied) End(end wal.LSN, timeline uint32) error {
	c.end, c.timelines[1], c.ended = end, timeline, true
	return nil
}

func (n *servedNode) backup(req replica.BaseBackup, snap fakeSnapshot) *copied {
	n.t.Helper()
	c := &copied{t: n.t}
	require.NoError(n.t, n.hub.Backup(context.Background(), req, archiver, snap, c))
	require.True(n.t, c.ended)
	require.Empty(n.t, n.hub.Backups())
	return c
}

// checkTar applies the rules of Postgres' own tar reader, and gives the files.
func checkTar(t *testing.T, archive []byte) (names []string, files map[string][]byte) {
	t.Helper()
	files = map[string][]byte{}
	dirs := map[string]bool{".": true}
	blocks := 2 // of zeros behind the last file: with more, pg_basebackup refuses it
	r := tar.NewReader(bytes.NewReader(archive))
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		name := strings.TrimSuffix(h.Name, "/")
		require.Less(t, len(h.Name), 100)
		require.Equal(t, filepath.Clean(name), name, "no ./, no ..")
		require.False(t, filepath.IsAbs(name) || strings.HasPrefix(name, ".."))
		require.True(t, dirs[filepath.Dir(name)], "%s comes before its directory", name)
		require.NotContains(t, names, name, "twice")
		names = append(names, name)
		blocks += 1 + int(h.Size+511)/512
		switch h.Typeflag {
		case tar.TypeDir:
			dirs[name] = true
		case tar.TypeReg:
			files[name], err = io.ReadAll(r)
			require.NoError(t, err)
		default:
			t.Fatalf("%s is of type %q", h.Name, h.Typeflag)
		}
	}
	require.Equal(t, blocks*512, len(archive))
	return names, files
}

func TestBackupHoldsStoreLogAndControlLast(t *testing.T) {
	n := newServed(t)
	redo := n.grow(3 << 19)
	n.grow(1 << 20)
	snap := n.snapshot(redo)
	later := false
	c := &copied{t: t, while: func() {
		n.commit(1000) // behind the snapshot: the log takes it along
		rows := n.hub.Standbys()
		require.Len(t, rows, 1)
		require.Equal(t, replica.StateBackup, rows[0].State)
		progress := n.hub.Backups()
		require.Len(t, progress, 1)
		require.Greater(t, progress[0].Total, progress[0].Done)
		later = true
	}}
	require.NoError(t, n.hub.Backup(context.Background(),
		replica.BaseBackup{Progress: true}, archiver, snap, c))
	require.True(t, later)
	require.Equal(t, redo, c.start)
	require.Equal(t, n.log.Flushed(), c.end)
	names, files := checkTar(t, c.archive.Bytes())
	require.Equal(t, "control", names[len(names)-1], "a copy cut short must not look whole")
	require.Subset(t, names, []string{"store", "store/sub", "wal", "pg_wal", "pg_tblspc", "epochs"})
	for _, name := range []string{"000001.sst", "MANIFEST-1", "sub/empty"} {
		content, err := os.ReadFile(filepath.Join(snap.dir, name))
		require.NoError(t, err)
		require.Equal(t, string(content), string(files["store/"+name]))
	}
	size := wal.LSN(n.log.SegmentSize())
	first := redo - redo%size
	var image []byte
	for at := first; at < c.end; at += size {
		content := files["wal/"+wal.SegmentName(1, at, int64(size))]
		require.Len(t, content, int(size))
		image = append(image, content...)
	}
	require.Equal(t, n.image(1, first, c.end), image[:c.end-first])
	require.Empty(t, bytes.Trim(image[c.end-first:], "\x00"), "zeros behind the end")
	require.EqualValues(t, c.archive.Len(), c.progress[len(c.progress)-1])
	require.GreaterOrEqual(t, c.sizeKB<<10, int64(c.archive.Len())-int64(size)-1<<20)
}

// The files of real use: tar(1) unpacks them, and the log in it is one that opens.
func TestBackupUnpacksWithTar(t *testing.T) {
	program, err := exec.LookPath("tar")
	if err != nil {
		t.Skip("SKIPPED, no tar on this machine")
	}
	n := newServed(t)
	redo := n.grow(3 << 19)
	n.commit(1000)
	c := n.backup(replica.BaseBackup{}, n.snapshot(redo))
	require.Empty(t, c.progress, "not asked for")
	dir := t.TempDir()
	command := exec.Command(program, "-x", "-C", dir)
	command.Stdin = &c.archive
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Empty(t, string(out))
	opened, err := wal.OpenDir(wal.Options{Dir: dir, KeepSize: func() int64 { return 0 }})
	require.NoError(t, err)
	control := opened.Control()
	require.Equal(t, wal.RoleBackup, control.Role)
	require.Equal(t, n.log.Control().SystemID, control.SystemID)
	require.NotEqual(t, n.log.Control().NodeID, control.NodeID)
	log, report, err := opened.OpenLog(context.Background(), wal.Start{Applied: redo, Redo: redo})
	require.NoError(t, err)
	require.Equal(t, c.end, report.End)
	require.NoError(t, log.Close(false))
}

// Across a fork the archive has each segment once, as the timeline that has it last holds it, and
// the history.
func TestBackupAcrossAFork(t *testing.T) {
	for _, place := range forkPlaces {
		t.Run(place, func(t *testing.T) {
			n, fork := forkAt(t, place)
			c := n.backup(replica.BaseBackup{}, n.snapshot(wal.FirstLSN))
			require.Equal(t, [2]uint32{1, 2}, c.timelines)
			_, files := checkTar(t, c.archive.Bytes())
			require.Contains(t, files, "wal/00000002.history")
			size := wal.LSN(n.log.SegmentSize())
			for at := wal.FirstLSN; at < c.end; at += size {
				timeline := uint32(1)
				if at >= fork-fork%size {
					timeline = 2
				}
				content := files["wal/"+wal.SegmentName(timeline, at, int64(size))]
				upTo := min(at+size, c.end)
				require.Equal(t, n.image(timeline, at, upTo), content[:upTo-at])
			}
		})
	}
}

func TestBackupManifest(t *testing.T) {
	n := newServed(t)
	redo := n.commit(1000)
	c := n.backup(replica.BaseBackup{Manifest: true}, n.snapshot(redo))
	text := c.manifest.String()
	require.Contains(t, text, `"Path": "store/000001.sst", "Size": 300000`)
	require.Contains(t, text, fmt.Sprintf(`"Start-LSN": %q, "End-LSN": %q`, c.start, c.end))
	program, err := exec.LookPath("pg_verifybackup")
	if err != nil {
		if program = "/usr/lib/postgresql/15/bin/pg_verifybackup"; !exists(program) {
			t.Skip("SKIPPED, no pg_verifybackup on this machine: install postgresql-15")
		}
	}
	dir := t.TempDir()
	unpack := exec.Command("tar", "-x", "-C", dir)
	unpack.Stdin = &c.archive
	require.NoError(t, unpack.Run())
	path := filepath.Join(dir, "backup_manifest")
	require.NoError(t, os.WriteFile(path, c.manifest.Bytes(), 0o600))
	out, err := exec.Command(program, "-n", dir).CombinedOutput()
	require.NoError(t, err, string(out))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "store/MANIFEST-1"), []byte("x"), 0o600))
	require.Error(t, exec.Command(program, "-n", dir).Run(), "it does compare")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestBackupEndsWithItsClient(t *testing.T) {
	n := newServed(t)
	snap := n.snapshot(n.grow(1 << 20))
	gone := errors.New("connection reset by peer")
	c := &copied{t: t, fail: func(sent int) error {
		if sent > 100_000 {
			return gone
		}
		return nil
	}}
	err := n.hub.Backup(context.Background(), replica.BaseBackup{}, archiver, snap, c)
	require.ErrorIs(t, err, gone)
	require.False(t, c.ended)
	require.Empty(t, n.hub.Backups())
	cause := errors.New("terminated")
	ctx, cancel := context.WithCancelCause(context.Background())
	c = &copied{t: t, while: func() { cancel(cause) }}
	require.ErrorIs(t, n.hub.Backup(ctx, replica.BaseBackup{}, archiver, snap, c), cause)
}

func TestBackupRefusesWhatTarCannotName(t *testing.T) {
	n := newServed(t)
	snap := n.snapshot(n.commit(100))
	long := filepath.Join(snap.dir, strings.Repeat("x", 94))
	require.NoError(t, os.WriteFile(long, nil, 0o600))
	c := &copied{t: t}
	err := n.hub.Backup(context.Background(), replica.BaseBackup{}, archiver, snap, c)
	require.ErrorContains(t, err, "too long")
	require.False(t, c.ended)
}

// MAX_RATE: so many bytes, so much time, by the clock.
func TestBackupKeepsToItsRate(t *testing.T) {
	n := newServed(t)
	snap := n.snapshot(n.commit(100))
	began := n.clock.Now()
	done := make(chan error, 1)
	c := &copied{t: t}
	go func() {
		done <- n.hub.Backup(context.Background(),
			replica.BaseBackup{MaxRate: 1024}, archiver, snap, c)
	}()
	for {
		select {
		case err := <-done:
			require.NoError(t, err)
			took := n.clock.Now().Sub(began)
			want := time.Duration(c.archive.Len()-128<<10) * time.Second / (1 << 20)
			require.GreaterOrEqual(t, took, want)
			return
		default:
			n.clock.Advance(10 * time.Millisecond)
		}
	}
}

// Idle right behind a switched segment there is no log between start and end; a client that streams
// the log must still get some.
func TestBackupOfAnIdleNodeBeginsBeforeItsEnd(t *testing.T) {
	n := newServed(t)
	n.commit(1000)
	_, err := n.log.SwitchSegment()
	require.NoError(t, err)
	end := n.flush()
	c := n.backup(replica.BaseBackup{}, n.snapshot(end))
	require.Less(t, c.start, c.end)
	require.Equal(t, end, c.end)
}

// A standby lists a timeline before the record that begins it is flushed: what a backup of that
// moment holds must still be a log that opens, on the timeline that goes up to its end.
func TestBackupWhileATimelineIsFollowed(t *testing.T) {
	n := newServed(t)
	fork := n.grow(1 << 20)
	n = n.standby()
	promoted := openServed(t, n.disk.Crash(1))
	require.Equal(t, fork, promoted.promote())
	standby := openServed(t, n.disk.Crash(1))
	require.NoError(t, standby.log.FollowTimeline(context.Background(), 2, fork, nil))
	gate := standby.disk.Stall(waltest.OpSync, "000000020*")
	defer gate.Open()
	require.NoError(t, standby.log.Receive(fork,
		promoted.image(2, fork, promoted.log.Flushed())))
	require.Len(t, standby.log.Timelines(), 2)
	require.Equal(t, fork, standby.log.Flushed())

	c := standby.backup(replica.BaseBackup{}, standby.snapshot(wal.FirstLSN))
	require.Equal(t, fork, c.end)
	names, files := checkTar(t, c.archive.Bytes())
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "wal"), 0o700))
	for name, content := range files {
		if !strings.HasPrefix(name, "store/") {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
		}
	}
	opened, err := wal.OpenDir(wal.Options{Dir: dir, KeepSize: func() int64 { return 0 }})
	require.NoError(t, err)
	log, report, err := opened.OpenLog(context.Background(),
		wal.Start{Applied: wal.FirstLSN, Redo: wal.FirstLSN})
	require.NoError(t, err)
	require.Equal(t, fork, report.End)
	require.NoError(t, log.Close(false))
	require.NotContains(t, names, "wal/00000002.history")
}
