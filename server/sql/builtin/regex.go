package builtin

import (
	"regexp"
	"strings"
	"sync"

	"ackdb/server/sql/types"
)

// Regular expressions are PostgreSQL's advanced ones, run by Go's engine: linear in the text, and
// so without back references and look-around, which answer 0A000. Matches are the leftmost; of
// those the longest, unless the pattern asks for short ones.

// regexCacheSize bounds the compiled patterns kept; a full cache is emptied.
const regexCacheSize = 256

var regexCache = struct {
	sync.Mutex
	compiled map[string]*regexp.Regexp
}{compiled: map[string]*regexp.Regexp{}}

// compileRegex compiles a pattern with flags: i ignores case, n and its kin make lines matter.
func compileRegex(pattern, flags string) (*regexp.Regexp, error) {
	key := flags + "/" + pattern
	regexCache.Lock()
	re := regexCache.compiled[key]
	regexCache.Unlock()
	if re != nil {
		return re, nil
	}
	re, err := translateRegex(pattern, flags)
	if err != nil {
		return nil, err
	}
	regexCache.Lock()
	defer regexCache.Unlock()
	if len(regexCache.compiled) >= regexCacheSize {
		clear(regexCache.compiled)
	}
	regexCache.compiled[key] = re
	return re, nil
}

func errRegex(reason string) *types.Error {
	return types.Errorf(types.CodeInvalidRegexp, "invalid regular expression: %s", reason)
}

// translateRegex spells a pattern as Go does. In an advanced expression the dot matches a newline
// and ^ and $ the ends of the text alone, unless flags say otherwise.
func translateRegex(pattern, flags string) (*regexp.Regexp, error) {
	options := "s"
	literal, expanded := false, false
	for _, f := range flags {
		switch f {
		case 'i':
			options += "i"
		case 'c', 'g', 't':
		case 's':
			options = strings.ReplaceAll(options, "m", "")
		case 'n', 'm':
			options = strings.ReplaceAll(options, "s", "") + "m"
		case 'w':
			options += "m"
		case 'p':
			options = strings.ReplaceAll(options, "s", "")
		case 'q':
			literal = true
		case 'x':
			expanded = true
		default:
			return nil, types.Errorf(types.CodeInvalidParameter,
				"invalid regular expression option: \"%c\"", f)
		}
	}
	switch {
	case strings.HasPrefix(pattern, "***="):
		literal, pattern = true, pattern[len("***="):]
	case strings.HasPrefix(pattern, "***:"):
		pattern = pattern[len("***:"):]
	}
	spelled := regexp.QuoteMeta(pattern)
	if !literal {
		if expanded {
			pattern = withoutBlanks(pattern)
		}
		var err error
		if spelled, err = spellRegex(pattern); err != nil {
			return nil, err
		}
	}
	if options != "" {
		spelled = "(?" + options + ")" + spelled
	}
	re, err := regexp.Compile(spelled)
	if err != nil {
		return nil, errRegex(regexReason(err.Error()))
	}
	if !strings.Contains(pattern, "?") || !hasShortQuantifier(pattern) {
		re.Longest()
	}
	return re, nil
}

