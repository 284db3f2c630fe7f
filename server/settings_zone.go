package server

import (
	"fmt"
	"strconv"
	"strings"
)

// offsetSecondsMax is the largest offset from UTC that makes sense to Postgres: a week's hours.
const offsetSecondsMax = 167 * 3600

// parseOffset reads hours (SET TIME ZONE -7), hours and minutes, and the name offsetName gives:
// east of Greenwich is positive, except behind <>, where POSIX counts the other way.
func parseOffset(text string) (seconds int, ok bool) {
	sign := 1
	if strings.HasPrefix(text, "<") {
		end := strings.IndexByte(text, '>')
		if end < 0 {
			return 0, false
		}
		text, sign = text[end+1:], -1
	}
	if text != "" && (text[0] == '-' || text[0] == '+') {
		if text[0] == '-' {
			sign = -sign
		}
		text = text[1:]
	}
	unit := 3600.0
	total := 0.0
	for _, part := range strings.Split(text, ":") {
		n, err := strconv.ParseFloat(part, 64)
		if err != nil || n < 0 || unit < 1 {
			return 0, false
		}
		total += n * unit
		unit /= 60
	}
	if total > offsetSecondsMax {
		return 0, false
	}
	return sign * int(total), true
}

// offsetName spells an offset as Postgres shows it after SET TIME ZONE.
func offsetName(seconds int) string {
	show := func(s int) string {
		sign := "+"
		if s < 0 {
			sign, s = "-", -s
		}
		text := fmt.Sprintf("%s%02d", sign, s/3600)
		if s%3600 != 0 {
			text += fmt.Sprintf(":%02d", s/60%60)
		}
		return text
	}
	return "<" + show(seconds) + ">" + show(-seconds)
}
