package server

import (
	"slices"
	"strings"
	"time"

	"ackdb/pgwire"
	"ackdb/server/sql/types"
)

// numberSettings sorts the registry as SHOW ALL does and gives each its id.
func numberSettings() {
	slices.SortFunc(settings, func(a, b setting) int {
		return strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name))
	})
	for i := range settings {
		settings[i].id = settingID(i)
		settingIDs[strings.ToLower(settings[i].name)] = settingID(i)
	}
}

// applicationNameBytes is the most of a name that a commit record holds.
const applicationNameBytes = 63

// checkApplicationName replaces what is not printable ASCII, as Postgres does: the name is written
// to logs.
func checkApplicationName(text string) (string, *pgwire.Error) {
	if len(text) > applicationNameBytes {
		text = text[:applicationNameBytes]
	}
	return strings.Map(func(r rune) rune {
		if r < 32 || r > 126 {
			return '?'
		}
		return r
	}, text), nil
}

func checkEncoding(text string) (string, *pgwire.Error) {
	// asyncpg sends the name in quotes, others with or without the hyphen.
	name := strings.Trim(strings.ToLower(text), "'\"")
	switch strings.NewReplacer("-", "", "_", "").Replace(name) {
	case "utf8", "unicode":
		return "UTF8", nil
	case "sqlascii":
		return "SQL_ASCII", nil
	}
	e := pgwire.Errorf(pgwire.CodeFeatureNotSupported,
		"conversion between %s and UTF8 is not supported", strings.ToUpper(name))
	e.Hint = "The server speaks UTF8 only."
	return "", e
}

// checkDateStyle keeps ISO, the one output style, and the order of fields asked for.
func checkDateStyle(text string) (string, *pgwire.Error) {
	order := "MDY"
	for _, word := range strings.Split(text, ",") {
		switch w := strings.ToUpper(strings.TrimSpace(word)); w {
		case "ISO", "":
		case "DEFAULT":
			order = "MDY"
		case "MDY", "US", "NONEURO", "NONEUROPEAN":
			order = "MDY"
		case "DMY", "EURO", "EUROPEAN":
			order = "DMY"
		case "YMD":
			order = "YMD"
		case "POSTGRES", "SQL", "GERMAN":
			return "", pgwire.Errorf(pgwire.CodeFeatureNotSupported,
				"DateStyle %s is not supported", w)
		default:
			e := pgwire.Errorf(pgwire.CodeInvalidParameterValue,
				"invalid value for parameter \"DateStyle\": \"%s\"", text)
			e.Detail = "Unrecognized key word: \"" + strings.TrimSpace(word) + "\"."
			return "", e
		}
	}
	return "ISO, " + order, nil
}

func checkFsync(text string) (string, *pgwire.Error) {
	if text == "on" {
		return text, nil
	}
	e := pgwire.Errorf(pgwire.CodeFeatureNotSupported, "fsync = off is not supported")
	e.Detail = "The store is recovered from the log, and both are only ever as whole as what was " +
		"flushed; without flushes a power cut would leave neither."
	e.Hint = "synchronous_commit = off gives the speed: commits wait for no flush."
	return "", e
}

func onlyOn(name string) func(string) (string, *pgwire.Error) {
	return func(text string) (string, *pgwire.Error) {
		if text == "on" {
			return text, nil
		}
		return "", pgwire.Errorf(pgwire.CodeFeatureNotSupported, "%s = off is not supported", name)
	}
}

// onlyBoot refuses whatever would change what statements mean: accepted and ignored it would make
// answers wrong in silence.
func onlyBoot(name, boot string) func(string) (string, *pgwire.Error) {
	return func(text string) (string, *pgwire.Error) {
		if text == boot {
			return text, nil
		}
		return "", pgwire.Errorf(pgwire.CodeFeatureNotSupported, "%s = %s is not supported", name, text)
	}
}

func checkRole(text string) (string, *pgwire.Error) {
	if text == "none" || text == superuser {
		return text, nil
	}
	return "", pgwire.Errorf(pgwire.CodeInvalidParameterValue, "role \"%s\" does not exist", text)
}

func checkTimeZone(text string) (string, *pgwire.Error) {
	name, _, err := parseTimeZone(text)
	if err != nil {
		return "", err
	}
	return name, nil
}

// parseTimeZone takes a name of the time zone database, UTC in any case, or an offset in hours.
func parseTimeZone(text string) (string, *time.Location, *pgwire.Error) {
	trimmed := strings.TrimSpace(text)
	switch strings.ToLower(trimmed) {
	case "utc", "gmt", "zulu", "z", "etc/utc", "default":
		name := trimmed
		if strings.EqualFold(name, "default") {
			name = "Etc/UTC"
		}
		return name, time.UTC, nil
	case "", "local":
		return "", nil, errTimeZone(text)
	}
	if seconds, ok := parseOffset(trimmed); ok {
		name := offsetName(seconds)
		return name, time.FixedZone(name, seconds), nil
	}
	if location, ok := types.LoadZone(trimmed); ok {
		return trimmed, location, nil
	}
	return "", nil, errTimeZone(text)
}

func errTimeZone(text string) *pgwire.Error {
	return pgwire.Errorf(pgwire.CodeInvalidParameterValue,
		"invalid value for parameter \"TimeZone\": \"%s\"", text)
}
