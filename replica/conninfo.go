package replica

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ConnInfo says where a standby's primary is and how the standby names itself there.
type ConnInfo struct {
	Host            string
	Port            int
	User            string
	Database        string // shown only: a replication connection has none
	ApplicationName string // "" leaves the choice to whoever connects
	ConnectTimeout  time.Duration
}

// The defaults and bounds of a ConnInfo.
const (
	PortDefault           = 5433
	UserDefault           = "postgres"
	ConnectTimeoutDefault = 10 * time.Second
	ConnectTimeoutMin     = 2 * time.Second // less than two seconds is two, as in libpq
	ConnectTimeoutMax     = 10 * time.Minute

	// ConnInfoBytesMax bounds the text: it has to fit into control.
	ConnInfoBytesMax = 1024
)

// ErrConnInfo comes with every text that is no connection string.
var ErrConnInfo = errors.New("replica: invalid connection string")

func badConnInfo(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrConnInfo, fmt.Sprintf(format, args...))
}

// ParseConnInfo reads HOST:PORT, keyword = value pairs, or a postgres:// address.
func ParseConnInfo(text string) (ConnInfo, error) {
	if len(text) > ConnInfoBytesMax {
		return ConnInfo{}, badConnInfo("%d bytes, the most is %d", len(text), ConnInfoBytesMax)
	}
	if strings.IndexByte(text, 0) >= 0 {
		return ConnInfo{}, badConnInfo("it holds a zero byte")
	}
	text = strings.TrimSpace(text)
	var pairs []connPair
	var err error
	switch {
	case strings.HasPrefix(text, "postgres://"), strings.HasPrefix(text, "postgresql://"):
		pairs, err = urlPairs(text)
	case strings.Contains(text, "="):
		pairs, err = keywordPairs(text)
	default:
		pairs, err = hostPortPairs(text)
	}
	if err != nil {
		return ConnInfo{}, err
	}
	return connInfoOf(pairs)
}

// connPair is one keyword and its value.
type connPair struct{ key, value string }

// connInfoOf is what the pairs say; of a keyword that comes twice the last counts.
func connInfoOf(pairs []connPair) (ConnInfo, error) {
	c := ConnInfo{Port: PortDefault, User: UserDefault, ConnectTimeout: ConnectTimeoutDefault}
	fallback := ""
	for _, p := range pairs {
		if err := c.set(p, &fallback); err != nil {
			return ConnInfo{}, err
		}
	}
	if c.ApplicationName == "" {
		c.ApplicationName = fallback
	}
	if c.Host == "" {
		return ConnInfo{}, badConnInfo("host is missing")
	}
	return c, nil
}

func (c *ConnInfo) set(p connPair, fallback *string) (err error) {
	switch p.key {
	case "host", "hostaddr":
		c.Host, err = parseHost(p.value)
	case "port":
		c.Port, err = parsePort(p.value)
	case "user":
		c.User = p.value
		if p.value == "" {
			c.User = UserDefault
		}
	case "dbname":
		c.Database = p.value
	case "application_name":
		c.ApplicationName = p.value
	case "fallback_application_name":
		*fallback = p.value
	case "connect_timeout":
		c.ConnectTimeout, err = parseConnectTimeout(p.value)
	default:
		err = acceptable(p)
	}
	return err
}

// withoutEffect are keywords of libpq that are taken and change nothing here, because tools write
// all of them into the connection strings they generate.
var withoutEffect = []string{
	"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
	"tcp_user_timeout", "passfile", "sslcompression", "sslsni", "ssl_min_protocol_version",
	"ssl_max_protocol_version", "krbsrvname", "gsslib", "replication",
}

// onlyThese are keywords that would promise something which is not there: taken with the values
// that promise nothing, refused with any other.
var onlyThese = map[string][]string{
	"sslmode":              {"disable", "allow", "prefer"},
	"gssencmode":           {"disable", "prefer"},
	"channel_binding":      {"disable", "prefer"},
	"target_session_attrs": {"any"},
	"client_encoding":      {"auto", "UTF8", "utf8", "UTF-8"},
}

