package pgwire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgproto3/v2"
)

// Result is what one statement answered.
type Result struct {
	Columns []string    // nil when it returns no rows
	Rows    [][]*string // nil is NULL
	Tag     string
	Notices []*Error
}

// ErrUnexpected is a message of the server that has no place where it came.
var ErrUnexpected = errors.New("pgwire: unexpected message from the server")

// answerLimit is the largest body a Client takes of a message, or the refusal of its type.
func answerLimit(typ byte) (int, error) {
	switch typ {
	case 'D', 'd', 'E', 'N', 'T', 'A', 'S':
		return serverMessageBytes, nil
	case 'R', 'K', 'v', 'Z', 'C', 'I', 'W', 'H', 'G', 'c', '1', '2', '3', 'n', 's', 't':
		return smallMessageBytes, nil
	}
	return 0, fmt.Errorf("%w: type %q", ErrUnexpected, typ)
}

// answers gathers results.
type answers struct {
	results []*Result
	current *Result
	bytes   int
	failed  error // an error of the server, which ReadyForQuery follows, or the end
}

// ends is what a call of results waits for, besides ReadyForQuery.
type ends byte

const (
	untilReady    ends = 'Z'
	untilCopyOut  ends = 'H'
	untilCopyBoth ends = 'W'
)

// results reads up to ReadyForQuery, or the beginning of the copy asked for. A server that ends the
// connection has said why just before.
func (c *Client) results(until ends) (*answers, error) {
	a := &answers{}
	for {
		typ, body, err := c.in.next()
		if err != nil && a.failed != nil {
			err = a.failed
		}
		if err != nil {
			return a, err
		}
		switch typ {
		case byte(until), 'Z':
			if a.failed == nil && typ != byte(until) {
				a.failed = fmt.Errorf("%w: no copy began", ErrUnexpected)
			}
			return a, a.failed
		case 'S':
			err = c.parameter(body)
		case 'E':
			a.failed, err = decodeError(body)
		default:
			err = a.take(typ, body)
		}
		if err != nil {
			return a, c.misread(err)
		}
	}
}

// misread ends the connection: where in the stream we are is not known any more.
func (c *Client) misread(err error) error {
	c.breakOff(err)
	return err
}

func (c *Client) parameter(src []byte) error {
	b := body{rest: src}
	name, value := string(b.cstring()), string(b.cstring())
	if b.short {
		return errShort("ParameterStatus")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.params[name] = value
	return nil
}

// take adds one message.
func (a *answers) take(typ byte, src []byte) error {
	switch typ {
	case 'R':
		return authenticated(src)
	case 'T':
		columns, err := decodeColumns(src)
		a.open().Columns = columns
		return err
	case 'D':
		return a.row(src)
	case 'N':
		notice, err := decodeError(src)
		a.open().Notices = append(a.open().Notices, notice)
		return err
	case 'C', 'I':
		b := body{rest: src}
		return a.complete(string(b.cstring()))
	case 'A', 'K', 'v':
		return nil
	}
	return fmt.Errorf("%w: type %q", ErrUnexpected, typ)
}

func (a *answers) open() *Result {
	if a.current == nil {
		a.current = &Result{}
	}
	return a.current
}

func (a *answers) complete(tag string) error {
	if len(a.results) == clientResultsMax {
		return fmt.Errorf("%w: more than %d results", ErrUnexpected, clientResultsMax)
	}
	a.open().Tag = tag
	a.results = append(a.results, a.current)
	a.current = nil
	return nil
}

func (a *answers) row(src []byte) error {
	if a.bytes += len(src); a.bytes > clientRowBytes {
		return fmt.Errorf("%w: more than %d bytes of rows", ErrUnexpected, clientRowBytes)
	}
	r := a.open()
	row, err := decodeRow(src, len(r.Columns))
	r.Rows = append(r.Rows, row)
	return err
}

// authenticated: the only method spoken is none.
func authenticated(src []byte) error {
	if len(src) < 4 {
		return errShort("Authentication")
	}
	if method := binary.BigEndian.Uint32(src); method != 0 {
		return fmt.Errorf("pgwire: the server asks for authentication (method %d)", method)
	}
	return nil
}

func decodeColumns(src []byte) ([]string, error) {
	b := body{rest: src}
	columns := []string{}
	for n := b.uint16(); n > 0 && !b.short; n-- {
		columns = append(columns, string(b.cstring()))
		b.bytes(18) // table, attribute, type, size, modifier, format
	}
	if b.short || len(b.rest) != 0 {
		return nil, errShort("RowDescription")
	}
	return columns, nil
}

func decodeRow(src []byte, columns int) ([]*string, error) {
	b := body{rest: src}
	if n := b.uint16(); n != columns {
		return nil, fmt.Errorf("%w: a row of %d values for %d columns", ErrUnexpected, n, columns)
	}
	row := make([]*string, columns)
	for i := range row {
		length := b.int32()
		if length == -1 {
			continue
		}
		value := string(b.bytes(int(length)))
		row[i] = &value
	}
	if b.short || len(b.rest) != 0 {
		return nil, errShort("DataRow")
	}
	return row, nil
}

func decodeError(src []byte) (*Error, error) {
	var m pgproto3.ErrorResponse
	if err := m.Decode(src); err != nil {
		return nil, errShort("ErrorResponse")
	}
	return &Error{Severity: m.Severity, Code: m.Code, Message: m.Message, Detail: m.Detail,
		Hint: m.Hint, Position: m.Position}, nil
}

func errShort(what string) error {
	return fmt.Errorf("%w: malformed %s", ErrUnexpected, what)
}

// unexpected is for a stream that ends where more must come.
func unexpected(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
