package types

import "fmt"

// Code is a SQLSTATE.
type Code string

// The SQLSTATEs raised by values, functions and their resolution.
const (
	CodeFeatureNotSupported      Code = "0A000"
	CodeArraySubscript           Code = "2202E"
	CodeStringRightTruncation    Code = "22001"
	CodeNumericOutOfRange        Code = "22003"
	CodeNullNotAllowed           Code = "22004"
	CodeInvalidDatetime          Code = "22007"
	CodeDatetimeOverflow         Code = "22008"
	CodeInvalidTimeZoneDisplace  Code = "22009"
	CodeEscapeSequence           Code = "22025"
	CodeIntervalOverflow         Code = "22015"
	CodeSubstring                Code = "22011"
	CodeDivisionByZero           Code = "22012"
	CodeInvalidParameter         Code = "22023"
	CodeCharacterNotInRepertoire Code = "22021"
	CodeInvalidRegexp            Code = "2201B"
	CodeInvalidLogarithm         Code = "2201E"
	CodeInvalidPower             Code = "2201F"
	CodeInvalidText              Code = "22P02"
	CodeInvalidBinary            Code = "22P03"
	CodeUntranslatable           Code = "22P05"
	CodeProgramLimit             Code = "54000"
	CodeSyntax                   Code = "42601"
	CodeCannotCoerce             Code = "42846"
	CodeUndefinedFunction        Code = "42883"
	CodeUndefinedTable           Code = "42P01"
	CodeUndefinedObject          Code = "42704"
	CodeAmbiguousFunction        Code = "42725"
	CodeDatatypeMismatch         Code = "42804"
	CodeIndeterminateType        Code = "42P18"
	CodeInvalidName              Code = "42602"
	CodeInvalidSchemaName        Code = "3F000"
	CodeWrongObjectType          Code = "42809"
	CodeInsufficientPrivilege    Code = "42501"
	CodeNotInPrerequisiteState   Code = "55000"
	CodeDataCorrupted            Code = "XX001"
)

// Error is what every floor of the SQL side returns for a statement that fails; its fields are
// those of PostgreSQL's ErrorResponse.
type Error struct {
	Code       Code
	Message    string
	Detail     string
	Hint       string
	Context    string // where in the data it happened, as of COPY
	Position   int    // in characters from 1; 0 when unknown
	Schema     string
	Table      string
	Column     string
	DataType   string
	Constraint string
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s (SQLSTATE %s)", e.Message, e.Code) }

// Errorf makes an Error.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// WithDetail sets the detail and returns e.
func (e *Error) WithDetail(format string, args ...any) *Error {
	e.Detail = fmt.Sprintf(format, args...)
	return e
}

// WithHint sets the hint and returns e.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// At sets the position unless one is there already, and returns e.
func (e *Error) At(position int) *Error {
	if e.Position == 0 {
		e.Position = position
	}
	return e
}

func errSyntax(typ, input string) *Error {
	return Errorf(CodeInvalidText, "invalid input syntax for type %s: \"%s\"", typ, input)
}

func errRange(typ, input string) *Error {
	return Errorf(CodeNumericOutOfRange, "value \"%s\" is out of range for type %s", input, typ)
}

func errOutOfRange(typ string) *Error {
	return Errorf(CodeNumericOutOfRange, "%s out of range", typ)
}

func errBinary(format string, args ...any) *Error {
	return Errorf(CodeInvalidBinary, format, args...)
}

// ErrDivisionByZero answers a division by zero of any type.
func ErrDivisionByZero() *Error { return Errorf(CodeDivisionByZero, "division by zero") }
