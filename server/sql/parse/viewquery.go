package parse

import "strings"

// ViewQuery gives the text of the query of a CREATE VIEW: what follows AS. What can stand before,
// names and options, has an AS in no other place than within parentheses or quotes.
func (s *Stmt) ViewQuery() string {
	var t Tokens
	if err := t.Lex(s.Text); err != nil || t.Len() != 1 {
		return ""
	}
	stmt, depth := t.Stmt(0), 0
	for i := range stmt.Len() {
		text := stmt.TokenText(i)
		switch kind := stmt.Token(i).Kind; {
		case kind == TokenPunct && text == "(":
			depth++
		case kind == TokenPunct && text == ")":
			depth--
		case kind == TokenWord && depth == 0 && equalFold(text, "as"):
			return strings.TrimSpace(s.Text[stmt.Token(i).End:])
		}
	}
	return ""
}
