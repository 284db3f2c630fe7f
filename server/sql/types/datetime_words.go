package types

import (
	"strings"
	"time"
)

type wordKind uint8

const (
	wordMonth wordKind = iota
	wordWeekday
	wordAMPM
	wordEra
	wordZone    // value: seconds ahead of UTC
	wordISOTime // the T between date and time
	wordIgnore
	wordSpecial
	wordJulian // a Julian day follows
)

// Values of wordSpecial.
const (
	specialNow = iota
	specialToday
	specialTomorrow
	specialYesterday
	specialEpoch
	specialInfinity
	specialNegInfinity
	specialAllballs
)

const (
	valueAM = iota
	valuePM
	valueAD
	valueBC
)

type dateWord struct {
	kind  wordKind
	value int
}

// dateWords are the words PostgreSQL knows in dates, and the zone abbreviations of its default list
// that are in common use.
var dateWords = map[string]dateWord{
	"am": {wordAMPM, valueAM}, "pm": {wordAMPM, valuePM},
	"ad": {wordEra, valueAD}, "bc": {wordEra, valueBC},
	"t": {wordISOTime, 0}, "j": {wordJulian, 0}, "at": {wordIgnore, 0}, "on": {wordIgnore, 0},
	"now": {wordSpecial, specialNow}, "today": {wordSpecial, specialToday},
	"tomorrow": {wordSpecial, specialTomorrow}, "yesterday": {wordSpecial, specialYesterday},
	"epoch": {wordSpecial, specialEpoch}, "allballs": {wordSpecial, specialAllballs},
	"infinity": {wordSpecial, specialInfinity}, "+infinity": {wordSpecial, specialInfinity},
	"-infinity": {wordSpecial, specialNegInfinity},
	"z":         {wordZone, 0}, "zulu": {wordZone, 0}, "ut": {wordZone, 0}, "utc": {wordZone, 0},
	"gmt": {wordZone, 0}, "uct": {wordZone, 0}, "wet": {wordZone, 0}, "west": {wordZone, 3600},
	"bst": {wordZone, 3600}, "cet": {wordZone, 3600}, "cest": {wordZone, 7200},
	"met": {wordZone, 3600}, "mest": {wordZone, 7200}, "eet": {wordZone, 7200},
	"eest": {wordZone, 10800}, "msk": {wordZone, 10800}, "jst": {wordZone, 32400},
	"kst": {wordZone, 32400}, "est": {wordZone, -18000}, "edt": {wordZone, -14400},
	"cst": {wordZone, -21600}, "cdt": {wordZone, -18000}, "mst": {wordZone, -25200},
	"mdt": {wordZone, -21600}, "pst": {wordZone, -28800}, "pdt": {wordZone, -25200},
	"akst": {wordZone, -32400}, "akdt": {wordZone, -28800}, "hst": {wordZone, -36000},
	"nzst": {wordZone, 43200}, "nzdt": {wordZone, 46800}, "aest": {wordZone, 36000},
	"aedt": {wordZone, 39600}, "awst": {wordZone, 28800}, "hkt": {wordZone, 28800},
	"sgt": {wordZone, 28800}, "ist": {wordZone, 7200},
}

var monthNames = []string{"january", "february", "march", "april", "may", "june", "july", "august",
	"september", "october", "november", "december"}

var weekdayNames = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday",
	"saturday"}

func init() {
	for i, name := range monthNames {
		dateWords[name] = dateWord{wordMonth, i + 1}
		dateWords[name[:3]] = dateWord{wordMonth, i + 1}
	}
	dateWords["sept"] = dateWord{wordMonth, 9}
	for i, name := range weekdayNames {
		dateWords[name] = dateWord{wordWeekday, i}
		dateWords[name[:3]] = dateWord{wordWeekday, i}
	}
	for name, day := range map[string]int{
		"tues": 2, "weds": 3, "thur": 4, "thurs": 4,
	} {
		dateWords[name] = dateWord{wordWeekday, day}
	}
}

// LoadZone finds a time zone by the name users give: of the tz database in any case of letters, an
// abbreviation, or UTC. Go's loader needs exact case, so the usual spellings are tried.
func LoadZone(name string) (*time.Location, bool) {
	lower := strings.ToLower(name)
	switch lower {
	case "utc", "gmt", "z", "zulu", "uct", "etc/utc", "etc/gmt", "greenwich", "universal":
		return time.UTC, true
	case "", "local":
		return nil, false
	}
	for _, candidate := range []string{name, titleZone(lower), strings.ToUpper(name)} {
		if loc, err := time.LoadLocation(candidate); err == nil {
			return loc, true
		}
	}
	if w, ok := dateWords[lower]; ok && w.kind == wordZone {
		return time.FixedZone(strings.ToUpper(name), w.value), true
	}
	return nil, false
}

// titleZone spells America/New_York from america/new_york.
func titleZone(s string) string {
	b := []byte(s)
	start := true
	for i, c := range b {
		if start && c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
		start = c == '/' || c == '_' || c == '-'
	}
	return string(b)
}
