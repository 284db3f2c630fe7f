package parse

import (
	"reflect"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// operator converts the node that the grammar uses for every operator and much else.
func (c *converter) operator(n *pg.A_Expr) Expr {
	pos := c.pos(n.Location)
	switch n.Kind {
	case pg.A_Expr_Kind_AEXPR_OP:
		if link := n.Rexpr.GetSubLink(); link != nil && n.Lexpr.GetRowExpr() != nil &&
			link.SubLinkType == pg.SubLinkType_EXPR_SUBLINK {
			return &SubLink{
				Kind: SubRow, Test: c.expr(n.Lexpr), Op: c.name(n.Name),
				Query: c.query(link.Subselect), Pos: pos,
			}
		}
		return &OpExpr{
			Op: c.name(n.Name), Left: c.expr(n.Lexpr), Right: c.expr(n.Rexpr), Pos: pos,
		}
	case pg.A_Expr_Kind_AEXPR_OP_ANY, pg.A_Expr_Kind_AEXPR_OP_ALL:
		return &AnyAllExpr{
			Op: c.name(n.Name), All: n.Kind == pg.A_Expr_Kind_AEXPR_OP_ALL,
			Left: c.expr(n.Lexpr), Array: c.expr(n.Rexpr), Pos: pos,
		}
	case pg.A_Expr_Kind_AEXPR_DISTINCT, pg.A_Expr_Kind_AEXPR_NOT_DISTINCT:
		return &DistinctExpr{
			Not:  n.Kind == pg.A_Expr_Kind_AEXPR_NOT_DISTINCT,
			Left: c.expr(n.Lexpr), Right: c.expr(n.Rexpr), Pos: pos,
		}
	case pg.A_Expr_Kind_AEXPR_NULLIF:
		return &NullIfExpr{Left: c.expr(n.Lexpr), Right: c.expr(n.Rexpr), Pos: pos}
	case pg.A_Expr_Kind_AEXPR_IN:
		return &InExpr{
			Not: c.name(n.Name).Name == "<>", Left: c.expr(n.Lexpr),
			List: c.exprs(n.Rexpr.GetList().GetItems()), Pos: pos,
		}
	case pg.A_Expr_Kind_AEXPR_LIKE, pg.A_Expr_Kind_AEXPR_ILIKE, pg.A_Expr_Kind_AEXPR_SIMILAR:
		return c.like(n)
	}
	return c.between(n)
}

func (c *converter) between(n *pg.A_Expr) Expr {
	bounds := n.Rexpr.GetList().GetItems()
	if len(bounds) != 2 {
		c.fail("this operator", n.Location)
		return nil
	}
	return &BetweenExpr{
		Not: n.Kind == pg.A_Expr_Kind_AEXPR_NOT_BETWEEN ||
			n.Kind == pg.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM,
		Symmetric: n.Kind == pg.A_Expr_Kind_AEXPR_BETWEEN_SYM ||
			n.Kind == pg.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM,
		Arg: c.expr(n.Lexpr), Low: c.expr(bounds[0]), High: c.expr(bounds[1]),
		Pos: c.pos(n.Location),
	}
}

// like converts LIKE and its kin. The grammar wraps pattern and escape character into a call,
// which we undo: a plan wants to see the pattern.
func (c *converter) like(n *pg.A_Expr) Expr {
	out := &LikeExpr{
		Not:  strings.HasPrefix(c.name(n.Name).Name, "!"),
		Left: c.expr(n.Lexpr), Pos: c.pos(n.Location),
	}
	escape := "like_escape"
	switch n.Kind {
	case pg.A_Expr_Kind_AEXPR_ILIKE:
		out.Kind = ILike
	case pg.A_Expr_Kind_AEXPR_SIMILAR:
		out.Kind, escape = SimilarTo, "similar_to_escape"
	}
	call := n.Rexpr.GetFuncCall()
	name := c.name(call.GetFuncname())
	if call == nil || name.Schema != "pg_catalog" || name.Name != escape || len(call.Args) > 2 {
		out.Pattern = c.expr(n.Rexpr)
		return out
	}
	out.Pattern = c.expr(call.Args[0])
	if len(call.Args) == 2 {
		out.Escape = c.expr(call.Args[1])
	}
	return out
}

func (c *converter) funcCall(n *pg.FuncCall) Expr {
	return &FuncCall{
		Name:        c.nameOf(words(n.Funcname), n.Location),
		Args:        c.exprs(n.Args),
		Star:        n.AggStar,
		Distinct:    n.AggDistinct,
		Variadic:    n.FuncVariadic,
		WithinGroup: n.AggWithinGroup,
		SQLSyntax:   n.Funcformat == pg.CoercionForm_COERCE_SQL_SYNTAX,
		OrderBy:     c.sortBy(n.AggOrder),
		Filter:      c.expr(n.AggFilter),
		Over:        c.window(n.Over),
		Pos:         c.pos(n.Location),
	}
}

func (c *converter) window(n *pg.WindowDef) *WindowDef {
	if n == nil {
		return nil
	}
	return &WindowDef{
		Name:        n.Name,
		RefName:     n.Refname,
		PartitionBy: c.exprs(n.PartitionClause),
		OrderBy:     c.sortBy(n.OrderClause),
		Frame:       FrameOptions(n.FrameOptions),
		StartOffset: c.expr(n.StartOffset),
		EndOffset:   c.expr(n.EndOffset),
		Pos:         c.pos(n.Location),
	}
}

var valueFunctions = map[pg.SQLValueFunctionOp]ValueFunction{
	pg.SQLValueFunctionOp_SVFOP_CURRENT_DATE:        CurrentDate,
	pg.SQLValueFunctionOp_SVFOP_CURRENT_TIME:        CurrentTime,
	pg.SQLValueFunctionOp_SVFOP_CURRENT_TIME_N:      CurrentTime,
	pg.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP:   CurrentTimestamp,
	pg.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP_N: CurrentTimestamp,
	pg.SQLValueFunctionOp_SVFOP_LOCALTIME:           LocalTime,
	pg.SQLValueFunctionOp_SVFOP_LOCALTIME_N:         LocalTime,
	pg.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP:      LocalTimestamp,
	pg.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP_N:    LocalTimestamp,
	pg.SQLValueFunctionOp_SVFOP_CURRENT_ROLE:        CurrentRole,
	pg.SQLValueFunctionOp_SVFOP_CURRENT_USER:        CurrentUser,
	pg.SQLValueFunctionOp_SVFOP_USER:                User,
	pg.SQLValueFunctionOp_SVFOP_SESSION_USER:        SessionUser,
	pg.SQLValueFunctionOp_SVFOP_CURRENT_CATALOG:     CurrentCatalog,
	pg.SQLValueFunctionOp_SVFOP_CURRENT_SCHEMA:      CurrentSchema,
}

func (c *converter) valueFunction(n *pg.SQLValueFunction) Expr {
	out := &SQLValueFunction{
		Func: valueFunctions[n.Op], Precision: -1, Pos: c.pos(n.Location),
	}
	switch n.Op {
	case pg.SQLValueFunctionOp_SVFOP_CURRENT_TIME_N,
		pg.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP_N,
		pg.SQLValueFunctionOp_SVFOP_LOCALTIME_N,
		pg.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP_N:
		out.Precision = int(n.Typmod)
	}
	return out
}

// expressionName says what an expression is that our tree has no place for.
func expressionName(node *pg.Node) string {
	name := reflect.TypeOf(node.Node).Elem().Field(0).Type.Elem().Name()
	switch {
	case name == "XmlExpr", name == "XmlSerialize":
		return "XML"
	case name == "JsonIsPredicate":
		return "IS JSON"
	case strings.HasPrefix(name, "Json"):
		return "SQL/JSON syntax"
	case name == "MergeSupportFunc":
		return "MERGE_ACTION"
	}
	return "the expression " + name
}
