package clients

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPsqlCopyFilesInEveryFormat: \copy writes the same file here as at PostgreSQL 15, to the byte,
// and each reads the other's.
func TestPsqlCopyFilesInEveryFormat(t *testing.T) {
	const table = "(k int PRIMARY KEY, t text, n numeric, b bytea, ok bool, at timestamptz, a int[]," +
		" f float8, d date, i interval, u uuid, j jsonb)"
	const rows = `(1, 'plain', 1.50, '\x00ff', true, '2024-02-29 12:00:00.5+00', '{1,2}', 0.1,
		'2024-02-29', '1 mon 2 days 03:04:05.6', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1}'),
		(2, E'tab\there, "quotes" ''and'' back\\slash\nline', NULL, '', false, NULL, '{}', 'NaN',
		'infinity', NULL, NULL, '[]'), (3, '', -12345678901234567890.001, NULL, NULL, 'infinity',
		'{NULL,3}', '-Infinity', '0044-03-15 BC', '-1 year', NULL, NULL), (4, '\.', 'NaN', '\x5c', true,
		'-infinity', NULL, 1e300, NULL, NULL, NULL, NULL)`
	servers := map[string]string{"ackdb": port(t, node)}
	if postgres != nil {
		servers["postgres"] = strconv.Itoa(postgres.Port)
	}
	for _, p := range servers {
		psql(t, p, "", "-qc", "CREATE TABLE formats "+table, "-qc", "INSERT INTO formats VALUES "+rows)
		defer psql(t, p, "", "-qc", "DROP TABLE formats")
	}
	for name, options := range map[string]string{
		"text": "", "csv": "csv header", "binary": "binary",
		"odd csv":  `(format csv, delimiter ';', quote '''', escape '\', null 'NIL')`,
		"odd text": `with delimiter '|' null as '-'`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			var first []byte
			for server, p := range servers {
				file := filepath.Join(dir, server)
				psql(t, p, "\\copy formats to '"+file+"' "+options+"\n")
				written, err := os.ReadFile(file)
				require.NoError(t, err)
				if first == nil {
					first = written
				}
				require.Equal(t, first, written, server)
			}
			for _, p := range servers {
				file := filepath.Join(dir, "ackdb")
				before := psql(t, p, "", "-Atc", "SELECT * FROM formats ORDER BY k")
				psql(t, p, "TRUNCATE formats;\n\\copy formats from '"+file+"' "+options+"\n")
				require.Equal(t, before, psql(t, p, "", "-Atc", "SELECT * FROM formats ORDER BY k"))
			}
		})
	}
}
