package parse

import pg "github.com/pganalyze/pg_query_go/v6"

// words takes the strings out of a list.
func words(nodes []*pg.Node) []string {
	if len(nodes) == 0 {
		return nil
	}
	out := make([]string, 0, len(nodes))
	for _, n := range nodes {
		out = append(out, n.GetString_().GetSval())
	}
	return out
}

// name makes a qualified name of a list of strings.
func (c *converter) name(nodes []*pg.Node) QName {
	return c.nameOf(words(nodes), -1)
}

func (c *converter) nameOf(parts []string, location int32) QName {
	switch len(parts) {
	case 0:
		return QName{}
	case 1:
		return QName{Name: parts[0]}
	case 2:
		return QName{Schema: parts[0], Name: parts[1]}
	case 3:
		return QName{Catalog: parts[0], Schema: parts[1], Name: parts[2]}
	}
	c.fail("a name of more than three parts", location)
	return QName{}
}

func (c *converter) namePointer(nodes []*pg.Node) *QName {
	if len(nodes) == 0 {
		return nil
	}
	n := c.name(nodes)
	return &n
}

// objectName names the object of DROP, COMMENT, GRANT and their kin, which the grammar gives in
// many shapes.
func (c *converter) objectName(node *pg.Node) QName {
	return c.nameOf(objectParts(node), -1)
}

func objectParts(node *pg.Node) []string {
	switch n := node.GetNode().(type) {
	case *pg.Node_List:
		return words(n.List.Items)
	case *pg.Node_String_:
		return []string{n.String_.Sval}
	case *pg.Node_TypeName:
		return words(n.TypeName.Names)
	case *pg.Node_ObjectWithArgs:
		return words(n.ObjectWithArgs.Objname)
	case *pg.Node_RangeVar:
		r := n.RangeVar
		var parts []string
		for _, part := range []string{r.Catalogname, r.Schemaname, r.Relname} {
			if part != "" {
				parts = append(parts, part)
			}
		}
		return parts
	}
	return nil
}

func (c *converter) rangeVar(r *pg.RangeVar) *RangeVar {
	if r == nil {
		return nil
	}
	return &RangeVar{
		Name:        QName{Catalog: r.Catalogname, Schema: r.Schemaname, Name: r.Relname},
		Only:        !r.Inh,
		Persistence: persistence(r.Relpersistence),
		Alias:       alias(r.Alias),
		Pos:         c.pos(r.Location),
	}
}

func (c *converter) rangeVars(nodes []*pg.Node) []*RangeVar {
	var out []*RangeVar
	for _, n := range nodes {
		out = append(out, c.rangeVar(n.GetRangeVar()))
	}
	return out
}

func persistence(letter string) Persistence {
	switch letter {
	case "u":
		return Unlogged
	case "t":
		return Temporary
	}
	return Permanent
}

func alias(a *pg.Alias) *Alias {
	if a == nil {
		return nil
	}
	return &Alias{Name: a.Aliasname, Columns: words(a.Colnames)}
}

func (c *converter) typeName(t *pg.TypeName) *TypeName {
	if t == nil {
		return nil
	}
	c.pinning++
	defer func() { c.pinning-- }()
	return &TypeName{
		Name:      c.nameOf(words(t.Names), t.Location),
		Typmods:   c.exprs(t.Typmods),
		ArrayDims: len(t.ArrayBounds),
		SetOf:     t.Setof,
		PctType:   t.PctType,
		Pos:       c.pos(t.Location),
	}
}

var roleKinds = map[pg.RoleSpecType]RoleKind{
	pg.RoleSpecType_ROLESPEC_CURRENT_ROLE: RoleCurrentRole,
	pg.RoleSpecType_ROLESPEC_CURRENT_USER: RoleCurrentUser,
	pg.RoleSpecType_ROLESPEC_SESSION_USER: RoleSessionUser,
	pg.RoleSpecType_ROLESPEC_PUBLIC:       RolePublic,
}

