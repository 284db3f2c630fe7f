package plan

import (
	"slices"
	"strconv"

	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

const (
	// maxGroupingSets bounds the sets of a query, as in Postgres.
	maxGroupingSets = 4096
	maxCubeItems    = 12
	maxGroupingArgs = 31

	codeTooManyArguments types.Code = "54023"
)

// groupingSets resolves GROUP BY into the sets it asks for, each of places in s.groupBy. Plain items
// make one set; others make several, and items beside one another make each pair of theirs.
func (a *analyzer) groupingSets(s *selecting) error {
	sets := [][]int{nil}
	for _, n := range s.n.GroupBy {
		own, err := a.setsOf(s, n)
		if err != nil {
			return err
		}
		if len(sets)*len(own) > maxGroupingSets {
			return types.Errorf(parse.CodeTooComplex,
				"too many grouping sets present (maximum %d)", maxGroupingSets)
		}
		var pairs [][]int
		for _, left := range sets {
			for _, right := range own {
				pairs = append(pairs, union(left, right))
			}
		}
		sets = pairs
	}
	if s.n.GroupDistinct {
		sets = distinctSets(sets)
	}
	s.keySets = sets
	return nil
}

func union(a, b []int) []int {
	out := slices.Clone(a)
	for _, i := range b {
		if !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	return out
}

func distinctSets(sets [][]int) [][]int {
	var out [][]int
	for _, set := range sets {
		sorted := slices.Sorted(slices.Values(set))
		if !slices.ContainsFunc(out, func(o []int) bool {
			return slices.Equal(slices.Sorted(slices.Values(o)), sorted)
		}) {
			out = append(out, set)
		}
	}
	return out
}

// setsOf gives the sets of one item.
func (a *analyzer) setsOf(s *selecting, n parse.Expr) ([][]int, error) {
	g, ok := n.(*parse.GroupingSet)
	if !ok {
		set, err := a.setOf(s, n)
		return [][]int{set}, err
	}
	var out [][]int
	if g.Kind == parse.GroupingSets {
		for _, item := range g.Items {
			sets, err := a.setsOf(s, item)
			if err != nil {
				return nil, err
			}
			out = append(out, sets...)
		}
		return out, nil
	}
	items := make([][]int, len(g.Items))
	for i, item := range g.Items {
		var err error
		if items[i], err = a.setOf(s, item); err != nil {
			return nil, err
		}
	}
	switch g.Kind {
	case parse.GroupingRollup:
		for n := len(items); n >= 0; n-- {
			out = append(out, union(nil, slices.Concat(items[:n]...)))
		}
		return out, nil
	case parse.GroupingCube:
		return a.cube(items, g.Pos)
	}
	return [][]int{nil}, nil
}

// cube gives every choice of the items.
func (a *analyzer) cube(items [][]int, pos parse.Pos) ([][]int, error) {
	if len(items) > maxCubeItems {
		return nil, a.errorf(pos, CodeTooManyColumns,
			"CUBE is limited to %d elements", maxCubeItems)
	}
	var out [][]int
	for choice := 1<<len(items) - 1; choice >= 0; choice-- {
		var set []int
		for i, item := range items {
			if choice&(1<<(len(items)-1-i)) != 0 {
				set = union(set, item)
			}
		}
		out = append(out, set)
	}
	return out, nil
}

// setOf resolves an expression, or several in brackets, as one set.
func (a *analyzer) setOf(s *selecting, n parse.Expr) ([]int, error) {
	items := []parse.Expr{n}
	if row, ok := n.(*parse.RowExpr); ok && !row.Explicit {
		items = row.Args
	}
	var set []int
	for _, item := range items {
		i, err := a.groupKey(s, item)
		if err != nil {
			return nil, err
		}
		set = union(set, []int{i})
	}
	return set, nil
}

// groupKey resolves one expression that is grouped by and gives its place among them.
func (a *analyzer) groupKey(s *selecting, n parse.Expr) (int, error) {
	restore := a.without("GROUP BY")
	x, err := a.groupItem(s, n)
	restore()
	if err != nil {
		return 0, err
	}
	if err := a.groupable(x, startOf(n)); err != nil {
		return 0, err
	}
	text := exactly(x)
	for i, key := range s.groupBy {
		if exactly(key) == text {
			return i, nil
		}
	}
	s.groupBy = append(s.groupBy, x)
	return len(s.groupBy) - 1, nil
}

// Grouping is GROUPING(...): a bit for each argument, 1 where the row's grouping set lacks it. Until
// the plan says where the number of the set lies, it has its arguments.
type Grouping struct {
	Args  []Expr
	Index int     // of the number of the set in the row; -1 when there is one set
	Bits  []int32 // by that number

	places []parse.Pos
}

// Type implements Expr.
func (g *Grouping) Type() types.Type { return int4Type }

// Eval implements Expr.
func (g *Grouping) Eval(_ *Eval, row []types.Datum) (types.Datum, error) {
	if g.Index < 0 {
		return types.NewInt4(g.Bits[0]), nil
	}
	return types.NewInt4(g.Bits[row[g.Index].Int()]), nil
}

func (g *Grouping) inputs() []Expr      { return nil }
func (g *Grouping) rebuild([]Expr) Expr { return g }

func (g *Grouping) print(p *printer) {
	p.call("GROUPING", g.Args)
	if p.exact && g.Bits != nil {
		p.WriteString(" of column " + strconv.Itoa(g.Index))
	}
}

// groupingFunc resolves GROUPING(...).
func (a *analyzer) groupingFunc(n *parse.GroupingFunc) (Expr, error) {
	switch {
	case a.aggregates == nil:
		return nil, a.errorf(n.Pos, CodeGrouping,
			"grouping operations are not allowed in %s", a.place)
	case len(n.Args) > maxGroupingArgs:
		return nil, a.errorf(n.Pos, codeTooManyArguments,
			"GROUPING must have fewer than 32 arguments")
	}
	g := &Grouping{}
	for _, arg := range n.Args {
		x, err := a.expr(arg)
		if err != nil {
			return nil, err
		}
		g.Args, g.places = append(g.Args, x), append(g.places, startOf(arg))
	}
	a.grouping = true
	return g, nil
}

// bits finds the arguments of GROUPING among the keys.
func (g *grouping) bits(x *Grouping) Expr {
	keys := make([]int, len(x.Args))
	for i, arg := range x.Args {
		keys[i] = slices.Index(g.texts, exactly(arg))
		if keys[i] < 0 && g.err == nil {
			g.err = g.a.errorf(x.places[i], CodeGrouping, "arguments to GROUPING must be grouping"+
				" expressions of the associated query level")
		}
	}
	out := &Grouping{Args: x.Args, Index: -1}
	for _, set := range g.s.keySets {
		bits := int32(0)
		for _, key := range keys {
			if bits <<= 1; !slices.Contains(set, key) {
				bits |= 1
			}
		}
		out.Bits = append(out.Bits, bits)
	}
	g.sets = append(g.sets, out)
	return out
}
