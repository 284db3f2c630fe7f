package jepsenlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

var segmentName = regexp.MustCompile(`^[0-9A-F]{24}$`)

// segmentFile is one file of a log: its name says the timeline and, with its size, the positions.
type segmentFile struct {
	path     string
	timeline uint64
	start    uint64
	size     uint64
}

// segmentFiles are the files of the log in a directory, by name. An archive's half-written file
// counts under the name it will have.
func segmentFiles(dir string) (map[string]segmentFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	files := map[string]segmentFile{}
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".partial")
		info, err := e.Info()
		if err != nil || !segmentName.MatchString(name) {
			continue // gone meanwhile: recycled
		}
		f := segmentFile{path: filepath.Join(dir, e.Name()), size: uint64(info.Size())}
		f.timeline, _ = strconv.ParseUint(name[:8], 16, 64)
		high, _ := strconv.ParseUint(name[8:16], 16, 64)
		low, _ := strconv.ParseUint(name[16:], 16, 64)
		f.start = high<<32 + low*f.size
		if other, twice := files[name]; twice {
			return nil, fmt.Errorf("compare: %s and %s are both there", other.path, f.path)
		}
		files[name] = f
	}
	return files, nil
}

// SameLog compares two logs byte by byte, in every segment that both hold, up to a position. The
// directories hold the segments themselves. No segment between the first and the last that both
// hold may be missing in either: what one of them recycled lies at its beginning. It returns how
// many bytes it has compared, so that a caller can insist on some.
func SameLog(a, b, upTo string) (compared uint64, err error) {
	end, err := parseLSN(upTo)
	if err != nil {
		return 0, err
	}
	filesA, err := segmentFiles(a)
	if err != nil {
		return 0, err
	}
	filesB, err := segmentFiles(b)
	if err != nil {
		return 0, err
	}
	if err := errors.Join(noHole(filesA, filesB, end), noHole(filesB, filesA, end)); err != nil {
		return 0, err
	}
	for name, fa := range filesA {
		fb, both := filesB[name]
		if !both || fa.start >= end {
			continue
		}
		if fa.size != fb.size {
			return compared, fmt.Errorf("compare: %s has %d bytes, %s %d", fa.path, fa.size,
				fb.path, fb.size)
		}
		length := min(end-fa.start, fa.size)
		err := sameBytes(fa.path, fb.path, int64(length))
		if recycled(fa.path) || recycled(fb.path) {
			continue // under the comparison: what was read may be anything
		}
		if err != nil {
			return compared, err
		}
		compared += length
	}
	if compared == 0 {
		return 0, fmt.Errorf("compare: %s and %s have no segment in common below %s", a, b, upTo)
	}
	return compared, nil
}

// noHole says whether b lacks a segment that a holds in the midst of what b holds of a timeline.
func noHole(a, b map[string]segmentFile, end uint64) error {
	type span struct{ first, last uint64 }
	held := map[uint64]span{}
	for _, f := range b {
		s, known := held[f.timeline]
		if !known {
			s.first, s.last = f.start, f.start
		}
		held[f.timeline] = span{min(s.first, f.start), max(s.last, f.start)}
	}
	for name, f := range a {
		s, known := held[f.timeline]
		if _, there := b[name]; there || !known || f.start >= end {
			continue
		}
		if f.start > s.first && f.start < s.last {
			return fmt.Errorf("compare: the other log has no %s, but an earlier and a later one", f.path)
		}
	}
	return nil
}

// recycled says whether a running server has taken the file for another segment meanwhile.
func recycled(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

func sameBytes(a, b string, length int64) error {
	x, err := readHead(a, length)
	if err != nil {
		return err
	}
	y, err := readHead(b, length)
	if err != nil {
		return err
	}
	if bytes.Equal(x, y) {
		return nil
	}
	at := 0
	for at < min(len(x), len(y)) && x[at] == y[at] {
		at++
	}
	return fmt.Errorf("compare: %s and %s differ at offset %d of %d", a, b, at, length)
}

func readHead(path string, length int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, length))
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	return data, nil
}

// Tables are the tables that the workload, Fill and the tests make. A node need not have all of
// them.
var Tables = []string{"entry", "register", "ticks", "ticker", "filler", "pad", "t", "kv"}

// Dump is the content of the Tables that are there, by name: rows as COPY writes them, sorted, so
// that the order in which a node happens to hand them out does not matter. It is an error if an
// index contradicts it.
func Dump(ctx context.Context, dsn string) (map[string][]string, error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return nil, fmt.Errorf("dump: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	content := map[string][]string{}
	for _, table := range Tables {
		var text bytes.Buffer
		_, err := conn.PgConn().CopyTo(ctx, &text, "COPY "+table+" TO STDOUT")
		if sqlState(err) == "42P01" {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("dump %s: %w", table, err)
		}
		content[table] = slices.Sorted(strings.Lines(text.String()))
	}
	return content, checkIndexes(ctx, conn)
}

// checkIndexes has the node hold every index against the rows of its table.
func checkIndexes(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "SELECT ack_index_check(oid) FROM pg_class WHERE relkind = 'r'"+
		" AND relnamespace = 'public'::regnamespace")
	if err != nil {
		return fmt.Errorf("check indexes: %w", err)
	}
	return nil
}

// SameState compares the tables of two nodes, row by row. Nothing may be written meanwhile.
func SameState(ctx context.Context, a, b *Node) error {
	x, err := Dump(ctx, a.DSN())
	if err != nil {
		return err
	}
	y, err := Dump(ctx, b.DSN())
	if err != nil {
		return err
	}
	if len(x) == 0 {
		return fmt.Errorf("compare: %s has no tables", a.Addr)
	}
	return sameTables(x, y)
}

func sameTables(x, y map[string][]string) error {
	if len(x) != len(y) {
		return fmt.Errorf("compare: %d tables on one node and %d on the other", len(x), len(y))
	}
	for table, rows := range x {
		other, there := y[table]
		if !there {
			return fmt.Errorf("compare: the other node has no table %s", table)
		}
		for i := range max(len(rows), len(other)) {
			if i >= len(rows) || i >= len(other) || rows[i] != other[i] {
				return fmt.Errorf("compare: table %s: %d rows and %d rows, which differ at place %d",
					table, len(rows), len(other), i)
			}
		}
	}
	return nil
}

// Same waits until the standby has replayed all of its upstream, and then compares the logs, byte
// by byte, and the tables. Nothing may be written meanwhile.
func Same(ctx context.Context, upstream, standby *Node) error {
	lsn, err := AwaitReplayed(ctx, upstream, standby)
	if err != nil {
		return err
	}
	_, err = SameLog(filepath.Join(upstream.Dir, "wal"), filepath.Join(standby.Dir, "wal"), lsn)
	if err != nil {
		return err
	}
	return SameState(ctx, upstream, standby)
}
