package pgwire

import (
	"bytes"
	"encoding/binary"

	"github.com/jackc/pgproto3/v2"
)

// bindMessage is a decoded Bind. Its slices are reused from message to message and alias the body:
// the library's decoder makes five allocations of them, and panics on a parameter length below -1.
type bindMessage struct {
	portal    []byte
	statement []byte
	args      BindArgs
	// resultFormats is what args.ResultFormats is checked from; the portal keeps a copy.
	resultFormats []int16
}

// bindKeepParams is the largest number of parameters whose slices are kept for the next message.
const bindKeepParams = 1024

func errMalformed(what string) *Error {
	return Errorf(CodeProtocolViolation, "invalid %s message: insufficient data left in message", what)
}

// body reads a message's parts in order. The first part that is not there sets short, and every
// part after it is empty.
type body struct {
	rest  []byte
	short bool
}

func (b *body) cstring() []byte {
	i := bytes.IndexByte(b.rest, 0)
	if i < 0 {
		b.short, b.rest = true, nil
		return nil
	}
	s := b.rest[:i:i]
	b.rest = b.rest[i+1:]
	return s
}

func (b *body) bytes(n int) []byte {
	if n < 0 || len(b.rest) < n {
		b.short, b.rest = true, nil
		return nil
	}
	s := b.rest[:n:n]
	b.rest = b.rest[n:]
	return s
}

func (b *body) uint16() int {
	if s := b.bytes(2); s != nil {
		return int(binary.BigEndian.Uint16(s))
	}
	return 0
}

func (b *body) int32() int32 {
	if s := b.bytes(4); s != nil {
		return int32(binary.BigEndian.Uint32(s))
	}
	return 0
}

func (b *body) formats(dst []int16) []int16 {
	n := b.uint16()
	raw := b.bytes(2 * n)
	for ; len(raw) >= 2; raw = raw[2:] {
		dst = append(dst, int16(binary.BigEndian.Uint16(raw)))
	}
	return dst
}

func (m *bindMessage) decode(src []byte) error {
	b := body{rest: src}
	m.reset()
	m.portal, m.statement = b.cstring(), b.cstring()
	m.args.ParamFormats = b.formats(m.args.ParamFormats)
	for n := b.uint16(); n > 0 && !b.short; n-- {
		length := b.int32()
		if length == -1 {
			m.args.Params = append(m.args.Params, nil)
			continue
		}
		m.args.Params = append(m.args.Params, b.bytes(int(length)))
	}
	m.resultFormats = b.formats(m.resultFormats)
	if b.short {
		return errMalformed("Bind")
	}
	if len(b.rest) != 0 {
		return Errorf(CodeProtocolViolation, "invalid Bind message: invalid message format")
	}
	return nil
}

func (m *bindMessage) reset() {
	if cap(m.args.Params) > bindKeepParams {
		m.args.Params = nil
	}
	m.args.ParamFormats = m.args.ParamFormats[:0]
	m.args.Params = m.args.Params[:0]
	m.args.ResultFormats = nil
	m.resultFormats = m.resultFormats[:0]
}

// check compares the counts with the statement's, in the order and the words of Postgres.
func (m *bindMessage) check(params, columns int) error {
	a := &m.args
	if n := len(a.ParamFormats); n > 1 && n != len(a.Params) {
		return Errorf(CodeProtocolViolation,
			"bind message has %d parameter formats but %d parameters", n, len(a.Params))
	}
	if len(a.Params) != params {
		return Errorf(CodeProtocolViolation,
			"bind message supplies %d parameters, but prepared statement \"%s\" requires %d",
			len(a.Params), m.statement, params)
	}
	if n := len(m.resultFormats); n > 1 && n != columns {
		return Errorf(CodeProtocolViolation,
			"bind message has %d result formats but query has %d columns", n, columns)
	}
	for _, formats := range [2][]int16{a.ParamFormats, m.resultFormats} {
		for _, f := range formats {
			if f != FormatText && f != FormatBinary {
				return Errorf(CodeInvalidParameterValue, "unsupported format code: %d", f)
			}
		}
	}
	return nil
}

func decodeExecute(src []byte) (portal []byte, maxRows int, err error) {
	b := body{rest: src}
	portal = b.cstring()
	rows := b.int32()
	if b.short || len(b.rest) != 0 {
		return nil, 0, errMalformed("Execute")
	}
	return portal, max(int(rows), 0), nil
}

// decodeTarget reads the body Describe and Close share.
func decodeTarget(src []byte, what string) (kind byte, name []byte, err error) {
	if len(src) < 2 {
		return 0, nil, errMalformed(what)
	}
	b := body{rest: src[1:]}
	name = b.cstring()
	if b.short || len(b.rest) != 0 {
		return 0, nil, errMalformed(what)
	}
	if src[0] != 'S' && src[0] != 'P' {
		return 0, nil, Errorf(CodeProtocolViolation, "invalid %s message subtype %d", what, src[0])
	}
	return src[0], name, nil
}

// decodeQuery guards the library's decoder, which takes an empty body for one that ends in a NUL.
func decodeQuery(src []byte) (string, error) {
	if len(src) == 0 {
		return "", errMalformed("Query")
	}
	var m pgproto3.Query
	if err := m.Decode(src); err != nil {
		return "", errMalformed("Query")
	}
	return m.String, nil
}

// decodeCopyFail has the same hole as decodeQuery.
func decodeCopyFail(src []byte) (string, error) {
	if len(src) == 0 {
		return "", errMalformed("CopyFail")
	}
	var m pgproto3.CopyFail
	if err := m.Decode(src); err != nil {
		return "", errMalformed("CopyFail")
	}
	return m.Message, nil
}

// decodeParse hands m to the library once its parts are known to be there. The count of types is
// compared with the bytes first: the decoder would grow its slice one by one up to the missing one.
func decodeParse(m *pgproto3.Parse, src []byte) error {
	b := body{rest: src}
	b.cstring()
	b.cstring()
	b.bytes(4 * b.uint16())
	if b.short || len(b.rest) != 0 {
		return errMalformed("Parse")
	}
	if err := m.Decode(src); err != nil {
		return errMalformed("Parse")
	}
	return nil
}
