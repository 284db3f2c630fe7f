package server

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"ackdb/pgwire"
)

// settingKind is a setting's vartype.
type settingKind uint8

const (
	kindBool settingKind = iota
	kindInteger
	kindReal
	kindString
	kindEnum
)

func (k settingKind) String() string {
	return [...]string{"bool", "integer", "real", "string", "enum"}[k]
}

// settingContext says when a setting may change.
type settingContext uint8

const (
	contextInternal   settingContext = iota // never
	contextInit                             // when the directory is created; internal to clients
	contextPostmaster                       // at start
	contextSighup                           // at reload
	contextBackend                          // in the start-up packet
	contextUser                             // at any time
)

func (c settingContext) String() string {
	return [...]string{"internal", "internal", "postmaster", "sighup", "backend", "user"}[c]
}

// setting is one entry of the registry.
type setting struct {
	id       settingID
	name     string // spelled as SHOW ALL spells it; found whatever the case
	kind     settingKind
	context  settingContext
	unit     unit
	min, max float64
	enum     []string          // accepted and advertised
	hidden   map[string]string // accepted, and what is meant
	boot     string
	report   bool // sent as ParameterStatus
	category string
	short    string

	// check refuses a value or spells it as SHOW shall, beyond what its kind does. Nil means that
	// every value of the kind is taken.
	check func(string) (string, *pgwire.Error)
	// live is for values that are not stored but read from the session.
	live func(*session) string
}

// value is a checked value.
type value struct {
	text string // canonical: a number in the setting's unit, an enum's word, on or off
	// number is of bool (0 or 1), integer, enum (its place in setting.enum), and real with a unit
	// (microseconds or bytes, whatever the unit).
	number int64
	source string // as pg_settings.source
}

// unit is what a number without a suffix means.
type unit uint8

const (
	unitNone unit = iota
	unitMillisecond
	unitSecond
	unitMinute
	unitByte
	unitKilobyte
	unitMegabyte
	unitBlock // 8 kB
)

func (u unit) String() string {
	return [...]string{"", "ms", "s", "min", "B", "kB", "MB", "8kB"}[u]
}

// suffixes in ascending order; the factor is against microseconds and bytes.
var (
	timeSuffixes = []suffix{{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"min", 60e6},
		{"h", 3600e6}, {"d", 86400e6}}
	sizeSuffixes = []suffix{{"B", 1}, {"kB", 1 << 10}, {"MB", 1 << 20}, {"GB", 1 << 30},
		{"TB", 1 << 40}}
)

type suffix struct {
	name   string
	factor float64
}

// scale gives the suffixes a unit may be written with, and the unit's own factor among them.
func (u unit) scale() (suffixes []suffix, base float64) {
	switch u {
	case unitMillisecond:
		return timeSuffixes, 1e3
	case unitSecond:
		return timeSuffixes, 1e6
	case unitMinute:
		return timeSuffixes, 60e6
	case unitByte:
		return sizeSuffixes, 1
	case unitKilobyte:
		return sizeSuffixes, 1 << 10
	case unitMegabyte:
		return sizeSuffixes, 1 << 20
	case unitBlock:
		return sizeSuffixes, 8 << 10
	}
	return nil, 1
}

// parse checks text and gives the value it stands for.
func (s *setting) parse(text string) (value, *pgwire.Error) {
	v, err := s.parseKind(text)
	if err != nil {
		return value{}, err
	}
	if s.check != nil {
		if v.text, err = s.check(v.text); err != nil {
			return value{}, err
		}
	}
	return v, nil
}

func (s *setting) parseKind(text string) (value, *pgwire.Error) {
	switch s.kind {
	case kindBool:
		on, ok := parseBool(text)
		if !ok {
			return value{}, pgwire.Errorf(pgwire.CodeInvalidParameterValue,
				"parameter \"%s\" requires a Boolean value", s.name)
		}
		return boolValue(on), nil
	case kindInteger, kindReal:
		return s.parseNumber(text)
	case kindEnum:
		return s.parseEnum(text)
	}
	return value{text: text}, nil
}

func boolValue(on bool) value {
	if on {
		return value{text: "on", number: 1}
	}
	return value{text: "off"}
}

// parseBool takes what Postgres takes: any unambiguous beginning of a word.
func parseBool(text string) (on, ok bool) {
	t := strings.ToLower(strings.TrimSpace(text))
	switch {
	case t == "1", t == "on",
		t != "" && (strings.HasPrefix("true", t) || strings.HasPrefix("yes", t)):
		return true, true
	case t == "0", t == "of", t == "off",
		t != "" && (strings.HasPrefix("false", t) || strings.HasPrefix("no", t)):
		return false, true
	}
	return false, false
}

