package parse

import (
	"fmt"
	"unicode/utf8"
)

// The SQLSTATEs this package answers with.
const (
	CodeSyntaxError       = "42601"
	CodeFeature           = "0A000"
	CodeTooComplex        = "54001"
	CodeTooLarge          = "54000"
	CodeInvalidEscape     = "22025"
	CodeUntranslatable    = "22P05"
	CodeNumericRange      = "22003"
	CodeInvalidTextRep    = "22P02"
	CodeInvalidEncoding   = "22021"
	CodeNameTooLong       = "42622"
	CodeReservedName      = "42939"
	CodeInvalidColumnRef  = "42P10"
	CodeWindowing         = "42P20"
	CodeInternal          = "XX000"
	CodeInvalidParamValue = "22023"
)

// SyntaxError is a text the grammar, the lexer or the guard refuses.
type SyntaxError struct {
	SQLSTATE string
	Message  string
	Hint     string
	Position int // characters, from 1, in the text handed in; 0 when unknown
}

func (e *SyntaxError) Error() string { return e.Message }

// FeatureError is a text that Postgres accepts and ackdb does not, by name.
type FeatureError struct {
	Feature  string
	Position int // as in SyntaxError
}

func (e *FeatureError) Error() string { return e.Feature + " is not supported" }

// SQLSTATE of a FeatureError is always the same.
func (e *FeatureError) SQLSTATE() string { return CodeFeature }

// charPosition turns a byte offset into what Postgres reports: characters, counted from 1.
func charPosition(text string, offset int) int {
	if offset < 0 {
		return 0
	}
	offset = min(offset, len(text))
	return utf8.RuneCountInString(text[:offset]) + 1
}

// Position turns a position of the statement's tree into what a client is told.
func (s *Stmt) Position(pos Pos) int {
	if pos < 0 {
		return 0
	}
	return s.charOffset + charPosition(s.Text, int(pos))
}

// syntaxErrorNear is the message of every error that the grammar or the lexer places at a token.
func syntaxErrorNear(message, text string, offset int, token string) *SyntaxError {
	e := &SyntaxError{SQLSTATE: CodeSyntaxError, Position: charPosition(text, offset)}
	if token == "" {
		e.Message = message + " at end of input"
		return e
	}
	e.Message = fmt.Sprintf("%s at or near \"%s\"", message, token)
	return e
}
