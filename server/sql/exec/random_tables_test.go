package exec_test

import (
	"fmt"
	"strings"
)

var tableNames = []string{"r", "s"}

var tableColumns = []column{{"id", sortInt}, {"i", sortInt}, {"n", sortNum}, {"t", sortText},
	{"b", sortBool}, {"d", sortDate}, {"ts", sortTime}, {"iv", sortSpan}, {"l", sortList},
	{"j", sortJSON}}

// indexedSuffix names the tables of the same rows that have keys and indexes.
const indexedSuffix = "x"

// tables makes the tables, each twice: without a key, and with one and with indexes.
func (m *maker) tables() (statements []string) {
	for _, name := range tableNames {
		var columns, rows []string
		for _, c := range tableColumns {
			columns = append(columns, c.name+" "+string(c.sort))
		}
		for id := range 2 + m.IntN(6) {
			row := []string{fmt.Sprint(id)}
			for _, c := range tableColumns[1:] {
				row = append(row, m.literal(c.sort).text)
			}
			rows = append(rows, "("+strings.Join(row, ", ")+")")
		}
		for _, suffix := range []string{"", indexedSuffix} {
			statements = append(statements,
				fmt.Sprintf("CREATE TABLE %s%s (%s)", name, suffix, strings.Join(columns, ", ")))
		}
		indexed := name + indexedSuffix
		statements = append(statements,
			fmt.Sprintf("ALTER TABLE %s ADD PRIMARY KEY (id)", indexed),
			fmt.Sprintf("CREATE INDEX ON %s (i)", indexed),
			fmt.Sprintf("CREATE INDEX ON %s (t DESC, i)", indexed),
			fmt.Sprintf("CREATE INDEX ON %s (d NULLS FIRST)", indexed),
			fmt.Sprintf("CREATE INDEX ON %s (n)", indexed),
			fmt.Sprintf("CREATE INDEX ON %s (b, ts)", indexed))
		for _, suffix := range []string{"", indexedSuffix} {
			statements = append(statements, fmt.Sprintf("INSERT INTO %s%s VALUES %s", name, suffix,
				strings.Join(rows, ", ")))
		}
	}
	return statements
}

// dropTables makes room for the tables of another seed.
func dropTables() (statements []string) {
	for _, name := range tableNames {
		for _, suffix := range []string{"", indexedSuffix} {
			statements = append(statements, "DROP TABLE IF EXISTS "+name+suffix)
		}
	}
	return statements
}
