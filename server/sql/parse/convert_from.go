package parse

import pg "github.com/pganalyze/pg_query_go/v6"

func (c *converter) from(nodes []*pg.Node) []TableExpr {
	var out []TableExpr
	for _, n := range nodes {
		out = append(out, c.tableExpr(n))
	}
	return out
}

func (c *converter) tableExpr(node *pg.Node) TableExpr {
	switch n := node.GetNode().(type) {
	case *pg.Node_RangeVar:
		return c.rangeVar(n.RangeVar)
	case *pg.Node_RangeSubselect:
		s := n.RangeSubselect
		return &RangeSubselect{
			Lateral: s.Lateral, Query: c.query(s.Subquery), Alias: alias(s.Alias),
		}
	case *pg.Node_RangeFunction:
		return c.rangeFunction(n.RangeFunction)
	case *pg.Node_JoinExpr:
		return c.join(n.JoinExpr)
	case *pg.Node_RangeTableSample:
		c.fail("TABLESAMPLE", n.RangeTableSample.Location)
	case *pg.Node_RangeTableFunc:
		c.fail("XMLTABLE", n.RangeTableFunc.Location)
	case *pg.Node_JsonTable:
		c.fail("JSON_TABLE", n.JsonTable.Location)
	default:
		c.fail("this item of FROM", -1)
	}
	return nil
}

func (c *converter) rangeFunction(n *pg.RangeFunction) TableExpr {
	out := &RangeFunction{
		Lateral:    n.Lateral,
		Ordinality: n.Ordinality,
		RowsFrom:   n.IsRowsfrom,
		Alias:      alias(n.Alias),
		Columns:    c.columnDefs(n.Coldeflist),
	}
	for _, f := range n.Functions {
		pair := f.GetList().GetItems()
		if len(pair) != 2 {
			c.fail("this function in FROM", -1)
			continue
		}
		out.Funcs = append(out.Funcs, RangeFunctionItem{
			Func:    c.expr(pair[0]),
			Columns: c.columnDefs(pair[1].GetList().GetItems()),
		})
	}
	return out
}

var joinKinds = map[pg.JoinType]JoinKind{
	pg.JoinType_JOIN_LEFT:  JoinLeft,
	pg.JoinType_JOIN_FULL:  JoinFull,
	pg.JoinType_JOIN_RIGHT: JoinRight,
}

func (c *converter) join(n *pg.JoinExpr) TableExpr {
	return &JoinExpr{
		Kind:       joinKinds[n.Jointype],
		Natural:    n.IsNatural,
		Left:       c.tableExpr(n.Larg),
		Right:      c.tableExpr(n.Rarg),
		Using:      words(n.UsingClause),
		UsingAlias: alias(n.JoinUsingAlias),
		On:         c.expr(n.Quals),
		Alias:      alias(n.Alias),
	}
}
