package replica_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/replica"
	"ackdb/wal"
	"ackdb/wal/waltest"
)

const seedDir = "/data/standby"

// entry is one entry of an archive.
type entry struct {
	name    string
	content string
	typ     byte // 0: a directory when the name ends in a slash, else a file
	link    string
}

// wholeBackup is an archive as a primary sends it, small.
func wholeBackup() []entry {
	big := strings.Repeat("0123456789abcdef", 3000)
	return []entry{
		{name: "store/"}, {name: "store/000004.sst", content: big},
		{name: "store/CURRENT", content: "MANIFEST-000001\n"},
		{name: "wal/"}, {name: "wal/000000010000000000000001", content: big[:20_000]},
		{name: "wal/00000002.history", content: "1\t0/1000000\tpromoted\n"},
		{name: "pg_wal/"}, {name: "pg_tblspc/"},
		{name: "epochs", content: "epochs"}, {name: "ackdb.conf", content: "port = 1\n"},
		{name: "store/empty"},
		{name: "control", content: strings.Repeat("c", 8192)},
	}
}

// expected are the files that extracting entries gives.
func expected(entries []entry) map[string]string {
	files := map[string]string{}
	for _, e := range entries {
		if !strings.HasSuffix(e.name, "/") {
			files[filepath.Join(seedDir, e.name)] = shown(e.content)
		}
	}
	return files
}

func archive(t testing.TB, entries []entry) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		h := &tar.Header{
			Name: e.name, Mode: 0o600, Size: int64(len(e.content)), Typeflag: e.typ, Linkname: e.link,
			Format: tar.FormatUSTAR,
		}
		if e.typ == 0 && strings.HasSuffix(e.name, "/") {
			h.Typeflag = tar.TypeDir
		} else if e.typ == 0 {
			h.Typeflag = tar.TypeReg
		}
		require.NoError(t, w.WriteHeader(h))
		_, err := io.WriteString(w, e.content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// seedUpstream answers what a seed asks; every backup comes from next.
func seedUpstream(next func() (replica.UpstreamCopy, error)) *scripted {
	return &scripted{
		query: map[string]func(string) answer{
			"IDENTIFY_SYSTEM": func(string) answer { return row("7", "1", "0/2000000") },
		},
		backup: func(string) (replica.UpstreamCopy, error) { return next() },
	}
}

// seedOptions fill seedDir on disk. Waits are over at once; an attempt after the first is an error
// of the test unless retries says otherwise.
func seedOptions(t testing.TB, disk wal.Disk, up *scripted) replica.SeedOptions {
	return replica.SeedOptions{
		ConnInfo: replica.ConnInfo{Host: "primary", Port: 1, User: "u"}, Dir: seedDir, Disk: disk,
		Dial: up.dial, Clock: &leapingClock{}, Rand: func() float64 { return 0.5 },
		Retrying: func(err error, _ time.Duration) { t.Errorf("tried again after %v", err) },
	}
}

// leapingClock jumps to the end of every wait.
type leapingClock struct{ now time.Time }

func (c *leapingClock) Now() time.Time {
	c.now = c.now.Add(time.Millisecond)
	return c.now
}

func (c *leapingClock) Timer(d time.Duration) (<-chan time.Time, func() bool) {
	c.now = c.now.Add(d)
	fired := make(chan time.Time, 1)
	fired <- c.now
	return fired, func() bool { return true }
}

// shown is a content short enough for a failed test's message.
func shown(content string) string {
	if len(content) < 64 {
		return content
	}
	return fmt.Sprintf("%d bytes, crc %08x", len(content), crc32.ChecksumIEEE([]byte(content)))
}

// filesIn are the files of a directory on disk, but for the lock.
func filesIn(d *waltest.Disk) map[string]string {
	files := map[string]string{}
	for _, path := range d.Files() {
		if filepath.Base(path) != "lock" {
			files[path] = shown(string(d.Content(path)))
		}
	}
	return files
}

func put(t testing.TB, disk wal.Disk, name, content string) {
	path := filepath.Join(seedDir, name)
	require.NoError(t, disk.MkdirAll(filepath.Dir(path)))
	file, err := disk.Create(path)
	require.NoError(t, err)
	_, err = file.WriteAt([]byte(content), 0)
	require.NoError(t, err)
	require.NoError(t, file.Close())
}
