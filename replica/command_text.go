package replica

import (
	"strings"
)

// tokenKind says what a piece of a command is.
type tokenKind uint8

const (
	tokenEnd    tokenKind = iota
	tokenWord             // a keyword, name, number or position: everything between blanks and marks
	tokenName             // in double quotes
	tokenString           // in single quotes
	tokenMark             // one of ( ) , ;
)

const (
	commandBlanks = " \t\r\n\f\v"
	commandMarks  = "(),;"
)

// commandText reads a command token by token; kind and text are the token it stands at.
type commandText struct {
	rest string
	kind tokenKind
	text string
}

// advance goes to the next token.
func (t *commandText) advance() error {
	s := strings.TrimLeft(t.rest, commandBlanks)
	if s == "" {
		t.kind, t.text, t.rest = tokenEnd, "", ""
		return nil
	}
	switch c := s[0]; {
	case c == '"':
		return t.quoted(s, tokenName)
	case c == '\'':
		return t.quoted(s, tokenString)
	case strings.IndexByte(commandMarks, c) >= 0:
		t.kind, t.text, t.rest = tokenMark, s[:1], s[1:]
		return nil
	}
	end := strings.IndexAny(s, commandBlanks+commandMarks+`"'`)
	if end < 0 {
		end = len(s)
	}
	t.kind, t.text, t.rest = tokenWord, s[:end], s[end:]
	return nil
}

// quoted takes what stands between two quotes, of which a doubled one is one of the text.
func (t *commandText) quoted(s string, kind tokenKind) error {
	quote := s[0]
	var out strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != quote {
			out.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == quote {
			out.WriteByte(quote)
			i++
			continue
		}
		t.kind, t.text, t.rest = kind, out.String(), s[i+1:]
		return nil
	}
	return errorf(codeSyntax, "unterminated quoted text in replication command")
}

func (t *commandText) unexpected() error {
	if t.kind == tokenEnd {
		return errorf(codeSyntax, "syntax error at end of input")
	}
	return errorf(codeSyntax, "syntax error at or near %q", t.text)
}

// keyword takes the keyword if it is next.
func (t *commandText) keyword(word string) (bool, error) {
	if t.kind != tokenWord || !strings.EqualFold(t.text, word) {
		return false, nil
	}
	return true, t.advance()
}

// mark takes the mark if it is next.
func (t *commandText) mark(mark string) (bool, error) {
	if t.kind != tokenMark || t.text != mark {
		return false, nil
	}
	return true, t.advance()
}

// word takes an unquoted word.
func (t *commandText) word(what string) (string, error) {
	if t.kind != tokenWord {
		if t.kind == tokenEnd {
			return "", errorf(codeSyntax, "syntax error at end of input: %s is missing", what)
		}
		return "", t.unexpected()
	}
	text := t.text
	return text, t.advance()
}

// slotName takes a name, quoted or not. Whether a slot may be called so is judged where one is
// made, so that a wrong name in any other command is one that does not exist.
func (t *commandText) slotName() (string, error) {
	var name string
	switch t.kind {
	case tokenName:
		name = t.text
	case tokenWord:
		name = strings.ToLower(t.text)
	default:
		return "", t.unexpected()
	}
	return name, t.advance()
}

// optionValue is what stands behind an option's name: nothing, a word or a string.
type optionValue struct {
	text  string
	given bool
}

// options takes a list of options in brackets, if one is next.
func (t *commandText) options(take func(name string, value optionValue) error) error {
	if found, err := t.mark("("); err != nil || !found {
		return err
	}
	for {
		name, err := t.word("an option")
		if err != nil {
			return err
		}
		value, err := t.optionValue()
		if err != nil {
			return err
		}
		if err := take(strings.ToUpper(name), value); err != nil {
			return err
		}
		if more, err := t.mark(","); err != nil || more {
			if err != nil {
				return err
			}
			continue
		}
		if found, err := t.mark(")"); err != nil || found {
			return err
		}
		return t.unexpected()
	}
}

func (t *commandText) optionValue() (optionValue, error) {
	if t.kind == tokenMark || t.kind == tokenEnd {
		return optionValue{}, nil
	}
	value := optionValue{text: t.text, given: true}
	return value, t.advance()
}

// bool reads the value as Postgres reads a boolean option: given alone it is true.
func (v optionValue) bool(name string) (bool, error) {
	if !v.given {
		return true, nil
	}
	switch strings.ToLower(v.text) {
	case "true", "on", "1":
		return true, nil
	case "false", "off", "0":
		return false, nil
	}
	return false, errorf(codeSyntax, "%s requires a Boolean value", strings.ToLower(name))
}
