package plan

import (
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// SubPlan is a query in an expression.
type SubPlan struct {
	Kind     parse.SubLinkKind
	Node     Node
	Index    int       // among those of the statement
	Bind     []Binding // what it reads of the row the expression is computed over
	Fixed    bool      // it reads nothing from outside: its rows are the same whenever it runs
	Volatile bool
	T        types.Type
	fields   []Column // of a row value

	// Of ANY and ALL: the values on the left, and the comparison, over those values followed by a
	// row of the query. Hash says that Test is an equality which key bytes decide.
	Left []Expr
	Test Expr
	Hash bool

	// Hashed is how EXISTS and ANY are answered for many rows; nil where that would be of no use.
	Hashed *HashedQuery
}

// Rows are the rows of a running query. A row is valid until the next.
type Rows interface {
	Next() ([]types.Datum, error) // nil at the end
	Close()
}

// Subqueries runs the queries inside expressions. The executor implements it.
type Subqueries interface {
	// Open starts the query anew. It must be closed before it is opened again.
	Open(s *SubPlan) (Rows, error)
	// Keep accounts for memory that is held until the end of the statement.
	Keep(bytes int) error
}

// fixed is what is remembered of a Fixed query once it has run.
type fixed struct {
	known bool
	value types.Datum

	rows [][]types.Datum     // of ANY and ALL, without Hash
	set  map[string]struct{} // with Hash: the key form of each value
	null bool                // there was a NULL among them
	key  []byte
}

// Type implements Expr.
func (s *SubPlan) Type() types.Type { return s.T }

func (s *SubPlan) inputs() []Expr {
	list := append([]Expr(nil), s.Left...)
	for _, b := range s.Bind {
		list = append(list, b.Expr)
	}
	if s.Hashed != nil {
		list = append(list, s.Hashed.Keys...)
	}
	return list
}

func (s *SubPlan) rebuild(in []Expr) Expr {
	out := *s
	out.Left = in[:len(s.Left)]
	out.Bind = make([]Binding, len(s.Bind))
	for i, b := range s.Bind {
		out.Bind[i] = Binding{Slot: b.Slot, Expr: in[len(s.Left)+i]}
	}
	if s.Hashed != nil {
		out.Hashed = &HashedQuery{Query: s.Hashed.Query, Keys: in[len(s.Left)+len(s.Bind):]}
	}
	return &out
}

// Eval implements Expr.
func (s *SubPlan) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	if s.Hashed != nil {
		if v, ok, err := s.hashedAnswer(e, row); ok || err != nil {
			return v, err
		}
	}
	if err := e.Bind(s.Bind, row); err != nil {
		return types.Null, err
	}
	switch s.Kind {
	case parse.SubExists:
		return s.once(e, s.exists)
	case parse.SubScalar, parse.SubMulti:
		return s.once(e, s.scalar)
	case parse.SubArray:
		return s.once(e, s.array)
	}
	left := make([]types.Datum, len(s.Left), 2*len(s.Left))
	for i, x := range s.Left {
		v, err := x.Eval(e, row)
		if err != nil {
			return types.Null, err
		}
		left[i] = v
	}
	switch {
	case s.Kind == parse.SubRow:
		return s.compareOne(e, left)
	case !s.Fixed:
		return s.compareEach(e, left)
	case s.Hash:
		return s.lookUp(e, left[0])
	}
	return s.compareKept(e, left)
}

// once computes the answer of a Fixed query the first time, and any other's every time.
func (s *SubPlan) once(
	e *Eval, compute func(*Eval) (types.Datum, error),
) (types.Datum, error) {
	if !s.Fixed {
		return compute(e)
	}
	f := &e.fixed[s.Index]
	if f.known {
		return f.value, nil
	}
	v, err := compute(e)
	if err != nil {
		return types.Null, err
	}
	f.known, f.value = true, v
	return v, nil
}

func (s *SubPlan) exists(e *Eval) (types.Datum, error) {
	rows, err := e.Subqueries.Open(s)
	if err != nil {
		return types.Null, err
	}
	defer rows.Close()
	row, err := rows.Next()
	return types.NewBool(row != nil), err
}

// scalar gives the one value of a query, or of SubMulti and SubRow its one row; NULL when there is
// no row.
func (s *SubPlan) scalar(e *Eval) (types.Datum, error) {
	rows, err := e.Subqueries.Open(s)
	if err != nil {
		return types.Null, err
	}
	defer rows.Close()
	row, err := rows.Next()
	if row == nil || err != nil {
		return types.Null, err
	}
	v := row[0].Clone()
	if s.Kind == parse.SubMulti || s.Kind == parse.SubRow {
		v = types.NewRecord(row).Clone()
	}
	if row, err = rows.Next(); row != nil {
		err = types.Errorf(CodeCardinality,
			"more than one row returned by a subquery used as an expression")
	}
	return v, err
}