func (c *converter) roleSpec(r *pg.RoleSpec) *RoleSpec {
	if r == nil {
		return nil
	}
	return &RoleSpec{Kind: roleKinds[r.Roletype], Name: r.Rolename, Pos: c.pos(r.Location)}
}

func (c *converter) roleSpecs(nodes []*pg.Node) []RoleSpec {
	var out []RoleSpec
	for _, n := range nodes {
		if r := c.roleSpec(n.GetRoleSpec()); r != nil {
			out = append(out, *r)
		}
	}
	return out
}

func behavior(b pg.DropBehavior) Behavior {
	if b == pg.DropBehavior_DROP_CASCADE {
		return Cascade
	}
	return Restrict
}

var objectKinds = map[pg.ObjectType]ObjectKind{
	pg.ObjectType_OBJECT_TABLE:          ObjectTable,
	pg.ObjectType_OBJECT_INDEX:          ObjectIndex,
	pg.ObjectType_OBJECT_SEQUENCE:       ObjectSequence,
	pg.ObjectType_OBJECT_VIEW:           ObjectView,
	pg.ObjectType_OBJECT_MATVIEW:        ObjectMatView,
	pg.ObjectType_OBJECT_SCHEMA:         ObjectSchema,
	pg.ObjectType_OBJECT_DATABASE:       ObjectDatabase,
	pg.ObjectType_OBJECT_ROLE:           ObjectRole,
	pg.ObjectType_OBJECT_COLUMN:         ObjectColumn,
	pg.ObjectType_OBJECT_ATTRIBUTE:      ObjectColumn,
	pg.ObjectType_OBJECT_TABCONSTRAINT:  ObjectConstraint,
	pg.ObjectType_OBJECT_FUNCTION:       ObjectFunction,
	pg.ObjectType_OBJECT_ROUTINE:        ObjectFunction,
	pg.ObjectType_OBJECT_PROCEDURE:      ObjectProcedure,
	pg.ObjectType_OBJECT_TYPE:           ObjectType,
	pg.ObjectType_OBJECT_DOMAIN:         ObjectDomain,
	pg.ObjectType_OBJECT_EXTENSION:      ObjectExtension,
	pg.ObjectType_OBJECT_TABLESPACE:     ObjectTablespace,
	pg.ObjectType_OBJECT_LANGUAGE:       ObjectLanguage,
	pg.ObjectType_OBJECT_TRIGGER:        ObjectTrigger,
	pg.ObjectType_OBJECT_AGGREGATE:      ObjectAggregate,
	pg.ObjectType_OBJECT_OPERATOR:       ObjectOperator,
	pg.ObjectType_OBJECT_COLLATION:      ObjectCollation,
	pg.ObjectType_OBJECT_POLICY:         ObjectPolicy,
	pg.ObjectType_OBJECT_RULE:           ObjectRule,
	pg.ObjectType_OBJECT_PUBLICATION:    ObjectPublication,
	pg.ObjectType_OBJECT_SUBSCRIPTION:   ObjectSubscription,
	pg.ObjectType_OBJECT_EVENT_TRIGGER:  ObjectEventTrigger,
	pg.ObjectType_OBJECT_FOREIGN_TABLE:  ObjectForeignTable,
	pg.ObjectType_OBJECT_PARAMETER_ACL:  ObjectParameter,
	pg.ObjectType_OBJECT_LARGEOBJECT:    ObjectLargeObject,
	pg.ObjectType_OBJECT_STATISTIC_EXT:  ObjectStatistics,
	pg.ObjectType_OBJECT_FOREIGN_SERVER: ObjectOther,
}

// objectKind sorts an object; the rare sorts are one, as nobody can have made any.
func objectKind(t pg.ObjectType) ObjectKind {
	if kind, ok := objectKinds[t]; ok {
		return kind
	}
	return ObjectOther
}
