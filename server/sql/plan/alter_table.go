package plan

import (
	"slices"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// AlterTable gives a table another form.
type AlterTable struct {
	Table *catalog.Table // as it is
	New   *catalog.Table // as it will be; what has no oid yet is new

	Serials       []Serial            // sequences that columns bring with them
	DropSequences []*catalog.Sequence // and take with them
	Sequences     []*AlterSequence    // of its columns, that change with it
	DropViews     []*catalog.View     // CASCADE
	DropForeign   []Unreferenced      // likewise

	// Rewrite says that every row is to be written again, each column made by Row over the old row.
	// A nil expression is the default of the column, which is known once its sequence is there.
	Rewrite bool
	Row     []Expr

	// Missing are columns that older rows do not hold, with what they are then.
	Missing []SetColumn

	// Checks and NotNull, of New, are what the rows that are there have to pass.
	Checks  []RowCheck
	NotNull []int
	Foreign []string // foreign keys, by name

	// Referring are foreign keys to the table that have to be passed, too.
	Referring []ForeignOf

	Parents []*catalog.Table // that foreign keys refer to, of the old form or the new
}

func (n *AlterTable) explain(x *explainer) { x.step(n, "Utility Statement") }

// altering is a shaping of a table that has rows.
type altering struct {
	shaping
	p       *Prepared
	node    *AlterTable
	source  []Expr  // of each column, over the old row; nil for its default
	notNull []int16 // numbers of columns that may hold NULL so far
	checks  []string
	retyped []retyping
}

// retyping is a column that has got another type.
type retyping struct {
	attnum  int16
	changed bool // its values may be others
}

// ForeignOf is a foreign key of a table.
type ForeignOf struct {
	Child *catalog.Table
	Name  string
}

func (a *analyzer) alterTable(p *Prepared, n *parse.AlterTableStmt) (Node, error) {
	t, err := a.alteredTable(p, n.Kind, n.Table, n.IfExists)
	if t == nil || err != nil {
		return &Nothing{}, err
	}
	s := newAltering(a, p, t)
	commands := slices.Clone(n.Commands)
	slices.SortStableFunc(commands, func(a, b parse.AlterTableCmd) int {
		return alterPass(a.Kind) - alterPass(b.Kind)
	})
	for i := range commands {
		if err := s.command(&commands[i]); err != nil {
			return nil, err
		}
	}
	return s.finish()
}

// alterPass orders the actions of one statement as Postgres does: what goes makes room for what
// comes, and constraints see the columns that come with them.
func alterPass(k parse.AlterKind) int {
	switch k {
	case parse.AlterDropColumn, parse.AlterDropConstraint:
		return 0
	case parse.AlterColumnType:
		return 1
	case parse.AlterAddColumn:
		return 2
	case parse.AlterAddConstraint:
		return 4
	case parse.AlterColumnDefault, parse.AlterSetNotNull, parse.AlterDropNotNull,
		parse.AlterAddIdentity, parse.AlterSetIdentity, parse.AlterDropIdentity:
		return 3
	}
	return 5
}

// alteredTable finds the table that is to be altered; nil when IF EXISTS spares it.
func (a *analyzer) alteredTable(
	p *Prepared, kind parse.ObjectKind, r *parse.RangeVar, ifExists bool,
) (*catalog.Table, error) {
	rel := a.resolve(r.Name)
	switch {
	case !rel.Exists() && ifExists:
		p.notice("00000", "relation \"%s\" does not exist, skipping", r.Name.Name)
		return nil, nil
	case !rel.Exists():
		return nil, withoutPosition(a.noRelation(r))
	case rel.Table == nil && rel.Virtual != nil:
		return nil, types.Errorf(types.CodeInsufficientPrivilege,
			"permission denied: \"%s\" is a system catalog", r.Name.Name)
	case rel.Table == nil && kind == parse.ObjectTable && rel.Index == nil:
		return nil, a.unsupported(parse.NoPos, "this ALTER TABLE on what is no table")
	case kind != parse.ObjectTable:
		return nil, a.unsupported(parse.NoPos, "this ALTER")
	case rel.Table == nil:
		return nil, types.Errorf(types.CodeWrongObjectType, "\"%s\" is not a table", r.Name.Name)
	}
	return rel.Table, nil
}

func newAltering(a *analyzer, p *Prepared, t *catalog.Table) *altering {
	s := &altering{shaping: shaping{a: a, t: t.Clone()}, p: p}
	s.node = &AlterTable{Table: t, New: s.t}
	for i := range t.Columns {
		s.source = append(s.source, &Field{Index: i, T: t.Columns[i].Type})
	}
	return s
}

// command does one action.
func (s *altering) command(cmd *parse.AlterTableCmd) error {
	switch cmd.Kind {
	case parse.AlterAddColumn:
		return s.newColumn(cmd)
	case parse.AlterDropColumn:
		return s.dropColumn(cmd)
	case parse.AlterColumnDefault:
		return s.setDefault(cmd)
	case parse.AlterSetNotNull:
		return s.setNotNull(cmd)
	case parse.AlterDropNotNull:
		return s.dropNotNull(cmd)
	case parse.AlterColumnType:
		return s.setType(cmd)
	case parse.AlterAddConstraint:
		return s.addConstraint(cmd.Constraint)
	case parse.AlterDropConstraint:
		return s.dropConstraint(cmd)
	case parse.AlterValidateConstraint:
		return s.validateConstraint(cmd)
	case parse.AlterAddIdentity:
		return s.addIdentity(cmd)
	case parse.AlterSetIdentity:
		return s.setIdentity(cmd)
	case parse.AlterDropIdentity:
		return s.dropIdentity(cmd)
	}
	return s.property(cmd)
}

// property does the actions that concern the table as a whole and none of its rows.
func (s *altering) property(cmd *parse.AlterTableCmd) error {
	switch cmd.Kind {
	case parse.AlterOwner:
		return s.a.checkOwner(cmd.Owner)
	case parse.AlterSetOptions:
		for _, option := range cmd.Options {
			s.dropOption(option.Name)
			s.t.Options = append(s.t.Options, option.Name+"="+defString(option))
		}
		return nil
	case parse.AlterResetOptions:
		for _, option := range cmd.Options {
			s.dropOption(option.Name)
		}
		return nil
	case parse.AlterSetLogged, parse.AlterSetUnlogged:
		s.t.Unlogged = cmd.Kind == parse.AlterSetUnlogged
		return nil
	}
	return s.a.unsupported(parse.NoPos, alterName(cmd))
}

func (s *altering) dropOption(name string) {
	s.t.Options = slices.DeleteFunc(s.t.Options, func(option string) bool {
		return len(option) > len(name) && option[:len(name)+1] == name+"="
	})
}

// checkOwner accepts the one role that owns everything.
func (a *analyzer) checkOwner(owner *parse.RoleSpec) error {
	if owner.Name == "" || owner.Name == a.env.User {
		return nil
	}
	return types.Errorf(types.CodeUndefinedObject, "role \"%s\" does not exist", owner.Name)
}

// alterName is what a refused action of ALTER TABLE is called.
func alterName(cmd *parse.AlterTableCmd) string {
	names := map[parse.AlterKind]string{
		parse.AlterSetTablespace:      "SET TABLESPACE",
		parse.AlterReplicaIdentity:    "REPLICA IDENTITY",
		parse.AlterClusterOn:          "CLUSTER ON",
		parse.AlterSetStatistics:      "ALTER COLUMN ... SET STATISTICS",
		parse.AlterSetStorage:         "ALTER COLUMN ... SET STORAGE",
		parse.AlterEnableRowSecurity:  "ENABLE ROW LEVEL SECURITY",
		parse.AlterDisableRowSecurity: "DISABLE ROW LEVEL SECURITY",
	}
	if name, ok := names[cmd.Kind]; ok {
		return "ALTER TABLE ... " + name
	}
	return cmd.Text
}

// finish resolves what could not be before every action was known.
func (s *altering) finish() (Node, error) {
	if err := s.constrain(); err != nil {
		return nil, err
	}
	for _, r := range s.retyped {
		if i := s.t.ColumnByAttnum(r.attnum); i >= 0 {
			if err := s.retieForeign(&s.t.Columns[i], r.changed); err != nil {
				return nil, err
			}
		}
	}
	n := s.node
	n.Serials = s.serials
	n.Parents = s.a.parentsOf(n.Table, s.t)
	n.Rewrite = n.Rewrite || s.rekeyed()
	if n.Rewrite {
		n.Row, n.Missing = s.source, nil
	}
	for _, attnum := range s.notNull {
		if i := s.t.ColumnByAttnum(attnum); i >= 0 && s.t.Columns[i].NotNull {
			n.NotNull = append(n.NotNull, i)
		}
	}
	for i := range s.t.Checks {
		c := &s.t.Checks[i]
		if !slices.Contains(s.checks, c.Name) && !n.Rewrite {
			continue
		}
		x, err := s.a.storedCheck(s.t, c)
		if err != nil {
			return nil, err
		}
		if !c.NotValid {
			n.Checks = append(n.Checks, RowCheck{Name: c.Name, Cond: x})
		}
	}
	return n, nil
}

// rekeyed says whether rows lie under other keys than before.
func (s *altering) rekeyed() bool {
	old, now := s.node.Table.PrimaryKey, s.t.PrimaryKey
	if old == nil || now == nil {
		return old != now
	}
	return old.OID != now.OID
}

// settleAdded finds out what a new column is in the rows that are there. A default that is the same
// for all of them is computed once and no row is touched.
func (s *altering) settleAdded(i int) error {
	c := &s.t.Columns[i]
	for _, serial := range s.serials {
		if serial.Attnum == c.Attnum {
			s.node.Rewrite = true
			return nil
		}
	}
	x, err := s.a.defaultExpr(c)
	if err != nil {
		return err
	}
	s.source[i] = x
	switch {
	case isVolatile(x):
		s.node.Rewrite = true
	case c.Default != "":
		s.node.Missing = append(s.node.Missing, SetColumn{Column: i, Expr: x})
	}
	return nil
}
