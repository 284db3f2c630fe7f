package server

import (
	"strings"

	"ackdb/pgwire"
)

func checkSearchPath(text string) (string, *pgwire.Error) {
	if _, ok := splitIdentifiers(text); !ok {
		e := pgwire.Errorf(pgwire.CodeInvalidParameterValue,
			"invalid value for parameter \"search_path\": \"%s\"", text)
		e.Detail = "List syntax is invalid."
		return "", e
	}
	return text, nil
}

// splitIdentifiers reads a list of identifiers, folded unless quoted.
func splitIdentifiers(text string) (names []string, ok bool) {
	rest := strings.TrimSpace(text)
	for rest != "" {
		var name string
		if rest[0] == '"' {
			name, rest, ok = cutQuoted(rest)
			if !ok {
				return nil, false
			}
		} else {
			end := strings.IndexAny(rest, ", \t\n")
			if end < 0 {
				end = len(rest)
			}
			name, rest = strings.ToLower(rest[:end]), rest[end:]
			if name == "" {
				return nil, false
			}
		}
		names = append(names, name)
		rest = strings.TrimSpace(rest)
		if rest == "" {
			return names, true
		}
		if rest[0] != ',' {
			return nil, false
		}
		if rest = strings.TrimSpace(rest[1:]); rest == "" {
			return nil, false
		}
	}
	return names, true
}

// cutQuoted reads a quoted identifier, in which a doubled quote stands for one.
func cutQuoted(text string) (name, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		if text[i] != '"' {
			b.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == '"' {
			b.WriteByte('"')
			i++
			continue
		}
		return b.String(), text[i+1:], true
	}
	return "", "", false
}

// quoteIdentifier quotes a name where reading it back needs that.
func quoteIdentifier(name string) string {
	plain := name != "" && name[0] != '$' && (name[0] < '0' || name[0] > '9')
	for _, r := range name {
		if r != '_' && !('a' <= r && r <= 'z' || '0' <= r && r <= '9') {
			plain = false
		}
	}
	if plain {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
