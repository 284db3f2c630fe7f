package exec

import (
	"bytes"

	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// lineEnd is what ends the lines of the data: what the first one ended in.
type lineEnd uint8

const (
	endUnknown lineEnd = iota
	endLF
	endCR
	endCRLF
)

// lineScanner finds where the lines of text and csv end. It remembers how far it looked at a line
// that is not all there, so that a long one that comes in many pieces is looked at once.
type lineScanner struct {
	csv    bool
	quote  byte
	escape byte // 0 when it is the quote, which then toggles twice
	end    lineEnd

	at       int // of the line at the front, what was looked at
	inQuote  bool
	escaping bool
	inner    int64 // line ends inside quotes, in this line
}

func newLineScanner(f *plan.CopyFormat) lineScanner {
	l := lineScanner{csv: f.CSV, quote: f.Quote}
	if f.Escape != f.Quote {
		l.escape = f.Escape
	}
	return l
}

// foundLine is a line at the front of the data.
type foundLine struct {
	size  int // without its end
	taken int
	found bool
	last  bool // the marker of the end of the data, or the end itself, came behind it
}

// next finds the line at the front of data; last says that no more data will come.
func (l *lineScanner) next(data []byte, last bool) (foundLine, error) {
	for ; l.at < len(data); l.at++ {
		c := data[l.at]
		if !l.csv && c != '\n' && c != '\r' && c != '\\' {
			continue
		}
		if (c == '\r' || c == '\\') && !last && l.at+l.lookAhead(data) >= len(data) {
			return foundLine{}, nil
		}
		if l.csv {
			l.toggle(c)
		}
		switch {
		case l.inQuote:
		case c == '\r' || c == '\n':
			return l.ended(data, c)
		case c == '\\' && (!l.csv || l.at == 0):
			marker, err := l.marker(data)
			if err != nil || marker.found {
				return marker, err
			}
		}
	}
	if !last {
		return foundLine{}, nil
	}
	return l.found(len(data), len(data), true), nil
}

// lookAhead is how many bytes behind a backslash or carriage return decide what it is.
func (l *lineScanner) lookAhead(data []byte) int {
	if data[l.at] != '\\' || l.at+1 >= len(data) || data[l.at+1] != '.' {
		return 1
	}
	if l.end == endCRLF {
		return 3
	}
	return 2
}

// toggle follows the quotes of csv.
func (l *lineScanner) toggle(c byte) {
	if l.inQuote && l.escape != 0 && c == l.escape {
		l.escaping = !l.escaping
	}
	if c == l.quote && !l.escaping {
		l.inQuote = !l.inQuote
	}
	if l.escape == 0 || c != l.escape {
		l.escaping = false
	}
	if l.inQuote && (c == '\n' && l.end == endLF || c == '\r' && l.end != endLF) {
		l.inner++
	}
}

// ended is the line that ends in c at l.at.
func (l *lineScanner) ended(data []byte, c byte) (foundLine, error) {
	size, taken := l.at, l.at+1
	if c == '\n' {
		if l.end == endCR || l.end == endCRLF {
			return foundLine{}, l.errLiteral("newline", "\\n")
		}
		l.end = endLF
		return l.found(size, taken, false), nil
	}
	switch l.end {
	case endLF:
		return foundLine{}, l.errLiteral("carriage return", "\\r")
	case endUnknown, endCRLF:
		if taken < len(data) && data[taken] == '\n' {
			l.end = endCRLF
			return l.found(size, taken+1, false), nil
		}
		if l.end == endCRLF {
			return foundLine{}, l.errLiteral("carriage return", "\\r")
		}
		l.end = endCR
	}
	return l.found(size, taken, false), nil
}

func (l *lineScanner) errLiteral(what, escape string) error {
	if l.csv {
		return types.Errorf(plan.CodeBadCopyFormat, "unquoted %s found in data", what).
			WithHint("Use quoted CSV field to represent %s.", what)
	}
	return types.Errorf(plan.CodeBadCopyFormat, "literal %s found in data", what).
		WithHint("Use \"%s\" to represent %s.", escape, what)
}

// marker looks at a backslash: with a point and a line end behind it, it ends the data. In text any
// other byte behind it is passed over. In csv \. may be data, unless it stands alone.
func (l *lineScanner) marker(data []byte) (foundLine, error) {
	at := l.at + 1
	if at >= len(data) || data[at] != '.' {
		if !l.csv {
			l.at = min(at, len(data)-1)
		}
		return foundLine{}, nil
	}
	byteAt := func(i int) byte {
		if i < len(data) {
			return data[i]
		}
		return 0
	}
	at++
	if l.end == endCRLF {
		switch c := byteAt(at); {
		case c == '\n' && !l.csv:
			return foundLine{}, errMarkerStyle()
		case c != '\r':
			return l.notMarker()
		}
		at++
	}
	c := byteAt(at)
	switch {
	case c != '\r' && c != '\n':
		return l.notMarker()
	case (l.end == endLF || l.end == endCRLF) && c != '\n', l.end == endCR && c != '\r':
		return foundLine{}, errMarkerStyle()
	}
	return l.found(l.at, len(data), true), nil
}

func (l *lineScanner) notMarker() (foundLine, error) {
	if l.csv {
		return foundLine{}, nil
	}
	return foundLine{}, types.Errorf(plan.CodeBadCopyFormat, "end-of-copy marker corrupt")
}

func errMarkerStyle() error {
	return types.Errorf(plan.CodeBadCopyFormat,
		"end-of-copy marker does not match previous newline style")
}

// found gives a line and begins the next.
func (l *lineScanner) found(size, taken int, last bool) foundLine {
	l.at, l.inQuote, l.escaping = 0, false, false
	return foundLine{size: size, taken: taken, found: true, last: last}
}

// lineField is a field of a line.
type lineField struct {
	text   []byte
	isNull bool
}

// lineReader reads the formats of lines, text and csv.
type lineReader struct {
	format  *plan.CopyFormat
	scanner lineScanner
	header  bool // the first line is one, and still to come
	split   func(line []byte) error
	fields  []lineField
	buf     []byte // what the fields lie in

	line   int64  // being read, from 1
	shown  []byte // what an error shows of it, or of the field; nil for nothing
	column int    // the field being read, or -1
}

func newLineReader(f *plan.CopyFormat) *lineReader {
	r := &lineReader{format: f, header: f.Header, scanner: newLineScanner(f)}
	if r.split = r.splitText; f.CSV {
		r.split = r.splitCSV
	}
	return r
}

func (r *lineReader) where() (int64, []byte, int) { return r.line, r.shown, r.column }

// finish has nothing to find: what is left at the end was taken for a line.
func (r *lineReader) finish(int) error { return nil }

func (r *lineReader) read(c *CopyIn, data []byte, last bool) (int, bool, bool, error) {
	r.shown, r.column = nil, -1
	at, err := r.scanner.next(data, last)
	if err != nil || !at.found {
		if err != nil {
			r.line += 1 + r.scanner.inner
		}
		return 0, false, false, err
	}
	r.line += 1 + r.scanner.inner
	r.scanner.inner = 0
	line := data[:at.size]
	if at.last && len(line) == 0 {
		return at.taken, true, false, nil
	}
	if err := checkText(line); err != nil {
		return 0, false, false, err
	}
	r.shown = line
	if cap(r.buf) < len(line) {
		r.buf = make([]byte, 0, 2*len(line))
	}
	r.buf, r.fields = r.buf[:0], r.fields[:0]
	if r.header {
		r.header = false
		return at.taken, at.last, false, r.checkHeader(c, line)
	}
	if err := r.split(line); err != nil {
		return 0, false, false, err
	}
	return at.taken, at.last, true, r.row(c)
}

func (r *lineReader) checkHeader(c *CopyIn, line []byte) error {
	if !r.format.MatchHead {
		return nil
	}
	if err := r.split(line); err != nil {
		return err
	}
	if len(r.fields) != len(c.fields) {
		return types.Errorf(plan.CodeBadCopyFormat,
			"wrong number of fields in header line: got %d, expected %d",
			len(r.fields), len(c.fields))
	}
	for i := range r.fields {
		name := c.columnName(i)
		switch got := r.fields[i]; {
		case got.isNull:
			return types.Errorf(plan.CodeBadCopyFormat, "column name mismatch in header line"+
				" field %d: got null value (\"%s\"), expected \"%s\"", i+1, r.format.Null, name)
		case string(got.text) != name:
			return types.Errorf(plan.CodeBadCopyFormat, "column name mismatch in header line"+
				" field %d: got \"%s\", expected \"%s\"", i+1, got.text, name)
		}
	}
	return nil
}

// row reads the values of the fields. They lie in the reader's buffer, which stays as it is until
// the row is written.
func (r *lineReader) row(c *CopyIn) error {
	if len(c.fields) == 0 && len(r.fields) == 1 && len(r.fields[0].text) == 0 {
		return nil // an empty line is a row without columns
	}
	if len(r.fields) > len(c.fields) {
		return types.Errorf(plan.CodeBadCopyFormat, "extra data after last expected column")
	}
	for i := range c.fields {
		if i >= len(r.fields) {
			return types.Errorf(plan.CodeBadCopyFormat, "missing data for column \"%s\"",
				c.columnName(i))
		}
		f := r.forced(i)
		if f.isNull {
			c.fields[i] = types.Null
			continue
		}
		v, err := types.ParseText(c.types[i], types.NewBytes(types.Text, f.text).Str(), &c.run.text)
		if err != nil {
			r.shown, r.column = f.text, i
			return err
		}
		c.fields[i] = v
	}
	return nil
}

// forced is a field after FORCE_NOT_NULL, which takes the text of NULL for a value, and FORCE_NULL,
// which takes it for NULL even when it was quoted.
func (r *lineReader) forced(i int) lineField {
	f := r.fields[i]
	switch {
	case f.isNull && r.format.ForceNotNull != nil && r.format.ForceNotNull[i]:
		return lineField{text: []byte(r.format.Null)}
	case !f.isNull && r.format.ForceNull != nil && r.format.ForceNull[i]:
		f.isNull = bytes.Equal(f.text, []byte(r.format.Null))
	}
	return f
}

// checkText reports bytes that no text may hold.
func checkText(b []byte) error { return types.CheckText(types.NewBytes(types.Text, b).Str()) }

// keep enters a field: what lies in the buffer from start on, read from raw.
func (r *lineReader) keep(start int, raw []byte, quoted bool) {
	text := r.buf[start:len(r.buf):len(r.buf)]
	r.fields = append(r.fields, lineField{text, !quoted && string(raw) == r.format.Null})
}
