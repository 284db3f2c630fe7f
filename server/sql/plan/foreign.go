package plan

import (
	"slices"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// ForeignChecks is what a statement that writes to a table has to look at in others. Nil: nothing.
type ForeignChecks struct {
	Parents  []ParentCheck
	Children []*ChildCheck
}

// ParentCheck is a foreign key of the table: the row it refers to must be there.
type ParentCheck struct {
	Key     *catalog.ForeignKey
	Parent  *catalog.Table
	Index   *catalog.Index // the parent's key that is referred to
	Columns []int          // of the row, in the order of Index
}

// ChildCheck is a foreign key to the table: no row of Child may refer to a key that went.
type ChildCheck struct {
	Key      *catalog.ForeignKey
	Child    *catalog.Table
	Index    *catalog.Index // the table's key that is referred to
	Referred []int          // columns of the table's row, in the order of Index
	Columns  []int          // of the child's row, likewise
	Find     Finder
	Then     *ForeignActions // nil when both actions refuse
}

// Finder says how the rows of a child are found by what they refer to: under the leading columns of
// By, the i-th of which is the Lead[i]-th column of the foreign key. Without any, all are looked at.
type Finder struct {
	By   *catalog.Index
	Lead []int
}

// ForeignActions is what becomes of a child's rows. What is set is made of the columns referred to,
// as they are now, in the order of the key.
type ForeignActions struct {
	Child    *catalog.Table
	OnUpdate []SetColumn
	OnDelete []SetColumn // nil for CASCADE, which deletes
	Checks   []RowCheck
	Foreign  *ForeignChecks // of the child, for whatever is done to it
}

// Sets gives what is set in rows that refer to a key that went, or, with moved, became another one.
func (f *ForeignActions) Sets(moved bool) []SetColumn {
	if moved {
		return f.OnUpdate
	}
	return f.OnDelete
}

// Lock is how a row is locked that this is done to.
func (f *ForeignActions) Lock(moved bool) engine.LockMode {
	sets := f.Sets(moved)
	for _, set := range sets {
		refers := func(c *ChildCheck) bool { return slices.Contains(c.Referred, set.Column) }
		if f.Child.InKey(set.Column) || slices.ContainsFunc(f.Foreign.Children, refers) {
			return engine.RowUpdate
		}
	}
	if sets == nil {
		return engine.RowUpdate
	}
	return engine.RowNoKeyUpdate
}

// Action gives what is done about a key that went, or, with moved, became another one.
func (c *ChildCheck) Action(moved bool) catalog.ForeignAction {
	if moved {
		return c.Key.OnUpdate
	}
	return c.Key.OnDelete
}

// tables shows every table a statement comes to by foreign keys, and whether it writes there.
func (f *ForeignChecks) tables(visit func(t *catalog.Table, writes bool)) {
	seen := map[*ForeignChecks]bool{nil: true}
	var walk func(f *ForeignChecks)
	walk = func(f *ForeignChecks) {
		if seen[f] {
			return
		}
		seen[f] = true
		for i := range f.Parents {
			visit(f.Parents[i].Parent, false)
		}
		for _, c := range f.Children {
			visit(c.Child, c.Then != nil)
			if c.Then != nil {
				walk(c.Then.Foreign)
			}
		}
	}
	walk(f)
}

// foreignPlan resolves the foreign keys that one statement comes to.
type foreignPlan struct {
	a    *analyzer
	full map[uint32]*ForeignChecks // of the tables that actions write to, by oid
	then map[uint32]*ForeignActions
}

// foreign gives what a statement has to check that sets those columns of a table and, with removes,
// takes rows away.
func (a *analyzer) foreign(
	t *catalog.Table, sets func(column int) bool, removes bool,
) (*ForeignChecks, error) {
	if len(t.ForeignKeys)+len(t.ReferencedBy) == 0 {
		return nil, nil
	}
	f := &foreignPlan{a: a, full: map[uint32]*ForeignChecks{}, then: map[uint32]*ForeignActions{}}
	checks := &ForeignChecks{}
	if err := f.fill(checks, t, sets, removes); err != nil {
		return nil, err
	}
	if len(checks.Parents)+len(checks.Children) == 0 {
		return nil, nil
	}
	return checks, nil
}

func (f *foreignPlan) fill(
	checks *ForeignChecks, t *catalog.Table, sets func(column int) bool, removes bool,
) error {
	// A row that moves to another key takes all it refers to with it.
	moves := t.PrimaryKey != nil && slices.ContainsFunc(t.PrimaryKey.Columns, sets)
	for i := range t.ForeignKeys {
		fk := &t.ForeignKeys[i]
		parent := f.a.usedRelation(fk.RefTable).Table
		columns, _ := t.ForeignColumns(fk, parent)
		if moves || slices.ContainsFunc(columns, sets) {
			checks.Parents = append(checks.Parents, ParentCheck{Key: fk, Parent: parent,
				Index: parent.ReferredKey(fk), Columns: columns})
		}
	}
	for _, oid := range t.ReferencedBy {
		child := f.a.usedRelation(oid).Table
		for _, fk := range child.Referencing(t.OID) {
			columns, referred := child.ForeignColumns(fk, t)
			if !removes && !slices.ContainsFunc(referred, sets) {
				continue
			}
			c := &ChildCheck{Key: fk, Child: child, Index: t.ReferredKey(fk), Referred: referred,
				Columns: columns, Find: finder(child, columns)}
			if err := f.actions(c, t); err != nil {
				return err
			}
			checks.Children = append(checks.Children, c)
		}
	}
	return nil
}

// actions resolves what is done to the rows of a child.
func (f *foreignPlan) actions(c *ChildCheck, parent *catalog.Table) error {
	if c.Key.OnUpdate.Refuses() && c.Key.OnDelete.Refuses() {
		return nil
	}
	then := f.then[c.Key.OID]
	if then == nil {
		then = &ForeignActions{Child: c.Child}
		f.then[c.Key.OID] = then
		var err error
		if then.OnUpdate, err = f.sets(c, parent, c.Key.OnUpdate, nil); err != nil {
			return err
		}
		if c.Key.OnDelete != catalog.Cascade {
			then.OnDelete, err = f.sets(c, parent, c.Key.OnDelete, c.Key.SetColumns)
			if err != nil {
				return err
			}
		}
		if then.Checks, err = f.a.rowChecks(c.Child); err != nil {
			return err
		}
	}
	c.Then = then
	if f.full[c.Child.OID] == nil {
		checks := &ForeignChecks{}
		f.full[c.Child.OID] = checks // before it is filled: tables refer to each other in circles
		all := func(int) bool { return true }
		if err := f.fill(checks, c.Child, all, true); err != nil {
			return err
		}
	}
	then.Foreign = f.full[c.Child.OID]
	return nil
}

// sets resolves what an action sets, of all columns of the foreign key or only of those named.
func (f *foreignPlan) sets(
	c *ChildCheck, parent *catalog.Table, action catalog.ForeignAction, only []int16,
) ([]SetColumn, error) {
	if action.Refuses() {
		return nil, nil
	}
	var list []SetColumn
	for j, column := range c.Columns {
		to := &c.Child.Columns[column]
		if only != nil && !slices.Contains(only, to.Attnum) {
			continue
		}
		var x Expr
		var err error
		switch action {
		case catalog.Cascade:
			from := &Field{Index: j, T: parent.Columns[c.Referred[j]].Type}
			x, err = f.a.assign(from, to, parse.NoPos)
		case catalog.SetDefault:
			x, err = f.a.defaultExpr(to)
		default:
			x = &Const{Value: types.Null, T: to.Type}
		}
		if err != nil {
			return nil, err
		}
		list = append(list, SetColumn{Column: column, Expr: x})
	}
	return list, nil
}

// finder chooses the key or index of a child that leads with most columns of a foreign key.
func finder(child *catalog.Table, columns []int) Finder {
	var best Finder
	keys := child.Indexes
	if child.PrimaryKey != nil {
		keys = append([]*catalog.Index{child.PrimaryKey}, keys...)
	}
	for _, index := range keys {
		var lead []int
		if index.Where != "" {
			continue
		}
		for _, column := range index.Columns {
			at := slices.Index(columns, column)
			if at < 0 {
				break
			}
			lead = append(lead, at)
		}
		if len(lead) > len(best.Lead) {
			best = Finder{By: index, Lead: lead}
		}
	}
	return best
}

// foreignOfInsert is what an INSERT or COPY has to check, its ON CONFLICT included.
func (a *analyzer) foreignOfInsert(ins *Insert) error {
	set, setsKey := map[int]bool{}, false
	if ins.Conflict != nil {
		for _, s := range ins.Conflict.Set {
			set[s.Column] = true
			setsKey = setsKey || ins.Table.InKey(s.Column)
		}
	}
	f, err := a.foreign(ins.Table, func(int) bool { return true }, false)
	if err != nil {
		return err
	}
	if f != nil {
		// What is added takes no key away; only what ON CONFLICT sets can.
		f.Children = slices.DeleteFunc(f.Children, func(c *ChildCheck) bool {
			return !slices.ContainsFunc(c.Referred, func(i int) bool { return set[i] })
		})
		if len(f.Parents)+len(f.Children) == 0 {
			f = nil
		}
	}
	if ins.Foreign = f; ins.Conflict != nil {
		ins.Conflict.Lock = keyLock(setsKey, f)
	}
	return nil
}

// keyLock is how a row is locked that is changed: while its key stays, whoever refers to it need
// not wait.
func keyLock(setsKey bool, f *ForeignChecks) engine.LockMode {
	if setsKey || f != nil && len(f.Children) > 0 {
		return engine.RowUpdate
	}
	return engine.RowNoKeyUpdate
}
