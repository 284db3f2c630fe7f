package pgcatalog

import (
	"strings"
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
