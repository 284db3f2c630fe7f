package parse

import (
	"errors"
	"reflect"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// converter turns the grammar's tree of one statement into ours. Its methods return what they can
// and note the first thing that our tree cannot hold; the caller looks at err once, at the end.
type converter struct {
	text string // the statement
	base int    // where text starts in what the grammar read
	err  *FeatureError

	// Of a long INSERT: what the grammar read lacks gap bytes of text, at gapAt.
	gapAt, gap int

	// Of a template only.
	tokens  StmtTokens
	starts  []uint32 // of the literals and the minus signs, in bytes of text, ascending
	use     []literalUse
	pinning int // depth of places whose literals are pinned
	sealing int // depth of places where a literal pins all
	sealed  bool
}

// literalUse is what a template's tree made of a literal. Pinned is the safe default: a literal
// that no expression shows was used by the grammar itself.
type literalUse uint8

const (
	literalPinned literalUse = iota
	literalHole
)

func newConverter(text string, s StmtTokens) *converter {
	return &converter{text: text, tokens: s, use: make([]literalUse, s.Literals())}
}

func (c *converter) isTemplate() bool { return c.use != nil }

// pins lists which literals are pinned.
func (c *converter) pins() []bool {
	pinned := make([]bool, len(c.use))
	for i, use := range c.use {
		pinned[i] = c.sealed || use == literalPinned
	}
	return pinned
}

// pos turns the grammar's location into ours.
func (c *converter) pos(location int32) Pos {
	if location < 0 {
		return NoPos
	}
	at := int(location) - c.base
	if c.gap > 0 && at >= c.gapAt {
		at += c.gap
	}
	return Pos(at)
}

// fail notes what our tree cannot hold, unless something was noted before.
func (c *converter) fail(feature string, location int32) {
	if c.err != nil {
		return
	}
	c.err = &FeatureError{Feature: feature}
	if pos := c.pos(location); pos >= 0 {
		c.err.Position = charPosition(c.text, int(pos))
	}
}

// convertAll converts every statement of a query.
func (t *Tokens) convertAll(tree *pg.ParseResult) ([]Stmt, error) {
	stmts := make([]Stmt, 0, len(tree.Stmts))
	chars, counted := 0, 0
	for i, raw := range tree.Stmts {
		start, end := t.bounds(i, len(tree.Stmts), raw)
		chars += charPosition(t.sql[counted:], start-counted) - 1
		counted = start
		stmt := Stmt{Text: t.sql[start:end], Offset: start, charOffset: chars}
		c := &converter{text: stmt.Text, base: start}
		stmt.Tree = c.statement(raw.Stmt)
		if c.err != nil {
			if c.err.Position > 0 {
				c.err.Position += chars
			}
			stmt.Tree = &UnsupportedStmt{Err: c.err}
		}
		stmts = append(stmts, stmt)
	}
	return stmts, nil
}

// bounds is where a statement lies. The lexer's view and the grammar's differ only over semicolons
// inside a statement (BEGIN ATOMIC, CREATE RULE), none of which we can hold anyway.
func (t *Tokens) bounds(i, n int, raw *pg.RawStmt) (start, end int) {
	if n == t.Len() {
		s := t.Stmt(i)
		return s.Offset(), s.end()
	}
	start = int(raw.StmtLocation)
	end = len(t.sql)
	if raw.StmtLen > 0 {
		end = start + int(raw.StmtLen)
	}
	return start, end
}

// convertTemplate converts the one statement of a template. What it cannot hold is its error.
func (c *converter) convertTemplate(tree *pg.ParseResult, s StmtTokens) (*Stmt, error) {
	if len(tree.Stmts) != 1 {
		return nil, errors.New("parse: a template's text holds more than one statement")
	}
	c.indexLiterals()
	stmt := &Stmt{
		Text:       strings.Clone(c.text),
		Offset:     s.Offset(),
		charOffset: charPosition(s.t.sql, s.Offset()) - 1,
	}
	stmt.Tree = c.statement(tree.Stmts[0].Stmt)
	if c.err != nil {
		return nil, c.err
	}
	return stmt, nil
}

// statement converts a statement, a top one or one inside EXPLAIN, PREPARE, WITH and their kin.
func (c *converter) statement(node *pg.Node) Statement {
	if stmt := c.dml(node); stmt != nil {
		return stmt
	}
	if stmt := c.ddl(node); stmt != nil {
		return stmt
	}
	if stmt := c.utility(node); stmt != nil {
		return stmt
	}
	if stmt := c.role(node); stmt != nil {
		return stmt
	}
	c.fail(statementName(node), -1)
	return nil
}

// dml converts the statements that read and write rows.
func (c *converter) dml(node *pg.Node) Statement {
	switch n := node.GetNode().(type) {
	case *pg.Node_SelectStmt:
		return c.selectStmt(n.SelectStmt)
	case *pg.Node_InsertStmt:
		return c.insert(n.InsertStmt)
	case *pg.Node_UpdateStmt:
		return c.update(n.UpdateStmt)
	case *pg.Node_DeleteStmt:
		return c.delete(n.DeleteStmt)
	case *pg.Node_CopyStmt:
		return c.copyStmt(n.CopyStmt)
	}
	return nil
}

// knownNames are the statements we cannot hold whose type does not spell their name.
var knownNames = map[string]string{
	"CreatePLangStmt": "CREATE LANGUAGE", "CreateTrigStmt": "CREATE TRIGGER",
	"CreateEventTrigStmt": "CREATE EVENT TRIGGER", "AlterEventTrigStmt": "ALTER EVENT TRIGGER",
	"CreateAmStmt": "CREATE ACCESS METHOD", "CreateStatsStmt": "CREATE STATISTICS",
	"AlterStatsStmt": "ALTER STATISTICS", "CreateFdwStmt": "CREATE FOREIGN DATA WRAPPER",
	"AlterFdwStmt": "ALTER FOREIGN DATA WRAPPER", "CreateForeignServerStmt": "CREATE SERVER",
	"AlterForeignServerStmt": "ALTER SERVER", "DefineStmt": "this form of CREATE",
	"RuleStmt": "CREATE RULE", "CompositeTypeStmt": "CREATE TYPE", "CreateEnumStmt": "CREATE TYPE",
	"CreateRangeStmt": "CREATE TYPE", "AlterEnumStmt": "ALTER TYPE",
	"SecLabelStmt": "SECURITY LABEL", "RefreshMatViewStmt": "REFRESH MATERIALIZED VIEW",
	"CreateTableSpaceStmt": "CREATE TABLESPACE", "DropTableSpaceStmt": "DROP TABLESPACE",
	"AlterTableSpaceOptionsStmt": "ALTER TABLESPACE", "AlterTableMoveAllStmt": "ALTER ... ALL IN",
	"AlterObjectDependsStmt": "ALTER ... DEPENDS ON", "AlterExtensionContentsStmt": "ALTER EXTENSION",
	"CreateOpClassStmt": "CREATE OPERATOR CLASS", "CreateOpFamilyStmt": "CREATE OPERATOR FAMILY",
	"AlterOpFamilyStmt":            "ALTER OPERATOR FAMILY",
	"AlterDatabaseRefreshCollStmt": "ALTER DATABASE REFRESH COLLATION VERSION",
	"AlterTSDictionaryStmt":        "ALTER TEXT SEARCH DICTIONARY",
	"AlterTSConfigurationStmt":     "ALTER TEXT SEARCH CONFIGURATION",
}

// statementName says in SQL's words what kind of statement a node is: CreateUserMappingStmt is
// CREATE USER MAPPING.
func statementName(node *pg.Node) string {
	if node.GetNode() == nil {
		return "this statement"
	}
	name := reflect.TypeOf(node.GetNode()).Elem().Field(0).Type.Elem().Name()
	if known, ok := knownNames[name]; ok {
		return known
	}
	var words strings.Builder
	for i, r := range strings.TrimSuffix(name, "Stmt") {
		if i > 0 && r >= 'A' && r <= 'Z' {
			words.WriteByte(' ')
		}
		words.WriteRune(r)
	}
	return strings.ToUpper(words.String())
}
