package builtin

import (
	"ackdb/server/sql/types"
)

func evalToTimestamp(c *Context, a []Datum) (Datum, error) {
	t, err := readByPattern(a[0].Str(), a[1].Str())
	if err != nil {
		return types.Null, err
	}
	days, micros, err := t.moment(a[0].Str())
	if err != nil {
		return types.Null, err
	}
	local, err := evalDatePlusSpan(c, []Datum{types.NewInt(types.Date, days),
		types.NewSpan(types.Span{Micros: micros})})
	if err != nil {
		return types.Null, err
	}
	v := local.Int()
	if t.zoneSign == 0 {
		return types.NewInt(types.TimestampTZ, types.FromLocal(v, c.Env)), nil
	}
	hours, minutes := int64(t.numbers["tzh"]), int64(t.numbers["tzm"])
	if hours < 0 || hours > 15 || minutes < 0 || minutes > 59 {
		return types.Null, types.Errorf(types.CodeInvalidTimeZoneDisplace,
			"time zone displacement out of range: \"%s\"", a[0].Str())
	}
	v -= int64(t.zoneSign) * (hours*3600 + minutes*60) * 1e6
	return types.NewInt(types.TimestampTZ, v), nil
}

func evalToDate(_ *Context, a []Datum) (Datum, error) {
	t, err := readByPattern(a[0].Str(), a[1].Str())
	if err != nil {
		return types.Null, err
	}
	days, _, err := t.moment(a[0].Str())
	if err != nil {
		return types.Null, err
	}
	if !types.DateInRange(days) {
		return types.Null, types.Errorf(types.CodeDatetimeOverflow, "date out of range: \"%s\"",
			a[0].Str())
	}
	return types.NewInt(types.Date, days), nil
}

// moment puts together what was read: days since 2000-01-01 and microseconds of the day.
func (t *readTime) moment(text string) (days, micros int64, err error) {
	if micros, err = t.clock(text); err != nil {
		return 0, 0, err
	}
	civil, err := t.date()
	if err != nil {
		return 0, 0, err
	}
	if civil.Month < 1 || civil.Month > 12 || civil.Day < 1 ||
		civil.Day > types.DaysInMonth(civil.Year, civil.Month) {
		return 0, 0, errTimeField(text)
	}
	if civil.Year > 6000000 || civil.Year < -4713 {
		return 0, 0, types.Errorf(types.CodeDatetimeOverflow, "date out of range: \"%s\"", text)
	}
	return types.DaysOf(civil), micros, nil
}

func errTimeField(text string) error {
	return types.Errorf(types.CodeDatetimeOverflow, "date/time field value out of range: \"%s\"", text)
}

func (t *readTime) clock(text string) (int64, error) {
	n := t.numbers
	hour, minute, second := n["seconds"]/3600, n["seconds"]%3600/60, n["seconds"]%60
	for what, into := range map[string]*int{"hour": &hour, "minute": &minute, "second": &second} {
		if n[what] != 0 {
			*into = n[what]
		}
	}
	if t.half {
		if hour < 1 || hour > 12 {
			return 0, errReadTime("", "hour \"%d\" is invalid for the 12-hour clock", hour).WithHint(
				"Use the 24-hour clock, or give an hour between 1 and 12.")
		}
		if hour %= 12; t.pm {
			hour += 12
		}
	}
	fraction := int64(n["ms"])*1000 + int64(n["us"])
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 ||
		fraction < 0 || fraction > 999_999 {
		return 0, errTimeField(text)
	}
	return (int64(hour)*3600+int64(minute)*60+int64(second))*1e6 + fraction, nil
}

// date is the day of what was given. Without a year it is one before Christ.
func (t *readTime) date() (types.Civil, error) {
	n := t.numbers
	civil := types.Civil{Year: t.year(), Month: 1, Day: 1}
	yearDay := n["yearday"]
	if n["julian"] != 0 {
		civil = types.CivilOf(int64(n["julian"]) - julianEpoch)
	}
	switch {
	case n["week"] == 0:
	case t.iso:
		day := int64(0)
		if n["weekday"] > 0 {
			day = int64(n["weekday"]+5) % 7
		}
		civil = types.CivilOf(isoYearStart(civil.Year) + int64(n["week"]-1)*7 + day)
	default:
		yearDay = (n["week"]-1)*7 + 1
	}
	if n["monthweek"] != 0 {
		n["day"] = (n["monthweek"]-1)*7 + 1
	}
	if n["day"] != 0 {
		civil.Day = n["day"]
	}
	if n["month"] != 0 {
		civil.Month = n["month"]
	}
	if yearDay == 0 || civil.Month > 1 && civil.Day > 1 {
		return civil, nil
	}
	return t.onYearDay(civil, yearDay)
}

// onYearDay takes month and day, where they were not given, from the day of the year.
func (t *readTime) onYearDay(civil types.Civil, yearDay int) (types.Civil, error) {
	if civil.Year == 0 && !t.bc {
		return civil, errReadTime("", "cannot calculate day of year without year information")
	}
	if t.iso {
		return types.CivilOf(isoYearStart(civil.Year) + int64(yearDay) - 1), nil
	}
	month, day := 1, yearDay
	for month <= 12 && day > types.DaysInMonth(civil.Year, month) {
		day -= types.DaysInMonth(civil.Year, month)
		month++
	}
	if civil.Month <= 1 {
		civil.Month = month
	}
	if civil.Day <= 1 {
		civil.Day = day
	}
	return civil, nil
}

// isoYearStart is the Monday of the first ISO week of a year.
func isoYearStart(year int) int64 {
	fourth := types.DaysOf(types.Civil{Year: year, Month: 1, Day: 4})
	return fourth - (weekday(fourth)+6)%7
}

// year is the year of what was given; two digits lie in the century, if one was given.
func (t *readTime) year() int {
	year, century := t.numbers["year"], t.numbers["century"]
	if t.bc {
		century = -century
	}
	switch {
	case year != 0 && century != 0 && t.yearSize <= 2:
		year %= 100
		switch {
		case year != 0 && century >= 0:
			return year + (century-1)*100
		case year != 0:
			return (century+1)*100 - year + 1
		case century >= 0:
			return century * 100
		}
		return century*100 + 1
	case year != 0:
		if t.bc {
			year = -year
		}
		if year < 0 {
			year++
		}
		return year
	case century > 0:
		return (century-1)*100 + 1
	case century < 0:
		return century*100 + 1
	}
	return 0
}
