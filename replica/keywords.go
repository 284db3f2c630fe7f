package replica

import "strings"

// A connection string in keyword form is pairs of keyword = value. A value with blanks stands in
// single quotes; a backslash takes the byte behind it as it is, in quotes and out of them.

const connBlanks = " \t\r\n\f\v"

// keywordPairs reads the keyword form.
func keywordPairs(text string) ([]connPair, error) {
	var pairs []connPair
	for rest := strings.TrimLeft(text, connBlanks); rest != ""; {
		end := strings.IndexAny(rest, "="+connBlanks)
		if end < 0 {
			end = len(rest)
		}
		if end == 0 {
			return nil, badConnInfo("expected keyword=value")
		}
		key := rest[:end]
		rest = strings.TrimLeft(rest[end:], connBlanks)
		value, ok := strings.CutPrefix(rest, "=")
		if !ok {
			return nil, badConnInfo("missing \"=\" after %q", key)
		}
		text, tail, err := connValue(strings.TrimLeft(value, connBlanks))
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, connPair{key, text})
		rest = strings.TrimLeft(tail, connBlanks)
	}
	return pairs, checkPassword(pairs)
}

// connValue reads one value and returns what stands behind it.
func connValue(s string) (value, rest string, err error) {
	var out strings.Builder
	s, quoted := strings.CutPrefix(s, "'")
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			out.WriteByte(s[i])
		case quoted && c == '\'':
			return out.String(), s[i+1:], nil
		case !quoted && strings.IndexByte(connBlanks, c) >= 0:
			return out.String(), s[i:], nil
		case c == '\\':
			// A backslash with nothing behind it takes nothing.
		default:
			out.WriteByte(c)
		}
	}
	if quoted {
		return "", "", badConnInfo("unterminated quoted value")
	}
	return out.String(), "", nil
}

var connEscape = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// quoteConnValue writes a value so that connValue reads it back.
func quoteConnValue(s string) string {
	escaped := connEscape.Replace(s)
	if s == "" || strings.ContainsAny(s, connBlanks) {
		return "'" + escaped + "'"
	}
	return escaped
}
