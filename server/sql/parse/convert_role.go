package parse

import pg "github.com/pganalyze/pg_query_go/v6"

// role converts the statements about roles and privileges.
func (c *converter) role(node *pg.Node) Statement {
	switch n := node.GetNode().(type) {
	case *pg.Node_CreateRoleStmt:
		return c.createRole(n.CreateRoleStmt)
	case *pg.Node_AlterRoleStmt:
		out := &AlterRoleStmt{
			Options: c.options(n.AlterRoleStmt.Options), Action: int(n.AlterRoleStmt.Action),
		}
		if role := c.roleSpec(n.AlterRoleStmt.Role); role != nil {
			out.Role = *role
		}
		return out
	case *pg.Node_AlterRoleSetStmt:
		s := n.AlterRoleSetStmt
		return &AlterRoleSetStmt{
			Role: c.roleSpec(s.Role), Database: s.Database, Set: c.variableSet(s.Setstmt),
		}
	case *pg.Node_AlterDatabaseSetStmt:
		s := n.AlterDatabaseSetStmt
		return &AlterRoleSetStmt{Database: s.Dbname, Set: c.variableSet(s.Setstmt)}
	case *pg.Node_DropRoleStmt:
		return &DropRoleStmt{
			Roles: c.roleSpecs(n.DropRoleStmt.Roles), IfExists: n.DropRoleStmt.MissingOk,
		}
	case *pg.Node_GrantStmt:
		return c.grant(n.GrantStmt)
	case *pg.Node_GrantRoleStmt:
		s := n.GrantRoleStmt
		return &GrantRoleStmt{
			Revoke: !s.IsGrant, Roles: privileges(s.GrantedRoles),
			Grantees: c.roleSpecs(s.GranteeRoles), Options: c.options(s.Opt),
			Behavior: behavior(s.Behavior),
		}
	}
	return nil
}

var roleStmtKinds = map[pg.RoleStmtType]RoleStmtKind{
	pg.RoleStmtType_ROLESTMT_USER:  RoleStmtUser,
	pg.RoleStmtType_ROLESTMT_GROUP: RoleStmtGroup,
}

func (c *converter) createRole(n *pg.CreateRoleStmt) Statement {
	return &CreateRoleStmt{
		Kind: roleStmtKinds[n.StmtType], Name: n.Role, Options: c.options(n.Options),
	}
}

func (c *converter) grant(n *pg.GrantStmt) Statement {
	out := &GrantStmt{
		Revoke:      !n.IsGrant,
		AllInSchema: n.Targtype == pg.GrantTargetType_ACL_TARGET_ALL_IN_SCHEMA,
		Defaults:    n.Targtype == pg.GrantTargetType_ACL_TARGET_DEFAULTS,
		Kind:        objectKind(n.Objtype),
		Privileges:  privileges(n.Privileges),
		Grantees:    c.roleSpecs(n.Grantees),
		GrantOption: n.GrantOption,
		Behavior:    behavior(n.Behavior),
	}
	for _, object := range n.Objects {
		out.Objects = append(out.Objects, c.objectName(object))
	}
	return out
}

func privileges(nodes []*pg.Node) []Privilege {
	var out []Privilege
	for _, node := range nodes {
		p := node.GetAccessPriv()
		out = append(out, Privilege{Name: p.GetPrivName(), Columns: words(p.GetCols())})
	}
	return out
}