func acceptable(p connPair) error {
	if slices.Contains(withoutEffect, p.key) {
		return nil
	}
	values, known := onlyThese[p.key]
	switch {
	case !known:
		return badConnInfo("unknown keyword %q", p.key)
	case !slices.Contains(values, p.value):
		return badConnInfo("%s=%s is not supported, only %s", p.key, p.value,
			strings.Join(values, ", "))
	}
	return nil
}

func parseHost(s string) (string, error) {
	switch {
	case strings.Contains(s, ","):
		return "", badConnInfo("host %q: a standby follows one host", s)
	case strings.HasPrefix(s, "/"), strings.HasPrefix(s, "@"):
		return "", badConnInfo("host %q: unix sockets are not supported", s)
	case strings.ContainsAny(s, " \t\r\n"):
		return "", badConnInfo("host %q holds a blank", s)
	}
	return s, nil
}

func parsePort(s string) (int, error) {
	if s == "" {
		return PortDefault, nil
	}
	port, err := strconv.ParseUint(s, 10, 16)
	if err != nil || port == 0 {
		return 0, badConnInfo("port %q is not a number from 1 to 65535", s)
	}
	return int(port), nil
}

// parseConnectTimeout reads seconds. Zero asks libpq to wait for ever; here it is the longest
// wait there is, since every wait is bounded.
func parseConnectTimeout(s string) (time.Duration, error) {
	seconds, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return 0, badConnInfo("connect_timeout %q is not a number of seconds", s)
	}
	if seconds <= 0 {
		return ConnectTimeoutMax, nil
	}
	d := time.Duration(seconds) * time.Second
	return min(max(d, ConnectTimeoutMin), ConnectTimeoutMax), nil
}

// hostPortPairs reads HOST, HOST:PORT and [IPV6]:PORT.
func hostPortPairs(text string) ([]connPair, error) {
	if bare, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(bare, "]") {
		return []connPair{{"host", strings.TrimSuffix(bare, "]")}}, nil
	}
	if !strings.Contains(text, ":") {
		return []connPair{{"host", text}}, nil
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return nil, badConnInfo("%q is not HOST:PORT", text)
	}
	return []connPair{{"host", host}, {"port", port}}, nil
}

// urlPairs reads postgres://user@host:port/dbname?keyword=value.
func urlPairs(text string) ([]connPair, error) {
	u, err := url.Parse(text)
	if err != nil {
		// The parser's own message quotes the address, and with it whatever secret is in it.
		return nil, badConnInfo("the address cannot be read")
	}
	if _, has := u.User.Password(); has {
		return nil, errPassword()
	}
	pairs := []connPair{{"host", u.Hostname()}, {"port", u.Port()}}
	if u.User != nil {
		pairs = append(pairs, connPair{"user", u.User.Username()})
	}
	if name := strings.TrimPrefix(u.Path, "/"); name != "" {
		pairs = append(pairs, connPair{"dbname", name})
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, badConnInfo("the address cannot be read")
	}
	for key, values := range query {
		pairs = append(pairs, connPair{key, values[len(values)-1]})
	}
	return pairs, checkPassword(pairs)
}

// Nothing here could use a password, and it would be shown in views and kept in control.
func errPassword() error { return badConnInfo("passwords are not supported") }

func checkPassword(pairs []connPair) error {
	for _, p := range pairs {
		if p.key == "password" || p.key == "sslpassword" {
			return errPassword()
		}
	}
	return nil
}

// Addr is where to connect.
func (c ConnInfo) Addr() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.Port)) }

// String is the connection string in keyword form; ParseConnInfo reads it back.
func (c ConnInfo) String() string {
	pairs := []connPair{
		{"host", c.Host}, {"port", strconv.Itoa(c.Port)}, {"user", c.User},
		{"dbname", c.Database}, {"application_name", c.ApplicationName},
	}
	if c.ConnectTimeout != ConnectTimeoutDefault {
		pairs = append(pairs, connPair{"connect_timeout",
			strconv.FormatInt(int64(c.ConnectTimeout/time.Second), 10)})
	}
	var out []string
	for _, p := range pairs {
		if p.value != "" {
			out = append(out, p.key+"="+quoteConnValue(p.value))
		}
	}
	return strings.Join(out, " ")
}
