package plan

import (
	"slices"
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// copyStmt plans COPY.
func (a *analyzer) copyStmt(pl *Planner, n *parse.CopyStmt) (*Prepared, error) {
	switch {
	case n.Program:
		return nil, a.unsupported(parse.NoPos, "COPY PROGRAM")
	case n.Filename != "":
		return nil, a.unsupported(parse.NoPos, "COPY with a file on the server")
	case n.Where != nil:
		return nil, a.unsupported(n.Where.Position(), "COPY FROM ... WHERE")
	}
	c := &Copy{From: n.From, Format: CopyFormat{Delimiter: '\t', Null: `\N`}}
	if err := a.copyOptions(c, n.Options); err != nil {
		return nil, err
	}
	if n.Query != nil {
		return a.copyQuery(pl, c, n)
	}
	if n.From {
		return a.copyFrom(c, n)
	}
	return a.copyTo(c, n)
}

func (a *analyzer) copyOptions(c *Copy, options []parse.DefElem) error {
	seen := map[string]bool{}
	for _, option := range options {
		name := strings.ToLower(option.Name)
		if seen[name] {
			return a.errorf(option.Pos, types.CodeSyntax, "conflicting or redundant options")
		}
		seen[name] = true
		if err := a.copyOption(c, name, option); err != nil {
			return err
		}
	}
	if c.Format.Binary && (seen["delimiter"] || seen["null"] || seen["header"]) {
		return a.errorf(parse.NoPos, types.CodeSyntax,
			"cannot specify text options in BINARY mode")
	}
	return nil
}

func (a *analyzer) copyOption(c *Copy, name string, option parse.DefElem) error {
	value := defString(option)
	switch name {
	case "format":
		switch value {
		case "text":
		case "binary":
			c.Format.Binary = true
		case "csv":
			return a.unsupported(option.Pos, "COPY csv")
		default:
			return a.errorf(option.Pos, types.CodeInvalidParameter,
				"COPY format \"%s\" not recognized", value)
		}
	case "freeze":
	case "delimiter":
		if err := checkDelimiter(value); err != nil {
			return err
		}
		c.Format.Delimiter = value[0]
	case "null":
		if strings.ContainsAny(value, "\r\n") {
			return types.Errorf(types.CodeInvalidParameter,
				"COPY null representation cannot use newline or carriage return")
		}
		c.Format.Null = value
	case "header":
		c.Format.MatchHead = strings.EqualFold(value, "match")
		c.Format.Header = c.Format.MatchHead || defBool(option)
	case "encoding":
		if e := strings.ToLower(strings.ReplaceAll(value, "-", "")); e != "utf8" {
			return a.unsupported(option.Pos, "COPY ENCODING "+value)
		}
	case "quote", "escape", "force_quote", "force_not_null", "force_null":
		return a.errorf(option.Pos, types.CodeFeatureNotSupported,
			"COPY %s available only in CSV mode", name)
	default:
		return a.errorf(option.Pos, types.CodeSyntax, "option \"%s\" not recognized", name)
	}
	return nil
}

func checkDelimiter(value string) error {
	switch {
	case len(value) != 1:
		return types.Errorf(types.CodeFeatureNotSupported,
			"COPY delimiter must be a single one-byte character")
	case value == "\r" || value == "\n":
		return types.Errorf(types.CodeInvalidParameter,
			"COPY delimiter cannot be newline or carriage return")
	case strings.Contains("\\.abcdefghijklmnopqrstuvwxyz0123456789", value):
		return types.Errorf(types.CodeInvalidParameter,
			"COPY delimiter cannot be \"%s\"", value)
	}
	return nil
}

// copyColumns gives the positions of the columns COPY names, all of them when it names none.
func (a *analyzer) copyColumns(t *catalog.Table, names []string) ([]int, error) {
	if len(names) == 0 {
		all := make([]int, len(t.Columns))
		for i := range all {
			all[i] = i
		}
		return all, nil
	}
	var columns []int
	for _, name := range names {
		i := t.ColumnIndex(name)
		switch {
		case i < 0:
			return nil, a.errorf(parse.NoPos, CodeUndefinedColumn,
				"column \"%s\" of relation \"%s\" does not exist", name, t.Name)
		case slices.Contains(columns, i):
			return nil, a.errorf(parse.NoPos, CodeDuplicateColumn,
				"column \"%s\" specified more than once", name)
		}
		columns = append(columns, i)
	}
	return columns, nil
}

func (a *analyzer) copyFrom(c *Copy, n *parse.CopyStmt) (*Prepared, error) {
	t, err := a.table(n.Table)
	if err != nil {
		return nil, withoutPosition(err)
	}
	c.Table = t
	if c.Columns, err = a.copyColumns(t, n.Columns); err != nil {
		return nil, err
	}
	given := make([]Expr, len(t.Columns))
	for i, column := range c.Columns {
		given[column] = &Field{Index: i, T: t.Columns[column].Type}
	}
	c.Insert = &Insert{Table: t, Alias: t.Name}
	if err := a.fillDefaults(c.Insert, given); err != nil {
		return nil, err
	}
	if c.Insert.Checks, err = a.rowChecks(t); err != nil {
		return nil, err
	}
	return &Prepared{Kind: KindCopyIn, Tag: "COPY", Refusal: "COPY FROM", Root: c}, nil
}

func (a *analyzer) copyTo(c *Copy, n *parse.CopyStmt) (*Prepared, error) {
	tree, err := a.fromTable(n.Table)
	if err != nil {
		return nil, withoutPosition(err)
	}
	scan, ok := tree.leaf.(*Scan)
	if !ok {
		return nil, a.errorf(n.Table.Pos, types.CodeWrongObjectType,
			"cannot copy from \"%s\"", n.Table.Name.String()).(*types.Error).WithHint(
			"Try the COPY (SELECT ...) TO variant.")
	}
	c.Table = scan.Table
	if c.Columns, err = a.copyColumns(c.Table, n.Columns); err != nil {
		return nil, err
	}
	src := a.scope.sources[0]
	exprs, columns := make([]Expr, len(c.Columns)), make([]Column, len(c.Columns))
	for i, column := range c.Columns {
		exprs[i] = src.column(column, parse.NoPos)
		columns[i] = Column{Name: src.columns[column].name, Type: src.columns[column].t}
	}
	c.In = &Project{In: scan, Exprs: exprs}
	return a.copyOut(c, columns)
}

func (a *analyzer) copyQuery(pl *Planner, c *Copy, n *parse.CopyStmt) (*Prepared, error) {
	inner := *a.stmt
	inner.Tree = n.Query
	q, err := pl.analyze(a, &inner)
	if err != nil {
		return nil, err
	}
	if len(a.params) > 0 {
		return nil, a.errorf(parse.NoPos, CodeUndefinedParameter, "there is no parameter $1")
	}
	switch q.Kind {
	case KindRows:
	case KindDMLReturning:
		return nil, a.unsupported(parse.NoPos, "COPY of a query that writes")
	default:
		return nil, a.errorf(parse.NoPos, types.CodeFeatureNotSupported,
			"COPY query must have a RETURNING clause")
	}
	c.In = q.Root
	return a.copyOut(c, q.Columns)
}

func (a *analyzer) copyOut(c *Copy, columns []Column) (*Prepared, error) {
	if c.Format.Binary {
		return nil, a.unsupported(parse.NoPos, "COPY TO in binary format")
	}
	return &Prepared{Kind: KindCopyOut, Tag: "COPY", ReadOnly: true, Root: c,
		Columns: nil, CopyColumns: columns}, nil
}
