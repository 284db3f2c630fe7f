package exec

import (
	"bytes"

	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// splitCSV cuts a line of csv into its fields. Quotes may begin and end anywhere in a field; the
// escape means something between them alone, before a quote or another escape.
func (r *lineReader) splitCSV(line []byte) error {
	f := r.format
	start, from, quoted := 0, 0, false // of the field: in the line and in the buffer
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case f.Delimiter:
			r.keep(from, line[start:i], quoted)
			start, from, quoted = i+1, len(r.buf), false
		case f.Quote:
			quoted = true
			n, closed := r.quotedPart(line[i+1:])
			if !closed {
				return types.Errorf(plan.CodeBadCopyFormat, "unterminated CSV quoted field")
			}
			i += n
		default:
			r.buf = append(r.buf, c)
		}
	}
	r.keep(from, line[start:], quoted)
	return nil
}

// quotedPart reads on behind a quote and says how many bytes there were, the other quote included.
func (r *lineReader) quotedPart(s []byte) (int, bool) {
	f := r.format
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == f.Escape && i+1 < len(s) && (s[i+1] == f.Escape || s[i+1] == f.Quote) {
			i++
			r.buf = append(r.buf, s[i])
			continue
		}
		if c == f.Quote {
			return i + 1, true
		}
		r.buf = append(r.buf, c)
	}
	return 0, false
}

// appendCSV appends a value as csv has it. A value that would read as something else is quoted:
// as NULL, as more than one field, or, alone on its line, as the end of the data.
func appendCSV(dst, text []byte, f *plan.CopyFormat, force, alone bool) []byte {
	if !force && string(text) != f.Null && !(alone && string(text) == `\.`) &&
		bytes.IndexByte(text, f.Delimiter) < 0 && bytes.IndexByte(text, f.Quote) < 0 &&
		!bytes.ContainsAny(text, "\r\n") {
		return append(dst, text...)
	}
	dst = append(dst, f.Quote)
	for _, c := range text {
		if c == f.Quote || c == f.Escape {
			dst = append(dst, f.Escape)
		}
		dst = append(dst, c)
	}
	return append(dst, f.Quote)
}
