package parse

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// constants lists every constant of a tree, in the order of the tree's fields.
func constants(tree any) []*Const {
	var out []*Const
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if c, ok := v.Interface().(*Const); ok && c != nil {
				out = append(out, c)
				return
			}
			walk(v.Elem())
		case reflect.Interface:
			walk(v.Elem())
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i))
			}
		}
	}
	walk(reflect.ValueOf(tree))
	return out
}

// requireTemplateAgrees makes a template of a statement and compares what the lexer reads into its
// holes with what the grammar read there.
func requireTemplateAgrees(t *testing.T, s StmtTokens) *Template {
	t.Helper()
	tmpl, err := ParseTemplate(s)
	var feature *FeatureError
	if errors.As(err, &feature) {
		return nil
	}
	require.NoError(t, err, s.Text())
	require.True(t, tmpl.Matches(s), s.Text())
	holes := 0
	for _, c := range constants(tmpl.Stmt.Tree) {
		if c.Lit == NoLit {
			continue
		}
		holes++
		require.Equal(t, *c, s.Const(c), s.Text())
	}
	require.GreaterOrEqual(t, holes, tmpl.Holes, s.Text())
	return tmpl
}

func TestTemplatesOfCorpus(t *testing.T) {
	made := 0
	for _, sql := range append(corpus(t), oddities...) {
		var toks Tokens
		if toks.Lex(sql) != nil {
			continue
		}
		if _, err := Parse(sql); err != nil {
			continue
		}
		for i := range toks.Len() {
			if s := toks.Stmt(i); s.Cacheable() {
				made++
				requireTemplateAgrees(t, s)
			}
		}
	}
	require.Greater(t, made, 70)
}

// lexed gives the only statement of a text.
func lexed(t testing.TB, sql string) StmtTokens {
	t.Helper()
	toks := new(Tokens)
	require.NoError(t, toks.Lex(sql))
	require.Equal(t, 1, toks.Len(), sql)
	return toks.Stmt(0)
}

func TestTemplateMatches(t *testing.T) {
	for _, c := range []struct {
		template string
		same     []string
		other    []string
	}{
		{
			template: "SELECT v FROM kv WHERE k = 'x'",
			same: []string{
				"select V from KV where K='yy'", "SELECT v FROM kv WHERE k = $$z$$",
				"/* x */ SELECT v\nFROM kv -- y\nWHERE k = E'a\\nb'",
			},
			other: []string{
				"SELECT v FROM kv WHERE k = 1", `SELECT v FROM kv WHERE "k" = 'x'`,
				"SELECT v FROM kv WHERE k = $1", "SELECT v FROM kv WHERE k <> 'x'",
				"SELECT v FROM kv WHERE k = 'x' LIMIT 1", "SELECT v FROM kx WHERE k = 'x'",
			},
		},
		{
			template: "UPDATE a SET b = b + -3288 WHERE c = 51",
			same:     []string{"UPDATE a SET b = b + -7 WHERE c = 2147483647"},
			other: []string{
				"UPDATE a SET b = b + 3288 WHERE c = 51", "UPDATE a SET b = b - 3288 WHERE c = 51",
				"UPDATE a SET b = b + -3288 WHERE c = 2147483648",
				"UPDATE a SET b = b + -2147483648 WHERE c = 51",
				"UPDATE a SET b = b + -3288 WHERE c = 5.1",
			},
		},
		{
			template: "SELECT a FROM t WHERE b = 1 LIMIT 10 OFFSET 2",
			same:     []string{"SELECT a FROM t WHERE b = 2 LIMIT 10 OFFSET 2"},
			other: []string{
				"SELECT a FROM t WHERE b = 1 LIMIT 11 OFFSET 2",
				"SELECT a FROM t WHERE b = 1 LIMIT 10 OFFSET 3",
			},
		},
		{
			template: "SELECT a FROM t WHERE b = '1'::varchar(3) AND c = interval '1 day'",
			same:     []string{"SELECT a FROM t WHERE b = '2'::varchar(3) AND c = interval '2 day'"},
			other:    []string{"SELECT a FROM t WHERE b = '1'::varchar(4) AND c = interval '1 day'"},
		},
		{
			template: "SELECT a + 1, b FROM t GROUP BY a + 1, b ORDER BY 2",
			same:     []string{"select a + 1, b from t group by a + 1, b order by 2"},
			other: []string{
				"SELECT a + 2, b FROM t GROUP BY a + 1, b ORDER BY 2",
				"SELECT a + 1, b FROM t GROUP BY a + 1, b ORDER BY 1",
			},
		},
		{
			template: "SELECT DISTINCT c FROM t WHERE id BETWEEN 5 AND 104 ORDER BY c",
			same:     []string{"SELECT DISTINCT c FROM t WHERE id BETWEEN 6 AND 105 ORDER BY c"},
		},
		{
			template: "INSERT INTO t VALUES (1, 'a') ON CONFLICT ((a + 1)) DO NOTHING",
			other:    []string{"INSERT INTO t VALUES (2, 'a') ON CONFLICT ((a + 1)) DO NOTHING"},
		},
		{
			template: "INSERT INTO kv VALUES ('a', 'b') ON CONFLICT (k) DO UPDATE SET v = 'c'",
			same:     []string{"INSERT INTO kv VALUES ('', '') ON CONFLICT (k) DO UPDATE SET v = ''"},
		},
		{
			template: "SELECT EXTRACT(year FROM a), TRUE, NULL, 1",
			same:     []string{"SELECT EXTRACT(YEAR FROM a), true, null, 2"},
			other: []string{
				"SELECT EXTRACT(month FROM a), TRUE, NULL, 1", "SELECT EXTRACT(year FROM a), FALSE, NULL, 1",
			},
		},
	} {
		tmpl := requireTemplateAgrees(t, lexed(t, c.template))
		print := lexed(t, c.template).Fingerprint()
		for _, sql := range c.same {
			require.True(t, tmpl.Matches(lexed(t, sql)), "%s\n%s", c.template, sql)
			require.Equal(t, print, lexed(t, sql).Fingerprint(), sql)
		}
		for _, sql := range c.other {
			require.False(t, tmpl.Matches(lexed(t, sql)), "%s\n%s", c.template, sql)
		}
	}
}

