package plan

import (
	"slices"
	"strconv"

	"ackdb/server/sql/parse"
)

// shownSource is what a source and its columns are called in the printed text.
type shownSource struct {
	name        string // "" for a join without an alias
	columns     []string
	listColumns bool // they have to be said behind the name
	usedAbove   []string
}

// maxName is how long a name can be.
const maxName = 63

// nameSources gives every source of a query a name that neither it nor a query around it has for
// another, and the columns theirs.
func (p *deparser) nameSources(d *definition) {
	for _, src := range d.sources {
		name := src.name
		if src.alias != nil {
			name = src.alias.Name
		}
		if name != "" {
			name = p.free(name)
		}
		src.shown = shownSource{name: name, columns: make([]string, len(src.columns))}
	}
	c := &columnNaming{unique: slices.ContainsFunc(d.from, needsUnique)}
	for _, item := range d.from {
		c.using(item, nil)
	}
	for _, src := range d.sources {
		if src.kind == ofJoin {
			c.join(src)
		} else {
			c.source(src)
		}
	}
}

// free takes a name, or one made of it that is not taken yet.
func (p *deparser) free(name string) string {
	if _, taken := p.taken[name]; !taken {
		p.taken[name] = 0
		return name
	}
	for {
		p.taken[name]++
		next := numbered(name, p.taken[name])
		if _, taken := p.taken[next]; !taken {
			p.taken[next] = 0
			return next
		}
	}
}

func numbered(name string, n int) string {
	suffix := "_" + strconv.Itoa(n)
	return name[:min(len(name), maxName-len(suffix))] + suffix
}

// columnNaming names the columns of the sources of one query. A column that USING merges has one
// name in both sides of the join, whatever it is called in the tables now, and no other column of
// that join may have it.
type columnNaming struct {
	unique bool     // the merged columns of all joins have different names
	merged []string // those names, then
}

// needsUnique says whether a join in FROM has a merged column that is no column of one side: it
// is read by its bare name.
func needsUnique(item definedItem) bool {
	j := item.join
	if j == nil {
		return false
	}
	return j.computed || needsUnique(j.left) || needsUnique(j.right)
}

// using chooses the names of merged columns, from the outermost join inwards.
func (c *columnNaming) using(item definedItem, above []string) {
	j := item.join
	if j == nil {
		return
	}
	shown := &j.source.shown
	if j.source.alias == nil {
		for i, name := range shown.columns {
			if name != "" {
				for _, v := range j.source.columns[i].of {
					j.side(v).push(v, name)
				}
			}
		}
	}
	above = slices.Clone(above)
	for i, name := range j.using {
		if shown.columns[i] == "" {
			if a := j.source.alias; a != nil && i < len(a.Columns) {
				name = a.Columns[i]
			}
			shown.columns[i] = c.free(name, j.source)
			if c.unique {
				c.merged = append(c.merged, shown.columns[i])
			}
		}
		above = append(above, shown.columns[i])
		of := j.source.columns[i].of
		j.left.push(of[0], shown.columns[i])
		j.right.push(of[1], shown.columns[i])
	}
	j.left.source.shown.usedAbove = above
	j.right.source.shown.usedAbove = above
	c.using(j.left, above)
	c.using(j.right, above)
}

// side is the item of a join that a column comes from.
func (j *definedJoin) side(v *Var) definedItem {
	if j.left.indexOf(v) >= 0 {
		return j.left
	}
	return j.right
}

// indexOf finds a column of an item: its own, or the one of a join that stands for it.
func (item definedItem) indexOf(v *Var) int {
	if v.source == item.source {
		return v.at
	}
	if item.join == nil {
		return -1
	}
	return slices.IndexFunc(item.source.columns, func(c definedColumn) bool {
		return slices.ContainsFunc(c.of, func(of *Var) bool {
			return of.source == v.source && of.at == v.at
		})
	})
}

func (item definedItem) push(v *Var, name string) {
	if i := item.indexOf(v); i >= 0 {
		item.source.shown.columns[i] = name
	}
}

// source names the columns of a source that is no join.
func (c *columnNaming) source(src *definedSource) {
	shown := &src.shown
	var aliases []string
	if src.alias != nil {
		aliases = src.alias.Columns
	}
	changed := false
	for i := range src.columns {
		column := &src.columns[i]
		if shown.columns[i] == "" {
			name := column.real
			if i < len(aliases) {
				name = column.name
			}
			shown.columns[i] = c.free(name, src)
		}
		changed = changed || shown.columns[i] != column.real
	}
	switch src.kind {
	case ofTable:
		shown.listColumns = changed
	case ofFunction:
		shown.listColumns = true
	default:
		shown.listColumns = changed || len(aliases) > 0
	}
}

// join names the columns of a join, whose sides have theirs.
func (c *columnNaming) join(src *definedSource) {
	shown, changed := &src.shown, false
	for i := range src.columns {
		of := src.columns[i].of[0]
		child := of.source.shown.columns[of.at]
		if src.alias == nil {
			if shown.columns[i] == "" {
				shown.columns[i] = child
			}
			continue
		}
		if shown.columns[i] == "" {
			name := child
			if i < len(src.alias.Columns) {
				name = src.alias.Columns[i]
			}
			shown.columns[i] = c.free(name, src)
		}
		changed = changed || shown.columns[i] != child
	}
	shown.listColumns = changed
}

// free gives a name that no other column of the source has, and no merged column that it must
// differ from.
func (c *columnNaming) free(name string, src *definedSource) string {
	taken := func(name string) bool {
		return slices.Contains(src.shown.columns, name) || slices.Contains(c.merged, name) ||
			slices.Contains(src.shown.usedAbove, name)
	}
	for n, next := 1, name; ; n++ {
		if !taken(next) {
			return next
		}
		next = numbered(name, n)
	}
}

// setOpKeyword is what stands between the sides of a set operation.
func setOpKeyword(n *parse.SelectStmt) string {
	if n.All {
		return setOpName(n.Op) + " ALL "
	}
	return setOpName(n.Op) + " "
}
