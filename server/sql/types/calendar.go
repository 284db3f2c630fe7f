package types

import (
	"math"
	"time"
)

// Dates count days and timestamps microseconds from 2000-01-01, in the proleptic Gregorian
// calendar. The two ends of each integer's range are the infinities.

const (
	epochJulian = 2451545   // the Julian day of 2000-01-01
	unixEpoch   = 946684800 // 2000-01-01 in seconds since 1970

	dateInfinity    = math.MaxInt32
	dateNegInfinity = math.MinInt32
	dateMin         = -epochJulian
	dateEnd         = 2147483494 - epochJulian // the first day past the range

	timestampInfinity    = math.MaxInt64
	timestampNegInfinity = math.MinInt64
	timestampMin         = -211813488000000000
	timestampEnd         = 9223371331200000000 // the first microsecond past the range

	microsPerSecond = 1_000_000
	microsPerMinute = 60 * microsPerSecond
	microsPerHour   = 60 * microsPerMinute
	secondsPerDay   = 24 * 60 * 60
)

// Civil is a date as people write it. Year 0 is 1 BC, -1 is 2 BC.
type Civil struct {
	Year, Month, Day int
}

// julianDay numbers a day; day 0 is 4714-11-24 BC.
func julianDay(c Civil) int {
	year, month := c.Year, c.Month
	if month > 2 {
		month++
		year += 4800
	} else {
		month += 13
		year += 4799
	}
	century := year / 100
	julian := year*365 - 32167
	julian += year/4 - century + century/4
	return julian + 7834*month/256 + c.Day
}

// DaysOf returns the days from 2000-01-01 to c.
func DaysOf(c Civil) int64 { return int64(julianDay(c) - epochJulian) }

