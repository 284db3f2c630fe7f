package plan

import (
	"slices"
	"strings"

	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// CopyFormat is how rows look on the wire.
type CopyFormat struct {
	Binary, CSV   bool
	Delimiter     byte
	Quote, Escape byte // of csv
	Null          string
	Header        bool
	MatchHead     bool // HEADER MATCH

	// One entry a field; nil when none is set.
	ForceQuote, ForceNotNull, ForceNull []bool
}

// copyOptions gathers what COPY was told, before it is known what goes together.
type copyOptions struct {
	given  map[string]parse.DefElem
	format CopyFormat

	delimiter, null, quote, escape *string
	forceQuote, notNull, forceNull *parse.DefList
}

// copyFormat settles the options of a COPY whose fields have those names.
func (a *analyzer) copyFormat(c *Copy, options []parse.DefElem, fields []string) error {
	o := &copyOptions{given: map[string]parse.DefElem{}}
	for _, option := range options {
		name := strings.ToLower(option.Name)
		if _, again := o.given[name]; again {
			return a.errorf(option.Pos, types.CodeSyntax, "conflicting or redundant options")
		}
		o.given[name] = option
		if err := a.copyOption(o, name, option, c.From); err != nil {
			return err
		}
	}
	for _, settle := range []func(bool) error{o.settleBinary, o.settleText, o.settleCSV,
		o.settleForce, o.settleNull} {
		if err := settle(c.From); err != nil {
			return err
		}
	}
	for _, force := range []struct {
		option string
		list   *parse.DefList
		flags  *[]bool
	}{
		{"FORCE_QUOTE", o.forceQuote, &o.format.ForceQuote},
		{"FORCE_NOT_NULL", o.notNull, &o.format.ForceNotNull},
		{"FORCE_NULL", o.forceNull, &o.format.ForceNull},
	} {
		var err error
		if *force.flags, err = a.copyForced(c, force.option, force.list, fields); err != nil {
			return err
		}
	}
	c.Format = o.format
	return nil
}

func (a *analyzer) copyOption(
	o *copyOptions, name string, option parse.DefElem, from bool,
) error {
	switch name {
	case "format", "delimiter", "null", "quote", "escape", "encoding":
		if option.Arg == nil {
			return types.Errorf(types.CodeSyntax, "%s requires a parameter", name)
		}
		return a.copyTextOption(o, name, option)
	case "freeze":
		_, err := copySwitch(option, name+" requires a Boolean value")
		return err
	case "header":
		return o.header(option, from)
	case "force_quote", "force_not_null", "force_null":
		list, ok := option.Arg.(*parse.DefList)
		if !ok || list.Star && name != "force_quote" {
			return a.errorf(option.Pos, types.CodeInvalidParameter,
				"argument to option \"%s\" must be a list of column names", name)
		}
		switch name {
		case "force_quote":
			o.forceQuote = list
		case "force_not_null":
			o.notNull = list
		default:
			o.forceNull = list
		}
		return nil
	}
	return a.errorf(option.Pos, types.CodeSyntax, "option \"%s\" not recognized", name)
}

func (a *analyzer) copyTextOption(o *copyOptions, name string, option parse.DefElem) error {
	value := defString(option)
	switch name {
	case "format":
		o.format.CSV, o.format.Binary = value == "csv", value == "binary"
		if !o.format.CSV && !o.format.Binary && value != "text" {
			return a.errorf(option.Pos, types.CodeInvalidParameter,
				"COPY format \"%s\" not recognized", value)
		}
	case "delimiter":
		o.delimiter = &value
	case "null":
		o.null = &value
	case "quote":
		o.quote = &value
	case "escape":
		o.escape = &value
	case "encoding":
		known, ok := encodings[strings.Map(encodingLetter, strings.ToLower(value))]
		switch {
		case !ok:
			return a.errorf(option.Pos, types.CodeInvalidParameter,
				"argument to option \"encoding\" must be a valid encoding name")
		case !known:
			return a.unsupported(option.Pos, "COPY ENCODING "+value)
		}
	}
	return nil
}

// encodingLetter keeps what counts in the name of an encoding.
func encodingLetter(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return -1
}

// encodings are the names of encodings, and whether data in them can be copied: those that need no
// conversion.
var encodings = map[string]bool{"utf8": true, "unicode": true, "sqlascii": true}

func init() {
	for _, name := range strings.Fields("abc alt big5 euccn eucjis2004 eucjp euckr euctw gb18030" +
		" gbk iso88591 iso885910 iso885913 iso885914 iso885915 iso885916 iso88592 iso88593" +
		" iso88594 iso88595 iso88596 iso88597 iso88598 iso88599 johab koi8 koi8r koi8u latin1" +
		" latin10 latin2 latin3 latin4 latin5 latin6 latin7 latin8 latin9 mskanji muleinternal" +
		" shiftjis shiftjis2004 sjis tcvn tcvn5712 uhc vscii win win1250 win1251 win1252 win1253" +
		" win1254 win1255 win1256 win1257 win1258 win866 win874 win932 win936 win949 win950" +
		" windows1250 windows1251 windows1252 windows1253 windows1254 windows1255 windows1256" +
		" windows1257 windows1258 windows866 windows874 windows932 windows936 windows949" +
		" windows950") {
		encodings[name] = false
	}
}

// copySwitch reads a boolean option, which is on when it stands alone.
func copySwitch(option parse.DefElem, refusal string) (bool, error) {
	if option.Arg == nil {
		return true, nil
	}
	switch strings.ToLower(defString(option)) {
	case "true", "on", "1":
		return true, nil
	case "false", "off", "0":
		return false, nil
	}
	return false, types.Errorf(types.CodeSyntax, "%s", refusal)
}

func (o *copyOptions) header(option parse.DefElem, from bool) error {
	if option.Arg != nil && strings.EqualFold(defString(option), "match") {
		if !from {
			return types.Errorf(types.CodeFeatureNotSupported,
				"cannot use \"match\" with HEADER in COPY TO")
		}
		o.format.Header, o.format.MatchHead = true, true
		return nil
	}
	var err error
	o.format.Header, err = copySwitch(option, "header requires a Boolean value or \"match\"")
	return err
}

func (o *copyOptions) settleBinary(bool) error {
	switch {
	case !o.format.Binary:
	case o.delimiter != nil:
		return types.Errorf(types.CodeSyntax, "cannot specify DELIMITER in BINARY mode")
	case o.null != nil:
		return types.Errorf(types.CodeSyntax, "cannot specify NULL in BINARY mode")
	}
	return nil
}

// settleText checks the delimiter and the text of NULL, and HEADER.
func (o *copyOptions) settleText(bool) error {
	f := &o.format
	delimiter, null := "\t", `\N`
	if f.CSV {
		delimiter, null = ",", ""
	}
	if o.delimiter != nil {
		delimiter = *o.delimiter
	}
	if o.null != nil {
		null = *o.null
	}
	switch {
	case len(delimiter) != 1:
		return types.Errorf(types.CodeFeatureNotSupported,
			"COPY delimiter must be a single one-byte character")
	case delimiter == "\r" || delimiter == "\n":
		return types.Errorf(types.CodeInvalidParameter,
			"COPY delimiter cannot be newline or carriage return")
	case strings.ContainsAny(null, "\r\n"):
		return types.Errorf(types.CodeInvalidParameter,
			"COPY null representation cannot use newline or carriage return")
	case !f.CSV && strings.Contains("\\.abcdefghijklmnopqrstuvwxyz0123456789", delimiter):
		return types.Errorf(types.CodeInvalidParameter,
			"COPY delimiter cannot be \"%s\"", delimiter)
	case f.Binary && f.Header:
		return types.Errorf(types.CodeFeatureNotSupported, "cannot specify HEADER in BINARY mode")
	}
	f.Delimiter, f.Null = delimiter[0], null
	return nil
}

// settleCSV checks quote and escape.
func (o *copyOptions) settleCSV(bool) error {
	f := &o.format
	quote := `"`
	if o.quote != nil {
		quote = *o.quote
	}
	escape := quote
	if o.escape != nil {
		escape = *o.escape
	}
	switch {
	case !f.CSV && o.quote != nil:
		return errCSVOnly("quote")
	case f.CSV && len(quote) != 1:
		return types.Errorf(types.CodeFeatureNotSupported,
			"COPY quote must be a single one-byte character")
	case f.CSV && quote[0] == f.Delimiter:
		return types.Errorf(types.CodeInvalidParameter,
			"COPY delimiter and quote must be different")
	case !f.CSV && o.escape != nil:
		return errCSVOnly("escape")
	case f.CSV && len(escape) != 1:
		return types.Errorf(types.CodeFeatureNotSupported,
			"COPY escape must be a single one-byte character")
	case f.CSV:
		f.Quote, f.Escape = quote[0], escape[0]
	}
	return nil
}

func errCSVOnly(option string) error {
	return types.Errorf(types.CodeFeatureNotSupported,
		"COPY %s available only in CSV mode", option)
}

func (o *copyOptions) settleForce(from bool) error {
	for _, force := range []struct {
		list *parse.DefList
		name string
		from bool // belongs to COPY FROM
	}{
		{o.forceQuote, "force quote", false}, {o.notNull, "force not null", true},
		{o.forceNull, "force null", true},
	} {
		switch {
		case force.list == nil:
		case !o.format.CSV:
			return errCSVOnly(force.name)
		case force.from != from:
			direction := "TO"
			if force.from {
				direction = "FROM"
			}
			return types.Errorf(types.CodeFeatureNotSupported,
				"COPY %s only available using COPY %s", force.name, direction)
		}
	}
	return nil
}

// settleNull keeps the text of NULL from being taken for more than one field.
func (o *copyOptions) settleNull(bool) error {
	switch f := &o.format; {
	case strings.IndexByte(f.Null, f.Delimiter) >= 0:
		return types.Errorf(types.CodeFeatureNotSupported,
			"COPY delimiter must not appear in the NULL specification")
	case f.CSV && strings.IndexByte(f.Null, f.Quote) >= 0:
		return types.Errorf(types.CodeFeatureNotSupported,
			"CSV quote character must not appear in the NULL specification")
	}
	return nil
}

// copyForced finds the fields a FORCE option names.
func (a *analyzer) copyForced(
	c *Copy, option string, list *parse.DefList, fields []string,
) ([]bool, error) {
	if list == nil {
		return nil, nil
	}
	flags := make([]bool, len(fields))
	for i := range flags {
		flags[i] = list.Star
	}
	var names []string
	for _, item := range list.Items {
		names = append(names, defString(parse.DefElem{Arg: item}))
	}
	if c.Table != nil && len(names) > 0 {
		if _, err := a.copyColumns(c.Table, names); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		i := slices.Index(fields, name)
		switch {
		case i < 0 && c.Table == nil:
			return nil, types.Errorf(CodeUndefinedColumn, "column \"%s\" does not exist", name)
		case i < 0:
			return nil, types.Errorf(CodeInvalidColumnRef,
				"%s column \"%s\" not referenced by COPY", option, name)
		case flags[i] && c.Table == nil:
			return nil, types.Errorf(CodeDuplicateColumn,
				"column \"%s\" specified more than once", name)
		}
		flags[i] = true
	}
	return flags, nil
}
