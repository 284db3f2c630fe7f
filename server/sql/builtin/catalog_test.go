package builtin

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/server/sql/types"
	"ackdb/server/sql/types/pgoracle"
)

// catalogFile lists every function and operator here as PostgreSQL 15 describes it, or as absent.
const catalogFile = "testdata/catalog.golden"

// ours are the functions that PostgreSQL describes otherwise or does not have: the grammar's words
// that are functions here, and names of log files, which follow the timeline and so cannot be
// immutable; and functions that read their one record as a source of rows does. So are all that begin
// with ack_.
var ours = map[string]bool{
	"current_timestamp()": true, "localtimestamp()": true, "localtime()": true,
	"current_date()": true, "user()": true, "current_role()": true,
	"json_to_record(json)": true, "jsonb_to_record(jsonb)": true,
	"pg_walfile_name(pg_lsn)": true, "pg_walfile_name_offset(pg_lsn)": true,
}

func signature(f *Function) string {
	args := make([]string, len(f.Args))
	for i, a := range f.Args {
		args[i] = types.FormatType(a, types.NoMod)
	}
	return f.Name + "(" + strings.Join(args, ", ") + ")"
}

func describe(f *Function) string {
	volatility := []string{"i", "s", "v"}[f.Volatility]
	return fmt.Sprintf("%s %s strict=%t set=%t variadic=%t",
		types.FormatType(f.Result, types.NoMod), volatility, !f.NotStrict, f.ReturnsSet(), f.Variadic)
}

// B2: signatures, strictness and volatility are those of pg_proc.
func TestFunctionsAgainstCatalog(t *testing.T) {
	rewriteCatalog(t)
	data, err := os.ReadFile(catalogFile)
	require.NoError(t, err)
	want := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		name, description, _ := strings.Cut(line, " => ")
		want[name] = description
	}
	EachFunction(func(f *Function) {
		name := signature(f)
		if !ours[name] && !strings.HasPrefix(name, "ack_") && want[name] != describe(f) {
			t.Errorf("%s is %q, in PostgreSQL %q", name, describe(f), want[name])
		}
	})
	EachOperator(func(op *Operator) {
		name := "operator " + operatorSignature(op)
		if want[name] != describe(op.Function) {
			t.Errorf("%s is %q, in PostgreSQL %q", name, describe(op.Function), want[name])
		}
	})
}

func operatorSignature(op *Operator) string {
	left := "-"
	if op.Left != 0 {
		left = types.FormatType(op.Left, types.NoMod)
	}
	return fmt.Sprintf("%s %s %s", left, op.Name, types.FormatType(op.Right, types.NoMod))
}

// rewriteCatalog asks PostgreSQL about what is registered, with -update.
func rewriteCatalog(t *testing.T) {
	t.Run("update", func(t *testing.T) {
		oracle := pgoracle.StartForUpdate(t)
		var lines []string
		EachFunction(func(f *Function) {
			lines = append(lines, signature(f)+" => "+catalogRow(t, oracle, functionQuery, f.Name,
				vector(f.Args)))
		})
		EachOperator(func(op *Operator) {
			lines = append(lines, "operator "+operatorSignature(op)+" => "+catalogRow(t, oracle,
				operatorQuery, op.Name, fmt.Sprint(uint32(op.Left)), fmt.Sprint(uint32(op.Right))))
		})
		slices.Sort(lines)
		text := strings.Join(slices.Compact(lines), "\n") + "\n"
		require.NoError(t, os.WriteFile(catalogFile, []byte(text), 0o644))
	})
}

const (
	describeProc = `format_type(prorettype, null) || ' ' || provolatile::text ||
		' strict=' || proisstrict::text || ' set=' || proretset::text ||
		' variadic=' || (provariadic <> 0)::text`
	functionQuery = `SELECT ` + describeProc + ` FROM pg_proc
		WHERE proname = $1 AND proargtypes = $2::oidvector AND pronamespace = 11`
	operatorQuery = `SELECT ` + describeProc + ` FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
		WHERE oprname = $1 AND oprleft = $2::oid AND oprright = $3::oid`
)

func vector(oids []OID) string {
	words := make([]string, len(oids))
	for i, oid := range oids {
		words[i] = fmt.Sprint(uint32(oid))
	}
	return strings.Join(words, " ")
}

func catalogRow(t *testing.T, o *pgoracle.Oracle, query string, args ...string) string {
	t.Helper()
	params := make([][]byte, len(args))
	for i, a := range args {
		params[i] = []byte(a)
	}
	result := o.Conn.PgConn().ExecParams(context.Background(), query, params, nil, nil, nil).Read()
	require.NoError(t, result.Err)
	if len(result.Rows) == 0 {
		return "absent"
	}
	return string(result.Rows[0][0])
}
