package exec

// splitText cuts a line of the text format into its fields and resolves their escapes, which may
// hide a delimiter.
func (r *lineReader) splitText(line []byte) error {
	start, from, odd := 0, 0, false // of the field: in the line and in the buffer
	for i := 0; ; {
		i += r.plain(line[i:])
		if i == len(line) {
			r.keep(from, line[start:], false)
			break
		}
		if line[i] == r.format.Delimiter {
			r.keep(from, line[start:i], false)
			i++
			start, from = i, len(r.buf)
			continue
		}
		if i == len(line)-1 { // a backslash with nothing behind it says nothing
			r.keep(from, line[start:i], false)
			break
		}
		c, n := unescape(line[i+1:])
		odd = odd || c == 0 || c >= 0x80
		r.buf = append(r.buf, c)
		i += 1 + n
	}
	if !odd {
		return nil
	}
	for _, f := range r.fields {
		if err := checkText(f.text); err != nil {
			return err
		}
	}
	return nil
}

// plain copies what comes before the next delimiter or backslash and says how much that was.
func (r *lineReader) plain(s []byte) int {
	n := 0
	for n < len(s) && s[n] != r.format.Delimiter && s[n] != '\\' {
		n++
	}
	r.buf = append(r.buf, s[:n]...)
	return n
}

// simpleEscape gives what a letter behind a backslash stands for, 0 for nothing but itself.
func simpleEscape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'v':
		return '\v'
	}
	return 0
}

// unescape resolves what stands behind a backslash and says how long that is.
func unescape(s []byte) (byte, int) {
	c := s[0]
	if c >= '0' && c <= '7' {
		v, n := byte(0), 0
		for n < len(s) && n < 3 && s[n] >= '0' && s[n] <= '7' {
			v = v<<3 | (s[n] - '0')
			n++
		}
		return v, n
	}
	if c == 'x' && len(s) > 1 && hexDigit(s[1]) >= 0 {
		v, n := byte(0), 1
		for n < len(s) && n < 3 && hexDigit(s[n]) >= 0 {
			v = v<<4 | byte(hexDigit(s[n]))
			n++
		}
		return v, n
	}
	if b := simpleEscape(c); b != 0 {
		return b, 1
	}
	return c, 1
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// appendEscaped appends a value's text with what COPY gives a meaning escaped.
func appendEscaped(dst, text []byte, delimiter byte) []byte {
	for _, c := range text {
		switch c {
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\v':
			dst = append(dst, '\\', 'v')
		case '\\', delimiter:
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
