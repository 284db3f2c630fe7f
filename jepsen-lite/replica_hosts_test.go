package jepsenlite

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// clients connect to the first node of a multi-host string that fits, and return its port.
var clients = map[string]func(t *testing.T, dsn string) (port string, err error){
	"pgx": func(t *testing.T, dsn string) (string, error) {
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			return "", err
		}
		defer conn.Close(t.Context())
		_, port, err := net.SplitHostPort(conn.PgConn().Conn().RemoteAddr().String())
		return port, err
	},
	"psql": func(t *testing.T, dsn string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "psql", "-X", "-q", "-At", dsn)
		cmd.Stdin = strings.NewReader(`\echo :PORT`)
		cmd.Env = append(os.Environ(), "PSQLRC=/dev/null")
		out, err := cmd.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	},
}

// Every value of target_session_attrs finds its node, whichever comes first in the string, with
// libpq and with pgx; and none where there is none.
func TestReplicaAndPrimaryAreFoundByTargetSessionAttrs(t *testing.T) {
	c := newCluster(t)
	a := startPrimary(t, c, "a")
	b := startReplica(t, c, "b", a.Addr)
	requireSame(t, a, b)
	nobody := &Node{}
	for name, connect := range clients {
		if _, err := exec.LookPath(name); name == "psql" && err != nil {
			t.Log("SKIPPED, psql is missing: apt-get install postgresql-client-15")
			continue
		}
		for attrs, want := range map[string]struct {
			primaryFirst, standbyFirst, primaryOnly, standbyOnly *Node
		}{
			"any":            {a, b, a, b},
			"read-write":     {a, a, a, nobody},
			"read-only":      {b, b, nobody, b},
			"primary":        {a, a, a, nobody},
			"standby":        {b, b, nobody, b},
			"prefer-standby": {b, b, a, b},
		} {
			for _, try := range []struct {
				nodes []*Node
				want  *Node
			}{{[]*Node{a, b}, want.primaryFirst}, {[]*Node{b, a}, want.standbyFirst},
				{[]*Node{a}, want.primaryOnly}, {[]*Node{b}, want.standbyOnly}} {
				port, err := connect(t, MultiHost(attrs, try.nodes...))
				if try.want == nobody {
					require.Error(t, err, "%s %s: found %s", name, attrs, port)
					continue
				}
				require.NoError(t, err, "%s %s: %s", name, attrs, port)
				require.Equal(t, portOf(t, try.want), port, "%s %s", name, attrs)
			}
		}
	}

	// A node that is down is passed over, and after a promotion it is the other that is found.
	require.NoError(t, a.Kill())
	promote(t, b)
	for name, connect := range clients {
		if _, err := exec.LookPath(name); name == "psql" && err != nil {
			continue
		}
		port, err := connect(t, MultiHost("read-write", a, b))
		require.NoError(t, err, port)
		require.Equal(t, portOf(t, b), port)
	}
}

func portOf(t *testing.T, n *Node) string {
	t.Helper()
	_, port, err := net.SplitHostPort(n.Addr)
	require.NoError(t, err)
	return port
}
