package types

import "strings"

// dateField reads parts joined by one delimiter.
func (p *dateParser) dateField(s string) error {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '-' || r == '/' || r == '.' })
	if len(parts) == 0 || len(parts) > 3 {
		return p.bad()
	}
	// Names of months first: they leave the numbers beside them fewer meanings.
	for i, part := range parts {
		if isLetter(part[0]) {
			w, ok := dateWords[part]
			if !ok || w.kind != wordMonth {
				return p.bad()
			}
			if err := p.monthWord(w.value); err != nil {
				return err
			}
			parts[i] = ""
		}
	}
	for _, part := range parts {
		if part == "" {
			continue
		}
		if err := p.dateNumber(part); err != nil {
			return err
		}
	}
	return nil
}

// numberField reads a number standing alone: part of a date, a date or time without delimiters, or
// a Julian day.
func (p *dateParser) numberField(s string) error {
	whole, fraction, hasFraction := strings.Cut(s, ".")
	switch {
	case p.julian:
		return p.julianField(whole, fraction)
	case p.oid == Time && p.have&haveTime == 0:
		return p.compactTime(s)
	case hasFraction && p.have&haveDate != haveDate:
		return p.dateField(s)
	case hasFraction && len(whole) > 2:
		return p.compactField(whole, fraction)
	case len(whole) >= 6 && (p.have&haveDate != haveDate || p.have&haveTime == 0) && !hasFraction:
		return p.compactField(whole, "")
	case p.have&haveDate == haveDate && p.have&haveTime == 0 && len(whole) >= 2:
		return p.compactTime(s)
	}
	return p.dateNumber(whole)
}

func (p *dateParser) julianField(whole, fraction string) error {
	v, ok := parseSmall(whole)
	micros, okFraction := parseFraction(fraction)
	if !ok || !okFraction {
		return p.bad()
	}
	p.julianDay = int64(v) - epochJulian
	p.civil = CivilOf(p.julianDay)
	p.julian = false
	if micros > 0 {
		p.clock = micros * secondsPerDay
		p.have |= haveTime
	}
	return p.mark(haveDate)
}

// compactField reads YYYYMMDD, YYMMDD, and with the date known HHMMSS or HHMM.
func (p *dateParser) compactField(whole, fraction string) error {
	if p.have&haveDate == haveDate {
		if fraction != "" {
			whole += "." + fraction
		}
		return p.compactTime(whole)
	}
	year := len(whole) - 4
	if year < 2 || fraction != "" {
		return p.bad()
	}
	var ok bool
	if p.civil.Month, ok = parseSmall(whole[year : year+2]); !ok {
		return p.bad()
	}
	if p.civil.Day, ok = parseSmall(whole[year+2:]); !ok {
		return p.bad()
	}
	if err := p.mark(haveMonth | haveDay); err != nil {
		return err
	}
	return p.setYear(whole[:year])
}

// compactTime reads HHMMSS[.f], HHMM or HH.
func (p *dateParser) compactTime(s string) error {
	if err := p.mark(haveTime); err != nil {
		return err
	}
	whole, fraction, _ := strings.Cut(s, ".")
	micros, ok := parseFraction(fraction)
	if !ok || !allDigits(whole) {
		return p.bad()
	}
	var v [3]int
	switch len(whole) {
	case 6:
		v[2], _ = parseSmall(whole[4:])
		fallthrough
	case 4:
		v[1], _ = parseSmall(whole[2:4])
		fallthrough
	case 2:
		v[0], _ = parseSmall(whole[:2])
	default:
		return p.bad()
	}
	return p.setClock(v[0], v[1], v[2], micros)
}

// dateNumber gives one number of a date its meaning, by what is known already and by DateOrder.
func (p *dateParser) dateNumber(s string) error {
	v, ok := parseSmall(s)
	if !ok {
		return p.bad()
	}
	if len(s) == 3 && p.have&haveDate == haveYear && v >= 1 && v <= 366 {
		p.dayOfYear = v
		return p.mark(haveDayOfYear)
	}
	order := MDY
	if p.env != nil {
		order = p.env.DateOrder
	}
	switch p.have & haveDate {
	case 0:
		switch {
		case len(s) >= 3 || order == YMD:
			return p.setYear(s)
		case order == DMY:
			return p.setDay(v)
		}
		return p.setMonth(v)
	case haveYear:
		return p.setMonth(v)
	case haveMonth:
		// The month came first as a number, or by name anywhere.
		if len(s) >= 3 || order == YMD && p.yearText == 0 && p.monthNamed() {
			return p.setYear(s)
		}
		return p.setDay(v)
	case haveYear | haveMonth:
		return p.setDay(v)
	case haveDay:
		return p.setMonth(v)
	case haveMonth | haveDay:
		return p.setYear(s)
	}
	return p.bad()
}

func (p *dateParser) monthNamed() bool { return p.have&haveYear == 0 }

