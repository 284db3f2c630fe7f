package pgwire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
)

// Codes a start-up packet may carry where the protocol's version stands.
const (
	codeCancel = 80877102
	codeSSL    = 80877103
	codeGSS    = 80877104

	protocolMajor    = 3
	protocolMinorMax = 2
)

// Ends of a start-up that get no answer. Events.Refused is told of them.
var (
	ErrProbe         = errors.New("pgwire: connection closed before start-up")
	ErrGarbage       = errors.New("pgwire: not a Postgres start-up packet")
	ErrCancelRequest = errors.New("pgwire: cancel request")
)

// startup reads packets until the one that starts a session. It reads exactly what belongs to each,
// so that nothing of a client is in a buffer of ours when TLS takes over the socket.
func (c *Conn) startup() (*StartupInfo, error) {
	for range startupRoundsMax {
		code, rest, err := readStartupPacket(c.netConn)
		if err != nil {
			return nil, err
		}
		switch code {
		case codeSSL, codeGSS:
			if len(rest) != 0 {
				return nil, ErrGarbage
			}
			if _, err := c.netConn.Write([]byte{'N'}); err != nil {
				return nil, ErrProbe
			}
		case codeCancel:
			c.endpoint.cancelRequest(rest)
			return nil, ErrCancelRequest
		default:
			return c.negotiate(code, rest)
		}
	}
	return nil, ErrGarbage
}

// readStartupPacket checks the length before anything is allocated: "GET " is a length, too.
func readStartupPacket(r io.Reader) (code uint32, rest []byte, err error) {
	var header [startupBytesMin]byte
	if n, err := io.ReadFull(r, header[:]); err != nil {
		if n == 0 {
			return 0, nil, ErrProbe
		}
		return 0, nil, fmt.Errorf("%w: %w", ErrGarbage, err)
	}
	length := binary.BigEndian.Uint32(header[:4])
	if length < startupBytesMin || length > startupBytesMax {
		return 0, nil, fmt.Errorf("%w: length %d", ErrGarbage, length)
	}
	rest = make([]byte, length-startupBytesMin)
	if _, err := io.ReadFull(r, rest); err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrGarbage, err)
	}
	return binary.BigEndian.Uint32(header[4:]), rest, nil
}

// negotiate settles the version. A minor version or an option we do not know is answered with what
// we do know; the client decides whether that is enough.
func (c *Conn) negotiate(version uint32, rest []byte) (*StartupInfo, error) {
	major, minor := version>>16, int(version&0xFFFF)
	if major != protocolMajor {
		return nil, Fatalf(CodeFeatureNotSupported,
			"unsupported frontend protocol %d.%d: server supports %d.0 to %d.%d",
			major, minor, protocolMajor, protocolMajor, protocolMinorMax)
	}
	params, unknown, err := parseStartupParams(rest)
	if err != nil {
		return nil, err
	}
	if minor > protocolMinorMax || len(unknown) > 0 {
		minor = min(minor, protocolMinorMax)
		c.writer.negotiateVersion(minor, unknown)
	}
	if params["user"] == "" {
		return nil, Fatalf(CodeInvalidAuthorizationSpec,
			"no PostgreSQL user name specified in startup packet")
	}
	return &StartupInfo{Params: params, Minor: minor, RemoteAddr: c.netConn.RemoteAddr()}, nil
}

func (w *Writer) negotiateVersion(minor int, unknown []string) {
	start := w.begin('v')
	w.buf = binary.BigEndian.AppendUint32(w.buf, protocolMajor<<16|uint32(minor))
	w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(len(unknown)))
	for _, name := range unknown {
		w.buf = append(w.buf, name...)
		w.buf = append(w.buf, 0)
	}
	w.finish(start)
}

// parseStartupParams reads name and value pairs up to an empty name. None of the protocol options
// ("_pq_.") is known.
func parseStartupParams(rest []byte) (params map[string]string, options []string, err error) {
	params = make(map[string]string)
	for len(rest) > 0 && rest[0] != 0 {
		pair := bytes.SplitN(rest, []byte{0}, 3)
		if len(pair) < 3 {
			return nil, nil, errStartupLayout()
		}
		name, value := string(pair[0]), string(pair[1])
		if strings.HasPrefix(name, "_pq_.") {
			options = append(options, name)
		} else {
			params[name] = value
		}
		rest = pair[2]
	}
	if len(rest) != 1 {
		return nil, nil, errStartupLayout()
	}
	sort.Strings(options)
	return params, options, nil
}

func errStartupLayout() *Error {
	return Fatalf(CodeProtocolViolation,
		"invalid startup packet layout: expected terminator as last byte")
}
