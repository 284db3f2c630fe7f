package pgcatalog

import (
	"strings"
	"sync"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// constraintRows is pg_constraint.
func constraintRows(e *env, w *writer) error {
	for _, t := range e.tables(w, "conrelid") {
		for _, c := range constraintsOf(t) {
			if err := c.write(e, w); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *constraint) write(e *env, w *writer) error {
	target, update, remove, match := uint32(0), ' ', ' ', ' '
	var foreignKeys, pf, pp, ff, setColumns, expr any
	noInherit := true
	if f := c.foreign; f != nil {
		if target, match = f.RefTable, 's'; f.MatchFull {
			match = 'f'
		}
		update, remove = actionCode(f.OnUpdate), actionCode(f.OnDelete)
		foreignKeys = anys(f.RefColumns)
		if f.SetColumns != nil {
			setColumns = anys(f.SetColumns)
		}
		pf, pp, ff = e.keyOperators(c)
	}
	if c.check != nil {
		expr, noInherit = c.check.Expr, c.check.NoInherit
	}
	return w.add(c.oid, c.name, c.table.SchemaOID, c.kind, false, false, !c.notValid, c.table.OID,
		0, c.index, 0, target, update, remove, match, true, 0, noInherit, anys(c.columns),
		foreignKeys, pf, pp, ff, setColumns, nil, expr)
}

// includeText is that of the constraint's index.
func (c *constraint) includeText() string { return findIndex(c.table, c.index).includeText() }

// actionCode is pg_constraint.confupdtype.
func actionCode(a catalog.ForeignAction) rune {
	switch a {
	case catalog.Restrict:
		return 'r'
	case catalog.Cascade:
		return 'c'
	case catalog.SetNull:
		return 'n'
	case catalog.SetDefault:
		return 'd'
	}
	return 'a'
}

// keyOperators are the equality operators of a foreign key, between the columns referred to and
// those that refer, and within each side.
func (e *env) keyOperators(c *constraint) (pf, pp, ff any) {
	target := e.Snapshot.TableByOID(c.foreign.RefTable)
	if target == nil {
		return nil, nil, nil
	}
	var between, primary, foreign []any
	for i := range c.columns {
		p := target.Columns[target.ColumnByAttnum(c.foreign.RefColumns[i])].Type.OID
		f := c.table.Columns[c.table.ColumnByAttnum(c.columns[i])].Type.OID
		between = append(between, equality(p, f))
		primary = append(primary, equality(p, p))
		foreign = append(foreign, equality(f, f))
	}
	return between, primary, foreign
}

// equalities maps the types of two operands to the number of the operator =.
var equalities = sync.OnceValue(func() map[[2]types.OID]uint32 {
	const oid, name, left, right = 0, 1, 7, 8 // columns of pg_operator
	found := map[[2]types.OID]uint32{}
	for _, row := range factRows("pg_operator") {
		if row[name].Str() == "=" {
			key := [2]types.OID{types.OID(row[left].Int()), types.OID(row[right].Int())}
			found[key] = uint32(row[oid].Int())
		}
	}
	return found
})

// equality is the operator of an index over the first type, for values of the second.
func equality(left, right types.OID) uint32 {
	left, right = comparedAs(left), comparedAs(right)
	if oid := equalities()[[2]types.OID{left, right}]; oid != 0 {
		return oid
	}
	return equalities()[[2]types.OID{left, left}]
}

// Constraint is the constraint as it stands in CREATE TABLE; false when there is none. The short
// form has no parentheses that are not needed.
func (d *Definitions) Constraint(oid uint32, short bool) (string, bool) {
	t := d.owner(oid)
	if t == nil {
		return "", false
	}
	for _, c := range constraintsOf(t) {
		if c.oid == oid {
			return d.constraint(&c, short), true
		}
	}
	return "", false
}

func (d *Definitions) constraint(c *constraint, short bool) string {
	text := ""
	switch c.kind {
	case 'p':
		text = "PRIMARY KEY (" + columnNames(c.table, c.columns) + ")" + c.includeText()
	case 'u':
		text = "UNIQUE "
		if i := findIndex(c.table, c.index); i.NullsNotDistinct {
			text += "NULLS NOT DISTINCT "
		}
		text += "(" + columnNames(c.table, c.columns) + ")" + c.includeText()
	case 'c':
		text = "CHECK (" + d.Expression(c.table, c.check.Expr, short) + ")"
		if c.check.NoInherit {
			text += " NO INHERIT"
		}
	case 'f':
		text = d.foreignKey(c)
	}
	if c.notValid {
		text += " NOT VALID"
	}
	return text
}

func (d *Definitions) foreignKey(c *constraint) string {
	f := c.foreign
	text := "FOREIGN KEY (" + columnNames(c.table, c.columns) + ") REFERENCES "
	if target := d.Snapshot.TableByOID(f.RefTable); target != nil {
		text += d.tableName(target, true) + "(" + columnNames(target, f.RefColumns) + ")"
	}
	if f.MatchFull {
		text += " MATCH FULL"
	}
	if f.OnUpdate != catalog.NoAction {
		text += " ON UPDATE " + strings.ToUpper(string(f.OnUpdate))
	}
	if f.OnDelete != catalog.NoAction {
		text += " ON DELETE " + strings.ToUpper(string(f.OnDelete))
	}
	if f.SetColumns != nil {
		text += " (" + columnNames(c.table, f.SetColumns) + ")"
	}
	return text
}

func columnNames(t *catalog.Table, attnums []int16) string {
	names := make([]string, len(attnums))
	for i, n := range attnums {
		if at := t.ColumnByAttnum(n); at >= 0 {
			names[i] = catalog.QuoteIdent(t.Columns[at].Name)
		}
	}
	return strings.Join(names, ", ")
}
