package exec_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// With -oracle naming a PostgreSQL 15, the scripts run there instead, and what it says is compared
// with what they expect of us. It is a tool for whoever changes a script, not a gate: differences
// that are meant stand in docs/SQL.md.
var oracle = flag.String("oracle", "", "connection string of a PostgreSQL 15 to compare with")

func TestOracle(t *testing.T) {
	if *oracle == "" {
		t.Skip("no -oracle given")
	}
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			config, err := pgconn.ParseConfig(*oracle)
			require.NoError(t, err)
			var notices []string
			config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
				notices = append(notices, fmt.Sprintf("NOTICE %s: %s\n", n.Code, n.Message))
			}
			conn, err := pgconn.ConnectConfig(context.Background(), config)
			require.NoError(t, err)
			var differences []string
			defer conn.Close(context.Background())
			for _, sql := range []string{"SET client_min_messages = error",
				"DROP SCHEMA IF EXISTS s CASCADE", "DROP SCHEMA public CASCADE",
				"CREATE SCHEMA public", "SET client_min_messages = notice",
				"CREATE TABLE kv (key text PRIMARY KEY, value text)"} {
				_, err := conn.Exec(context.Background(), sql).ReadAll()
				require.NoError(t, err)
			}
			datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
				if d.HasArg("session") || strings.Contains(d.Input, "EXPLAIN") ||
					strings.Contains(d.Expected, "is not supported") {
					return d.Expected
				}
				notices = nil
				var answer string
				switch d.Cmd {
				case "sql":
					answer = ask(conn, d.Input)
				case "simple":
					for _, line := range strings.Split(d.Input, "\n") {
						answer += askOne(conn, line, 0)
					}
				case "prepare":
					answer = askPrepare(t, conn, d)
				case "copy":
					answer = askCopy(t, conn, d)
				default:
					return d.Expected
				}
				got, failed, isError := strings.Cut(answer, "ERROR")
				got += strings.Join(notices, "")
				if isError {
					got += "ERROR" + failed
				}
				if got != d.Expected {
					differences = append(differences, fmt.Sprintf("%s\n%s\n%s", d.Pos, d.Input,
						differing(d.Expected, got)))
				}
				return d.Expected
			})
			for _, difference := range differences {
				t.Error(difference)
			}
		})
	}
}

// ask runs the statements of a text one by one, as the harness does with ours.
func ask(conn *pgconn.PgConn, sql string) string {
	var out bytes.Buffer
	stmts, err := parse.Parse(sql)
	if err != nil {
		return askOne(conn, sql, 0)
	}
	for i := range stmts {
		text := askOne(conn, stmts[i].Text, len([]rune(sql[:stmts[i].Offset])))
		out.WriteString(text)
		if strings.HasPrefix(text, "ERROR") || strings.Contains(text, "\nERROR") {
			break
		}
	}
	return out.String()
}

var isCopyTo = regexp.MustCompile(`(?is)^\s*copy\b.*\bto\s+stdout\b`).MatchString

// askCopy copies data in. An error is shown with where in the data it was.
func askCopy(t *testing.T, conn *pgconn.PgConn, d *datadriven.TestData) string {
	sql, data := copyInput(t, d)
	tag, err := conn.CopyFrom(context.Background(), bytes.NewReader(data), sql)
	if err != nil {
		return describeOracle(err, 0) + "\n"
	}
	return tag.String() + "\n"
}

func askOne(conn *pgconn.PgConn, sql string, before int) string {
	var out bytes.Buffer
	if isCopyTo(sql) {
		tag, err := conn.CopyTo(context.Background(), &out, sql)
		if err != nil {
			return describeOracle(err, before) + "\n"
		}
		return showCopied(out.Bytes()) + tag.String() + "\n"
	}
	results := conn.Exec(context.Background(), sql)
	for results.NextResult() {
		r := results.ResultReader()
		if fields := r.FieldDescriptions(); fields != nil {
			fmt.Fprintln(&out, showFields(fields))
		}
		for r.NextRow() {
			cells := make([]string, len(r.Values()))
			for i, v := range r.Values() {
				if cells[i] = string(v); v == nil {
					cells[i] = "NULL"
				}
			}
			fmt.Fprintln(&out, strings.Join(cells, " | "))
		}
		if tag, err := r.Close(); err == nil {
			fmt.Fprintln(&out, tag)
		}
	}
	if err := results.Close(); err != nil {
		fmt.Fprintln(&out, describeOracle(err, before))
	}
	return out.String()
}

// differing shows the first lines in which two answers differ.
func differing(ours, theirs string) string {
	a, b := strings.Split(ours, "\n"), strings.Split(theirs, "\n")
	var out strings.Builder
	for i := range max(len(a), len(b)) {
		x, y := "", ""
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			fmt.Fprintf(&out, "- %s\n+ %s\n", x, y)
		}
	}
	return out.String()
}

// firstOwnOID is the first number of what PostgreSQL does not bring along.
const firstOwnOID = 16384

func showFields(fields []pgconn.FieldDescription) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		oid := types.OID(f.DataTypeOID)
		if oid >= firstOwnOID { // the type of a table's rows, which are of no type of their own here
			oid = types.Record
		}
		names[i] = f.Name + " " + types.FormatType(oid, f.TypeModifier)
	}
	return "-- " + strings.Join(names, ", ")
}

func askPrepare(t *testing.T, conn *pgconn.PgConn, d *datadriven.TestData) string {
	p, err := conn.Prepare(context.Background(), "", d.Input, declaredTypes(t, d))
	if err != nil {
		return describeOracle(err, 0) + "\n"
	}
	out := showParams(p.ParamOIDs)
	if p.Fields != nil {
		out += "\n" + showFields(p.Fields)
	}
	return out + "\n"
}

// copyContext is the context of COPY; that of functions inside is ours alone to leave out.
func copyContext(where string) string {
	if i := strings.Index(where, "COPY "); i >= 0 {
		return where[i:]
	}
	return ""
}

func describeOracle(err error, before int) string {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return err.Error()
	}
	position := int(e.Position)
	if position > 0 {
		position += before
	}
	return describe(&types.Error{Code: types.Code(e.Code), Message: e.Message, Detail: e.Detail,
		Hint: e.Hint, Position: position, Constraint: e.ConstraintName, Column: e.ColumnName,
		Context: copyContext(e.Where)})
}
