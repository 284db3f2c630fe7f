package builtin

import (
	"fmt"
	"math"
	"strings"

	"ackdb/server/sql/types"
)

func init() {
	text := types.Text
	for _, oid := range []OID{types.Int4, types.Int8, types.Numeric, types.Float4, types.Float8} {
		register(fn("to_char", text, evalNumberToChar, oid, text).stable())
	}
	register(fn("to_number", types.Numeric, evalToNumber, text, text).stable())
}

// numberKeywords are the marks of a pattern of numbers. Besides as here they may be written in
// small letters.
var numberKeywords = []string{",", ".", "0", "9", "B", "C", "D", "EEEE", "FM", "G", "L", "MI", "PL",
	"PR", "RN", "SG", "SP", "S", "TH", "V"}

// numberMark is a step of a pattern: a keyword in capitals, or a character.
type numberMark struct {
	keyword string
	small   bool
	char    string
}

type signPlace uint8

const (
	signNone signPlace = iota
	signBefore
	signAfter
)

// numberPattern is a pattern with what its marks together ask for.
type numberPattern struct {
	marks           []numberMark
	before, after   int // digits on both sides of the point
	multi           int // digits behind V
	anchor          signPlace
	anchorAt        int // digits before the S
	zeroStart       int // from 1; the first 0 before the point
	zeroEnd         int
	decimal, fill   bool
	zero, blank     bool
	sign            bool // S
	minus, plus     bool // MI, PL; SG is both
	bracket         bool
	roman, multiply bool
	exponent        bool
}

func errNumberPattern(format string, args ...any) *types.Error {
	return types.Errorf(types.CodeSyntax, format, args...)
}

func parseNumberPattern(s string) (*numberPattern, error) {
	p := &numberPattern{}
	for s != "" {
		if word := numberKeyword(s); word != "" {
			mark := numberMark{keyword: word, small: s[0] >= 'a'}
			s = s[len(word):]
			if err := p.note(word); err != nil {
				return nil, err
			}
			p.marks = append(p.marks, mark)
			continue
		}
		var chars []timeField
		if s[0] == '"' {
			chars, s = quotedChars(nil, s[1:])
		} else {
			if strings.HasPrefix(s, `\"`) {
				s = s[1:]
			}
			size := runeOffset(s, 1)
			chars, s = []timeField{{char: s[:size]}}, s[size:]
		}
		for _, c := range chars {
			p.marks = append(p.marks, numberMark{char: c.char})
		}
	}
	return p, nil
}

func numberKeyword(s string) string {
	for _, word := range numberKeywords {
		if hasEither(s, word) {
			return word
		}
	}
	return ""
}

// note enters what a mark asks for and refuses what does not go together.
func (p *numberPattern) note(word string) error {
	if p.exponent && word != "EEEE" {
		return errNumberPattern("\"EEEE\" must be the last pattern used")
	}
	switch word {
	case "9", "0":
		return p.noteDigit(word)
	case "B":
		p.blank = p.blank || p.before == 0 && p.after == 0 && !p.zero
	case "D", ".":
		if p.decimal {
			return errNumberPattern("multiple decimal points")
		}
		if p.multiply {
			return errNumberPattern("cannot use \"V\" and decimal point together")
		}
		p.decimal = true
	case "FM":
		p.fill = true
	case "V":
		if p.decimal {
			return errNumberPattern("cannot use \"V\" and decimal point together")
		}
		p.multiply = true
	case "RN":
		p.roman = true
	case "EEEE":
		return p.noteExponent()
	}
	return p.noteSign(word)
}

func (p *numberPattern) noteDigit(word string) error {
	switch {
	case p.bracket:
		return errNumberPattern("\"%s\" must be ahead of \"PR\"", word)
	case word == "9" && p.multiply:
		p.multi++
		return nil
	case word == "0" && !p.zero && !p.decimal:
		p.zero, p.zeroStart = true, p.before+1
	}
	if p.decimal {
		p.after++
	} else {
		p.before++
	}
	if word == "0" {
		p.zeroEnd = p.before + p.after
	}
	return nil
}

func (p *numberPattern) noteExponent() error {
	if p.exponent {
		return errNumberPattern("cannot use \"EEEE\" twice")
	}
	if p.blank || p.fill || p.sign || p.bracket || p.minus || p.plus || p.roman || p.multiply {
		return errNumberPattern("\"EEEE\" is incompatible with other formats").WithDetail(
			"\"EEEE\" may only be used together with digit and decimal point patterns.")
	}
	p.exponent = true
	return nil
}

func (p *numberPattern) noteSign(word string) error {
	switch word {
	case "S":
		switch {
		case p.sign:
			return errNumberPattern("cannot use \"S\" twice")
		case p.plus || p.minus || p.bracket:
			return errNumberPattern("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together")
		case !p.decimal:
			p.anchor, p.anchorAt = signBefore, p.before
		default:
			p.anchor = signAfter
		}
		p.sign = true
	case "MI", "PL", "SG":
		if p.sign {
			return errNumberPattern("cannot use \"S\" and \"%s\" together", word)
		}
		p.minus = p.minus || word != "PL"
		p.plus = p.plus || word != "MI"
	case "PR":
		if p.sign || p.plus || p.minus {
			return errNumberPattern(
				"cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together")
		}
		p.bracket = true
	}
	return nil
}

