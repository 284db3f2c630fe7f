package types

import "strings"

// The kinds of field a date or time text falls into, before anything is known of their meaning.
type fieldKind uint8

const (
	fieldNumber fieldKind = iota // digits, perhaps with a fraction
	fieldDate                    // parts joined by -, / or .; or a zone's name
	fieldTime                    // has a colon
	fieldZone                    // a sign and digits
	fieldWord                    // letters
	fieldSigned                  // a sign and letters
)

type dateField struct {
	kind fieldKind
	text string // lower case
}

// maxDateFields bounds the fields of one text, as MAXDATEFIELDS does.
const maxDateFields = 25

// splitDateTime cuts a date, time or interval text into fields; false when it holds what no such
// text may.
func splitDateTime(s string) ([]dateField, bool) {
	fields := make([]dateField, 0, 8)
	l := dateLexer{rest: strings.ToLower(s)}
	for {
		l.rest = strings.TrimLeft(l.rest, " \t\n\r\v\f")
		if l.rest == "" {
			return fields, true
		}
		if len(fields) == maxDateFields {
			return nil, false
		}
		kind, end, ok := l.next()
		if !ok {
			return nil, false
		}
		if end > 0 {
			fields = append(fields, dateField{kind: kind, text: l.take(end)})
			continue
		}
		l.rest = l.rest[1:] // punctuation means nothing
	}
}

type dateLexer struct{ rest string }

func (l *dateLexer) take(n int) string {
	text := l.rest[:n]
	l.rest = l.rest[n:]
	return strings.ReplaceAll(text, " ", "")
}

// next finds the end of the field that the rest begins with; 0 for punctuation.
func (l *dateLexer) next() (kind fieldKind, end int, ok bool) {
	switch c := l.rest[0]; {
	case isDigit(c):
		kind, end = l.number()
		return kind, end, true
	case c == '.':
		return fieldNumber, l.span(1, isDigit), true
	case isLetter(c):
		kind, end = l.word()
		return kind, end, true
	case c == '+' || c == '-':
		return l.signed()
	case c > ' ' && c < 0x7f:
		return 0, 0, true
	}
	return 0, 0, false
}

// span extends from i while the bytes are of a class.
func (l *dateLexer) span(i int, class func(byte) bool) int {
	for i < len(l.rest) && class(l.rest[i]) {
		i++
	}
	return i
}

func (l *dateLexer) at(i int) byte {
	if i < len(l.rest) {
		return l.rest[i]
	}
	return 0
}

func (l *dateLexer) number() (fieldKind, int) {
	i := l.span(1, isDigit)
	switch delim := l.at(i); delim {
	case ':':
		return fieldTime, l.span(i, func(c byte) bool { return isDigit(c) || c == ':' || c == '.' })
	case '-', '/', '.':
		i++
		if !isDigit(l.at(i)) {
			if delim == '.' && !isLetter(l.at(i)) {
				return fieldNumber, i
			}
			return fieldDate, l.span(i, func(c byte) bool {
				return isDigit(c) || isLetter(c) || c == delim
			})
		}
		i = l.span(i, isDigit)
		// Only a second, equal delimiter makes a date of what could be a fraction.
		if l.at(i) == delim {
			return fieldDate, l.span(i, func(c byte) bool { return isDigit(c) || c == delim })
		}
		if delim == '.' {
			return fieldNumber, i
		}
		return fieldDate, i
	}
	return fieldNumber, i
}

func (l *dateLexer) word() (fieldKind, int) {
	i := l.span(1, isLetter)
	isDate := false
	switch c := l.at(i); {
	case c == '-' || c == '/' || c == '.':
		isDate = true
	case c == '+' || isDigit(c):
		_, known := dateWords[l.rest[:i]]
		isDate = !known
	}
	if !isDate {
		return fieldWord, i
	}
	return fieldDate, l.span(i, func(c byte) bool {
		return isDigit(c) || isLetter(c) || strings.IndexByte("+-/_.:", c) >= 0
	})
}

func (l *dateLexer) signed() (fieldKind, int, bool) {
	i := l.span(1, isSpace)
	switch c := l.at(i); {
	case isDigit(c):
		return fieldZone, l.span(i, func(c byte) bool {
			return isDigit(c) || c == ':' || c == '.' || c == '-'
		}), true
	case isLetter(c):
		return fieldSigned, l.span(i, isLetter), true
	}
	return 0, 0, false
}
