package pgcatalog

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// facts are files of the text form of COPY, one row a line.
//
//	relations.tsv   name, schema, oid, relkind, relisshared; then, after an empty field, its
//	                columns: name, type, modifier, not null
//	pg_proc.tsv     the columns of procFacts
//	NAME.tsv        the rows of the catalog NAME, functions by number
//
//go:embed facts/*.tsv
var facts embed.FS

// relation is a table or view as PostgreSQL 15 has it.
type relation struct {
	name    string
	schema  string
	oid     uint32
	kind    byte // pg_class.relkind
	shared  bool
	columns []catalog.Column
}

// factLines gives the fields of every line of a file. The files are part of the program, so what
// is wrong with one is found by the first test that runs: it panics.
func factLines(file string) [][]string {
	data, err := facts.ReadFile("facts/" + file)
	if err != nil {
		panic(fmt.Sprintf("pgcatalog: %v", err))
	}
	var lines [][]string
	for line := range strings.Lines(string(data)) {
		lines = append(lines, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return lines
}

// relations are those of relations.tsv, by schema and name.
var relations = sync.OnceValue(func() map[[2]string]*relation {
	found := map[[2]string]*relation{}
	var last *relation
	for _, f := range factLines("relations.tsv") {
		if f[0] == "" {
			last.columns = append(last.columns, catalog.Column{Name: f[1], NotNull: f[4] == "t",
				Type: types.Type{OID: types.LookupName(f[2]).OID, Mod: int32(factNumber(f[3]))}})
			continue
		}
		last = &relation{name: f[0], schema: f[1], oid: uint32(factNumber(f[2])), kind: f[3][0],
			shared: f[4] == "t"}
		found[[2]string{last.schema, last.name}] = last
	}
	return found
})

func factNumber(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("pgcatalog: %v", err))
	}
	return n
}

var unescapeFact = strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\n`, "\n")

// factRows are the rows of a catalog that are the same everywhere.
func factRows(name string) [][]types.Datum {
	columns := relations()[[2]string{catalog.PgCatalog, name}].columns
	lines := factLines(name + ".tsv")
	rows := make([][]types.Datum, len(lines))
	for i, fields := range lines {
		rows[i] = make([]types.Datum, len(columns))
		for j, field := range fields {
			rows[i][j] = factDatum(columns[j].Type.OID, field)
		}
	}
	return rows
}

func factDatum(typ types.OID, field string) types.Datum {
	if field == `\N` {
		return types.Null
	}
	d, err := types.ParseText(types.Of(typ), unescapeFact.Replace(field), nil)
	if err != nil {
		panic(fmt.Sprintf("pgcatalog: %v", err))
	}
	return d
}