func evalNumberToChar(_ *Context, a []Datum) (Datum, error) {
	p, err := parseNumberPattern(a[1].Str())
	if err != nil || len(p.marks) == 0 {
		return types.NewText(""), err
	}
	digits, negative, err := p.digits(a[0])
	if err != nil {
		return types.Null, err
	}
	if p.exponent {
		if !negative {
			return types.NewText(" " + digits), nil
		}
		return types.NewText("-" + digits), nil
	}
	w := newNumberWriter(p, digits, negative)
	text := w.write()
	return types.NewText(text), w.err
}

// digits gives the magnitude of a number with as many digits behind the point as the pattern has;
// number signs when it has more before it.
func (p *numberPattern) digits(d Datum) (string, bool, error) {
	if d.OID() == types.Float4 || d.OID() == types.Float8 {
		return p.floatDigits(d)
	}
	v := d
	if d.OID() != types.Numeric {
		v = types.NumericFromInt(d.Int())
	}
	if isNumericWord(v) {
		if p.roman {
			return "", false, errNotInteger(v)
		}
		return p.wordDigits(v.String())
	}
	var err error
	if p.multiply {
		scale := types.NumericFromInt(1)
		for range p.multi {
			scale, _ = types.NumericArith(types.NumericMul, scale, types.NumericFromInt(10))
		}
		if v, err = types.NumericArith(types.NumericMul, v, scale); err != nil {
			return "", false, err
		}
		p.before += p.multi
	}
	switch {
	case p.roman:
		return romanNumeral(types.RoundNumeric(v, 0, false).String()), false, nil
	case p.exponent:
		digits, negative := scientific(v.String(), p.after)
		return digits, negative, nil
	}
	digits, negative := strings.CutPrefix(types.RoundNumeric(v, int32(p.after), false).String(), "-")
	return p.fitted(digits), negative, nil
}

func (p *numberPattern) floatDigits(d Datum) (string, bool, error) {
	v, precision := d.Float(), 15
	if d.OID() == types.Float4 {
		precision = 6
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return p.wordDigits(d.String())
	}
	switch {
	case p.roman:
		return romanNumeral(fmt.Sprintf("%.0f", math.RoundToEven(v))), false, nil
	case p.exponent:
		digits, negative := strings.CutPrefix(fmt.Sprintf("%.*e", p.after, v), "-")
		return digits, negative, nil
	case p.multiply:
		v *= math.Pow(10, float64(p.multi))
		p.before += p.multi
	}
	whole := len(fmt.Sprintf("%.0f", math.Abs(v)))
	if whole+p.after > precision {
		p.after = max(precision-whole, 0)
	}
	digits, negative := strings.CutPrefix(fmt.Sprintf("%.*f", p.after, v), "-")
	return p.fitted(digits), negative, nil
}

// wordDigits is what NaN and the infinities give.
func (p *numberPattern) wordDigits(word string) (string, bool, error) {
	if p.exponent {
		out := []byte(strings.Repeat("#", p.before+p.after+5))
		if p.before < len(out) {
			out[p.before] = '.'
		}
		return string(out), false, nil
	}
	if p.roman {
		return strings.Repeat("#", 15), false, nil
	}
	p.before += p.multi
	word, negative := strings.CutPrefix(word, "-")
	return p.fitted(word), negative, nil
}

// fitted replaces a number that has too many digits before the point.
func (p *numberPattern) fitted(digits string) string {
	whole, _, _ := strings.Cut(digits, ".")
	if len(whole) <= p.before {
		return digits
	}
	return strings.Repeat("#", p.before) + "." + strings.Repeat("#", p.after)
}

// scientific spells a decimal number with one digit before the point and so many behind it; two
// before it when rounding carried, as Postgres does.
func scientific(s string, after int) (string, bool) {
	s, negative := strings.CutPrefix(s, "-")
	whole, fraction, _ := strings.Cut(s, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	exponent := len(whole) - 1 - (len(whole+fraction) - len(digits))
	if digits == "" {
		digits, exponent = "0", 0
	}
	mantissa, _ := types.ParseText(types.Of(types.Numeric), digits[:1]+"."+digits[1:]+"0", nil)
	mantissa = types.RoundNumeric(mantissa, int32(after), false)
	return fmt.Sprintf("%se%+03d", mantissa.String(), exponent), negative
}

// romanNumeral spells 1 to 3999.
func romanNumeral(s string) string {
	var v int
	if _, err := fmt.Sscanf(s, "%d", &v); err != nil || v < 1 || v > 3999 {
		return strings.Repeat("#", 15)
	}
	var out strings.Builder
	for _, r := range []struct {
		value int
		text  string
	}{
		{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"},
		{40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"},
	} {
		for ; v >= r.value; v -= r.value {
			out.WriteString(r.text)
		}
	}
	return out.String()
}

func errNotInteger(v Datum) error {
	name := "infinity"
	if types.IsNumericNaN(v) {
		name = "NaN"
	}
	return types.Errorf(types.CodeFeatureNotSupported, "cannot convert %s to integer", name)
}

// isNumericWord says whether a numeric is no number, or infinite.
func isNumericWord(v Datum) bool {
	_, finite := types.NumericScale(v)
	return !finite
}
