package replica_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/replica"
)

func TestConnInfoForms(t *testing.T) {
	base := replica.ConnInfo{
		Port: replica.PortDefault, User: replica.UserDefault,
		ConnectTimeout: replica.ConnectTimeoutDefault,
	}
	for text, change := range map[string]func(c *replica.ConnInfo){
		"db1":          func(c *replica.ConnInfo) { c.Host = "db1" },
		" db1:6000\n":  func(c *replica.ConnInfo) { c.Host, c.Port = "db1", 6000 },
		"10.0.0.1:1":   func(c *replica.ConnInfo) { c.Host, c.Port = "10.0.0.1", 1 },
		"[::1]:6000":   func(c *replica.ConnInfo) { c.Host, c.Port = "::1", 6000 },
		"[fe80::1%e]":  func(c *replica.ConnInfo) { c.Host = "fe80::1%e" },
		"host=a":       func(c *replica.ConnInfo) { c.Host = "a" },
		"hostaddr=1.2": func(c *replica.ConnInfo) { c.Host = "1.2" },
		"host=a port=": func(c *replica.ConnInfo) { c.Host = "a" },
		"host = a  port= 7 user =u": func(c *replica.ConnInfo) {
			c.Host, c.Port, c.User = "a", 7, "u"
		},
		`host='a' application_name='it''s'`: nil,
		`host='a' application_name='it\'s a \\' user=x\ y`: func(c *replica.ConnInfo) {
			c.Host, c.ApplicationName, c.User = "a", `it's a \`, "x y"
		},
		"host=a host=b": func(c *replica.ConnInfo) { c.Host = "b" },
		"host=a fallback_application_name=f": func(c *replica.ConnInfo) {
			c.Host, c.ApplicationName = "a", "f"
		},
		"host=a fallback_application_name=f application_name=n": func(c *replica.ConnInfo) {
			c.Host, c.ApplicationName = "a", "n"
		},
		"host=a connect_timeout=1": func(c *replica.ConnInfo) {
			c.Host, c.ConnectTimeout = "a", replica.ConnectTimeoutMin
		},
		"host=a connect_timeout=0": func(c *replica.ConnInfo) {
			c.Host, c.ConnectTimeout = "a", replica.ConnectTimeoutMax
		},
		"host=a connect_timeout=30": func(c *replica.ConnInfo) {
			c.Host, c.ConnectTimeout = "a", 30*time.Second
		},
		"postgres://u@a:7/d?application_name=n%20m": func(c *replica.ConnInfo) {
			*c = replica.ConnInfo{Host: "a", Port: 7, User: "u", Database: "d",
				ApplicationName: "n m", ConnectTimeout: c.ConnectTimeout}
		},
		"postgresql://[::1]": func(c *replica.ConnInfo) { c.Host = "::1" },
		// What pg_basebackup -R writes.
		`user=postgres passfile='/root/.pgpass' channel_binding=prefer host=127.0.0.1 port=5433 ` +
			`sslmode=prefer sslcompression=0 sslsni=1 ssl_min_protocol_version=TLSv1.2 ` +
			`gssencmode=prefer krbsrvname=postgres target_session_attrs=any`: func(c *replica.ConnInfo) {
			c.Host, c.Port = "127.0.0.1", 5433
		},
	} {
		got, err := replica.ParseConnInfo(text)
		if change == nil {
			require.ErrorIs(t, err, replica.ErrConnInfo, text)
			continue
		}
		want := base
		change(&want)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
		again, err := replica.ParseConnInfo(got.String())
		require.NoError(t, err, got.String())
		require.Equal(t, got, again, text)
	}
}

func TestConnInfoRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"":                               "host is missing",
		"user=x":                         "host is missing",
		"host=a,b":                       "one host",
		"host=/var/run":                  "unix sockets",
		"a b":                            "blank",
		"host=a port=0":                  "port",
		"host=a port=65536":              "port",
		"host=a port=-1":                 "port",
		"a:b:c":                          "HOST:PORT",
		"host=a conect_timeout=1":        `unknown keyword "conect_timeout"`,
		"host=a connect_timeout=x":       "connect_timeout",
		"host=a sslmode=require":         "sslmode=require is not supported",
		"host=a password=geheim":         "passwords are not supported",
		"postgres://u:geheim@a/":         "passwords are not supported",
		"postgres://u:geh%eim@a/":        "cannot be read",
		"postgres://a/?password=geheim":  "passwords are not supported",
		"host=a user":                    `missing "=" after "user"`,
		"=a":                             "expected keyword=value",
		"host='a":                        "unterminated",
		"host=a\x00":                     "zero byte",
		string(make([]byte, 2000)):       "2000 bytes",
		"host=a target_session_attrs=rw": "not supported",
	} {
		_, err := replica.ParseConnInfo(text)
		require.ErrorIs(t, err, replica.ErrConnInfo, text)
		require.ErrorContains(t, err, says, text)
		require.NotContains(t, err.Error(), "geheim", text)
	}
}

func FuzzParseConnInfo(f *testing.F) {
	for _, text := range []string{
		"db1:6000", "host=a port=7 user='x y'", `host=a application_name=it\'s`,
		"postgres://u@a:7/d?application_name=n", "[::1]:7", "host=a connect_timeout=3",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := replica.ParseConnInfo(text)
		if err != nil {
			require.ErrorIs(t, err, replica.ErrConnInfo)
			return
		}
		again, err := replica.ParseConnInfo(c.String())
		if len(c.String()) > replica.ConnInfoBytesMax {
			return // escaping and defaults made it longer
		}
		require.NoError(t, err, "%q", c.String())
		require.Equal(t, c, again, "%q", c.String())
	})
}
