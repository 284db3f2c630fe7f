package plan

import (
	"math"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

func (a *analyzer) createTable(p *Prepared, n *parse.CreateTableStmt) (Node, error) {
	t, err := a.newTable(n)
	if err != nil {
		return nil, err
	}
	if err := a.taken(&catalog.Schema{Name: t.Schema}, t.Name); err != nil {
		if !n.IfNotExists {
			return nil, err
		}
		p.notice(CodeDuplicateTable, "%s, skipping", err.Message)
		return &Nothing{}, nil
	}
	s := &shaping{a: a, t: t}
	likes := n.Likes
	for i, def := range n.Columns {
		for ; len(likes) > 0 && likes[0].Behind == i; likes = likes[1:] {
			if err := s.like(likes[0]); err != nil {
				return nil, err
			}
		}
		if t.ColumnIndex(def.Name) >= 0 {
			return nil, types.Errorf(CodeDuplicateColumn,
				"column \"%s\" specified more than once", def.Name)
		}
		if err := s.addColumn(def); err != nil {
			return nil, err
		}
	}
	for _, like := range likes {
		if err := s.like(like); err != nil {
			return nil, err
		}
	}
	for _, con := range n.Constraints {
		s.constraints = append(s.constraints, &waitingConstraint{con: con})
	}
	if err := s.constrain(); err != nil {
		return nil, err
	}
	return &CreateTable{Table: t, Serials: s.serials, Parents: a.parentsOf(t)}, nil
}

// newTable begins a table that has no columns yet.
func (a *analyzer) newTable(n *parse.CreateTableStmt) (*catalog.Table, error) {
	if err := a.refuseTable(n); err != nil {
		return nil, err
	}
	schema, err := a.relationSchema(n.Table)
	if err != nil {
		return nil, err
	}
	t := &catalog.Table{SchemaOID: schema.OID, Schema: schema.Name, Name: n.Table.Name.Name,
		Unlogged: n.Table.Persistence == parse.Unlogged, Tablespace: n.Tablespace}
	for _, option := range n.Options {
		t.Options = append(t.Options, option.Name+"="+defString(option))
	}
	t.OnCommit, err = onCommit(schema, n.OnCommit)
	return t, err
}

// refuseTable names what belongs to a later issue.
func (a *analyzer) refuseTable(n *parse.CreateTableStmt) error {
	switch {
	case n.PartitionBy:
		return a.unsupported(parse.NoPos, "partitioning")
	case len(n.Inherits) > 0:
		return a.unsupported(parse.NoPos, "INHERITS")
	case n.AccessMethod != "" && n.AccessMethod != "heap":
		return a.unsupported(parse.NoPos, "table access method \""+n.AccessMethod+"\"")
	}
	return nil
}

// ObjectName joins a table's name, a column's and a suffix into a name that fits, shortening the
// longer of the first two (makeObjectName of Postgres).
func ObjectName(table, column, suffix string) string {
	over := func() int {
		n := len(table) + 1 + len(suffix) - catalog.MaxNameBytes
		if column != "" {
			n += len(column) + 1
		}
		return n
	}
	for over() > 0 {
		if len(table) > len(column) {
			table = cutRune(table)
		} else {
			column = cutRune(column)
		}
	}
	if column == "" {
		return table + "_" + suffix
	}
	return table + "_" + column + "_" + suffix
}

func cutRune(s string) string {
	runes := []rune(s)
	return string(runes[:len(runes)-1])
}

func maxOf(oid types.OID) int64 {
	switch oid {
	case types.Int2:
		return math.MaxInt16
	case types.Int4:
		return math.MaxInt32
	}
	return math.MaxInt64
}

func (a *analyzer) columnType(def *parse.ColumnDef) (types.Type, error) {
	if def.Collation != nil {
		switch def.Collation.Name {
		case "C", "POSIX", "default", "ucs_basic":
		default:
			return types.Type{}, a.unsupported(def.Pos,
				"collation \""+def.Collation.Name+"\"")
		}
	}
	t, err := a.typeName(def.Type)
	if err != nil {
		return t, err
	}
	if info := types.Lookup(t.OID); info.Pseudo {
		return t, a.errorf(def.Pos, CodeInvalidTableDef,
			"column \"%s\" has pseudo-type %s", def.Name, info.SQLName)
	}
	return t, nil
}
