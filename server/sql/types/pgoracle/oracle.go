package pgoracle

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"ackdb/server/sql/types"
)

// BinDir holds the programs of PostgreSQL 15.
const BinDir = "/usr/lib/postgresql/15/bin"

// Oracle is a PostgreSQL 15 of a test's own.
type Oracle struct {
	Conn *pgx.Conn
}

// startTimeout bounds how long a server may take to accept connections.
const startTimeout = 30 * time.Second

// addressVariable names a PostgreSQL 15 that runs already, to save the start of one.
const addressVariable = "ACKDB_PGORACLE"

// Start runs a PostgreSQL 15 on a Unix socket in a temporary directory until the test ends. It
// skips the test, saying so, where the programs are missing.
func Start(t *testing.T) *Oracle {
	t.Helper()
	if address := os.Getenv(addressVariable); address != "" {
		return &Oracle{Conn: dial(t, address)}
	}
	if _, err := os.Stat(filepath.Join(BinDir, "initdb")); err != nil {
		t.Skipf("SKIPPED: no PostgreSQL 15 in %s to compare with", BinDir)
	}
	dir, err := os.MkdirTemp("", "pgoracle")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	data := filepath.Join(dir, "data")
	credential := unprivileged(t, dir)
	initdb := command(credential, "initdb", "-D", data, "--lc-collate=C",
		"--lc-ctype=C.UTF-8", "-E", "UTF8", "-A", "trust", "-U", "postgres", "--no-sync")
	out, err := initdb.CombinedOutput()
	require.NoError(t, err, string(out))
	server := command(credential, "postgres", "-D", data, "-k", dir, "-c", "listen_addresses=",
		"-c", "fsync=off", "-c", "timezone=UTC")
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGINT)
		_ = server.Wait()
	})
	return &Oracle{Conn: dial(t, "host="+dir+" user=postgres dbname=postgres")}
}

// unprivileged gives the directory to the user postgres when the test runs as root, as whom
// PostgreSQL refuses to start.
func unprivileged(t *testing.T, dir string) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		t.Skip("SKIPPED: running as root, and there is no user postgres to run PostgreSQL as")
	}
	uid, err := strconv.Atoi(account.Uid)
	require.NoError(t, err)
	gid, err := strconv.Atoi(account.Gid)
	require.NoError(t, err)
	require.NoError(t, os.Chown(dir, uid, gid))
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func command(credential *syscall.Credential, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(BinDir, name), args...)
	cmd.Dir = "/"
	if credential != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	}
	return cmd
}

func dial(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	var conn *pgx.Conn
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		var err error
		conn, err = pgx.Connect(ctx, address)
		require.NoError(c, err)
	}, startTimeout, 100*time.Millisecond)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func (o *Oracle) reset(t *testing.T) {
	t.Helper()
	_, err := o.Conn.Exec(context.Background(), "RESET ALL")
	require.NoError(t, err)
}

// Set changes a setting of the session.
func (o *Oracle) Set(t *testing.T, name, value string) {
	t.Helper()
	_, err := o.Conn.Exec(context.Background(), "SELECT set_config($1, $2, false)", name, value)
	require.NoError(t, err)
}

// Eval asks for the value of an expression, in text and in binary.
func (o *Oracle) Eval(t *testing.T, expr string) Result {
	t.Helper()
	query := "SELECT " + expr
	text := o.query(t, query, 0)
	if text.Err != nil || text.Null {
		return text
	}
	text.Binary = []byte(o.query(t, query, 1).Text)
	return text
}

func (o *Oracle) query(t *testing.T, query string, format int16) Result {
	t.Helper()
	ctx := context.Background()
	result := o.Conn.PgConn().ExecParams(ctx, query, nil, nil, nil, []int16{format}).Read()
	if result.Err != nil {
		return Result{Err: convertError(t, result.Err)}
	}
	require.NotEmpty(t, result.FieldDescriptions, query)
	field := result.FieldDescriptions[0]
	r := Result{Type: types.FormatType(types.OID(field.DataTypeOID), types.NoMod), Null: true}
	if len(result.Rows) > 0 && result.Rows[0][0] != nil {
		r.Null, r.Text = false, string(result.Rows[0][0])
	}
	return r
}

func convertError(t *testing.T, err error) error {
	t.Helper()
	var pg *pgconn.PgError
	require.True(t, errors.As(err, &pg), "%v", err)
	return &types.Error{Code: types.Code(pg.Code), Message: strings.TrimSpace(pg.Message),
		Detail: pg.Detail, Hint: pg.Hint, Context: jsonContext(pg.Where)}
}

// jsonContext keeps the context that a type's input gives; that of SQL functions is not compared.
func jsonContext(where string) string {
	if strings.HasPrefix(where, "JSON data") {
		return where
	}
	return ""
}
