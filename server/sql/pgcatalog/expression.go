package pgcatalog

import (
	"strconv"
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// Expressions of defaults and checks are kept as text, as plan.Print writes it. What is asked about
// them here is found among its words.

// word is a piece of an expression's text.
type word struct {
	text    string // as it stands there
	literal bool   // in single quotes
	name    string // of an identifier, unquoted; "" for other pieces
}

func wordsOf(expr string) []word {
	var words []word
	for at := 0; at < len(expr); {
		end := at + 1
		w := word{}
		switch c := expr[at]; {
		case c == '\'' || c == '"':
			end = closingQuote(expr, at)
			w.literal = c == '\''
			if c == '"' {
				w.name = strings.ReplaceAll(expr[at+1:end-1], `""`, `"`)
			}
		case isLetter(c):
			for end < len(expr) && (isLetter(expr[end]) || expr[end] >= '0' && expr[end] <= '9') {
				end++
			}
			if w.name = expr[at:end]; w.name != strings.ToLower(w.name) {
				w.name = "" // a keyword: a name would stand in quotes
			}
		}
		w.text = expr[at:end]
		words = append(words, w)
		at = end
	}
	return words
}

// closingQuote is the end of what the quote at a position begins.
func closingQuote(expr string, at int) int {
	quote := expr[at]
	for i := at + 1; i < len(expr); i++ {
		if expr[i] != quote {
			continue
		}
		if i+1 == len(expr) || expr[i+1] != quote {
			return i + 1
		}
		i++
	}
	return len(expr)
}

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$' || c >= 0x80
}

// namesIn lists the identifiers of an expression that are neither called nor types.
func namesIn(expr string) []string {
	words := wordsOf(expr)
	var names []string
	for i, w := range words {
		called := i+1 < len(words) && words[i+1].text == "("
		cast := i > 0 && words[i-1].text == ":"
		if w.name != "" && !called && !cast {
			names = append(names, w.name)
		}
	}
	return names
}

// Expression prints a kept expression: names of relations, which are kept qualified, are shortened
// where the search path finds them.
func (d *Definitions) Expression(expr string) string {
	if !strings.Contains(expr, "::regclass") {
		return expr
	}
	names := catalog.Names{Snapshot: d.Snapshot, Path: d.Path}
	words := wordsOf(expr)
	var b strings.Builder
	for i, w := range words {
		if w.literal && i+3 < len(words) && words[i+3].name == "regclass" {
			inner := strings.ReplaceAll(w.text[1:len(w.text)-1], "''", "'")
			w.text = "'" + strings.ReplaceAll(shortened(names, inner), "'", "''") + "'"
		}
		b.WriteString(w.text)
	}
	return b.String()
}

// shortened prints a qualified name or the number of a relation anew; what names none stays as it
// is.
func shortened(names catalog.Names, qualified string) string {
	if oid, err := strconv.ParseUint(qualified, 10, 32); err == nil {
		if name, ok := names.NameOf(types.RegClass, types.OID(oid)); ok {
			return name
		}
		return qualified
	}
	parts, err := types.SplitName(qualified)
	if err != nil {
		return qualified
	}
	oid, ok := names.OIDOf(types.RegClass, parts)
	if !ok {
		return qualified
	}
	if name, ok := names.NameOf(types.RegClass, oid); ok {
		return name
	}
	return qualified
}

// shortForm leaves out parentheses that the precedence of AND, OR and NOT makes superfluous, as
// PostgreSQL does when it prints for people. Those within comparisons stay.
func shortForm(expr string) string {
	expr = withoutParentheses(expr)
	operands, connector := splitBoolean(expr)
	for i, operand := range operands {
		prefix := ""
		if rest, ok := strings.CutPrefix(operand, "NOT "); ok {
			prefix, operand = "NOT ", rest
		}
		inner := withoutParentheses(operand)
		if inner == operand {
			operands[i] = prefix + bareCasts(operand)
			continue
		}
		_, within := splitBoolean(inner)
		inner = shortForm(inner)
		if within == "OR" && connector == "AND" || within != "" && prefix != "" {
			inner = "(" + inner + ")"
		}
		operands[i] = prefix + inner
	}
	return strings.Join(operands, " "+connector+" ")
}

// bareCasts takes the parentheses off a name or a number that is cast: (n)::text.
func bareCasts(expr string) string {
	words := wordsOf(expr)
	var b strings.Builder
	for i := 0; i < len(words); i++ {
		called := i > 0 && words[i-1].name != ""
		end := i + 1
		for end < len(words) && (words[end].name != "" || isDigit(words[end].text)) {
			end++
		}
		if words[i].text == "(" && !called && end > i+1 && end+2 < len(words) &&
			words[end].text == ")" && words[end+1].text == ":" && words[end+2].text == ":" {
			for i++; i < end; i++ {
				b.WriteString(words[i].text)
			}
			continue
		}
		b.WriteString(words[i].text)
	}
	return b.String()
}

func isDigit(text string) bool { return text != "" && text[0] >= '0' && text[0] <= '9' }

// splitBoolean takes an expression apart at its outermost AND or OR, and gives which it is; ""
// when there is neither.
func splitBoolean(expr string) (operands []string, connector string) {
	depth := 0
	var operand strings.Builder
	for _, w := range wordsOf(expr) {
		switch w.text {
		case "(", "[", "CASE":
			depth++
		case ")", "]", "END":
			depth--
		}
		if depth == 0 && (w.text == "AND" || w.text == "OR") {
			connector = w.text
			operands = append(operands, strings.TrimSpace(operand.String()))
			operand.Reset()
			continue
		}
		operand.WriteString(w.text)
	}
	return append(operands, strings.TrimSpace(operand.String())), connector
}

// withoutParentheses takes off a pair that is around the whole expression.
func withoutParentheses(expr string) string {
	if !strings.HasPrefix(expr, "(") {
		return expr
	}
	depth := 0
	words := wordsOf(expr)
	for i, w := range words {
		switch w.text {
		case "(":
			depth++
		case ")":
			depth--
		}
		if depth == 0 && i < len(words)-1 {
			return expr
		}
	}
	return expr[1 : len(expr)-1]
}
