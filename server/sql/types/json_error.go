package types

import (
	"fmt"
	"strings"
)

// jsonChecker reads a document that is known to be wrong, to say where and why in PostgreSQL's
// words.
type jsonChecker struct {
	rest  string
	depth int
	fault int // bytes of the token up to what is wrong within it
}

// maxJSONDepth bounds the nesting the checker follows; a deeper document is refused before.
const maxJSONDepth = 10000

func errJSON(s string) *Error {
	c := &jsonChecker{rest: s}
	detail := c.value("Expected JSON value")
	if detail == "" {
		if token := c.peek(); token != "" {
			detail = c.unexpected("Expected end of input")
		}
	}
	if detail == "" {
		detail = "The input string ended unexpectedly."
	}
	e := Errorf(CodeInvalidText, "invalid input syntax for type json").WithDetail("%s", detail)
	token := c.peek()
	if c.fault > 0 {
		token = token[:c.fault]
	}
	e.Context = jsonContext(s, len(s)-len(c.rest), token)
	return e
}

// jsonExcerpt is how many bytes of the line a message shows before the end of the wrong token.
const jsonExcerpt = 50

// jsonContext shows the line up to the end of the wrong token, as PostgreSQL does.
func jsonContext(s string, start int, token string) string {
	end := start + len(token)
	line := 1 + strings.Count(s[:start], "\n")
	from := strings.LastIndexByte(s[:start], '\n') + 1
	shown := from
	for end-shown >= jsonExcerpt {
		shown += len(firstChar(s[shown:]))
	}
	prefix, suffix := "", ""
	if shown-from > len("...") {
		prefix = "..."
	} else {
		shown = from
	}
	if token != "" && end < len(s) && s[end] != '\n' && s[end] != '\r' {
		suffix = "..."
	}
	return fmt.Sprintf("JSON data, line %d: %s%s%s", line, prefix, s[shown:end], suffix)
}

// peek returns the next token without passing it: a word, a number, a string or one character.
func (c *jsonChecker) peek() string {
	c.rest = strings.TrimLeft(c.rest, " \t\r\n")
	if c.rest == "" {
		return ""
	}
	if c.rest[0] == '"' {
		for i := 1; i < len(c.rest); i++ {
			switch c.rest[i] {
			case '\\':
				i++
			case '"':
				return c.rest[:i+1]
			}
		}
		return c.rest
	}
	end := 0
	for end < len(c.rest) && isJSONWord(c.rest[end]) {
		end++
	}
	if end == 0 {
		return firstChar(c.rest)
	}
	return c.rest[:end]
}

func isJSONWord(c byte) bool {
	return isLetter(c) || isDigit(c) || strings.IndexByte("_+-.", c) >= 0 || c >= 0x80
}

func (c *jsonChecker) pass(token string) { c.rest = c.rest[len(token):] }

// unexpected names the token that is not what was expected; one that is no token at all is invalid
// by itself.
func (c *jsonChecker) unexpected(expected string) string {
	token := c.peek()
	switch {
	case token == "":
		return "The input string ended unexpectedly."
	case !validJSONToken(token):
		return "Token \"" + token + "\" is invalid."
	}
	return expected + ", but found \"" + token + "\"."
}

func validJSONToken(token string) bool {
	switch token {
	case "{", "}", "[", "]", ",", ":", "true", "false", "null":
		return true
	}
	if token[0] == '"' {
		return len(token) > 1 && token[len(token)-1] == '"'
	}
	return isJSONNumber(token)
}

func isJSONNumber(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || !isDigit(digits[0]) || len(digits) > 1 && digits[0] == '0' &&
		isDigit(digits[1]) {
		return false
	}
	_, _, _, ok := splitNumeric(s)
	return ok && !strings.HasSuffix(s, ".") && !strings.Contains(s, ".e")
}

// value returns the detail of what is wrong with the value that begins here, "" when nothing is.
func (c *jsonChecker) value(expected string) string {
	token := c.peek()
	switch {
	case token == "{":
		return c.nested(c.object)
	case token == "[":
		return c.nested(c.array)
	case token == "", token == "}", token == "]", token == ",", token == ":",
		!validJSONToken(token):
		return c.unexpected(expected)
	}
	if token[0] == '"' {
		if fault := c.stringFault(token); fault != "" {
			return fault
		}
	}
	c.pass(token)
	return ""
}

// nested counts the depth, for a hostile document must not exhaust the stack.
func (c *jsonChecker) nested(read func() string) string {
	if c.depth++; c.depth > maxJSONDepth {
		return "The document is nested too deeply."
	}
	defer func() { c.depth-- }()
	c.rest = c.rest[1:]
	return read()
}

func (c *jsonChecker) object() string {
	if c.peek() == "}" {
		c.pass("}")
		return ""
	}
	for expected := "Expected string or \"}\""; ; expected = "Expected string" {
		key := c.peek()
		if key == "" || key[0] != '"' || !validJSONToken(key) {
			return c.unexpected(expected)
		}
		if fault := c.stringFault(key); fault != "" {
			return fault
		}
		c.pass(key)
		if c.peek() != ":" {
			return c.unexpected("Expected \":\"")
		}
		c.pass(":")
		if detail := c.value("Expected JSON value"); detail != "" {
			return detail
		}
		switch c.peek() {
		case ",":
			c.pass(",")
		case "}":
			c.pass("}")
			return ""
		default:
			return c.unexpected("Expected \",\" or \"}\"")
		}
	}
}

func (c *jsonChecker) array() string {
	if c.peek() == "]" {
		c.pass("]")
		return ""
	}
	for {
		if detail := c.value("Expected JSON value"); detail != "" {
			return detail
		}
		switch c.peek() {
		case ",":
			c.pass(",")
		case "]":
			c.pass("]")
			return ""
		default:
			return c.unexpected("Expected \",\" or \"]\"")
		}
	}
}

// stringFault finds a control character or an unknown escape within a string.
func (c *jsonChecker) stringFault(token string) string {
	body := token[1 : len(token)-1]
	for i := 0; i < len(body); i++ {
		switch b := body[i]; {
		case b < ' ':
			c.fault = 1 + i
			return "Character with value 0x" + hexByte(b) + " must be escaped."
		case b != '\\':
		case i+1 < len(body) && body[i+1] == 'u':
			if i+6 > len(body) || !isHex(body[i+2:i+6]) {
				return "\"\\u\" must be followed by four hexadecimal digits."
			}
			i++
		case i+1 < len(body) && strings.IndexByte(`"\/bfnrt`, body[i+1]) >= 0:
			i++
		default:
			c.fault = 1 + i + 1 + len(firstChar(body[i+1:]))
			return "Escape sequence \"\\" + firstChar(body[i+1:]) + "\" is invalid."
		}
	}
	return ""
}

func isHex(s string) bool {
	for i := range len(s) {
		if _, ok := hexValue(s[i]); !ok {
			return false
		}
	}
	return true
}