func (p *dateParser) setMonth(v int) error {
	p.civil.Month = v
	return p.mark(haveMonth)
}

func (p *dateParser) setDay(v int) error {
	p.civil.Day = v
	return p.mark(haveDay)
}

func (p *dateParser) setYear(s string) error {
	v, ok := parseSmall(s)
	if !ok {
		return p.bad()
	}
	p.civil.Year, p.yearText = v, len(s)
	return p.mark(haveYear)
}

// checkDate settles the year and refuses days that do not exist.
func (p *dateParser) checkDate() error {
	c := &p.civil
	switch {
	case p.bc:
		if c.Year <= 0 {
			return p.overflow()
		}
		c.Year = 1 - c.Year
	case p.yearText > 0 && p.yearText <= 2:
		// Two digits mean 1970 to 2069.
		if c.Year < 70 {
			c.Year += 2000
		} else {
			c.Year += 1900
		}
	case p.yearText > 0 && c.Year <= 0:
		return p.overflow()
	}
	if p.have&haveDayOfYear != 0 {
		*c = CivilOf(DaysOf(Civil{Year: c.Year, Month: 1, Day: 1}) + int64(p.dayOfYear) - 1)
		return nil
	}
	switch {
	case c.Month < 1 || c.Month > 12, c.Day < 1 || c.Day > 31:
		return p.orderOverflow()
	case c.Day > DaysInMonth(c.Year, c.Month):
		return p.overflow()
	}
	return nil
}

// value puts the parts together.
func (p *dateParser) value() (Datum, error) {
	if p.have&haveSpecial != 0 {
		return p.specialValue()
	}
	if p.have&haveAMPM != 0 {
		if err := p.applyAMPM(); err != nil {
			return Null, err
		}
	}
	if p.oid == Time {
		if p.have&haveTime == 0 {
			return Null, p.bad()
		}
		return NewInt(Time, p.clock), nil
	}
	if p.have&haveDate != haveDate && p.have&haveDayOfYear == 0 {
		return Null, p.bad()
	}
	if err := p.checkDate(); err != nil {
		return Null, err
	}
	if p.civil.Year > 6000000 || p.civil.Year < -4713 {
		return Null, p.outOfRange()
	}
	return p.fromDays(DaysOf(p.civil))
}

func (p *dateParser) applyAMPM() error {
	if p.clock > 12*microsPerHour+microsPerHour-1 {
		return p.overflow()
	}
	switch hour := p.clock / microsPerHour; {
	case p.am && hour == 12:
		p.clock -= 12 * microsPerHour
	case p.pm && hour != 12:
		p.clock += 12 * microsPerHour
	}
	return nil
}

func (p *dateParser) fromDays(days int64) (Datum, error) {
	if p.oid == Date {
		if days < dateMin || days >= dateEnd {
			return Null, p.outOfRange()
		}
		return NewInt(Date, days), nil
	}
	micros, ok := joinTimestamp(days, p.clock)
	if !ok {
		return Null, p.outOfRange()
	}
	if p.oid == Timestamp {
		return NewInt(Timestamp, micros), nil
	}
	switch {
	case p.have&haveZone == 0:
		micros = FromLocal(micros, p.env)
	case p.zone != nil:
		micros = FromZone(micros, p.zone)
	default:
		micros -= int64(p.offset) * microsPerSecond
	}
	if !dateTimeInRange(TimestampTZ, micros) || isInfiniteTime(TimestampTZ, micros) {
		return Null, p.outOfRange()
	}
	return NewInt(TimestampTZ, micros), nil
}

// specialValue gives the words that stand for a moment theirs.
func (p *dateParser) specialValue() (Datum, error) {
	now := int64(0)
	if p.env != nil {
		now = p.env.Now
	}
	local := ToLocal(now, p.env)
	today, timeOfDay := SplitTimestamp(local)
	switch p.special {
	case specialInfinity, specialNegInfinity:
		return p.infinity(p.special == specialInfinity)
	case specialNow:
		if p.oid == TimestampTZ {
			return NewInt(TimestampTZ, now), nil
		}
		if p.oid == Time {
			return NewInt(Time, timeOfDay), nil
		}
		p.clock = timeOfDay
		return p.fromDays(today)
	case specialEpoch:
		p.offset, p.zone = 0, nil
		p.have |= haveZone
		return p.fromDays(-unixEpoch / secondsPerDay)
	case specialTomorrow:
		today++
	case specialYesterday:
		today--
	}
	if p.oid == Time {
		return Null, p.bad()
	}
	return p.fromDays(today)
}

func (p *dateParser) infinity(positive bool) (Datum, error) {
	switch {
	case p.oid == Time:
		return Null, p.bad()
	case p.oid == Date && positive:
		return NewInt(Date, dateInfinity), nil
	case p.oid == Date:
		return NewInt(Date, dateNegInfinity), nil
	case positive:
		return NewInt(p.oid, timestampInfinity), nil
	}
	return NewInt(p.oid, timestampNegInfinity), nil
}