func (s *SubPlan) array(e *Eval) (types.Datum, error) {
	var elems []types.Datum
	err := s.each(e, func(row []types.Datum) (bool, error) {
		elems = append(elems, row[0].Clone())
		return true, e.Subqueries.Keep(row[0].Size())
	})
	return types.NewArray(types.ElemOf(s.T.OID), elems), err
}

// each runs the query and shows every row, until it is told to stop.
func (s *SubPlan) each(e *Eval, show func(row []types.Datum) (more bool, err error)) error {
	rows, err := e.Subqueries.Open(s)
	if err != nil {
		return err
	}
	defer rows.Close()
	for {
		row, err := rows.Next()
		if row == nil || err != nil {
			return err
		}
		if more, err := show(row); !more || err != nil {
			return err
		}
	}
}

// quantifier gathers the outcomes of the comparisons of ANY or ALL.
type quantifier struct {
	all, unknown bool
	decided      bool
}

// take counts one outcome and says whether the others still matter.
func (q *quantifier) take(v types.Datum) bool {
	switch {
	case v.IsNull():
		q.unknown = true
	case v.Bool() != q.all:
		q.decided = true
	}
	return !q.decided
}

func (q *quantifier) result() types.Datum {
	switch {
	case q.decided:
		return types.NewBool(!q.all)
	case q.unknown:
		return types.Null
	}
	return types.NewBool(q.all)
}

// compareEach compares as it reads, and stops as soon as the answer is known.
func (s *SubPlan) compareEach(e *Eval, left []types.Datum) (types.Datum, error) {
	q := quantifier{all: s.Kind == parse.SubAll}
	err := s.each(e, func(row []types.Datum) (bool, error) {
		v, err := s.Test.Eval(e, append(left[:len(left):cap(left)], row...))
		return q.take(v), err
	})
	return q.result(), err
}

// compareOne compares with the one row of a query; NULL when there is none.
func (s *SubPlan) compareOne(e *Eval, left []types.Datum) (types.Datum, error) {
	v, err := s.once(e, s.scalar)
	if err != nil || v.IsNull() {
		return types.Null, err
	}
	return s.Test.Eval(e, append(left[:len(left):cap(left)], v.Row()...))
}

// compareKept compares with rows that are read once.
func (s *SubPlan) compareKept(e *Eval, left []types.Datum) (types.Datum, error) {
	f := &e.fixed[s.Index]
	if !f.known {
		err := s.each(e, func(row []types.Datum) (bool, error) {
			kept := types.NewRecord(row).Clone()
			f.rows = append(f.rows, kept.Row())
			return true, e.Subqueries.Keep(kept.Size())
		})
		if err != nil {
			return types.Null, err
		}
		f.known = true
	}
	q := quantifier{all: s.Kind == parse.SubAll}
	for _, row := range f.rows {
		v, err := s.Test.Eval(e, append(left[:len(left):cap(left)], row...))
		if err != nil {
			return types.Null, err
		}
		if !q.take(v) {
			break
		}
	}
	return q.result(), nil
}

// lookUp answers x = ANY (query) from the set of the query's values.
func (s *SubPlan) lookUp(e *Eval, x types.Datum) (types.Datum, error) {
	f := &e.fixed[s.Index]
	if !f.known {
		if err := s.gather(e, f); err != nil {
			return types.Null, err
		}
	}
	switch {
	case len(f.set) == 0 && !f.null:
		return types.NewBool(false), nil
	case x.IsNull():
		return types.Null, nil
	}
	f.key = types.EncodeKey(f.key[:0], x, types.KeyOrder{})
	if _, found := f.set[string(f.key)]; found {
		return types.NewBool(true), nil
	}
	if f.null {
		return types.Null, nil
	}
	return types.NewBool(false), nil
}

func (s *SubPlan) gather(e *Eval, f *fixed) error {
	f.set = map[string]struct{}{}
	err := s.each(e, func(row []types.Datum) (bool, error) {
		if row[0].IsNull() {
			f.null = true
			return true, nil
		}
		f.key = types.EncodeKey(f.key[:0], row[0], types.KeyOrder{})
		if _, found := f.set[string(f.key)]; found {
			return true, nil
		}
		const entryOverhead = 48
		f.set[string(f.key)] = struct{}{}
		return true, e.Subqueries.Keep(len(f.key) + entryOverhead)
	})
	f.known = err == nil
	return err
}
