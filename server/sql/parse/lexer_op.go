package parse

import "strings"

// maxOperatorBytes is Postgres' NAMEDATALEN.
const maxOperatorBytes = 64

// scanOperator reads an operator, or a comment, which begins with the same characters.
func (t *Tokens) scanOperator(i int) (int, error) {
	sql := t.sql
	end := i
	for end < len(sql) && classTable[sql[end]] == classOp {
		if isCommentStart(sql, end) {
			break
		}
		end++
	}
	if end == i {
		return t.scanComment(i)
	}
	if last := sql[end-1]; end-i > 1 && (last == '+' || last == '-') {
		end = trimSigns(sql, i, end)
	}
	if end-i >= maxOperatorBytes {
		return i, t.lexError("operator too long", i, end)
	}
	return t.emit(TokenOp, i, end)
}

func isCommentStart(sql string, i int) bool {
	if i+1 >= len(sql) {
		return false
	}
	return sql[i] == '-' && sql[i+1] == '-' || sql[i] == '/' && sql[i+1] == '*'
}

// trimSigns applies SQL's rule that an operator of several characters ends in + or - only if it
// has a character in it that no standard operator has: a*-1 is a product, a@-1 is not.
func trimSigns(sql string, start, end int) int {
	if strings.ContainsAny(sql[start:end], "~!@#^&|`?%") {
		return end
	}
	for end-start > 1 && (sql[end-1] == '+' || sql[end-1] == '-') {
		end--
	}
	return end
}

// scanComment passes over a comment.
func (t *Tokens) scanComment(i int) (int, error) {
	end := commentEnd(t.sql, i)
	if end < 0 {
		return i, t.lexError("unterminated /* comment", i, len(t.sql))
	}
	return end, nil
}

// commentEnd finds where the comment at i ends, or is negative. Comments in /* */ nest.
func commentEnd(sql string, i int) int {
	if sql[i] == '-' {
		length := strings.IndexAny(sql[i:], "\r\n")
		if length < 0 {
			return len(sql)
		}
		return i + length
	}
	depth := 1
	for j := i + 2; j+1 < len(sql); j++ {
		switch {
		case sql[j] == '/' && sql[j+1] == '*':
			depth++
			j++
		case sql[j] == '*' && sql[j+1] == '/':
			depth--
			j++
			if depth == 0 {
				return j + 1
			}
		}
	}
	return -1
}
