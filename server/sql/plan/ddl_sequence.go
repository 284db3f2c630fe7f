package plan

import (
	"math"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

func (a *analyzer) createSequence(p *Prepared, n *parse.CreateSequenceStmt) (Node, error) {
	schema, err := a.relationSchema(n.Sequence)
	if err != nil {
		return nil, withoutPosition(err)
	}
	name := n.Sequence.Name.Name
	if err := a.taken(schema, name); err != nil {
		if !n.IfNotExists {
			return nil, err
		}
		p.notice(CodeDuplicateTable, "%s, skipping", err.Message)
		return &Nothing{}, nil
	}
	q := &catalog.Sequence{SchemaOID: schema.OID, Schema: schema.Name, Name: name,
		TypeOID: types.Int8, Increment: 1, Cache: 1}
	o, err := a.sequenceOptions(q, n.Options)
	if err != nil {
		return nil, err
	}
	if o.restart != nil {
		return nil, types.Errorf(types.CodeSyntax, "invalid sequence option: restart")
	}
	o.min, o.max, o.start = orZero(o.min), orZero(o.max), orZero(o.start)
	return &CreateSequence{Sequence: q, Owner: o.owner}, a.settleSequence(q, o)
}

func orZero(b *bound) *bound {
	if b == nil {
		return &bound{}
	}
	return b
}

func (a *analyzer) alterSequence(p *Prepared, n *parse.AlterSequenceStmt) (Node, error) {
	rel := a.resolve(n.Sequence.Name)
	switch {
	case !rel.Exists() && n.IfExists:
		p.notice("00000", "relation \"%s\" does not exist, skipping", n.Sequence.Name.Name)
		return &Nothing{}, nil
	case !rel.Exists():
		return nil, withoutPosition(a.noRelation(n.Sequence))
	case rel.Sequence == nil:
		return nil, types.Errorf(types.CodeWrongObjectType,
			"\"%s\" is not a sequence", n.Sequence.Name.Name)
	}
	return a.changedSequence(rel.Sequence, n.Options)
}

// changedSequence plans other options for a sequence.
func (a *analyzer) changedSequence(
	old *catalog.Sequence, options []parse.DefElem,
) (*AlterSequence, error) {
	q := *old
	o, err := a.sequenceOptions(&q, options)
	if err != nil {
		return nil, err
	}
	retypeSequence(old, &q, o)
	if err := a.settleSequence(&q, o); err != nil {
		return nil, err
	}
	node := &AlterSequence{Sequence: &q, Owner: o.owner}
	if o.restart != nil {
		value := q.Start
		if o.restart.given {
			value = o.restart.value
		}
		switch {
		case value < q.Min:
			return nil, types.Errorf(types.CodeInvalidParameter,
				"RESTART value (%d) cannot be less than MINVALUE (%d)", value, q.Min)
		case value > q.Max:
			return nil, types.Errorf(types.CodeInvalidParameter,
				"RESTART value (%d) cannot be greater than MAXVALUE (%d)", value, q.Max)
		}
		node.Restart = &value
	}
	return node, nil
}

// retypeSequence gives a sequence of another type the bounds of that type, in place of those of the
// type it had.
func retypeSequence(old, q *catalog.Sequence, o *sequenceOpts) {
	was, top := maxOf(old.TypeOID), maxOf(q.TypeOID)
	if was == top {
		return
	}
	if o.max == nil && old.Max == was {
		q.Max = top
	}
	if o.min == nil && old.Min == -was-1 {
		q.Min = -top - 1
	}
}

// bound is a value an option gave, or with given false its default (NO MINVALUE).
type bound struct {
	value int64
	given bool
}

// sequenceOpts are the options whose defaults depend on one another; nil was not written.
type sequenceOpts struct {
	min, max, start, restart *bound

	owner *catalog.Table // nil also for OWNED BY NONE
}

func (a *analyzer) sequenceOptions(
	q *catalog.Sequence, options []parse.DefElem,
) (*sequenceOpts, error) {
	o := &sequenceOpts{}
	for _, option := range options {
		b, err := a.sequenceNumber(option)
		if err != nil {
			return nil, err
		}
		switch option.Name {
		case "as":
			err = a.sequenceType(q, option)
		case "increment":
			if q.Increment = b.value; b.value == 0 {
				err = types.Errorf(types.CodeInvalidParameter, "INCREMENT must not be zero")
			}
		case "minvalue":
			o.min = b
		case "maxvalue":
			o.max = b
		case "start":
			o.start = b
		case "restart":
			o.restart = b
		case "cache":
			if q.Cache = b.value; b.value < 1 {
				err = types.Errorf(types.CodeInvalidParameter,
					"CACHE (%d) must be greater than zero", b.value)
			}
		case "cycle":
			q.Cycle = defBool(option)
		case "owned_by":
			o.owner, err = a.ownedBy(q, option)
		default:
			err = a.unsupported(option.Pos, "sequence option "+option.Name)
		}
		if err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (a *analyzer) sequenceNumber(option parse.DefElem) (*bound, error) {
	c, ok := option.Arg.(*parse.Const)
	if !ok {
		return &bound{}, nil
	}
	switch c.Kind {
	case parse.ConstInt4, parse.ConstInt8, parse.ConstBool:
		return &bound{value: c.Int, given: true}, nil
	case parse.ConstNumeric:
		t := types.Type{OID: types.Int8, Mod: types.NoMod}
		v, err := types.ParseText(t, c.Str, nil)
		return &bound{value: v.Int(), given: true}, a.at(err, option.Pos)
	}
	return &bound{}, nil
}

func (a *analyzer) sequenceType(q *catalog.Sequence, option parse.DefElem) error {
	name, ok := option.Arg.(*parse.TypeName)
	if !ok {
		return a.errorf(option.Pos, types.CodeSyntax, "invalid type of a sequence")
	}
	t, err := a.typeName(name)
	if err != nil {
		return err
	}
	if keyClass(t.OID) != types.Int8 {
		return types.Errorf(types.CodeInvalidParameter,
			"sequence type must be smallint, integer, or bigint")
	}
	q.TypeOID = t.OID
	return nil
}

func (a *analyzer) ownedBy(
	q *catalog.Sequence, option parse.DefElem,
) (*catalog.Table, error) {
	parts := defNames(option)
	if len(parts) < 2 {
		if len(parts) != 1 || parts[0] != "none" {
			return nil, types.Errorf(types.CodeSyntax, "invalid OWNED BY option").WithHint(
				"Specify OWNED BY table.column or OWNED BY NONE.")
		}
		q.OwnerTable, q.OwnerColumn = 0, 0
		return nil, nil
	}
	table, column := parse.QName{Name: parts[len(parts)-2]}, parts[len(parts)-1]
	if len(parts) > 2 {
		table.Schema = parts[len(parts)-3]
	}
	rel := a.resolve(table)
	if rel.Table == nil {
		return nil, types.Errorf(types.CodeUndefinedTable,
			"relation \"%s\" does not exist", table.String())
	}
	i := rel.Table.ColumnIndex(column)
	if i < 0 {
		return nil, types.Errorf(CodeUndefinedColumn, "column \"%s\" of relation \"%s\" does not exist",
			column, rel.Table.Name)
	}
	q.OwnerTable, q.OwnerColumn = rel.Table.OID, rel.Table.Columns[i].Attnum
	return rel.Table, nil
}

// settleSequence gives the bounds that were not given their defaults, and checks them all.
func (a *analyzer) settleSequence(q *catalog.Sequence, o *sequenceOpts) error {
	top := maxOf(q.TypeOID)
	if o.max != nil {
		switch {
		case o.max.given:
			q.Max = o.max.value
		case q.Increment > 0:
			q.Max = top
		default:
			q.Max = -1
		}
	}
	if o.min != nil {
		switch {
		case o.min.given:
			q.Min = o.min.value
		case q.Increment > 0:
			q.Min = 1
		default:
			q.Min = -top - 1
		}
	}
	if o.start != nil {
		switch {
		case o.start.given:
			q.Start = o.start.value
		case q.Increment > 0:
			q.Start = q.Min
		default:
			q.Start = q.Max
		}
	}
	return checkSequence(q, top)
}

func checkSequence(q *catalog.Sequence, top int64) error {
	bad := func(format string, args ...any) error {
		return types.Errorf(types.CodeInvalidParameter, format, args...)
	}
	low := -top - 1
	if top == math.MaxInt64 {
		low = math.MinInt64
	}
	switch {
	case q.Max > top || q.Max < low:
		return bad("MAXVALUE (%d) is out of range for sequence data type %s", q.Max,
			types.FormatType(q.TypeOID, types.NoMod))
	case q.Min > top || q.Min < low:
		return bad("MINVALUE (%d) is out of range for sequence data type %s", q.Min,
			types.FormatType(q.TypeOID, types.NoMod))
	case q.Min >= q.Max:
		return bad("MINVALUE (%d) must be less than MAXVALUE (%d)", q.Min, q.Max)
	case q.Start < q.Min:
		return bad("START value (%d) cannot be less than MINVALUE (%d)", q.Start, q.Min)
	case q.Start > q.Max:
		return bad("START value (%d) cannot be greater than MAXVALUE (%d)", q.Start, q.Max)
	}
	return nil
}

// defNames gives an option's argument as the parts of a name.
func defNames(option parse.DefElem) []string {
	switch arg := option.Arg.(type) {
	case *parse.Const:
		return []string{arg.Str}
	case *parse.TypeName:
		var parts []string
		for _, part := range []string{arg.Name.Catalog, arg.Name.Schema, arg.Name.Name} {
			if part != "" {
				parts = append(parts, part)
			}
		}
		return parts
	case *parse.DefList:
		var parts []string
		for _, item := range arg.Items {
			if c, ok := item.(*parse.Const); ok {
				parts = append(parts, c.Str)
			}
		}
		return parts
	}
	return nil
}
