package jepsenlite

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const compareSegment = 1 << 20

// logOf writes segments of a timeline, from number first on, each filled with its number.
func logOf(t *testing.T, timeline, first, last int) string {
	t.Helper()
	dir := t.TempDir()
	for n := first; n <= last; n++ {
		require.NoError(t, os.WriteFile(segmentPath(dir, timeline, n),
			bytes.Repeat([]byte{byte(n)}, compareSegment), 0o600))
	}
	return dir
}

func segmentPath(dir string, timeline, n int) string {
	return filepath.Join(dir, fmt.Sprintf("%08X%08X%08X", timeline, 0, n))
}

func positionOf(segment, offset int) string {
	return fmt.Sprintf("0/%X", segment*compareSegment+offset)
}

func TestSameLogComparesUpToThePosition(t *testing.T) {
	a, b := logOf(t, 1, 16, 19), logOf(t, 1, 17, 20)
	n, err := SameLog(a, b, positionOf(19, 100))
	require.NoError(t, err)
	require.EqualValues(t, 2*compareSegment+100, n)

	// A log ahead of the other: bytes behind the position do not count.
	data, err := os.ReadFile(segmentPath(b, 1, 19))
	require.NoError(t, err)
	data[100] = 'x'
	require.NoError(t, os.WriteFile(segmentPath(b, 1, 19), data, 0o600))
	_, err = SameLog(a, b, positionOf(19, 100))
	require.NoError(t, err)
	_, err = SameLog(a, b, positionOf(19, 101))
	require.ErrorContains(t, err, "differ at offset 100")
}

func TestSameLogSeesEveryDifference(t *testing.T) {
	for name, c := range map[string]struct {
		says  string
		spoil func(t *testing.T, b string)
	}{
		"one byte": {"differ at offset 7", func(t *testing.T, b string) {
			data, err := os.ReadFile(segmentPath(b, 1, 17))
			require.NoError(t, err)
			data[7]++
			require.NoError(t, os.WriteFile(segmentPath(b, 1, 17), data, 0o600))
		}},
		"a short segment": {"bytes", func(t *testing.T, b string) {
			require.NoError(t, os.Truncate(segmentPath(b, 1, 17), compareSegment/2))
		}},
		"a hole": {"an earlier and a later one", func(t *testing.T, b string) {
			require.NoError(t, os.Remove(segmentPath(b, 1, 17)))
		}},
		"nothing in common": {"no segment in common", func(t *testing.T, b string) {
			for n := 16; n <= 18; n++ {
				require.NoError(t, os.Rename(segmentPath(b, 1, n), segmentPath(b, 2, n)))
			}
		}},
		"a file twice": {"both there", func(t *testing.T, b string) {
			data, err := os.ReadFile(segmentPath(b, 1, 17))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(segmentPath(b, 1, 17)+".partial", data, 0o600))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := logOf(t, 1, 16, 18), logOf(t, 1, 16, 18)
			_, err := SameLog(a, b, positionOf(19, 0))
			require.NoError(t, err)
			c.spoil(t, b)
			_, err = SameLog(a, b, positionOf(19, 0))
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestSameTablesSeesEveryDifference(t *testing.T) {
	x := map[string][]string{"t": {"1\ta\n", "2\tb\n"}, "u": {}}
	require.NoError(t, sameTables(x, map[string][]string{"t": {"1\ta\n", "2\tb\n"}, "u": {}}))
	for _, y := range []map[string][]string{
		{"t": {"1\ta\n", "2\tc\n"}, "u": {}},
		{"t": {"1\ta\n"}, "u": {}},
		{"t": {"1\ta\n", "2\tb\n", "3\tc\n"}, "u": {}},
		{"t": {"1\ta\n", "2\tb\n"}},
		{"t": {"1\ta\n", "2\tb\n"}, "v": {}},
	} {
		require.Error(t, sameTables(x, y))
	}
}
