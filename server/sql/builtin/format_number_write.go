package builtin

import (
	"fmt"
	"strings"

	"ackdb/server/sql/types"
)

// numberWriter fills a pattern with the digits of a number.
type numberWriter struct {
	p        *numberPattern
	out      []byte
	number   string // magnitude
	at       int    // the digit or point that is next
	negative bool
	signed   bool // the sign was written, or is not to be
	digits   bool // a digit was written at the last place
	lead     int  // places before the first digit
	place    int  // the place of a digit or point the pattern is at
	places   int
	err      error
	last     int // with FM, the last digit behind the point that counts, or the point; -1 for none
}

func newNumberWriter(p *numberPattern, number string, negative bool) *numberWriter {
	w := &numberWriter{p: p, number: number, negative: negative, last: -1}
	if p.zeroStart > 0 {
		p.zeroStart--
	}
	if p.roman {
		*p = numberPattern{marks: p.marks, roman: true, fill: p.fill}
		return w
	}
	whole, _, _ := strings.Cut(number, ".")
	w.lead = max(p.before-len(whole), 0)
	if p.plus || p.minus {
		w.signed = p.minus
	} else {
		if !negative && p.fill {
			p.bracket = false
		}
		w.signed = !negative && p.fill && !p.sign
		if p.anchor == signBefore && p.before == p.anchorAt {
			p.anchor = signAfter
		}
	}
	w.places = p.after + p.before - 1
	if p.fill && p.decimal {
		w.last = w.relevant()
	}
	if !w.signed && w.lead == 0 {
		w.places++
	}
	return w
}

// relevant finds the last digit behind the point that FM keeps: not zero, or asked for by a 0.
func (w *numberWriter) relevant() int {
	point := strings.IndexByte(w.number, '.')
	if point < 0 {
		return -1
	}
	last := len(strings.TrimRight(w.number, "0")) - 1
	last = max(last, point)
	if w.p.zeroEnd > w.lead {
		last = max(last, min(len(w.number)-1, w.p.zeroEnd-w.lead))
	}
	return last
}

func (w *numberWriter) put(s string) { w.out = append(w.out, s...) }

// pad writes a blank unless FM leaves it out.
func (w *numberWriter) pad() {
	if !w.p.fill {
		w.put(" ")
	}
}

func (w *numberWriter) write() string {
	for i := range w.p.marks {
		m := &w.p.marks[i]
		switch m.keyword {
		case "":
			w.put(m.char)
		case "9", "0", ".", "D":
			if !w.p.roman {
				w.digit(m.keyword)
			}
		case ",", "G":
			if w.digits {
				w.put(",")
			} else {
				w.pad()
			}
		case "L":
			w.put(" ")
		case "RN":
			w.roman(m)
		case "TH":
			w.ordinal(m)
		case "MI":
			w.flag(w.negative, "-")
		case "PL":
			w.flag(!w.negative, "+")
		case "SG":
			w.put(w.signText())
		}
	}
	return string(w.out)
}

func (w *numberWriter) flag(set bool, text string) {
	if set {
		w.put(text)
	} else {
		w.pad()
	}
}

func (w *numberWriter) signText() string {
	if w.negative {
		return "-"
	}
	return "+"
}

func (w *numberWriter) roman(m *numberMark) {
	text := w.number
	if m.small {
		text = strings.ToLower(text)
	}
	if !w.p.fill {
		text = fmt.Sprintf("%15s", text)
	}
	w.put(text)
}

func (w *numberWriter) ordinal(m *numberMark) {
	if w.p.roman || strings.HasPrefix(w.number, "#") || w.negative || w.p.decimal {
		return
	}
	if c := w.number[len(w.number)-1]; c < '0' || c > '9' {
		w.err = types.Errorf(types.CodeInvalidText, "\"%s\" is not a number", w.number)
		return
	}
	th := "TH"
	if m.small {
		th = "th"
	}
	w.put(ordinalOf(w.number, th))
}

// hidden says whether the 0 before the point is not shown: 9.9 shows 0.1 as .1.
func (w *numberWriter) hidden() bool {
	return !w.p.zero && w.at == 0 && strings.HasPrefix(w.number, "0") && w.p.after != 0
}

func (w *numberWriter) byteAt(i int) byte {
	if i >= 0 && i < len(w.number) {
		return w.number[i]
	}
	return 0
}

// digit writes the next place of the number.
func (w *numberWriter) digit(keyword string) {
	w.digits = false
	p := w.p
	zeroHere := p.zero && p.zeroStart <= w.place
	starts := w.place >= w.lead || p.zero && p.zeroStart == w.place
	if !w.signed && starts && (!w.hidden() || w.byteAt(w.last) == '.') {
		w.sign()
	}
	switch {
	case w.place < w.lead && !zeroHere:
		w.pad()
	case w.place < w.lead:
		w.put("0")
		w.digits = true
	default:
		w.next(keyword)
	}
	end := w.places
	if w.lead > 0 {
		end++
	}
	if p.decimal {
		end++
	}
	if w.last >= 0 && w.last == w.at {
		end = w.place
	}
	if w.place+1 == end {
		w.signBehind()
	}
	w.place++
}

// sign writes the sign before the first digit.
func (w *numberWriter) sign() {
	switch {
	case w.p.sign && w.p.anchor != signBefore:
		return
	case w.p.sign:
		w.put(w.signText())
	case w.p.bracket && w.negative:
		w.put("<")
	case w.p.bracket:
		w.put(" ")
	case w.negative:
		w.put("-")
	default:
		w.pad()
	}
	w.signed = true
}

// signBehind writes the sign behind the last digit.
func (w *numberWriter) signBehind() {
	switch {
	case w.signed && w.p.bracket && w.negative:
		w.put(">")
	case w.signed && w.p.bracket:
		w.put(" ")
	case w.p.sign && w.p.anchor == signAfter:
		w.put(w.signText())
	}
}

// next writes the digit or the point that is next in the number.
func (w *numberWriter) next(keyword string) {
	c := w.byteAt(w.at)
	switch {
	case c == 0:
		return
	case c == '.':
		w.put(".")
	case w.last >= 0 && w.at > w.last && keyword != "0":
	case w.hidden():
		if !w.p.fill {
			w.put(" ")
		} else if w.byteAt(w.last) == '.' {
			w.put("0")
		}
	default:
		w.put(string(c))
		w.digits = true
	}
	w.at++
}
