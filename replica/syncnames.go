package replica

import (
	"strconv"
	"strings"
)

// MaxStandbyNames bounds the list in synchronous_standby_names.
const MaxStandbyNames = 256

// StandbyNames is the value of synchronous_standby_names: who has to confirm a commit that asked
// for more than this node.
type StandbyNames struct {
	// Any says that N of the list suffice, whichever they are. Otherwise the N that stand first in
	// the list among those connected have to.
	Any   bool
	N     int
	Names []string // "*" matches every replica
}

// Empty says that nobody has to confirm anything.
func (s StandbyNames) Empty() bool { return s.N == 0 }

// Priority is the place in the list of the first name that matches, from 1, and 0 when none does.
// A peer that is no replica, as pg_receivewal, is matched by its name and not by "*".
func (s StandbyNames) Priority(app string, isReplica bool) int {
	for i, name := range s.Names {
		if name == "*" && isReplica || name != "*" && strings.EqualFold(name, app) {
			return i + 1
		}
	}
	return 0
}

// String is the value in the form that says most, which reads back as the same.
func (s StandbyNames) String() string {
	if s.Empty() {
		return ""
	}
	quoted := make([]string, len(s.Names))
	for i, name := range s.Names {
		quoted[i] = name
		if name != "*" {
			quoted[i] = `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		}
	}
	method := "FIRST "
	if s.Any {
		method = "ANY "
	}
	return method + strconv.Itoa(s.N) + " (" + strings.Join(quoted, ", ") + ")"
}

// ParseStandbyNames reads what Postgres reads there: FIRST n (list), ANY n (list), n (list), and a
// list alone, which is FIRST 1.
func ParseStandbyNames(text string) (StandbyNames, error) {
	t := &namesText{rest: text}
	if err := t.advance(); err != nil {
		return StandbyNames{}, err
	}
	if t.kind == tokenEnd {
		return StandbyNames{}, nil
	}
	s := StandbyNames{N: 1}
	bracket, err := t.method(&s)
	if err != nil {
		return StandbyNames{}, err
	}
	if err := t.list(&s); err != nil {
		return StandbyNames{}, err
	}
	if bracket {
		if t.kind != tokenMark || t.text != ")" {
			return StandbyNames{}, t.unexpected()
		}
		if err := t.advance(); err != nil {
			return StandbyNames{}, err
		}
	}
	if t.kind != tokenEnd {
		return StandbyNames{}, t.unexpected()
	}
	return s, nil
}

// namesText reads the value token by token.
type namesText struct {
	rest string
	kind tokenKind
	text string
}

func (t *namesText) unexpected() error {
	if t.kind == tokenEnd {
		return errorf(codeSyntax, "syntax error at end of synchronous_standby_names")
	}
	return errorf(codeSyntax, "syntax error in synchronous_standby_names at or near %q", t.text)
}

// advance goes to the next token: a name, quoted or not, a number, the star, or a mark.
func (t *namesText) advance() error {
	s := strings.TrimLeft(t.rest, commandBlanks)
	if s == "" {
		t.kind, t.text, t.rest = tokenEnd, "", ""
		return nil
	}
	if s[0] == '"' {
		quoted := commandText{}
		if err := quoted.quoted(s, tokenName); err != nil {
			return errorf(codeSyntax, "unterminated quoted name in synchronous_standby_names")
		}
		t.kind, t.text, t.rest = tokenName, quoted.text, quoted.rest
		return nil
	}
	end := 0
	for end < len(s) && isNameByte(s[end]) {
		end++
	}
	if end == 0 {
		t.kind, t.text, t.rest = tokenMark, s[:1], s[1:]
		return nil
	}
	t.kind, t.text, t.rest = tokenWord, s[:end], s[end:]
	return nil
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '_' || c == '$' || c >= 0x80
}

// method reads what stands before the list and says whether the list is in brackets.
func (t *namesText) method(s *StandbyNames) (bracket bool, err error) {
	if t.kind != tokenWord {
		return false, nil
	}
	switch {
	case strings.EqualFold(t.text, "ANY"):
		s.Any = true
	case strings.EqualFold(t.text, "FIRST"):
	default:
		// A number before a bracket is a count, anywhere else a name.
		after := *t
		if err := after.advance(); err != nil {
			return false, err
		}
		if after.kind != tokenMark || after.text != "(" {
			return false, nil
		}
		return true, t.count(s)
	}
	if err := t.advance(); err != nil {
		return false, err
	}
	return true, t.count(s)
}

// count reads n and the opening bracket.
func (t *namesText) count(s *StandbyNames) error {
	n, err := strconv.ParseInt(t.text, 10, 32)
	if t.kind != tokenWord || err != nil {
		return t.unexpected()
	}
	if n <= 0 {
		return errorf(codeInvalidParameter,
			"number of synchronous standbys (%d) must be greater than zero", n)
	}
	s.N = int(n)
	if err := t.advance(); err != nil {
		return err
	}
	if t.kind != tokenMark || t.text != "(" {
		return t.unexpected()
	}
	return t.advance()
}

func (t *namesText) list(s *StandbyNames) error {
	for {
		switch {
		case t.kind == tokenName, t.kind == tokenMark && t.text == "*":
		case t.kind == tokenWord && !strings.EqualFold(t.text, "ANY") &&
			!strings.EqualFold(t.text, "FIRST"):
		default:
			return t.unexpected()
		}
		if len(s.Names) == MaxStandbyNames {
			return errorf(codeInvalidParameter,
				"synchronous_standby_names lists more than %d names", MaxStandbyNames)
		}
		s.Names = append(s.Names, t.text)
		if err := t.advance(); err != nil {
			return err
		}
		if t.kind != tokenMark || t.text != "," {
			return nil
		}
		if err := t.advance(); err != nil {
			return err
		}
	}
}