// CivilOf is the inverse of DaysOf.
func CivilOf(days int64) Civil {
	// Years begin in March, so that the leap day is a year's last.
	z := days + epochJulian - 1721120
	era := floorDiv64(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	c := Civil{Year: int(yoe + era*400), Day: int(doy - (153*mp+2)/5 + 1)}
	c.Month = int(mp) + 3
	if c.Month > 12 {
		c.Month -= 12
		c.Year++
	}
	return c
}

func floorDiv64(x, y int64) int64 {
	q := x / y
	if x%y != 0 && (x < 0) != (y < 0) {
		q--
	}
	return q
}

// DaysInMonth is the number of days of a month.
func DaysInMonth(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// SplitTimestamp takes a finite timestamp apart into days and microseconds of the day.
func SplitTimestamp(micros int64) (days, timeOfDay int64) {
	days = floorDiv64(micros, microsPerDay)
	return days, micros - days*microsPerDay
}

// joinTimestamp is the inverse of SplitTimestamp; false when out of range.
func joinTimestamp(days, timeOfDay int64) (int64, bool) {
	if days < dateMin-1 || days > timestampEnd/microsPerDay {
		return 0, false
	}
	v := days*microsPerDay + timeOfDay
	return v, v >= timestampMin && v < timestampEnd
}

// dateTimeInRange reports whether an integer can be a value of a date or time type.
func dateTimeInRange(oid OID, v int64) bool {
	switch oid {
	case Date:
		return v >= dateMin && v < dateEnd || v == dateInfinity || v == dateNegInfinity
	case Time:
		return v >= 0 && v <= microsPerDay
	}
	return v >= timestampMin && v < timestampEnd || isInfiniteTime(oid, v)
}

// isInfiniteTime reports whether a date or timestamp is one of the infinities.
func isInfiniteTime(oid OID, v int64) bool {
	switch oid {
	case Date:
		return v == dateInfinity || v == dateNegInfinity
	case Timestamp, TimestampTZ:
		return v == timestampInfinity || v == timestampNegInfinity
	}
	return false
}

// IsInfinite reports whether a date or timestamp is one of the infinities, and its sign.
func IsInfinite(d Datum) (sign int, ok bool) {
	if !isInfiniteTime(d.typ, d.n) {
		return 0, false
	}
	if d.n < 0 {
		return -1, true
	}
	return 1, true
}

func dateTimeNoun(oid OID) string {
	switch oid {
	case Date, Time:
		return Lookup(oid).Name
	}
	return "timestamp"
}

// MicrosOf returns a time as microseconds since 2000-01-01 UTC.
func MicrosOf(t time.Time) int64 {
	return (t.Unix()-unixEpoch)*microsPerSecond + int64(t.Nanosecond()/1000)
}

// TimeOf is the inverse of MicrosOf, in UTC.
func TimeOf(micros int64) time.Time {
	seconds := floorDiv64(micros, microsPerSecond)
	return time.Unix(seconds+unixEpoch, (micros-seconds*microsPerSecond)*1000).UTC()
}

// NewTimestampTZ makes a timestamptz.
func NewTimestampTZ(t time.Time) Datum { return NewInt(TimestampTZ, MicrosOf(t)) }

// ZoneOffset returns the seconds a zone is ahead of UTC at an instant.
func ZoneOffset(micros int64, loc *time.Location) int {
	if loc == time.UTC {
		return 0
	}
	_, offset := TimeOf(micros).In(loc).Zone()
	return offset
}

// ToLocal turns an instant into the wall clock of the session's zone.
func ToLocal(micros int64, env *Env) int64 { return InZone(micros, env.location()) }

// InZone turns an instant into the wall clock of a zone.
func InZone(micros int64, loc *time.Location) int64 {
	if isInfiniteTime(TimestampTZ, micros) {
		return micros
	}
	return micros + int64(ZoneOffset(micros, loc))*microsPerSecond
}

// FromLocal turns the wall clock of the session's zone into an instant.
func FromLocal(micros int64, env *Env) int64 { return FromZone(micros, env.location()) }

// FromZone turns the wall clock of a zone into an instant. A wall clock that a change of offset
// skips counts by the offset before the change, one that occurs twice by standard time, as
// PostgreSQL has it.
func FromZone(micros int64, loc *time.Location) int64 {
	if loc == time.UTC || isInfiniteTime(Timestamp, micros) {
		return micros
	}
	before := int64(ZoneOffset(micros-microsPerDay, loc)) * microsPerSecond
	after := int64(ZoneOffset(micros+microsPerDay, loc)) * microsPerSecond
	if before == after {
		// No change within a day, or one and back: settle by looking at the instant itself.
		at := int64(ZoneOffset(micros-before, loc)) * microsPerSecond
		return micros - at
	}
	early, late := micros-before, micros-after
	earlyFits := int64(ZoneOffset(early, loc))*microsPerSecond == before
	lateFits := int64(ZoneOffset(late, loc))*microsPerSecond == after
	switch {
	case earlyFits && lateFits: // the clock shows it twice; standard time is the smaller offset
		if before < after {
			return early
		}
		return late
	case lateFits:
		return late
	}
	return early
}

// DateInRange reports whether days from 2000-01-01 make a date.
func DateInRange(days int64) bool { return dateTimeInRange(Date, days) }

// TimestampInRange reports whether microseconds from 2000-01-01 make a finite timestamp.
func TimestampInRange(micros int64) bool { return micros >= timestampMin && micros < timestampEnd }

// InfiniteTime makes the infinity of a date or timestamp type.
func InfiniteTime(oid OID, positive bool) Datum {
	if positive {
		return infinite(oid, 1)
	}
	return infinite(oid, -1)
}

// ZoneByName finds a zone by name, abbreviation or offset, as AT TIME ZONE takes it. A bare offset
// counts west of UTC as positive, the way of POSIX.
func ZoneByName(name string) (*time.Location, error) {
	if loc, ok := LoadZone(name); ok {
		return loc, nil
	}
	if seconds, ok := ParseOffset(name); ok {
		return time.FixedZone(name, -seconds), nil
	}
	return nil, Errorf(CodeInvalidParameter, "time zone \"%s\" not recognized", name)
}
