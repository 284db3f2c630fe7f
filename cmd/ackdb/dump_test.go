package main

import (
	"bytes"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/pgwire"
)

// setUp runs statements on a server.
func setUp(t *testing.T, addr string, statements ...string) {
	t.Helper()
	client, err := pgwire.Dial(t.Context(), addr, map[string]string{"user": "postgres"})
	require.NoError(t, err)
	defer client.Close()
	for _, statement := range statements {
		_, err := client.QueryAll(t.Context(), statement)
		require.NoError(t, err, statement)
	}
}

// TestDumpSelects: what is asked for is written and nothing else, and what cannot be written right
// is not written at all. That a dump loads is shown by jepsen-lite/clients.
func TestDumpSelects(t *testing.T) {
	p := start(t, t.TempDir())
	defer p.stop(syscall.SIGTERM)
	setUp(t, p.addr, "CREATE SCHEMA s", `CREATE TABLE s."T" (k serial PRIMARY KEY, v text)`,
		`INSERT INTO s."T" (v) VALUES ('one'), ('two')`, "CREATE SEQUENCE alone",
		"CREATE TABLE other (k int)", `CREATE VIEW v AS SELECT k FROM s."T"`)

	out, errs, code := run(t, "dump", "--addr", p.addr)
	require.Zero(t, code, errs)
	require.Contains(t, out, "CREATE SCHEMA s;")
	require.Contains(t, out, "CREATE TABLE IF NOT EXISTS public.kv (")
	require.Contains(t, out, "COPY s.\"T\" (k, v) FROM stdin;\n1\tone\n2\ttwo\n\\.\n")
	require.Contains(t, out, `setval('s."T_k_seq"', 2, true)`)
	require.Contains(t, out, "CREATE VIEW public.v (k) AS")
	require.True(t, strings.HasSuffix(out, "-- The dump is whole.\n"))
	require.Contains(t, errs, "3 tables, 2 rows\n")

	out, _, code = run(t, "dump", "--addr", p.addr, "--data-only")
	require.Zero(t, code)
	require.NotContains(t, out, "CREATE")
	require.Contains(t, out, "\tone\n")
	out, _, code = run(t, "dump", "--addr", p.addr, "--schema-only")
	require.Zero(t, code)
	require.NotContains(t, out, "COPY")
	require.NotContains(t, out, "setval")
	for _, name := range []string{`"T"`, `s."T"`} {
		out, _, code = run(t, "dump", "--addr", p.addr, "--table", name)
		require.Zero(t, code)
		require.Contains(t, out, "\tone\n")
		require.Contains(t, out, "OWNED BY s.\"T\".k;")
		require.NotContains(t, out, "other")
		require.NotContains(t, out, "alone")
	}
	_, errs, code = run(t, "dump", "--addr", p.addr, "--table", "nothere")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "no table is named nothere")

	setUp(t, p.addr, `ALTER TABLE s."T" RENAME TO renamed`)
	out, errs, code = run(t, "dump", "--addr", p.addr)
	require.Zero(t, code, errs)
	require.Contains(t, out, "CREATE VIEW public.v (k) AS\n SELECT renamed.k\n   FROM s.renamed;\n")
}

func TestDumpProgress(t *testing.T) {
	var out bytes.Buffer
	p := &progress{w: &out, done: make(chan struct{})}
	p.print()
	p.begin("public.t", 2, 3)
	p.add(1_000_000)
	p.add(500_000)
	p.print()
	p.stop()
	require.Equal(t, "ackdb dump: reading definitions\n"+
		"ackdb dump: public.t, table 2 of 3: 2 rows, 1.5 MB; 2 rows in all\n"+
		"ackdb dump: 2 tables, 2 rows\n", out.String())
	require.Equal(t, time.Second, progressEvery)
}