// TestRebind reads other texts' literals through the holes of a template.
func TestRebind(t *testing.T) {
	const template = "INSERT INTO t VALUES (1, -2, 'x', - (3.5), -4000000000)"
	tmpl := requireTemplateAgrees(t, lexed(t, template))
	s := lexed(t, "INSERT INTO t VALUES (1_0, - 2147483647, E'it''s\\n\\'', -(1e3),-0xFFFFFFFF)")
	require.True(t, tmpl.Matches(s))
	var got []Const
	for _, c := range constants(tmpl.Stmt.Tree) {
		v := s.Const(c)
		got = append(got, Const{Kind: v.Kind, Int: v.Int, Str: v.Str})
	}
	require.Equal(t, []Const{
		{Kind: ConstInt4, Int: 10}, {Kind: ConstInt4, Int: -2147483647},
		{Kind: ConstString, Str: "it's\n'"}, {Kind: ConstNumeric, Str: "-1e3"},
		{Kind: ConstInt8, Int: -4294967295},
	}, got)
	require.Equal(t, strings.Index(s.Text(), "E'")+1, s.LiteralPosition(2))
}

func TestIntegerKinds(t *testing.T) {
	for sql, want := range map[string]Const{
		"-2147483648":          {Kind: ConstInt4, Int: -2147483648, Negated: true},
		"2147483648":           {Kind: ConstInt8, Int: 2147483648},
		"-2147483649":          {Kind: ConstInt8, Int: -2147483649, Negated: true},
		"-9223372036854775808": {Kind: ConstInt8, Int: -9223372036854775808, Negated: true},
		"9223372036854775808":  {Kind: ConstNumeric, Str: "9223372036854775808"},
		"- -9223372036854775808": {
			Kind: ConstNumeric, Str: "9223372036854775808",
		},
		"-9223372036854775809": {Kind: ConstNumeric, Str: "-9223372036854775809", Negated: true},
		"0x8000000000000000":   {Kind: ConstNumeric, Str: "9223372036854775808"},
		"007":                  {Kind: ConstInt4, Int: 7},
		"1_0.5":                {Kind: ConstNumeric, Str: "10.5"},
	} {
		stmts, err := Parse("SELECT " + sql)
		require.NoError(t, err)
		got := constants(stmts[0].Tree)
		require.Len(t, got, 1, sql)
		want.Lit, want.Pos = NoLit, 7
		require.Equal(t, want, *got[0], sql)
		requireTemplateAgrees(t, lexed(t, "SELECT "+sql))
	}
}

func TestCacheable(t *testing.T) {
	for sql, want := range map[string]bool{
		"select 1": true, "insert into t values (1)": true, "update t set a = 1": true,
		"delete from t": true, "values (1)": true, "with a as (select 1) table a": true,
		"begin": false, "set a = 1": false, "create table t (a int)": false, "copy t to stdout": false,
		`select E'\n'`: true, `select E'\x41'`: false, `select U&'a'`: false, "select B'1'": false,
		"select " + strings.Repeat("1,", MaxTemplateTokens/2) + "1": false,
	} {
		require.Equal(t, want, lexed(t, sql).Cacheable(), "%.40s", sql)
	}
}
