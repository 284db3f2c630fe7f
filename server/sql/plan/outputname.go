package plan

import "ackdb/server/sql/parse"

// outputName is what Postgres calls a result column without an alias (FigureColname).
func outputName(n parse.Expr) string {
	name, _ := figureName(n)
	if name == "" {
		return "?column?"
	}
	return name
}

// figureName gives a name and whether it is better than what an outer cast would give.
func figureName(n parse.Expr) (string, bool) {
	switch n := n.(type) {
	case *parse.ColumnRef:
		return n.Fields[len(n.Fields)-1], true
	case *parse.FuncCall:
		return n.Name.Name, true
	case *parse.SQLValueFunction:
		return valueFunctionNames[n.Func], true
	case *parse.CoalesceExpr:
		return "coalesce", true
	case *parse.NullIfExpr:
		return "nullif", true
	case *parse.MinMaxExpr:
		if n.Least {
			return "least", true
		}
		return "greatest", true
	case *parse.ArrayExpr:
		return "array", true
	case *parse.RowExpr:
		return "row", true
	case *parse.GroupingFunc:
		return "grouping", true
	case *parse.CollateExpr:
		return figureName(n.Arg)
	case *parse.CastExpr:
		if name, strong := figureName(n.Arg); strong {
			return name, true
		}
		return n.Type.Name.Name, false
	case *parse.CaseExpr:
		if n.Else != nil {
			if name, strong := figureName(n.Else); strong {
				return name, true
			}
		}
		return "case", false
	case *parse.SubLink:
		return subLinkName(n), n.Kind != parse.SubAny && n.Kind != parse.SubAll
	case *parse.IndirectionExpr:
		for i := len(n.Steps) - 1; i >= 0; i-- {
			if n.Steps[i].Field != "" {
				return n.Steps[i].Field, true
			}
		}
		return figureName(n.Arg)
	}
	return "", false
}

// subLinkName is the name of a query in a select list: a scalar one lends the name of its column.
func subLinkName(n *parse.SubLink) string {
	switch n.Kind {
	case parse.SubExists:
		return "exists"
	case parse.SubArray:
		return "array"
	case parse.SubScalar:
		q := n.Query
		for q.Op != parse.SetNone {
			q = q.Left
		}
		if q.Values != nil {
			return "column1"
		}
		if len(q.Targets) != 1 {
			return ""
		}
		if q.Targets[0].Name != "" {
			return q.Targets[0].Name
		}
		name, _ := figureName(q.Targets[0].Val)
		return name
	}
	return ""
}
