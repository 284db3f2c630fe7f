package plan

import (
	"fmt"
	"slices"
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// constrain resolves the constraints that have waited for the columns.
func (s *shaping) constrain() error {
	// A foreign key may refer to the table's own primary key.
	slices.SortStableFunc(s.constraints, func(a, b *waitingConstraint) int {
		return foreignLast(a.con) - foreignLast(b.con)
	})
	for _, w := range s.constraints {
		if err := s.constraint(w.con, w.column); err != nil {
			return err
		}
	}
	s.constraints = nil
	return s.settleUnique()
}

func foreignLast(con *parse.Constraint) int {
	if con.Kind == parse.ConstraintForeign {
		return 1
	}
	return 0
}

// constraint gives the table a constraint, which was written at a column or is the table's.
func (s *shaping) constraint(con *parse.Constraint, column string) error {
	if con.Deferrable || con.InitiallyDefer {
		return s.a.unsupported(con.Pos, "a deferrable constraint")
	}
	names := con.Keys
	if column != "" {
		names = []string{column}
	}
	switch con.Kind {
	case parse.ConstraintPrimary:
		return s.primaryKey(con, names)
	case parse.ConstraintUnique:
		return s.unique(con, names)
	case parse.ConstraintCheck:
		return s.check(con)
	case parse.ConstraintForeign:
		return s.foreignKey(con, column)
	}
	return s.a.refuseConstraint(con)
}

// refuseConstraint names the constraints that are not there.
func (a *analyzer) refuseConstraint(con *parse.Constraint) error {
	name, ok := map[parse.ConstraintKind]string{
		parse.ConstraintGenerated: "a generated column", parse.ConstraintExclusion: "EXCLUDE",
	}[con.Kind]
	if !ok {
		name = "a deferrable constraint"
	}
	return a.unsupported(con.Pos, name)
}

// check gives the table a CHECK constraint. They are kept in the order of their names, in which
// Postgres checks them.
func (s *shaping) check(con *parse.Constraint) error {
	x, err := s.a.checkExpr(s.t, con.Expr)
	if err != nil {
		return err
	}
	text, err := s.a.keptCheck(s.t, con.Expr)
	if err != nil {
		return err
	}
	c := catalog.Check{Name: con.Name, Expr: text, NoInherit: con.NoInherit,
		NotValid: con.NotValid}
	if c.Name == "" {
		c.Name = s.freeName(onlyColumn(s.t, x), "check")
	} else if s.t.ConstraintNamed(c.Name) {
		return s.duplicate("check ", c.Name)
	}
	at, _ := slices.BinarySearchFunc(s.t.Checks, c, func(a, b catalog.Check) int {
		return strings.Compare(a.Name, b.Name)
	})
	s.t.Checks = slices.Insert(s.t.Checks, at, c)
	return nil
}

// duplicate is the error of a name that another constraint of the table has.
func (s *shaping) duplicate(kind, name string) error {
	if s.t.OID == 0 && kind != "" {
		return types.Errorf(CodeDuplicateObject, "%sconstraint \"%s\" already exists", kind, name)
	}
	return types.Errorf(CodeDuplicateObject,
		"constraint \"%s\" for relation \"%s\" already exists", name, s.t.Name)
}

// checkExpr resolves the condition of a CHECK.
func (a *analyzer) checkExpr(t *catalog.Table, n parse.Expr) (Expr, error) {
	saved := a.level
	defer func() { a.level = saved }()
	a.level = level{scope: newScope(nil), place: "check constraints"}
	a.scope.add(tableSource(t, nil))
	x, err := a.expr(n)
	if err != nil {
		return nil, err
	}
	if x, err = a.boolean(x, "CHECK", startOf(n)); err != nil {
		return nil, err
	}
	return x, a.refuseInTable(x, n, "check constraint")
}

// inRow resolves an expression over the columns of a table.
func (a *analyzer) inRow(t *catalog.Table, n parse.Expr, place string) (Expr, error) {
	saved := a.level
	defer func() { a.level = saved }()
	a.level = level{scope: newScope(nil), place: place}
	a.scope.add(tableSource(t, nil))
	return a.operand(n)
}

// refuseInTable refuses what an expression that belongs to a table cannot hold.
func (a *analyzer) refuseInTable(x Expr, n parse.Expr, what string) error {
	if runsQuery(x) {
		return a.errorf(startOf(n), types.CodeFeatureNotSupported, "cannot use subquery in %s", what)
	}
	var param *Param
	walk(x, func(x Expr) bool {
		if p, ok := x.(*Param); ok {
			param = p
		}
		return param == nil
	})
	if param != nil {
		return a.errorf(startOf(n), CodeUndefinedParameter,
			"there is no parameter $%d", param.Index+1)
	}
	return nil
}

// onlyColumn gives the name of the one column that an expression reads; "" when it reads another
// number of them.
func onlyColumn(t *catalog.Table, x Expr) string {
	lo, hi, any := reach(x)
	if !any || hi != lo+1 {
		return ""
	}
	return t.Columns[lo].Name
}

// freeName chooses a name for a constraint that no other in the schema has, as Postgres does.
func (s *shaping) freeName(column, suffix string) string {
	label := suffix
	for n := 1; ; n++ {
		name := ObjectName(s.t.Name, column, label)
		if !s.constraintTaken(name) {
			return name
		}
		label = fmt.Sprintf("%s%d", suffix, n)
	}
}

func (s *shaping) constraintTaken(name string) bool {
	if s.t.ConstraintNamed(name) {
		return true
	}
	for _, t := range s.a.env.Catalog.Tables() {
		if t.SchemaOID == s.t.SchemaOID && t.OID != s.t.OID && t.ConstraintNamed(name) {
			return true
		}
	}
	return false
}

// primaryKey gives a table its key.
func (s *shaping) primaryKey(con *parse.Constraint, names []string) error {
	t := s.t
	if t.PrimaryKey != nil {
		return s.a.errorf(con.Pos, CodeInvalidTableDef,
			"multiple primary keys for table \"%s\" are not allowed", t.Name)
	}
	columns, err := s.a.keyColumns(t, con, names)
	if err != nil {
		return err
	}
	if con.Name != "" {
		if err := s.a.taken(s.a.env.Catalog.Schema(t.Schema), con.Name); err != nil {
			return err
		}
	}
	for _, i := range columns {
		t.Columns[i].NotNull = true
	}
	t.PrimaryKey = &catalog.Index{Name: con.Name, Columns: columns}
	t.PrimaryKey.Include, err = s.a.keyIncludes(t, con)
	return err
}

func (a *analyzer) keyColumns(
	t *catalog.Table, con *parse.Constraint, names []string,
) ([]int, error) {
	kind := "PRIMARY KEY"
	if con.Kind == parse.ConstraintUnique {
		kind = "UNIQUE"
	}
	if con.IndexName != "" {
		return nil, a.unsupported(con.Pos, kind+" USING INDEX")
	}
	var columns []int
	for _, name := range names {
		i := t.ColumnIndex(name)
		if i < 0 {
			return nil, a.errorf(con.Pos, CodeUndefinedColumn,
				"column \"%s\" named in key does not exist", name)
		}
		if slices.Contains(columns, i) {
			return nil, a.errorf(con.Pos, CodeDuplicateColumn,
				"column \"%s\" appears twice in %s constraint", name, strings.ToLower(kind))
		}
		if err := indexable(t.Columns[i].Type.OID); err != nil {
			return nil, err
		}
		columns = append(columns, i)
	}
	return columns, nil
}
