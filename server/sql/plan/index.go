package plan

import (
	"slices"
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// CreateIndex makes an index of a table and fills it. The index has no oid and no storage yet, and
// its Name may be "" to choose one.
type CreateIndex struct {
	Table *catalog.Table
	Index *catalog.Index
}

// DropIndexes removes indexes.
type DropIndexes struct {
	Indexes []TableIndex
	Foreign []Unreferenced // CASCADE
}

// TableIndex is an index with its table.
type TableIndex struct {
	Table *catalog.Table
	Index *catalog.Index
}

// RenameIndex gives the primary key or an index another name.
type RenameIndex struct {
	TableIndex
	Name string
}

func (n *CreateIndex) explain(x *explainer) { x.step(n, "Utility Statement") }
func (n *DropIndexes) explain(x *explainer) { x.step(n, "Utility Statement") }
func (n *RenameIndex) explain(x *explainer) { x.step(n, "Utility Statement") }

// maxIndexColumns is Postgres' INDEX_MAX_KEYS.
const maxIndexColumns = 32

func (a *analyzer) createIndex(p *Prepared, n *parse.IndexStmt) (Node, error) {
	if err := a.refuseIndex(n); err != nil {
		return nil, err
	}
	t, err := a.indexedTable(n.Table)
	if err != nil {
		return nil, err
	}
	if n.Name != "" {
		if err := a.taken(a.env.Catalog.Schema(t.Schema), n.Name); err != nil {
			if !n.IfNotExists {
				return nil, err
			}
			p.notice(CodeDuplicateTable, "%s, skipping", err.Message)
			return &Nothing{}, nil
		}
	}
	index := &catalog.Index{Name: n.Name, Unique: n.Unique, Tablespace: n.Tablespace}
	for _, option := range n.Options {
		index.Options = append(index.Options, option.Name+"="+defString(option))
	}
	if len(n.Columns)+len(n.Including) > maxIndexColumns {
		return nil, types.Errorf(CodeTooManyColumns,
			"cannot use more than %d columns in an index", maxIndexColumns)
	}
	index.NullsNotDistinct = n.NullsNotDistinct
	if err := a.indexPredicate(t, index, n.Where); err != nil {
		return nil, err
	}
	for _, item := range n.Columns {
		if err := a.indexColumn(t, index, item); err != nil {
			return nil, err
		}
	}
	for _, item := range n.Including {
		if err := a.includeColumn(t, index, item); err != nil {
			return nil, err
		}
	}
	return &CreateIndex{Table: t, Index: index}, nil
}

// refuseIndex names what an index cannot be.
func (a *analyzer) refuseIndex(n *parse.IndexStmt) error {
	switch n.AccessMethod {
	case "", "btree":
		return nil
	case "hash", "gist", "gin", "spgist", "brin":
		return a.unsupported(parse.NoPos, "index access method \""+n.AccessMethod+"\"")
	}
	return types.Errorf(types.CodeUndefinedObject,
		"access method \"%s\" does not exist", n.AccessMethod)
}

// indexedTable finds the table of CREATE INDEX.
func (a *analyzer) indexedTable(r *parse.RangeVar) (*catalog.Table, error) {
	rel := a.resolve(r.Name)
	refuse := func(kind string) (*catalog.Table, error) {
		return nil, types.Errorf(types.CodeWrongObjectType,
			"cannot create index on relation \"%s\"", r.Name.Name).
			WithDetail("This operation is not supported for %s.", kind)
	}
	switch {
	case rel.Table != nil:
		return rel.Table, nil
	case rel.Virtual != nil:
		return nil, types.Errorf(types.CodeInsufficientPrivilege,
			"permission denied: \"%s\" is a system catalog", r.Name.Name)
	case rel.Sequence != nil:
		return refuse("sequences")
	case rel.Index != nil:
		return refuse("indexes")
	case rel.Exists():
		return refuse("views")
	}
	return nil, withoutPosition(a.noRelation(r))
}

// isByteOrder says whether a collation orders text as its bytes do.
func isByteOrder(collation string) bool {
	return slices.Contains([]string{"C", "POSIX", "default", "ucs_basic"}, collation)
}

// indexable refuses a type whose values have no order.
func indexable(oid types.OID) error {
	if types.Keyable(oid) {
		return nil
	}
	return types.Errorf(types.CodeUndefinedObject,
		"data type %s has no default operator class for access method \"btree\"",
		types.FormatType(oid, types.NoMod)).WithHint("You must specify an operator" +
		" class for the index or define a default operator class for the data type.")
}

// IndexNameParts gives the columns' part and the ending of the name that is chosen for an index.
func IndexNameParts(t *catalog.Table, index *catalog.Index) (columns, ending string) {
	columns = strings.Join(index.ColumnNames(t), "_")
	if len(columns) > catalog.MaxNameBytes {
		columns = strings.ToValidUTF8(columns[:catalog.MaxNameBytes], "")
	}
	if index.Constraint {
		return columns, "key"
	}
	return columns, "idx"
}

// unique gives the table a UNIQUE constraint.
func (s *shaping) unique(con *parse.Constraint, names []string) error {
	columns, err := s.a.keyColumns(s.t, con, names)
	if err != nil {
		return err
	}
	index := &catalog.Index{Name: con.Name, Columns: columns, Unique: true, Constraint: true,
		NullsNotDistinct: con.NullsNotDistinct}
	if index.Include, err = s.a.keyIncludes(s.t, con); err != nil {
		return err
	}
	for _, option := range con.Options {
		index.Options = append(index.Options, option.Name+"="+defString(option))
	}
	s.t.Indexes = append(s.t.Indexes, index)
	return nil
}

// settleUnique checks the names of new UNIQUE constraints. Of CREATE TABLE it drops those that say
// what another one says, and gives their name, if they have one, to the one that is kept.
func (s *shaping) settleUnique() error {
	t := s.t
	if t.OID == 0 {
		s.mergeUnique()
	}
	schema := s.a.env.Catalog.Schema(t.Schema)
	for i, index := range t.Indexes {
		if index.OID != 0 || index.Name == "" {
			continue
		}
		if err := s.a.taken(schema, index.Name); err != nil {
			return err
		}
		again := func(x *catalog.Index) bool { return x.Name == index.Name }
		if slices.ContainsFunc(t.Indexes[:i], again) || t.Name == index.Name ||
			t.PrimaryKey != nil && again(t.PrimaryKey) {
			return types.Errorf(CodeDuplicateTable,
				"relation \"%s\" already exists", index.Name)
		}
	}
	return nil
}

func (s *shaping) mergeUnique() {
	var kept []*catalog.Index
	for _, index := range s.t.Indexes {
		same := func(x *catalog.Index) bool {
			return slices.Equal(x.Columns, index.Columns) && slices.Equal(x.Include, index.Include) &&
				x.NullsNotDistinct == index.NullsNotDistinct
		}
		var first *catalog.Index
		if i := slices.IndexFunc(kept, same); i >= 0 {
			first = kept[i]
		}
		if s.t.PrimaryKey != nil && same(s.t.PrimaryKey) {
			first = s.t.PrimaryKey
		}
		if first == nil || first.Name != "" && index.Name != "" {
			kept = append(kept, index)
		} else if first.Name == "" {
			first.Name = index.Name
		}
	}
	s.t.Indexes = kept
}

func (a *analyzer) dropIndexes(p *Prepared, n *parse.DropStmt) (Node, error) {
	if n.Concurrently && len(n.Names) > 1 {
		return nil, types.Errorf(types.CodeFeatureNotSupported,
			"DROP INDEX CONCURRENTLY does not support dropping multiple objects")
	}
	node, d := &DropIndexes{}, dependents{a: a}
	what := ""
	for _, name := range n.Names {
		rel := a.resolve(name)
		if rel.Index == nil {
			if rel.Exists() {
				return nil, notAnIndex(rel, name.Name)
			}
			if err := a.missing(p, n, types.CodeUndefinedObject, "index", name); err != nil {
				return nil, err
			}
			continue
		}
		index := rel.Index.IndexNamed(name.Name)
		if index == rel.Index.PrimaryKey || index.Constraint {
			return nil, types.Errorf(CodeDependentObjects,
				"cannot drop index %s because constraint %s on table %s requires it",
				index.Name, index.Name, rel.Index.Name).WithHint(
				"You can drop constraint %s on table %s instead.", index.Name, rel.Index.Name)
		}
		node.Indexes = append(node.Indexes, TableIndex{rel.Index, index})
		shown := "index " + a.shown(rel.Index.Schema, index.Name)
		if d.ofKey(rel.Index, index, shown); what == "" && !d.none() {
			what = shown
		}
	}
	if !d.none() && n.Behavior != parse.Cascade {
		return nil, d.refuseOf(len(node.Indexes), what)
	}
	d.announce(p)
	node.Foreign = d.foreign
	return node, nil
}

func notAnIndex(rel catalog.Relation, name string) *types.Error {
	e := types.Errorf(types.CodeWrongObjectType, "\"%s\" is not an index", name)
	switch {
	case rel.Table != nil:
		return e.WithHint("Use DROP TABLE to remove a table.")
	case rel.Sequence != nil:
		return e.WithHint("Use DROP SEQUENCE to remove a sequence.")
	}
	return e
}

// renameIndex plans ALTER INDEX ... RENAME TO.
func (a *analyzer) renameIndex(p *Prepared, n *parse.RenameStmt) (Node, error) {
	p.Tag = "ALTER INDEX"
	name := n.Table.Name
	rel := a.resolve(name)
	switch {
	case rel.Index != nil:
	case rel.Exists():
		return nil, types.Errorf(types.CodeWrongObjectType, "\"%s\" is not an index", name.Name)
	case n.IfExists:
		p.notice("00000", "relation \"%s\" does not exist, skipping", name.Name)
		return &Nothing{}, nil
	default:
		return nil, withoutPosition(a.noRelation(n.Table))
	}
	if err := a.taken(a.env.Catalog.Schema(rel.Index.Schema), n.New); err != nil {
		return nil, err
	}
	index := rel.Index.IndexNamed(name.Name)
	return &RenameIndex{TableIndex: TableIndex{rel.Index, index}, Name: n.New}, nil
}
