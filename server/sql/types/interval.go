package types

import (
	"math"
	"strconv"
)

// appendInterval prints in the style "postgres": 1 year 2 mons -3 days +04:05:06.
func appendInterval(dst []byte, s Span) []byte {
	start := len(dst)
	negative := false // whether the part before was, which makes a positive one show its sign
	part := func(v int64, unit string) {
		if v == 0 {
			return
		}
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		if negative && v > 0 {
			dst = append(dst, '+')
		}
		dst = strconv.AppendInt(dst, v, 10)
		dst = append(append(dst, ' '), unit...)
		if v != 1 {
			dst = append(dst, 's')
		}
		negative = v < 0
	}
	part(int64(s.Months/monthsPerYear), "year")
	part(int64(s.Months%monthsPerYear), "mon")
	part(int64(s.Days), "day")
	if s.Micros == 0 && len(dst) > start {
		return dst
	}
	if len(dst) > start {
		dst = append(dst, ' ')
	}
	switch {
	case s.Micros < 0:
		dst = append(dst, '-')
	case negative:
		dst = append(dst, '+')
	}
	micros := magnitude(s.Micros)
	dst = appendHours(dst, micros/microsPerHour)
	dst = append(dst, ':')
	dst = appendPadded(dst, int(micros/microsPerMinute%60), 2)
	dst = append(dst, ':')
	return appendSeconds(dst, int64(micros%microsPerMinute))
}

func appendHours(dst []byte, hours uint64) []byte {
	if hours < 10 {
		dst = append(dst, '0')
	}
	return strconv.AppendUint(dst, hours, 10)
}

// spanFromValue makes an interval of days and microseconds that is as long as the 128-bit value.
func spanFromValue(high int64, low uint64) (Span, bool) {
	days, micros, ok := divide128(high, low)
	if !ok {
		return Span{}, false
	}
	months := int64(0)
	if !fitsInt(Int4, days) {
		months = days / daysPerMonth
		days -= months * daysPerMonth
	}
	if !fitsInt(Int4, months) {
		// Beyond what months can hold: the rest was in the days and, at most, in the hours.
		rest := months - clamp32(months)
		months -= rest
		days += rest * daysPerMonth
	}
	if !fitsInt(Int4, days) {
		rest := days - clamp32(days)
		days -= rest
		if rest > math.MaxInt64/microsPerDay-1 || rest < math.MinInt64/microsPerDay+1 {
			return Span{}, false
		}
		micros += rest * microsPerDay
	}
	s := Span{Months: int32(months), Days: int32(days), Micros: micros}
	wantHigh, wantLow := spanValue(s)
	return s, wantHigh == high && wantLow == low
}

func clamp32(v int64) int64 { return min(max(v, math.MinInt32), math.MaxInt32) }
