package builtin

import (
	"errors"
	"regexp"
	"strings"

	"ackdb/server/sql/types"
)

func init() {
	text := types.Text
	register(
		fn("substring", text, evalRegexSubstring, text, text),
		fn("regexp_replace", text, evalRegexReplace, text, text, text),
		fn("regexp_replace", text, evalRegexReplace, text, text, text, text),
		fn("regexp_match", types.TextArray, evalRegexMatch, text, text),
		fn("regexp_match", types.TextArray, evalRegexMatch, text, text, text),
		fn("regexp_split_to_array", types.TextArray, regexSplit("regexp_split_to_array"), text, text),
		fn("regexp_split_to_array", types.TextArray, regexSplit("regexp_split_to_array"), text, text, text),
		fn("regexp_like", types.Bool, evalRegexLike, text, text),
		fn("regexp_like", types.Bool, evalRegexLike, text, text, text),
		fn("textregexeq", types.Bool, regexOp(false, false), text, text),
	)
}

// regexArg compiles the pattern in args[1] with the flags in args[at], when there are any.
func regexArg(a []Datum, at int) (re *regexp.Regexp, flags string, err error) {
	if len(a) > at {
		flags = a[at].Str()
	}
	re, err = compileRegex(a[1].Str(), flags)
	return re, flags, err
}

// evalRegexSubstring returns the first parenthesised part that matched, else all that did.
func evalRegexSubstring(_ *Context, a []Datum) (Datum, error) {
	re, _, err := regexArg(a, len(a))
	if err != nil {
		return types.Null, err
	}
	at := re.FindStringSubmatchIndex(a[0].Str())
	if at == nil {
		return types.Null, nil
	}
	if len(at) > 2 {
		at = at[2:]
	}
	if at[0] < 0 {
		return types.Null, nil
	}
	return types.NewText(a[0].Str()[at[0]:at[1]]), nil
}

func evalRegexReplace(c *Context, a []Datum) (Datum, error) {
	re, flags, err := regexArg(a, 3)
	if err != nil {
		var e *types.Error
		if errors.As(err, &e) && flags != "" && flags[0] >= '0' && flags[0] <= '9' {
			return types.Null, e.WithHint("If you meant to use regexp_replace() with a start " +
				"parameter, cast the fourth argument to integer explicitly.")
		}
		return types.Null, err
	}
	s := a[0].Str()
	limit := 1
	if strings.Contains(flags, "g") {
		limit = -1
	}
	found, err := c.matches(re, s, limit)
	if err != nil {
		return types.Null, err
	}
	return c.replaceMatches(s, a[2].Str(), found)
}

// matches finds all matches, or limit of them unless that is negative. It looks for few and then for
// four times as many, again from the start, so that memory is taken before it is used.
func (c *Context) matches(re *regexp.Regexp, s string, limit int) ([][]int, error) {
	const fewMatches = 4096
	perMatch := int64(24 + 16*(re.NumSubexp()+1))
	for n := fewMatches; ; n *= 4 {
		possible := min(n, len(s)+1)
		if limit >= 0 && limit <= n || n > len(s) {
			n = limit
		}
		if err := c.Check(); err != nil {
			return nil, err
		}
		if err := c.room(int64(possible) * perMatch); err != nil {
			return nil, err
		}
		found := re.FindAllStringSubmatchIndex(s, n)
		if n < 0 || n == limit || len(found) < n {
			return found, nil
		}
	}
}

// replaceMatches puts the replacement in the place of every match.
func (c *Context) replaceMatches(s, replacement string, found [][]int) (Datum, error) {
	var b strings.Builder
	last, grown := 0, types.LargeValue
	for i, at := range found {
		b.WriteString(s[last:at[0]])
		expandReplacement(&b, replacement, s, at)
		last = at[1]
		if b.Len() > maxFieldSize {
			return types.Null, errTooLarge()
		}
		if i%checkEvery == 0 {
			if err := c.Check(); err != nil {
				return types.Null, err
			}
		}
		if b.Len() >= grown {
			if err := c.room(int64(grown)); err != nil {
				return types.Null, err
			}
			grown *= 2
		}
	}
	b.WriteString(s[last:])
	return types.NewText(b.String()), nil
}

// expandReplacement puts in \1 to \9 and \&.
func expandReplacement(b *strings.Builder, replacement, s string, at []int) {
	for i := 0; i < len(replacement); i++ {
		c := replacement[i]
		if c != '\\' || i+1 == len(replacement) {
			b.WriteByte(c)
			continue
		}
		i++
		group := -1
		switch next := replacement[i]; {
		case next == '&':
			group = 0
		case next >= '1' && next <= '9':
			group = int(next - '0')
		case next == '\\':
			b.WriteByte('\\')
			continue
		default:
			b.WriteByte('\\')
			b.WriteByte(next)
			continue
		}
		if 2*group+1 < len(at) && at[2*group] >= 0 {
			b.WriteString(s[at[2*group]:at[2*group+1]])
		}
	}
}

func evalRegexMatch(_ *Context, a []Datum) (Datum, error) {
	re, flags, err := regexArg(a, 2)
	if err != nil {
		return types.Null, err
	}
	if strings.Contains(flags, "g") {
		return types.Null, errGlobal("regexp_match").WithHint("Use the regexp_matches function instead.")
	}
	at := re.FindStringSubmatchIndex(a[0].Str())
	if at == nil {
		return types.Null, nil
	}
	return matchArray(a[0].Str(), at), nil
}

// matchArray lists the parenthesised parts of a match, or the whole when there are none.
func matchArray(s string, at []int) Datum {
	if len(at) > 2 {
		at = at[2:]
	}
	elems := make([]Datum, len(at)/2)
	for i := range elems {
		if at[2*i] >= 0 {
			elems[i] = types.NewText(s[at[2*i]:at[2*i+1]])
		}
	}
	return types.NewArray(types.Text, elems)
}

// errGlobal refuses the option g where all matches count anyway, or none but the first.
func errGlobal(function string) *types.Error {
	return types.Errorf(types.CodeInvalidParameter,
		"%s() does not support the \"global\" option", function)
}

func regexSplit(function string) Eval {
	return func(c *Context, a []Datum) (Datum, error) {
		re, flags, err := regexArg(a, 2)
		if err != nil {
			return types.Null, err
		}
		if strings.Contains(flags, "g") {
			return types.Null, errGlobal(function)
		}
		if _, err := c.matches(re, a[0].Str(), -1); err != nil {
			return types.Null, err
		}
		return types.NewTextArray(re.Split(a[0].Str(), -1)...), nil
	}
}

func evalRegexLike(_ *Context, a []Datum) (Datum, error) {
	re, flags, err := regexArg(a, 2)
	if err != nil {
		return types.Null, err
	}
	if strings.Contains(flags, "g") {
		return types.Null, errGlobal("regexp_like")
	}
	return types.NewBool(re.MatchString(a[0].Str())), nil
}
