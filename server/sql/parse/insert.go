package parse

import (
	"errors"
	"unicode/utf8"
)

const (
	// longInsertBytes is where an INSERT begins to be read in pieces.
	longInsertBytes = 256 << 10

	// insertPieceBytes is about how much of it the grammar sees at once.
	insertPieceBytes = 64 << 10

	// pieceHead stands before every piece but the first.
	pieceHead = "VALUES "
)

// parseLongInsert reads an INSERT of many rows piece by piece, so that memory is bounded by our
// tree and not by the grammar's, which is ten times as big. The first piece is the statement with
// only its first rows; the others are VALUES lists. It is not ok when the statement is none such.
func parseLongInsert(s StmtTokens) (stmt Stmt, ok bool, err error) {
	text := s.Text()
	if len(text) < longInsertBytes || s.Verb() != "insert" {
		return Stmt{}, false, nil
	}
	pieces := insertPieces(s)
	if len(pieces) < 2 {
		return Stmt{}, false, nil
	}
	// The rest of the query comes along, so that an error at its end is placed there.
	r := &insertReader{text: s.t.sql[s.Offset():], pieces: pieces}
	insert, err := r.readHead()
	if err != nil || insert == nil {
		return Stmt{}, false, shift(err, s)
	}
	for _, p := range pieces[1:] {
		rows, err := r.readRows(p)
		if err != nil {
			return Stmt{}, false, shift(err, s)
		}
		insert.Query.Values = append(insert.Query.Values, rows...)
	}
	return Stmt{
		Tree: insert, Text: text, Offset: s.Offset(),
		charOffset: charPosition(s.t.sql, s.Offset()) - 1,
	}, true, nil
}

// piece is some rows of a VALUES list: text[start:end], from a bracket to a bracket.
type piece struct{ start, end int }

// insertPieces cuts the first VALUES list outside of brackets into pieces.
func insertPieces(s StmtTokens) []piece {
	tokens, base := s.tokens(), s.Offset()
	at := valuesToken(s)
	if at < 0 {
		return nil
	}
	var pieces []piece
	start, depth := int(tokens[at+1].Start)-base, 0
	for i := at + 1; i < len(tokens); i++ {
		switch s.t.sql[tokens[i].Start] {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		}
		if depth > 0 {
			continue
		}
		end := int(tokens[i].End) - base
		if i+2 >= len(tokens) || s.TokenText(i+1) != "," || s.TokenText(i+2) != "(" {
			return append(pieces, piece{start, end})
		}
		if end-start >= insertPieceBytes {
			pieces = append(pieces, piece{start, end})
			start = int(tokens[i+2].Start) - base
		}
		i++
	}
	return nil
}

// valuesToken finds VALUES followed by a bracket, outside of brackets.
func valuesToken(s StmtTokens) int {
	depth := 0
	for i := range s.Len() - 1 {
		switch word := s.TokenText(i); word[0] {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case 'v', 'V':
			if depth == 0 && equalFold(word, "values") && s.TokenText(i+1) == "(" {
				return i
			}
		}
	}
	return -1
}

// insertReader reads the pieces of one INSERT.
type insertReader struct {
	text   string
	pieces []piece
}

// readHead reads the statement with the first piece's rows alone. It gives nil when the list is
// not all there is to insert, as in VALUES ... UNION SELECT.
func (r *insertReader) readHead() (*InsertStmt, error) {
	cut, resume := r.pieces[0].end, r.pieces[len(r.pieces)-1].end
	tree, err := runGrammar(r.text[:cut] + r.text[resume:])
	if err != nil {
		before := utf8.RuneCountInString(r.text[:cut])
		removed := utf8.RuneCountInString(r.text[cut:resume])
		return nil, movePosition(err, func(pos int) int {
			if pos > before {
				return pos + removed
			}
			return pos
		})
	}
	c := &converter{text: r.text, gapAt: cut, gap: resume - cut}
	insert, ok := c.statement(tree.Stmts[0].Stmt).(*InsertStmt)
	if c.err != nil {
		return nil, c.err
	}
	if !ok || insert.Query == nil || insert.Query.Op != SetNone {
		return nil, nil
	}
	return insert, nil
}

// readRows reads a later piece.
func (r *insertReader) readRows(p piece) ([][]Expr, error) {
	tree, err := runGrammar(pieceHead + r.text[p.start:p.end])
	if err != nil {
		before := utf8.RuneCountInString(r.text[:p.start])
		return nil, movePosition(err, func(pos int) int { return before + pos - len(pieceHead) })
	}
	c := &converter{text: r.text, base: len(pieceHead) - p.start}
	values, ok := c.statement(tree.Stmts[0].Stmt).(*SelectStmt)
	if c.err != nil {
		return nil, c.err
	}
	if !ok {
		return nil, errors.New("parse: a piece of an INSERT is no VALUES list")
	}
	return values.Values, nil
}

func movePosition(err error, move func(int) int) error {
	var e *SyntaxError
	if errors.As(err, &e) && e.Position > 0 {
		e.Position = move(e.Position)
	}
	return err
}
