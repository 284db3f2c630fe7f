package parse

import pg "github.com/pganalyze/pg_query_go/v6"

func (c *converter) options(nodes []*pg.Node) []DefElem {
	var out []DefElem
	for _, n := range nodes {
		d := n.GetDefElem()
		out = append(out, DefElem{
			Namespace: d.GetDefnamespace(),
			Name:      d.GetDefname(),
			Arg:       c.optionArg(d.GetArg(), d.GetLocation()),
			Pos:       c.pos(d.GetLocation()),
		})
	}
	return out
}

// optionArg converts an option's argument, which the grammar gives as it was convenient there.
func (c *converter) optionArg(node *pg.Node, location int32) DefArg {
	switch n := node.GetNode().(type) {
	case nil:
		return nil
	case *pg.Node_Integer:
		return &Const{Kind: ConstInt4, Int: int64(n.Integer.Ival), Lit: NoLit, Pos: NoPos}
	case *pg.Node_Float:
		out := &Const{Lit: NoLit, Pos: NoPos}
		setNumber(out, n.Float.Fval)
		return out
	case *pg.Node_Boolean:
		out := &Const{Kind: ConstBool, Lit: NoLit, Pos: NoPos}
		if n.Boolean.Boolval {
			out.Int = 1
		}
		return out
	case *pg.Node_String_:
		return &Const{Kind: ConstString, Str: n.String_.Sval, Lit: NoLit, Pos: NoPos}
	case *pg.Node_AConst:
		return c.constant(n.AConst)
	case *pg.Node_TypeName:
		return c.typeName(n.TypeName)
	case *pg.Node_AStar:
		return &DefList{Star: true}
	case *pg.Node_RoleSpec:
		return c.roleSpec(n.RoleSpec)
	case *pg.Node_List:
		return c.optionList(n.List.Items, location)
	}
	c.fail("the argument of this option", location)
	return nil
}

func (c *converter) optionList(items []*pg.Node, location int32) DefArg {
	if len(items) > 0 && items[0].GetRoleSpec() != nil {
		return &OptRoles{Roles: c.roleSpecs(items)}
	}
	out := &DefList{}
	for _, item := range items {
		out.Items = append(out.Items, c.optionArg(item, location))
	}
	return out
}