// withoutBlanks makes of an expanded pattern the one that is meant: blanks, and what follows a # on
// its line, are not part of it unless they are escaped or within brackets.
func withoutBlanks(pattern string) string {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case ' ', '\t', '\n', '\r', '\f', '\v':
		case '#':
			end := strings.IndexByte(pattern[i:], '\n')
			if end < 0 {
				return b.String()
			}
			i += end
		case '\\':
			b.WriteString(pattern[i:min(i+2, len(pattern))])
			i++
		case '[':
			end := bracketEnd(pattern, i)
			b.WriteString(pattern[i:end])
			i = end - 1
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// regexReason says what is wrong as PostgreSQL does.
func regexReason(goReason string) string {
	switch {
	case strings.Contains(goReason, "missing closing ]"):
		return "brackets [] not balanced"
	case strings.Contains(goReason, "parenthes"), strings.Contains(goReason, "missing closing )"),
		strings.Contains(goReason, "unexpected )"):
		return "parentheses () not balanced"
	case strings.Contains(goReason, "repetition operator"), strings.Contains(goReason, "repeat"):
		return "quantifier operand invalid"
	case strings.Contains(goReason, "character class range"):
		return "invalid character range"
	case strings.Contains(goReason, "trailing backslash"), strings.Contains(goReason, "escape"):
		return `invalid escape \ sequence`
	}
	return goReason
}

func hasShortQuantifier(pattern string) bool {
	for _, q := range []string{"*?", "+?", "??", "}?"} {
		if strings.Contains(pattern, q) {
			return true
		}
	}
	return false
}

// spellRegex rewrites the escapes Go spells otherwise and refuses what its engine cannot do.
func spellRegex(pattern string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '\\' && i+1 < len(pattern):
			i++
			if err := spellEscape(&b, pattern[i]); err != nil {
				return "", err
			}
		case c == '[':
			end := bracketEnd(pattern, i)
			class := pattern[i:end]
			switch class {
			case "[[:<:]]", "[[:>:]]":
				b.WriteString(`\b`)
			default:
				spellBracket(&b, class)
			}
			i = end - 1
		case c == '(' && strings.HasPrefix(pattern[i:], "(?") && !strings.HasPrefix(pattern[i:], "(?:"):
			if strings.HasPrefix(pattern[i:], "(?=") || strings.HasPrefix(pattern[i:], "(?!") ||
				strings.HasPrefix(pattern[i:], "(?<") {
				return "", types.Errorf(types.CodeFeatureNotSupported,
					"look-around in regular expressions is not supported")
			}
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

func spellEscape(b *strings.Builder, c byte) error {
	switch {
	case c >= '1' && c <= '9':
		return types.Errorf(types.CodeFeatureNotSupported,
			"back references in regular expressions are not supported")
	case c == 'm' || c == 'M' || c == 'y':
		b.WriteString(`\b`)
	case c == 'Y':
		b.WriteString(`\B`)
	case c == 'Z':
		b.WriteString(`\z`)
	case c == 'e':
		b.WriteString(`\x1b`)
	case c == 'B':
		b.WriteString(`\\`)
	default:
		b.WriteByte('\\')
		b.WriteByte(c)
	}
	return nil
}

// bracketEnd finds the end of the bracket expression that begins at i.
func bracketEnd(pattern string, i int) int {
	j := i + 1
	if j < len(pattern) && pattern[j] == '^' {
		j++
	}
	if j < len(pattern) && pattern[j] == ']' {
		j++
	}
	for j < len(pattern) {
		switch {
		case pattern[j] == '\\':
			j++
		case pattern[j] == '[' && j+1 < len(pattern) && strings.IndexByte(":.=", pattern[j+1]) >= 0:
			if end := strings.Index(pattern[j+2:], string(pattern[j+1])+"]"); end >= 0 {
				j += end + 3
			}
		case pattern[j] == ']':
			return j + 1
		}
		j++
	}
	return len(pattern)
}

// spellBracket escapes a [ that stands for itself, which Go would take for a class.
func spellBracket(b *strings.Builder, class string) {
	b.WriteByte('[')
	body := class[1:]
	if strings.HasPrefix(body, "^") {
		b.WriteByte('^')
		body = body[1:]
	}
	for i := 0; i < len(body); i++ {
		switch {
		case body[i] == '[' && i+1 < len(body) && body[i+1] == ':':
			if end := strings.Index(body[i+2:], ":]"); end >= 0 {
				b.WriteString(body[i : i+end+4])
				i += end + 3
				continue
			}
			b.WriteString(`\[`)
		case body[i] == '[':
			b.WriteString(`\[`)
		case body[i] == ']' && i == 0:
			b.WriteString(`\]`)
		default:
			b.WriteByte(body[i])
		}
	}
}

// regexOp is ~ and its kin.
func regexOp(negate, fold bool) Eval {
	flags := ""
	if fold {
		flags = "i"
	}
	return func(_ *Context, a []Datum) (Datum, error) {
		re, err := compileRegex(a[1].Str(), flags)
		if err != nil {
			return types.Null, err
		}
		return types.NewBool(re.MatchString(a[0].Str()) != negate), nil
	}
}
