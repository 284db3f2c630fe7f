// Package cmd_test walks the source and holds it to the floors of docs/ARCHITECTURE.md: imports
// point down only, and each third-party library enters by one door.
package cmd_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "ackdb"

// floors lists, for each room, the rooms of ours it may import. The longest prefix of a directory
// decides; a room may import itself and its sub-packages.
var floors = map[string][]string{
	"wal":                 {},
	"wal/waltest":         {"wal"},
	"pgwire":              {},
	"engine":              {"wal"},
	"engine/enginetest":   {"wal", "engine"},
	"replica":             {"wal", "pgwire"},
	"replica/replicatest": {"wal", "pgwire", "replica"},
	"server/sql/parse":    {},
	"server/sql/types":    {},
	"server/sql/builtin":  {"server/sql/types"},
	"server/sql/catalog":  {"engine", "wal", "server/sql/types", "server/sql/parse"},
	"server/sql/plan": {"engine", "wal", "server/sql/types", "server/sql/parse", "server/sql/builtin",
		"server/sql/catalog"},
	"server/sql/exec": {"engine", "wal", "server/sql/types", "server/sql/parse", "server/sql/builtin",
		"server/sql/catalog", "server/sql/plan"},
	"server":              {"wal", "engine", "replica", "pgwire", "server/sql"},
	"cmd/ackdb":           {"wal", "engine", "server", "pgwire", "replica"},
	"cmd/jepsen-lite":     {"jepsen-lite"},
	"cmd/bench":           {"pgwire", "jepsen-lite"},
	"jepsen-lite":         {},
	"jepsen-lite/oracle":  {},
	"jepsen-lite/clients": {"jepsen-lite"},
	"cmd":                 {},
}

// testsMay names what a room's tests may import beyond its floor: a test may use the crash disk, and
// an end-to-end test of a floor stands on the floors below it.
var testsMay = map[string][]string{
	"wal":             {"wal/waltest"},
	"engine":          {"engine/enginetest", "wal/waltest"},
	"replica":         {"replica/replicatest", "wal/waltest"},
	"server/sql/plan": {"engine/enginetest"},
	"server/sql/exec": {"engine/enginetest"},
	"server":          {"wal/waltest", "engine/enginetest"},
}

// doors lists each library that enters by one door, and the directories or files that are it.
// testing/ stands for any test file.
var doors = map[string][]string{
	"github.com/pawelgaczynski/giouring": {"wal/disk_uring_linux.go"},
	"github.com/cockroachdb/pebble":      {"engine"},
	"github.com/jackc/pgproto3":          {"pgwire"},
	"github.com/pganalyze/pg_query_go":   {"server/sql/parse"},
	"github.com/prometheus":              {"server/metrics.go"},
	"github.com/jackc/pgx":               {"jepsen-lite", "testing/", "server/sql/types/pgoracle"},
	"github.com/stretchr/testify":        {"testing/", "wal/waltest", "engine/enginetest", "server/sql/types/pgoracle"},
	"github.com/alecthomas/kong":         {"cmd"},
	"github.com/cockroachdb/apd":         {"server/sql/types", "server/sql/builtin"},
}

type file struct {
	path    string // slash-separated, from the module's root
	room    string // directory
	test    bool
	imports []string
}

func TestImportsPointDown(t *testing.T) {
	for _, f := range sources(t) {
		if breach := climbs(f); breach != "" {
			t.Error(breach)
		}
	}
}

func TestEachLibraryHasOneDoor(t *testing.T) {
	for _, f := range sources(t) {
		for _, breach := range secondDoors(f) {
			t.Error(breach)
		}
	}
}

// The negative controls: an arrow that climbs and a second door are found.
func TestFloorsTestSeesABreach(t *testing.T) {
	up := file{path: "wal/log.go", room: "wal", imports: []string{"ackdb/engine"}}
	require.Contains(t, climbs(up), "wal/log.go imports ackdb/engine")
	sibling := file{path: "engine/db.go", room: "engine", imports: []string{"ackdb/pgwire"}}
	require.NotEmpty(t, climbs(sibling))
	leaf := file{path: "jepsen-lite/node.go", room: "jepsen-lite", imports: []string{"ackdb/wal"}}
	require.NotEmpty(t, climbs(leaf))
	down := file{path: "engine/db.go", room: "engine", imports: []string{"ackdb/wal", "fmt"}}
	require.Empty(t, climbs(down))
	door := file{path: "wal/log.go", room: "wal", imports: []string{"github.com/pawelgaczynski/giouring"}}
	require.Len(t, secondDoors(door), 1)
	proto := file{path: "server/session.go", room: "server", imports: []string{"github.com/jackc/pgproto3/v2"}}
	require.Len(t, secondDoors(proto), 1)
}

func climbs(f file) string {
	room := floorOf(f.room)
	if room == "" {
		return fmt.Sprintf("%s: no floor is known for this directory", f.path)
	}
	allowed := slices.Concat([]string{room}, floors[room])
	if f.test {
		allowed = append(allowed, testsMay[room]...)
	}
	for _, path := range f.imports {
		target, ours := strings.CutPrefix(path, module+"/")
		if ours && !slices.ContainsFunc(allowed, func(a string) bool { return within(target, a) }) {
			return fmt.Sprintf("%s imports %s: imports point down only", f.path, path)
		}
	}
	return ""
}

func secondDoors(f file) (breaches []string) {
	for library, places := range doors {
		for _, path := range f.imports {
			if !within(path, library) {
				continue
			}
			if slices.ContainsFunc(places, func(p string) bool {
				return within(f.path, p) || p == "testing/" && f.test
			}) {
				continue
			}
			breaches = append(breaches, fmt.Sprintf("%s imports %s, whose door is %v", f.path, path, places))
		}
	}
	return breaches
}

// floorOf is the longest entry of floors that dir is in.
func floorOf(dir string) (room string) {
	for r := range floors {
		if within(dir, r) && len(r) > len(room) {
			room = r
		}
	}
	return room
}

func within(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// sources parses the imports of every Go file, whatever its build tags.
func sources(t *testing.T) (files []file) {
	t.Helper()
	const root = ".."
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata" ||
			name == "bin" || name == "data") {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		f, err := imports(root, path)
		files = append(files, f)
		return err
	})
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

func imports(root, path string) (file, error) {
	rel, err := filepath.Rel(root, path)
	if err != nil {
		return file{}, err
	}
	rel = filepath.ToSlash(rel)
	tree, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		return file{}, err
	}
	f := file{path: rel, room: filepath.ToSlash(filepath.Dir(rel)), test: strings.HasSuffix(rel, "_test.go")}
	for _, spec := range tree.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return file{}, err
		}
		f.imports = append(f.imports, name)
	}
	return f, nil
}
