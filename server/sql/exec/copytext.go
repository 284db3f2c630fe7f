package exec

import (
	"bytes"

	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// textReader reads the text format: a line a row, fields set apart by the delimiter, backslash
// escapes, and a NULL written as a string of its own.
type textReader struct {
	format plan.CopyFormat
	header bool   // the first line is one, and still to come
	text   []byte // the fields of the row, unescaped
	raw    [][]byte

	line   int64  // being read, from 1
	shown  []byte // what an error shows of it
	column int    // the field being read, or -1
}

func (t *textReader) where() (int64, []byte, int) { return t.line, t.shown, t.column }

func (t *textReader) read(c *CopyIn, data []byte, last bool) (int, bool, bool, error) {
	end := lineEnd(data)
	taken := end + 1
	if end < 0 {
		if !last {
			return 0, false, false, nil
		}
		end, taken = len(data), len(data)
	}
	line := bytes.TrimSuffix(data[:end], []byte{'\r'})
	t.line, t.shown, t.column = t.line+1, line, -1
	if string(line) == `\.` {
		return taken, true, false, nil
	}
	if t.header {
		t.header = false
		return taken, false, false, t.checkHeader(c, line)
	}
	return taken, false, true, t.row(c, line)
}

// lineEnd finds the newline that ends a row: one that no backslash stands before.
func lineEnd(data []byte) int {
	at := 0
	for {
		i := bytes.IndexByte(data[at:], '\n')
		if i < 0 {
			return -1
		}
		i += at
		slashes := 0
		for j := i - 1; j >= 0 && data[j] == '\\'; j-- {
			slashes++
		}
		if slashes%2 == 0 {
			return i
		}
		at = i + 1
	}
}

// split cuts a line at its delimiters that are not escaped.
func (t *textReader) split(line []byte) {
	t.raw = t.raw[:0]
	start := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case t.format.Delimiter:
			t.raw = append(t.raw, line[start:i])
			start = i + 1
		}
	}
	t.raw = append(t.raw, line[start:])
}

func (t *textReader) checkHeader(c *CopyIn, line []byte) error {
	if !t.format.MatchHead {
		return nil
	}
	t.split(line)
	if len(t.raw) != len(c.fields) {
		return types.Errorf(plan.CodeBadCopyFormat,
			"wrong number of fields in header line: field count is %d, expected %d",
			len(t.raw), len(c.fields))
	}
	for i, column := range c.node.Columns {
		if name := c.node.Table.Columns[column].Name; string(t.raw[i]) != name {
			return types.Errorf(plan.CodeBadCopyFormat, "column name mismatch in header line"+
				" field %d: got \"%s\", expected \"%s\"", i+1, t.raw[i], name)
		}
	}
	return nil
}

// row reads the fields of a line. The values lie in the line or in t.text, which stay as they are
// until the row is written.
func (t *textReader) row(c *CopyIn, line []byte) error {
	t.split(line)
	if len(t.raw) > len(c.fields) {
		return types.Errorf(plan.CodeBadCopyFormat, "extra data after last expected column")
	}
	if len(t.raw) < len(c.fields) {
		missing := c.node.Table.Columns[c.node.Columns[len(t.raw)]].Name
		return types.Errorf(plan.CodeBadCopyFormat, "missing data for column \"%s\"", missing)
	}
	t.text = t.text[:0]
	if cap(t.text) < len(line) {
		t.text = make([]byte, 0, 2*len(line))
	}
	for i, raw := range t.raw {
		if string(raw) == t.format.Null {
			c.fields[i] = types.Null
			continue
		}
		start := len(t.text)
		t.text = appendUnescaped(t.text, raw)
		v, err := c.parse(i, t.text[start:len(t.text):len(t.text)])
		if err != nil {
			t.shown, t.column = raw, i
			return err
		}
		c.fields[i] = v
	}
	return nil
}

// parse reads the text form of a field.
func (c *CopyIn) parse(i int, text []byte) (types.Datum, error) {
	return types.ParseText(c.types[i], types.NewBytes(types.Text, text).Str(), &c.run.text)
}

// appendUnescaped appends a field with its escapes resolved: never longer than it was.
func appendUnescaped(dst, raw []byte) []byte {
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 || i == len(raw)-1 {
			return append(dst, raw...)
		}
		dst = append(dst, raw[:i]...)
		var b byte
		b, raw = unescapeOne(raw[i+1:])
		dst = append(dst, b)
	}
}

var simpleEscapes = map[byte]byte{'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

// unescapeOne resolves what stands behind a backslash and gives what follows it.
func unescapeOne(s []byte) (byte, []byte) {
	c := s[0]
	switch {
	case c >= '0' && c <= '7':
		v, n := byte(0), 0
		for n < len(s) && n < 3 && s[n] >= '0' && s[n] <= '7' {
			v = v<<3 | (s[n] - '0')
			n++
		}
		return v, s[n:]
	case c == 'x' && len(s) > 1 && hexDigit(s[1]) >= 0:
		v, n := byte(0), 1
		for n < len(s) && n < 3 && hexDigit(s[n]) >= 0 {
			v = v<<4 | byte(hexDigit(s[n]))
			n++
		}
		return v, s[n:]
	}
	if b, ok := simpleEscapes[c]; ok {
		return b, s[1:]
	}
	return c, s[1:]
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// appendEscaped appends a value's text with what COPY gives a meaning escaped.
func appendEscaped(dst, text []byte, delimiter byte) []byte {
	for _, c := range text {
		switch c {
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\v':
			dst = append(dst, '\\', 'v')
		case '\\', delimiter:
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
