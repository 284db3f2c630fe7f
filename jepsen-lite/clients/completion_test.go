package clients

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// TestPsqlTabCompletion runs the queries that psql 15 sends when Tab is pressed twice after some
// fifty beginnings of statements, as a PostgreSQL logged them. psql sorts what it gets, so rows are
// compared in sorted order.
//
// Regenerate the expected rows, from PostgreSQL:
//
//	go test ./jepsen-lite/clients -run TabCompletion -update
func TestPsqlTabCompletion(t *testing.T) {
	const expected = "testdata/completion/rows.out"
	if postgres != nil {
		theirs := completions(t, "host=127.0.0.1 user=postgres dbname=postgres port="+
			strconv.Itoa(postgres.Port))
		compareStored(t, expected, theirs)
	}
	require.Equal(t, read(t, expected), completions(t, node.DSN()))
}

func completions(t *testing.T, dsn string) string {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	require.NoError(t, err)
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	do(t, conn, read(t, "testdata/completion/schema.sql"))
	defer do(t, conn, "DROP SCHEMA completed CASCADE")
	var out strings.Builder
	for query := range strings.SplitSeq(read(t, "testdata/completion/queries.sql"), ";\n") {
		query = strings.TrimSpace(query)
		if query == "" {
			continue
		}
		results, err := conn.PgConn().Exec(t.Context(), query).ReadAll()
		require.NoError(t, err, query)
		var rows []string
		for _, row := range results[0].Rows {
			rows = append(rows, strings.TrimRight(strings.Join(texts(row), "|"), "|"))
		}
		slices.Sort(rows)
		out.WriteString(query + "\n    " + strings.Join(rows, "\n    ") + "\n\n")
	}
	return out.String()
}

func texts(row [][]byte) (texts []string) {
	for _, value := range row {
		texts = append(texts, string(value))
	}
	return texts
}
