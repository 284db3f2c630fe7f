package parse

import pg "github.com/pganalyze/pg_query_go/v6"

// ddl converts the statements that change the catalog.
func (c *converter) ddl(node *pg.Node) Statement {
	switch n := node.GetNode().(type) {
	case *pg.Node_CreateStmt:
		return c.createTable(n.CreateStmt)
	case *pg.Node_IndexStmt:
		return c.index(n.IndexStmt)
	case *pg.Node_DropStmt:
		return c.drop(n.DropStmt)
	case *pg.Node_TruncateStmt:
		return &TruncateStmt{
			Tables:          c.rangeVars(n.TruncateStmt.Relations),
			RestartIdentity: n.TruncateStmt.RestartSeqs,
			Behavior:        behavior(n.TruncateStmt.Behavior),
		}
	case *pg.Node_AlterTableStmt:
		return c.alterTable(n.AlterTableStmt)
	case *pg.Node_RenameStmt:
		return c.rename(n.RenameStmt)
	case *pg.Node_AlterOwnerStmt:
		return c.alterOwner(n.AlterOwnerStmt)
	case *pg.Node_AlterObjectSchemaStmt:
		return c.alterSchema(n.AlterObjectSchemaStmt)
	case *pg.Node_ViewStmt:
		return c.view(n.ViewStmt)
	case *pg.Node_CreateTableAsStmt:
		return c.createTableAs(n.CreateTableAsStmt)
	}
	return c.lesserDDL(node)
}

// lesserDDL converts what is not about tables.
func (c *converter) lesserDDL(node *pg.Node) Statement {
	switch n := node.GetNode().(type) {
	case *pg.Node_CreateSeqStmt:
		s := n.CreateSeqStmt
		return &CreateSequenceStmt{
			Sequence: c.rangeVar(s.Sequence), Options: c.options(s.Options),
			IfNotExists: s.IfNotExists,
		}
	case *pg.Node_AlterSeqStmt:
		s := n.AlterSeqStmt
		return &AlterSequenceStmt{
			Sequence: c.rangeVar(s.Sequence), Options: c.options(s.Options), IfExists: s.MissingOk,
		}
	case *pg.Node_CreateSchemaStmt:
		return c.createSchema(n.CreateSchemaStmt)
	case *pg.Node_CommentStmt:
		return &CommentStmt{
			Kind:    objectKind(n.CommentStmt.Objtype),
			Object:  objectParts(n.CommentStmt.Object),
			Comment: n.CommentStmt.Comment,
		}
	case *pg.Node_CreatedbStmt:
		return &CreateDatabaseStmt{
			Name: n.CreatedbStmt.Dbname, Options: c.options(n.CreatedbStmt.Options),
		}
	case *pg.Node_DropdbStmt:
		s := n.DropdbStmt
		return &DropDatabaseStmt{
			Name: s.Dbname, IfExists: s.MissingOk, Options: c.options(s.Options),
		}
	case *pg.Node_CreateExtensionStmt:
		s := n.CreateExtensionStmt
		return &CreateExtensionStmt{
			Name: s.Extname, IfNotExists: s.IfNotExists, Options: c.options(s.Options),
		}
	}
	return nil
}

func (c *converter) drop(n *pg.DropStmt) Statement {
	out := &DropStmt{
		Kind: objectKind(n.RemoveType), IfExists: n.MissingOk,
		Behavior: behavior(n.Behavior), Concurrently: n.Concurrent,
	}
	for _, object := range n.Objects {
		out.Names = append(out.Names, c.objectName(object))
	}
	return out
}

func (c *converter) createSchema(n *pg.CreateSchemaStmt) Statement {
	if len(n.SchemaElts) > 0 {
		c.fail("CREATE SCHEMA with objects in it", -1)
	}
	return &CreateSchemaStmt{
		Name: n.Schemaname, Owner: c.roleSpec(n.Authrole), IfNotExists: n.IfNotExists,
	}
}

func (c *converter) view(n *pg.ViewStmt) Statement {
	return &ViewStmt{
		View:    c.rangeVar(n.View),
		Columns: words(n.Aliases),
		Query:   c.query(n.Query),
		Replace: n.Replace,
		Options: c.options(n.Options),
		CheckOption: n.WithCheckOption == pg.ViewCheckOption_LOCAL_CHECK_OPTION ||
			n.WithCheckOption == pg.ViewCheckOption_CASCADED_CHECK_OPTION,
	}
}

func (c *converter) createTableAs(n *pg.CreateTableAsStmt) Statement {
	return &CreateTableAsStmt{
		Kind:        objectKind(n.Objtype),
		Into:        c.into(n.Into),
		Query:       c.statement(n.Query),
		SelectInto:  n.IsSelectInto,
		IfNotExists: n.IfNotExists,
	}
}
