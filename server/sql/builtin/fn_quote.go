package builtin

import (
	"strings"
	"unicode/utf8"

	"ackdb/server/sql/types"
)

func init() {
	text := types.Text
	register(
		fn("quote_ident", text, stringMap(QuoteIdent), text),
		fn("quote_literal", text, stringMap(QuoteLiteral), text),
		fn("quote_literal", text, evalQuoteAny(false), types.AnyElement).stable(),
		fn("quote_nullable", text, evalQuoteAny(true), text).notStrict(),
		fn("quote_nullable", text, evalQuoteAny(true), types.AnyElement).stable().notStrict(),
		fn("format", text, evalFormat, text).stable().notStrict(),
		fn("format", text, evalFormat, text, types.Any).stable().notStrict().variadic(),
	)
}

// reserved are the words that must be quoted to be an identifier: PostgreSQL's keywords of every
// category but the unreserved.
var reserved = wordSet(`all analyse analyze and any array as asc asymmetric authorization between
	bigint binary bit boolean both case cast char character check coalesce collate collation column
	concurrently constraint create cross current_catalog current_date current_role current_schema
	current_time current_timestamp current_user dec decimal default deferrable desc distinct do else
	end except exists extract false fetch float for foreign freeze from full grant greatest group
	grouping having ilike in initially inner inout int integer intersect interval into is isnull join
	lateral leading least left like limit localtime localtimestamp national natural nchar none
	normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay
	placing position precision primary real references returning right row select session_user setof
	similar smallint some substring symmetric table tablesample then time timestamp to trailing treat
	trim true union unique user using values varchar variadic verbose when where window with
	xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot
	xmlserialize xmltable`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// QuoteIdent quotes an identifier unless it reads back as itself without.
func QuoteIdent(s string) string {
	safe := s != "" && !reserved[s]
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c == '_'
		safe = safe && (letter || i > 0 && c >= '0' && c <= '9')
	}
	if safe {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

// QuoteLiteral makes a string constant, an escape string when there are backslashes.
func QuoteLiteral(s string) string {
	quoted := `'` + strings.ReplaceAll(s, `'`, `''`) + `'`
	if strings.Contains(s, `\`) {
		return "E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}

func evalQuoteAny(nullable bool) Eval {
	return func(c *Context, a []Datum) (Datum, error) {
		if a[0].IsNull() && nullable {
			return types.NewText("NULL"), nil
		}
		d, err := types.CastDatum(a[0], types.Of(types.Text), types.Explicit, c.Env)
		if err != nil {
			return types.Null, err
		}
		return types.NewText(QuoteLiteral(d.Str())), nil
	}
}

// formatSpec is one %[n$][-][width]type of format().
type formatSpec struct {
	arg       int // position, 0 for the next
	leftAlign bool
	width     int
	widthArg  int // position of the width, -1 for the next, 0 for none
	kind      byte
}

func errFormat(format string, args ...any) error {
	return types.Errorf(types.CodeInvalidParameter, format, args...)
}

func evalFormat(c *Context, a []Datum) (Datum, error) {
	if a[0].IsNull() {
		return types.Null, nil
	}
	f := formatter{ctx: c, args: a[1:], rest: a[0].Str()}
	for f.rest != "" {
		literal, rest, found := strings.Cut(f.rest, "%")
		f.out.WriteString(literal)
		f.rest = rest
		if !found {
			break
		}
		if err := f.directive(); err != nil {
			return types.Null, err
		}
	}
	return types.NewText(f.out.String()), nil
}

type formatter struct {
	ctx  *Context
	args []Datum
	rest string
	next int
	out  strings.Builder
}

func (f *formatter) directive() error {
	if strings.HasPrefix(f.rest, "%") {
		f.out.WriteByte('%')
		f.rest = f.rest[1:]
		return nil
	}
	spec, err := f.spec()
	if err != nil {
		return err
	}
	if spec.widthArg != 0 {
		if err := f.argWidth(&spec); err != nil {
			return err
		}
	}
	arg, err := f.take(spec.arg)
	if err != nil {
		return err
	}
	text, err := f.render(spec.kind, arg)
	if err != nil {
		return err
	}
	missing := int64(spec.width) - int64(utf8.RuneCountInString(text))
	if missing > maxFieldSize {
		return errTooLarge()
	}
	if err := f.ctx.room(max(missing, 0) + int64(len(text))); err != nil {
		return err
	}
	blanks := strings.Repeat(" ", int(max(missing, 0)))
	if spec.leftAlign {
		f.out.WriteString(text + blanks)
	} else {
		f.out.WriteString(blanks + text)
	}
	return nil
}

// number reads digits, at most as many as fit an int4.
func (f *formatter) number() (n int, ok bool) {
	for f.rest != "" && f.rest[0] >= '0' && f.rest[0] <= '9' && n < 1<<27 {
		n = n*10 + int(f.rest[0]-'0')
		f.rest = f.rest[1:]
		ok = true
	}
	return n, ok
}

func (f *formatter) spec() (formatSpec, error) {
	var spec formatSpec
	if n, ok := f.number(); ok {
		if strings.HasPrefix(f.rest, "$") {
			if n == 0 {
				return spec, errFormat("format specifies argument 0, but arguments are numbered from 1")
			}
			spec.arg = n
			f.rest = f.rest[1:]
		} else {
			spec.width = n
		}
	}
	for strings.HasPrefix(f.rest, "-") {
		spec.leftAlign = true
		f.rest = f.rest[1:]
	}
	if strings.HasPrefix(f.rest, "*") {
		f.rest = f.rest[1:]
		spec.widthArg = -1
		if n, ok := f.number(); ok {
			spec.widthArg = n
			f.rest = strings.TrimPrefix(f.rest, "$")
		}
	} else if n, ok := f.number(); ok {
		spec.width = n
	}
	if f.rest == "" {
		return spec, errFormat("unterminated format() type specifier").(*types.Error).
			WithHint("For a single \"%%\" use \"%%%%\".")
	}
	spec.kind = f.rest[0]
	f.rest = f.rest[1:]
	return spec, nil
}

func (f *formatter) argWidth(spec *formatSpec) error {
	d, err := f.take(max(spec.widthArg, 0))
	if err != nil || d.IsNull() {
		return err
	}
	width, err := types.CastDatum(d, types.Of(types.Int4), types.Explicit, f.ctx.Env)
	if err != nil {
		return err
	}
	spec.width = int(width.Int())
	if spec.width < 0 {
		spec.leftAlign, spec.width = true, -spec.width
	}
	return nil
}

func (f *formatter) take(position int) (Datum, error) {
	if position > 0 {
		f.next = position - 1
	}
	if f.next >= len(f.args) {
		return types.Null, errFormat("too few arguments for format()")
	}
	f.next++
	return f.args[f.next-1], nil
}

func (f *formatter) render(kind byte, d Datum) (string, error) {
	text := string(types.AppendText(nil, d, f.ctx.Env))
	switch kind {
	case 's':
		return text, nil
	case 'I':
		if d.IsNull() {
			return "", types.Errorf(types.CodeNullNotAllowed,
				"null values cannot be formatted as an SQL identifier")
		}
		return QuoteIdent(text), nil
	case 'L':
		if d.IsNull() {
			return "NULL", nil
		}
		return QuoteLiteral(text), nil
	}
	return "", errFormat("unrecognized format() type specifier \"%c\"", kind).(*types.Error).
		WithHint("For a single \"%%\" use \"%%%%\".")
}
