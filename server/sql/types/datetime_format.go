package types

import (
	"strconv"
	"time"
)

// appendDateTime prints dates and times in the ISO style.
func appendDateTime(dst []byte, d Datum, env *Env) []byte {
	if sign, ok := IsInfinite(d); ok {
		if sign < 0 {
			return append(dst, "-infinity"...)
		}
		return append(dst, "infinity"...)
	}
	switch d.typ {
	case Date:
		c := CivilOf(d.n)
		return appendEra(appendCivil(dst, c), c)
	case Time:
		return appendClock(dst, d.n)
	case Timestamp:
		return appendTimestamp(dst, d.n, nil)
	}
	return appendTimestamp(dst, d.n, env.location())
}

// appendTimestamp prints a wall clock, or with a zone an instant.
func appendTimestamp(dst []byte, micros int64, loc *time.Location) []byte {
	offset := 0
	if loc != nil {
		offset = ZoneOffset(micros, loc)
		micros += int64(offset) * microsPerSecond
	}
	days, timeOfDay := SplitTimestamp(micros)
	c := CivilOf(days)
	dst = append(appendCivil(dst, c), ' ')
	dst = appendClock(dst, timeOfDay)
	if loc != nil {
		dst = appendOffset(dst, offset)
	}
	return appendEra(dst, c)
}

// appendCivil prints the year of the era, so that 1 BC is 0001.
func appendCivil(dst []byte, c Civil) []byte {
	year := c.Year
	if year <= 0 {
		year = 1 - year
	}
	dst = appendPadded(dst, year, 4)
	dst = append(dst, '-')
	dst = appendPadded(dst, c.Month, 2)
	dst = append(dst, '-')
	return appendPadded(dst, c.Day, 2)
}

func appendEra(dst []byte, c Civil) []byte {
	if c.Year <= 0 {
		return append(dst, " BC"...)
	}
	return dst
}

func appendClock(dst []byte, micros int64) []byte {
	dst = appendPadded(dst, int(micros/microsPerHour), 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, int(micros/microsPerMinute%60), 2)
	dst = append(dst, ':')
	return appendSeconds(dst, micros%microsPerMinute)
}

// appendSeconds prints seconds of two digits and of the fraction what is not zero.
func appendSeconds(dst []byte, micros int64) []byte {
	dst = appendPadded(dst, int(micros/microsPerSecond), 2)
	fraction := int(micros % microsPerSecond)
	if fraction == 0 {
		return dst
	}
	dst = append(dst, '.')
	dst = appendPadded(dst, fraction, 6)
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// appendOffset prints +hh, and minutes and seconds only when there are any.
func appendOffset(dst []byte, seconds int) []byte {
	sign := byte('+')
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	dst = appendPadded(append(dst, sign), seconds/3600, 2)
	if seconds%3600 == 0 {
		return dst
	}
	dst = appendPadded(append(dst, ':'), seconds/60%60, 2)
	if seconds%60 == 0 {
		return dst
	}
	return appendPadded(append(dst, ':'), seconds%60, 2)
}

func appendPadded(dst []byte, v, width int) []byte {
	if width == 2 && v >= 0 && v < 100 {
		return append(dst, byte('0'+v/10), byte('0'+v%10))
	}
	for limit := 10; width > 1; width-- {
		if v < limit*power10(width-2) {
			dst = append(dst, '0')
			continue
		}
		break
	}
	return strconv.AppendInt(dst, int64(v), 10)
}

func power10(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}
