package exec_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ackdb/server/sql/plan"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// definitions runs a file of testdata/definitions.
//
//	sql      statements
//	define   a query, of which a view is made; its definition in the plain and the pretty form,
//	         with -- between, is what PostgreSQL 15 prints
//	rename   statements after which every view of the file must still give the rows it gave, and
//	         the definitions they have then
type definitions struct {
	s     *session
	views []string
	rows  map[string]string // of each view, when it was made
}

// TestDefinitions: the text of a definition is PostgreSQL's, and it is the definition: a view made
// of it gives the same rows, and has the same text again. So has one made of the text that the
// catalog keeps.
func TestDefinitions(t *testing.T) {
	files, err := filepath.Glob("testdata/definitions/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			d := &definitions{s: newNode(t).session(), rows: map[string]string{}}
			datadriven.RunTest(t, file, func(t *testing.T, c *datadriven.TestData) string {
				switch c.Cmd {
				case "sql":
					return d.s.run(context.Background(), c.Input)
				case "rename":
					d.do(t, c.Input)
					var texts strings.Builder
					for _, name := range d.views {
						require.Equal(t, d.rows[name], d.rowsOf(name), name)
						require.NoError(t, d.roundTrip(t, name, nil), name)
						texts.WriteString(d.text(t, name, plan.Layout{}) + "\n")
					}
					return texts.String()
				}
				name := fmt.Sprintf("v%d", len(d.views)+1)
				if out := d.s.run(context.Background(), "CREATE VIEW "+name+" AS "+c.Input); out !=
					"CREATE VIEW\n" {
					return out
				}
				d.views = append(d.views, name)
				d.rows[name] = d.rowsOf(name)
				require.NoError(t, d.roundTrip(t, name, nil), c.Pos)
				return d.text(t, name, plan.Layout{}) + "\n--\n" +
					d.text(t, name, plan.Layout{Pretty: true}) + "\n"
			})
		})
	}
}

func (d *definitions) do(t *testing.T, sql string) {
	out := d.s.run(context.Background(), sql)
	require.NotContains(t, out, "ERROR", sql)
}

// rowsOf gives a view's rows, in whatever order they come.
func (d *definitions) rowsOf(view string) string {
	rows := strings.Split(d.s.run(context.Background(), "SELECT * FROM "+view), "\n")
	slices.Sort(rows)
	return strings.Join(rows, "\n")
}

func (d *definitions) text(t *testing.T, view string, layout plan.Layout) string {
	d.s.begin()
	defer func() { require.NoError(t, d.s.end(false)) }()
	env := d.s.env(nil).Plan()
	text, err := plan.ViewText(env, env.Catalog.Relation("public", view).View, layout)
	require.NoError(t, err)
	return text
}

// roundTrip makes views of the texts of a view, and says what is different about them. harm, when
// set, changes a text before it is read again.
func (d *definitions) roundTrip(t *testing.T, view string, harm func(string) string) error {
	plain := d.text(t, view, plan.Layout{})
	layouts := []plan.Layout{{}, {Pretty: true}, {Pretty: true, Wrap: 60}, {Kept: true}}
	for _, layout := range layouts {
		text := d.text(t, view, layout)
		if harm != nil {
			text = harm(text)
		}
		again, err := d.reread(t, view, text)
		if err != nil {
			return err
		}
		// An AND of an AND is read again as one, as PostgreSQL does, unless the text is kept.
		if !layout.Kept {
			third, err := d.reread(t, view, again)
			if err != nil || third != again {
				return fmt.Errorf("%v: the text changes again:\n%s\n%s", err, again, third)
			}
		} else if again != plain {
			return fmt.Errorf("what is kept is another query:\n%s\n%s", plain, again)
		}
	}
	return nil
}

// reread makes a view of a text and gives the text that view has, if it has the rows of the other.
func (d *definitions) reread(t *testing.T, view, text string) (string, error) {
	if out := d.s.run(context.Background(), "CREATE VIEW again AS "+text); out != "CREATE VIEW\n" {
		return "", fmt.Errorf("%s\n%s", text, out)
	}
	defer d.do(t, "DROP VIEW again")
	if rows := d.rowsOf("again"); rows != d.rowsOf(view) {
		return "", fmt.Errorf("other rows of\n%s\n%s\n%s", text, rows, d.rowsOf(view))
	}
	return d.text(t, "again", plan.Layout{}), nil
}

// TestDefinitionsAreCompared is the negative control: a text that lost a cast, a bound or a join's
// side is found out.
func TestDefinitionsAreCompared(t *testing.T) {
	d := &definitions{s: newNode(t).session()}
	d.do(t, `CREATE TABLE t (a int, n numeric); INSERT INTO t VALUES (1, 1), (2, 2.5);
		CREATE VIEW v AS SELECT x.a, x.n::int AS i FROM t x LEFT JOIN t y ON y.a > x.a
		WHERE x.n > 1`)
	require.NoError(t, d.roundTrip(t, "v", nil))
	for _, harm := range [][2]string{{"::integer", ""}, {"> (1)", ">= (1)"}, {"LEFT JOIN", "JOIN"},
		{"y.a > x.a", "y.a > y.a"}, {"AS i", "AS j"}} {
		require.Error(t, d.roundTrip(t, "v", func(text string) string {
			return strings.Replace(text, harm[0], harm[1], 1)
		}), harm)
	}
}

// TestDefinitionsOracle holds the expected texts against a PostgreSQL 15.
func TestDefinitionsOracle(t *testing.T) {
	if *oracle == "" {
		t.Skip("no -oracle given")
	}
	files, err := filepath.Glob("testdata/definitions/*.txt")
	require.NoError(t, err)
	ctx := context.Background()
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			conn, err := pgconn.Connect(ctx, *oracle)
			require.NoError(t, err)
			defer conn.Close(ctx)
			do := func(sql string) string {
				results, err := conn.Exec(ctx, sql).ReadAll()
				if err != nil {
					return describeOracle(err, 0) + "\n"
				}
				if last := results[len(results)-1]; len(last.Rows) > 0 {
					return strings.TrimSuffix(string(last.Rows[0][0]), ";")
				}
				return ""
			}
			do(`SET client_min_messages = error; DROP SCHEMA IF EXISTS s CASCADE;
				DROP SCHEMA public CASCADE; CREATE SCHEMA public`)
			views := 0
			datadriven.RunTest(t, file, func(t *testing.T, c *datadriven.TestData) string {
				text := func(view int, pretty bool) string {
					const ask = "SELECT pg_get_viewdef('v%d'::regclass, %t)"
					return do(fmt.Sprintf(ask, view, pretty)) + "\n"
				}
				got := ""
				switch c.Cmd {
				case "define":
					if got = do(fmt.Sprintf("CREATE VIEW v%d AS %s", views+1, c.Input)); got == "" {
						views++
						got = text(views, false) + "--\n" + text(views, true)
					}
				case "rename":
					do(c.Input)
					for view := range views {
						got += text(view+1, false)
					}
				default:
					do(c.Input)
					return c.Expected
				}
				if got != c.Expected {
					t.Errorf("%s\n%s\n%s", c.Pos, c.Input, differing(c.Expected, got))
				}
				return c.Expected
			})
		})
	}
}
