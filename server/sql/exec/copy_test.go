package exec_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"ackdb/server/sql/types"

	"github.com/stretchr/testify/require"
)

// binaryCopy encodes rows as a client of COPY ... BINARY does.
func binaryCopy(rows ...[]types.Datum) []byte {
	out := []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	for _, row := range rows {
		out = binary.BigEndian.AppendUint16(out, uint16(len(row)))
		for _, d := range row {
			if d.IsNull() {
				out = append(out, 0xff, 0xff, 0xff, 0xff)
				continue
			}
			body := types.AppendBinary(nil, d)
			out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
			out = append(out, body...)
		}
	}
	return append(out, 0xff, 0xff)
}

func TestCopyBinary(t *testing.T) {
	s := newNode(t).session()
	ctx := context.Background()
	s.run(ctx, "CREATE TABLE b (id int PRIMARY KEY, v text, n int8)")
	data := binaryCopy(
		[]types.Datum{types.NewInt4(1), types.NewText("one"), types.NewInt8(-1)},
		[]types.Datum{types.NewInt4(2), types.Null, types.Null},
		[]types.Datum{types.NewInt4(3), types.NewText(""), types.NewInt8(1 << 40)})
	for piece := 1; piece <= len(data); piece += 7 {
		tag, err := s.copyIn("COPY b FROM STDIN BINARY", data, piece)
		require.NoError(t, err)
		require.Equal(t, "COPY 3", tag)
		require.Equal(t, "-- id integer, v text, n bigint\n1 | one | -1\n2 | NULL | NULL\n"+
			"3 |  | 1099511627776\nSELECT 3\n", s.run(ctx, "SELECT * FROM b"))
		s.run(ctx, "TRUNCATE b")
	}
	for name, bad := range map[string][]byte{
		"signature not recognized":        append([]byte("NOTCOPY!!!!"), data[11:]...),
		"row field count is 2":            append(data[:19:19], 0, 2),
		"unexpected EOF":                  data[:len(data)-9],
		"COPY file signature not":         {},
		"invalid field size":              append(data[:21:21], 0xff, 0xff, 0xff, 0xf0),
		"insufficient data left":          append(data[:21:21], 0, 0, 0, 2, 1, 1),
		"unrecognized critical flags":     append(append([]byte{}, data[:11]...), 0, 2, 0, 0, 0, 0, 0, 0),
		"invalid COPY file header (wrong": append(append([]byte{}, data[:15]...), 0x7f, 0, 0, 0),
	} {
		_, err := s.copyIn("COPY b FROM STDIN BINARY", bad, 1<<20)
		require.ErrorContains(t, err, name)
	}
	require.Contains(t, s.run(ctx, "SELECT count(*) FROM b"), "\n0\n")
}

// copyOutcome gives what comes of data that are sent in pieces of a size, and forgets it.
func copyOutcome(s *session, sql string, data []byte, piece int) string {
	ctx := context.Background()
	s.run(ctx, "BEGIN")
	tag, err := s.copyIn(sql, data, piece)
	out := tag + s.run(ctx, "SELECT * FROM c")
	if err != nil {
		out = describe(err)
	}
	s.run(ctx, "ROLLBACK")
	return out
}

// fuzzCopy feeds any bytes, cut anywhere: nothing panics, and where they are cut makes no
// difference to what comes of them.
func fuzzCopy(f *testing.F, table, sql string, seeds ...string) {
	for _, seed := range seeds {
		f.Add([]byte(seed), 1)
		f.Add([]byte(seed), 3)
	}
	s := newNode(f).session()
	s.run(context.Background(), "CREATE TABLE c "+table)
	f.Fuzz(func(t *testing.T, data []byte, piece int) {
		piece = 1 + (piece&0xff)%7
		require.Equal(t, copyOutcome(s, sql, data, 1<<20), copyOutcome(s, sql, data, piece))
	})
}

func FuzzCopyText(f *testing.F) {
	fuzzCopy(f, "(a text, b text)", "COPY c FROM STDIN", "a\tb\n", "a\\tb\tc\\", "\\.\nrest",
		"\\\n\\N\t\\x4\\1\n", "\t\n\n", "x\ty\r\nz\t\\N\n", "\\x\t\\0\\00\\0012\n", "a\tb\r\\.\r\n")
}

func FuzzCopyCSV(f *testing.F) {
	fuzzCopy(f, "(a text, b text)",
		"COPY c FROM STDIN (FORMAT csv, ESCAPE E'\\\\', HEADER, FORCE_NULL (a))", "a,b\nc,d\n",
		"h\n\"a\"\"b\",\\\"\n", "\\.\n\\.x,\n\\.\n", "h\r\n\"a\\\"\r\nb\",c\r\n\\.\r\n",
		"\"\n\\\\\",\n,\"\"",
		"h\r,\r\"\\\n\r\",\r")
}

func FuzzCopyBinary(f *testing.F) {
	row := []types.Datum{types.NewInt4(1), types.NewText("one"), types.Null}
	whole := string(binaryCopy(row, row))
	fuzzCopy(f, "(a int, b text, c numeric[])", "COPY c FROM STDIN BINARY", whole, whole+"x",
		whole[:len(whole)-2], whole[:30], whole[:19]+"\xff\xff",
		strings.Replace(whole, "one", "\xff\x00e", 1))
}

// TestCopyRoundTrip copies out what was copied in, whatever the bytes of the text.
func TestCopyRoundTrip(t *testing.T) {
	r := newRand(t)
	s := newNode(t).session()
	ctx := context.Background()
	s.run(ctx, "CREATE TABLE c (id int PRIMARY KEY, v text)")
	const alphabet = "ab\\N.\t\n\r\b\f\v|é☃'\""
	runes := []rune(alphabet)
	var want []string
	for id := range 200 {
		var v strings.Builder
		for range r.IntN(12) {
			v.WriteRune(runes[r.IntN(len(runes))])
		}
		want = append(want, v.String())
		stmt := fmt.Sprintf("INSERT INTO c VALUES (%d, E'%s')", id, strings.NewReplacer(
			`\`, `\\`, "'", `\'`).Replace(v.String()))
		require.Equal(t, "INSERT 0 1\n", s.run(ctx, stmt))
	}
	var out bytes.Buffer
	s.begin()
	p := s.prepared(t, "COPY c TO STDOUT")
	c, err := s.n.exec.CopyOut(ctx, p, s.env(nil))
	require.NoError(t, err)
	for {
		line, ok, err := c.Next(ctx, nil)
		require.NoError(t, err)
		if !ok {
			break
		}
		out.Write(line)
	}
	c.Close()
	require.NoError(t, s.end(true))
	s.run(ctx, "TRUNCATE c")
	_, err = s.copyIn("COPY c FROM STDIN", out.Bytes(), 1+r.IntN(50))
	require.NoError(t, err)
	for id, v := range want {
		got := s.run(ctx, fmt.Sprintf("SELECT v FROM c WHERE id = %d", id))
		require.Equal(t, "-- v text\n"+v+"\nSELECT 1\n", got)
	}
}
