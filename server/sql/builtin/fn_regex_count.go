package builtin

import (
	"regexp"

	"ackdb/server/sql/types"
)

func init() {
	text, i4 := types.Text, types.Int4
	register(
		fn("regexp_count", i4, evalRegexCount, text, text),
		fn("regexp_count", i4, evalRegexCount, text, text, i4),
		fn("regexp_count", i4, evalRegexCount, text, text, i4, text),
		fn("regexp_replace", text, evalRegexReplaceFrom, text, text, text, i4),
		fn("regexp_replace", text, evalRegexReplaceFrom, text, text, text, i4, i4),
		fn("regexp_replace", text, evalRegexReplaceFrom, text, text, text, i4, i4, text),
	)
	for args := []OID{text, text}; len(args) <= 7; {
		register(fn("regexp_instr", i4, evalRegexInstr, args...))
		args = append(args[:len(args):len(args)],
			[]OID{i4, i4, i4, text, i4, 0}[len(args)-2])
	}
	for args := []OID{text, text}; len(args) <= 6; {
		register(fn("regexp_substr", text, evalRegexSubstr, args...))
		args = append(args[:len(args):len(args)], []OID{i4, i4, text, i4, 0}[len(args)-2])
	}
}

// regexWish is what the longer forms of the regexp functions ask for.
type regexWish struct {
	re         *regexp.Regexp
	text       string
	start      int // byte of the text
	occurrence int64
	group      int
}

func errRegexArg(name string, v int64) error {
	return types.Errorf(types.CodeInvalidParameter, "invalid value for parameter \"%s\": %d", name, v)
}

// regexStart compiles the pattern and finds where the text is searched from: arguments from at on
// are start, occurrence and flags, as far as there are any.
func regexStart(a []Datum, function string, start, occurrence, flags int) (*regexWish, error) {
	w := &regexWish{text: a[0].Str(), occurrence: 1}
	if len(a) > start {
		n := a[start].Int()
		if n < 1 {
			return nil, errRegexArg("start", n)
		}
		if w.start = runeOffset(w.text, n-1); n-1 > int64(len([]rune(w.text))) {
			w.start = len(w.text) + 1
		}
	}
	if occurrence > 0 && len(a) > occurrence {
		if w.occurrence = a[occurrence].Int(); w.occurrence < 0 ||
			w.occurrence == 0 && function != "regexp_replace" {
			return nil, errRegexArg("n", w.occurrence)
		}
	}
	letters := ""
	if len(a) > flags {
		letters = a[flags].Str()
	}
	for _, f := range letters {
		if f == 'g' && function != "regexp_replace" {
			return nil, types.Errorf(types.CodeInvalidParameter,
				"%s() does not support the \"global\" option", function)
		}
	}
	var err error
	w.re, err = compileRegex(a[1].Str(), letters)
	return w, err
}

// matches gives the matches from the start on, in positions of the whole text.
func (w *regexWish) matches(c *Context, limit int) ([][]int, error) {
	if w.start > len(w.text) {
		return nil, nil
	}
	found, err := c.matches(w.re, w.text[w.start:], limit)
	for _, at := range found {
		for i := range at {
			if at[i] >= 0 {
				at[i] += w.start
			}
		}
	}
	return found, err
}

// wanted is the part of the match that was asked for; nil when there is none.
func (w *regexWish) wanted(c *Context) ([]int, error) {
	found, err := w.matches(c, int(w.occurrence))
	if int64(len(found)) < w.occurrence || err != nil {
		return nil, err
	}
	at := found[w.occurrence-1]
	if w.group > 0 {
		if 2*w.group >= len(at) {
			return nil, nil
		}
		at = at[2*w.group:]
	}
	if at[0] < 0 {
		return nil, nil
	}
	return at[:2], nil
}

func evalRegexCount(c *Context, a []Datum) (Datum, error) {
	w, err := regexStart(a, "regexp_count", 2, 0, 3)
	if err != nil {
		return types.Null, err
	}
	found, err := w.matches(c, -1)
	return types.NewInt4(int32(len(found))), err
}

func evalRegexInstr(c *Context, a []Datum) (Datum, error) {
	w, err := regexStart(a, "regexp_instr", 2, 3, 5)
	if err != nil {
		return types.Null, err
	}
	behind := 0
	if len(a) > 4 {
		if n := a[4].Int(); n < 0 || n > 1 {
			return types.Null, errRegexArg("endoption", n)
		}
		behind = int(a[4].Int())
	}
	if err := w.groupArg(a, 6); err != nil {
		return types.Null, err
	}
	at, err := w.wanted(c)
	if at == nil || err != nil {
		return types.NewInt4(0), err
	}
	return types.NewInt4(int32(len([]rune(w.text[:at[behind]]))) + 1), nil
}

func (w *regexWish) groupArg(a []Datum, at int) error {
	if len(a) <= at {
		return nil
	}
	if a[at].Int() < 0 {
		return errRegexArg("subexpr", a[at].Int())
	}
	w.group = int(a[at].Int())
	return nil
}

func evalRegexSubstr(c *Context, a []Datum) (Datum, error) {
	w, err := regexStart(a, "regexp_substr", 2, 3, 4)
	if err != nil {
		return types.Null, err
	}
	if err := w.groupArg(a, 5); err != nil {
		return types.Null, err
	}
	at, err := w.wanted(c)
	if at == nil || err != nil {
		return types.Null, err
	}
	return types.NewText(w.text[at[0]:at[1]]), nil
}

// evalRegexReplaceFrom replaces one match, or with occurrence 0 all of them.
func evalRegexReplaceFrom(c *Context, a []Datum) (Datum, error) {
	w, err := regexStart(a, "regexp_replace", 3, 4, 5)
	if err != nil {
		return types.Null, err
	}
	limit := int(w.occurrence)
	if limit == 0 {
		limit = -1
	}
	found, err := w.matches(c, limit)
	if err != nil {
		return types.Null, err
	}
	if w.occurrence > 0 {
		if int64(len(found)) < w.occurrence {
			return a[0], nil
		}
		found = found[w.occurrence-1:]
	}
	return c.replaceMatches(w.text, a[2].Str(), found)
}