func (s *setting) parseEnum(text string) (value, *pgwire.Error) {
	word := strings.ToLower(text)
	if meant, ok := s.hidden[word]; ok {
		word = meant
	}
	if i := slices.Index(s.enum, word); i >= 0 {
		return value{text: word, number: int64(i)}, nil
	}
	e := s.invalid(text)
	e.Hint = "Available values: " + strings.Join(s.enum, ", ") + "."
	return value{}, e
}

func (s *setting) invalid(text string) *pgwire.Error {
	return pgwire.Errorf(pgwire.CodeInvalidParameterValue,
		"invalid value for parameter \"%s\": \"%s\"", s.name, text)
}

func (s *setting) parseNumber(text string) (value, *pgwire.Error) {
	trimmed := strings.TrimSpace(text)
	end := strings.LastIndexAny(trimmed, "0123456789.") + 1
	number, err := strconv.ParseFloat(trimmed[:end], 64)
	if err != nil || math.IsNaN(number) {
		return value{}, s.invalid(text)
	}
	if given := strings.TrimSpace(trimmed[end:]); given != "" {
		factor, bad := s.factor(given)
		if bad != nil {
			bad.Message = s.invalid(text).Message
			return value{}, bad
		}
		number *= factor
	}
	if s.kind == kindInteger {
		number = math.RoundToEven(number)
	}
	if number < s.min || number > s.max {
		return value{}, s.outOfRange(number)
	}
	if s.kind == kindReal {
		v := value{text: strconv.FormatFloat(number, 'g', -1, 64)}
		if suffixes, base := s.unit.scale(); suffixes != nil {
			v.number = int64(math.Round(number * base))
		}
		return v, nil
	}
	return value{text: strconv.FormatInt(int64(number), 10), number: int64(number)}, nil
}

// factor is what a suffix means in the setting's unit.
func (s *setting) factor(given string) (float64, *pgwire.Error) {
	suffixes, base := s.unit.scale()
	var names []string
	for _, x := range suffixes {
		if x.name == given {
			return x.factor / base, nil
		}
		names = append(names, `"`+x.name+`"`)
	}
	e := s.invalid(given)
	if n := len(names); n > 0 {
		e.Hint = "Valid units for this parameter are " + strings.Join(names[:n-1], ", ") +
			", and " + names[n-1] + "."
	}
	return 0, e
}

func (s *setting) outOfRange(number float64) *pgwire.Error {
	show := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
	given := show(number)
	if s.unit != unitNone {
		given += " " + s.unit.String()
	}
	return pgwire.Errorf(pgwire.CodeInvalidParameterValue,
		"%s is outside the valid range for parameter \"%s\" (%s .. %s)",
		given, s.name, show(s.min), show(s.max))
}

// show prints a value as SHOW does: in the largest unit that divides it.
func (s *setting) show(v value) string {
	suffixes, base := s.unit.scale()
	if s.kind != kindInteger && s.kind != kindReal || suffixes == nil || v.number <= 0 {
		return v.text
	}
	total := float64(v.number)
	if s.kind == kindInteger {
		total *= base
	}
	for i := len(suffixes) - 1; i >= 0; i-- {
		if n := total / suffixes[i].factor; n >= 1 && n == math.Trunc(n) {
			return fmt.Sprintf("%.0f%s", n, suffixes[i].name)
		}
	}
	return v.text
}

// reservedPrefix holds names that are ours to define: a misspelt one must not pass as a custom
// setting.
const reservedPrefix = "ack."

// findSetting looks a name up, whatever its case.
func findSetting(name string) (*setting, error) {
	if id, ok := settingIDs[strings.ToLower(name)]; ok {
		return &settings[id], nil
	}
	if strings.HasPrefix(strings.ToLower(name), reservedPrefix) {
		e := pgwire.Errorf(codeInvalidName, "invalid configuration parameter name \"%s\"", name)
		e.Detail = "\"ack\" is a reserved prefix."
		return nil, e
	}
	return nil, pgwire.Errorf(pgwire.CodeUndefinedObject,
		"unrecognized configuration parameter \"%s\"", name)
}

// isCustomName tells whether a name that is not in the registry may be a custom setting: two
// identifiers and a dot.
func isCustomName(name string) bool {
	class, rest, ok := strings.Cut(name, ".")
	if !ok || class == "" || rest == "" || strings.EqualFold(class+".", reservedPrefix) {
		return false
	}
	for _, r := range class + strings.ReplaceAll(rest, ".", "") {
		if r != '_' && r != '$' && r < 0x80 &&
			!('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9') {
			return false
		}
	}
	return true
}
