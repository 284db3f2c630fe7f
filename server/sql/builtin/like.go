package builtin

import (
	"strings"
	"unicode/utf8"

	"ackdb/server/sql/types"
)

// likeOp is [NOT] LIKE or ILIKE.
func likeOp(negate, fold bool) Eval {
	return func(c *Context, a []Datum) (Datum, error) {
		s, pattern := a[0].Str(), a[1].Str()
		if fold {
			s, pattern = strings.ToLower(s), strings.ToLower(pattern)
		}
		matched, err := Like(s, pattern)
		if err != nil {
			return types.Null, err
		}
		return types.NewBool(matched != negate), nil
	}
}

// Like reports whether all of s matches a pattern of %, _ and backslash escapes.
func Like(s, pattern string) (bool, error) {
	// The last % and where in s it was tried: on a mismatch it takes one character more. One such
	// point suffices, for an earlier % could not do better than the last.
	retryPattern, retry := "", ""
	starred := false
	for {
		if pattern == "" {
			if s == "" {
				return true, nil
			}
		} else if pattern[0] == '%' {
			pattern = pattern[1:]
			if pattern == "" {
				return true, nil
			}
			starred, retryPattern, retry = true, pattern, s
			continue
		} else {
			rest, size, err := likeStep(s, pattern)
			if err != nil {
				return false, err
			}
			if rest >= 0 {
				s, pattern = s[rest:], pattern[size:]
				continue
			}
		}
		if !starred || retry == "" {
			return false, nil
		}
		_, size := utf8.DecodeRuneInString(retry)
		retry = retry[size:]
		s, pattern = retry, retryPattern
	}
}

// likeStep matches one character: it returns how many bytes of s and of the pattern are used up, -1
// of s when they do not match.
func likeStep(s, pattern string) (used, size int, err error) {
	switch pattern[0] {
	case '_':
		if s == "" {
			return -1, 0, nil
		}
		_, size := utf8.DecodeRuneInString(s)
		return size, 1, nil
	case '\\':
		if s == "" {
			return -1, 0, nil
		}
		if len(pattern) == 1 {
			return 0, 0, errLikeEscape()
		}
		if s[0] != pattern[1] {
			return -1, 0, nil
		}
		return 1, 2, nil
	}
	if s == "" || s[0] != pattern[0] {
		return -1, 0, nil
	}
	return 1, 1, nil
}

func errLikeEscape() error {
	return types.Errorf(types.CodeEscapeSequence, "LIKE pattern must not end with escape character")
}

func likeBytes(negate bool) Eval {
	return func(_ *Context, a []Datum) (Datum, error) {
		matched, err := Like(a[0].Str(), a[1].Str())
		return types.NewBool(matched != negate), err
	}
}

func evalLikeEscapeBytes(c *Context, a []Datum) (Datum, error) {
	d, err := evalLikeEscape(c, a)
	return types.NewBytes(types.Bytea, d.Bytes()), err
}

func evalStartsWith(_ *Context, a []Datum) (Datum, error) {
	return types.NewBool(strings.HasPrefix(a[0].Str(), a[1].Str())), nil
}

// evalLikeEscape rewrites a pattern with another escape character to one with backslashes.
func evalLikeEscape(_ *Context, a []Datum) (Datum, error) {
	pattern, escape := a[0].Str(), a[1].Str()
	if utf8.RuneCountInString(escape) > 1 {
		return types.Null, types.Errorf(types.CodeEscapeSequence, "invalid escape string").
			WithHint("Escape string must be empty or one character.")
	}
	if escape == `\` {
		return a[0], nil
	}
	var b strings.Builder
	for pattern != "" {
		switch {
		case escape != "" && strings.HasPrefix(pattern, escape):
			pattern = pattern[len(escape):]
			b.WriteByte('\\')
			if pattern == "" {
				return types.NewText(b.String()), nil
			}
			_, size := utf8.DecodeRuneInString(pattern)
			b.WriteString(pattern[:size])
			pattern = pattern[size:]
			continue
		case pattern[0] == '\\':
			b.WriteByte('\\')
		}
		b.WriteByte(pattern[0])
		pattern = pattern[1:]
	}
	return types.NewText(b.String()), nil
}

func init() {
	register(
		fn("like_escape", types.Text, evalLikeEscape, types.Text, types.Text),
		fn("like_escape", types.Bytea, evalLikeEscapeBytes, types.Bytea, types.Bytea),
		fn("like", types.Bool, likeOp(false, false), types.Text, types.Text),
		fn("notlike", types.Bool, likeOp(true, false), types.Text, types.Text),
		fn("starts_with", types.Bool, evalStartsWith, types.Text, types.Text),
	)
}
