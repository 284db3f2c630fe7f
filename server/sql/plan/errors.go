package plan

import (
	"errors"

	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// SQLSTATEs that only names and shapes of statements raise.
const (
	CodeUndefinedColumn    types.Code = "42703"
	CodeAmbiguousColumn    types.Code = "42702"
	CodeDuplicateColumn    types.Code = "42701"
	CodeDuplicateTable     types.Code = "42P07"
	CodeDuplicateSchema    types.Code = "42P06"
	CodeDuplicateObject    types.Code = "42710"
	CodeDuplicateAlias     types.Code = "42712"
	CodeUndefinedParameter types.Code = "42P02"
	CodeInvalidColumnRef   types.Code = "42P10"
	CodeInvalidTableDef    types.Code = "42P16"
	CodeGrouping           types.Code = "42803"
	CodeGeneratedAlways    types.Code = "428C9"
	CodeDependentObjects   types.Code = "2BP01"
	CodeNameTooLong        types.Code = "42622"
	CodeInvalidPreparedDef types.Code = "42P14"
	CodeInvalidObjectDef   types.Code = "42P17"
	CodeTooManyColumns     types.Code = "54011"
	CodeSequenceLimit      types.Code = "2200H"
	CodeReservedName       types.Code = "42939"
	CodeWindowing          types.Code = "42P20"
	CodeInvalidRowCount    types.Code = "2201W"
	CodeInvalidOffset      types.Code = "2201X"
	CodeCardinality        types.Code = "21000"
	CodeNotNullViolation   types.Code = "23502"
	CodeUniqueViolation    types.Code = "23505"
	CodeCheckViolation     types.Code = "23514"
	CodeForeignKey         types.Code = "23503"
	CodeBadCopyFormat      types.Code = "22P04"
)

// errorf makes an error that points at a place in the statement.
func (a *analyzer) errorf(pos parse.Pos, code types.Code, format string, args ...any) error {
	return types.Errorf(code, format, args...).At(a.stmt.Position(pos))
}

// unsupported refuses by name what Postgres knows and we do not (P4).
func (a *analyzer) unsupported(pos parse.Pos, feature string) error {
	return a.errorf(pos, types.CodeFeatureNotSupported, "%s is not supported", feature)
}

// at adds a place to an error that has none.
func (a *analyzer) at(err error, pos parse.Pos) error {
	var e *types.Error
	if errors.As(err, &e) && e.Position == 0 {
		placed := *e
		return placed.At(a.stmt.Position(pos))
	}
	return err
}

// startOf is where an expression begins, which is where Postgres points when it is the expression
// as a whole that is wrong. A node's own position may lie further in, at its operator.
func startOf(n parse.Expr) parse.Pos {
	first := n.Position()
	earlier := func(of parse.Expr) {
		if of == nil {
			return
		}
		if pos := startOf(of); pos >= 0 && (first < 0 || pos < first) {
			first = pos
		}
	}
	switch n := n.(type) {
	case *parse.OpExpr:
		earlier(n.Left)
	case *parse.CastExpr:
		earlier(n.Arg)
	case *parse.AnyAllExpr:
		earlier(n.Left)
	case *parse.DistinctExpr:
		earlier(n.Left)
	case *parse.InExpr:
		earlier(n.Left)
	case *parse.LikeExpr:
		earlier(n.Left)
	case *parse.BetweenExpr:
		earlier(n.Arg)
	case *parse.BoolExpr:
		earlier(n.Args[0])
	case *parse.NullTest:
		earlier(n.Arg)
	case *parse.BooleanTest:
		earlier(n.Arg)
	case *parse.CollateExpr:
		earlier(n.Arg)
	}
	return first
}
