package parse

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

func (c *converter) alterTable(n *pg.AlterTableStmt) Statement {
	out := &AlterTableStmt{
		Kind: objectKind(n.Objtype), Table: c.rangeVar(n.Relation), IfExists: n.MissingOk,
	}
	for _, node := range n.Cmds {
		out.Commands = append(out.Commands, c.alterCommand(node.GetAlterTableCmd()))
	}
	return out
}

var alterKinds = map[pg.AlterTableType]AlterKind{
	pg.AlterTableType_AT_AddColumn:          AlterAddColumn,
	pg.AlterTableType_AT_DropColumn:         AlterDropColumn,
	pg.AlterTableType_AT_ColumnDefault:      AlterColumnDefault,
	pg.AlterTableType_AT_SetNotNull:         AlterSetNotNull,
	pg.AlterTableType_AT_DropNotNull:        AlterDropNotNull,
	pg.AlterTableType_AT_AlterColumnType:    AlterColumnType,
	pg.AlterTableType_AT_AddConstraint:      AlterAddConstraint,
	pg.AlterTableType_AT_DropConstraint:     AlterDropConstraint,
	pg.AlterTableType_AT_ValidateConstraint: AlterValidateConstraint,
	pg.AlterTableType_AT_ChangeOwner:        AlterOwner,
	pg.AlterTableType_AT_SetRelOptions:      AlterSetOptions,
	pg.AlterTableType_AT_ResetRelOptions:    AlterResetOptions,
	pg.AlterTableType_AT_SetTableSpace:      AlterSetTablespace,
	pg.AlterTableType_AT_SetLogged:          AlterSetLogged,
	pg.AlterTableType_AT_SetUnLogged:        AlterSetUnlogged,
	pg.AlterTableType_AT_ReplicaIdentity:    AlterReplicaIdentity,
	pg.AlterTableType_AT_ClusterOn:          AlterClusterOn,
	pg.AlterTableType_AT_SetStatistics:      AlterSetStatistics,
	pg.AlterTableType_AT_SetStorage:         AlterSetStorage,
	pg.AlterTableType_AT_AddIdentity:        AlterAddIdentity,
	pg.AlterTableType_AT_SetIdentity:        AlterSetIdentity,
	pg.AlterTableType_AT_DropIdentity:       AlterDropIdentity,
	pg.AlterTableType_AT_EnableRowSecurity:  AlterEnableRowSecurity,
	pg.AlterTableType_AT_DisableRowSecurity: AlterDisableRowSecurity,
}

func (c *converter) alterCommand(n *pg.AlterTableCmd) AlterTableCmd {
	out := AlterTableCmd{
		Name:      n.GetName(),
		Owner:     c.roleSpec(n.GetNewowner()),
		Behavior:  behavior(n.GetBehavior()),
		MissingOK: n.GetMissingOk(),
	}
	kind, known := alterKinds[n.GetSubtype()]
	if !known {
		out.Kind, out.Text = AlterOther, alterText(n.GetSubtype())
		return out
	}
	out.Kind = kind
	switch def := n.GetDef().GetNode().(type) {
	case nil:
	case *pg.Node_ColumnDef:
		out.Column = c.columnDef(def.ColumnDef)
	case *pg.Node_Constraint:
		out.Constraint = c.constraint(def.Constraint)
	case *pg.Node_List:
		out.Options = c.options(def.List.Items)
	case *pg.Node_ReplicaIdentityStmt:
		out.Text = def.ReplicaIdentityStmt.IdentityType
	default:
		out.Expr = c.expr(n.GetDef())
	}
	return out
}

// alterText spells a subcommand's type: AT_EnableTrigAll is ALTER TABLE ... ENABLE TRIG ALL.
func alterText(t pg.AlterTableType) string {
	var words strings.Builder
	words.WriteString("ALTER TABLE ...")
	for _, r := range strings.TrimPrefix(t.String(), "AT_") {
		if r >= 'A' && r <= 'Z' {
			words.WriteByte(' ')
		}
		words.WriteRune(r)
	}
	return strings.ToUpper(words.String())
}

func (c *converter) rename(n *pg.RenameStmt) Statement {
	out := &RenameStmt{
		Kind: objectKind(n.RenameType), Table: c.rangeVar(n.Relation),
		Old: n.Subname, New: n.Newname, IfExists: n.MissingOk,
		OfView: n.RelationType == pg.ObjectType_OBJECT_VIEW,
	}
	if n.Object.GetNode() != nil {
		name := c.objectName(n.Object)
		out.Object = &name
	}
	return out
}

func (c *converter) alterSchema(n *pg.AlterObjectSchemaStmt) Statement {
	out := &AlterSchemaStmt{
		Kind: objectKind(n.ObjectType), Table: c.rangeVar(n.Relation),
		Schema: n.Newschema, IfExists: n.MissingOk,
	}
	if n.Object.GetNode() != nil {
		name := c.objectName(n.Object)
		out.Object = &name
	}
	return out
}

func (c *converter) alterOwner(n *pg.AlterOwnerStmt) Statement {
	out := &AlterOwnerStmt{Kind: objectKind(n.ObjectType), Object: c.objectName(n.Object)}
	if owner := c.roleSpec(n.Newowner); owner != nil {
		out.Owner = *owner
	}
	return out
}
