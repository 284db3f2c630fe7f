package types

import "time"

// Env is what a session adds to the text form of values. A nil *Env means UTC, ISO dates read month
// first, hex bytea, shortest floats, and no names.
type Env struct {
	// Location is the session's TimeZone; nil is UTC.
	Location *time.Location
	// DateOrder says how 1/2/2003 is read.
	DateOrder DateOrder
	// ByteaEscape chooses bytea_output = escape.
	ByteaEscape bool
	// FloatDigits is extra_float_digits; the zero value means 1, shortest.
	FloatDigits FloatDigits
	// Now is the transaction's start in microseconds since 2000-01-01 UTC, for 'now', 'today'.
	Now int64
	// Names resolves regclass, regproc, regnamespace and regrole; nil shows numbers only.
	Names Names
}

// DateOrder is the order of the fields of an ambiguous date.
type DateOrder uint8

// The orders, as DateStyle names them.
const (
	MDY DateOrder = iota
	DMY
	YMD
)

// FloatDigits is the setting extra_float_digits, kept one lower so that its zero value is the
// default of 1.
type FloatDigits int8

// ExtraFloatDigits makes a FloatDigits of the setting's value.
func ExtraFloatDigits(v int) FloatDigits { return FloatDigits(v - 1) }

// shortest reports whether floats print as the shortest text that reads back.
func (f FloatDigits) shortest() bool { return f >= 0 }

// Names lets the reg* types read and print names. Kinds are RegClass, RegProc, RegProcedure,
// RegNamespace, RegRole; regtype needs no names for built-in types.
type Names interface {
	// NameOf returns what the text form of the object is, quoted and qualified as its visibility
	// asks, and false when no such object exists.
	NameOf(kind OID, object OID) (string, bool)
	// OIDOf resolves an identifier as the user wrote it: parts are unquoted and folded already.
	// It returns false when no such object exists.
	OIDOf(kind OID, parts []string) (OID, bool)
}

func (e *Env) location() *time.Location {
	if e == nil || e.Location == nil {
		return time.UTC
	}
	return e.Location
}
