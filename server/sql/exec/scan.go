package exec

import (
	"ackdb/engine"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// scan gives the rows of a stored table that its Access visits and its filter passes.
type scan struct {
	node  *plan.Scan
	codec *rowCodec
	row   []types.Datum // the columns, and with WithKey the key behind them
	value []byte        // of a point get, or of a row that an index led to

	storage engine.TableID // the table's, or that of the index
	whole   bool           // a tentative access was dropped for the whole table
	rowKey  []byte         // that an index led to

	spans []span
	at    int          // of the span being read; they are taken from the end when reversed
	iter  *engine.Iter // over it; nil for a point, or before the first
	seen  int
}

func newScan(n *plan.Scan) *scan {
	o := &scan{node: n, codec: newRowCodec(n.Table), storage: scanStorage(n)}
	width := len(n.Table.Columns)
	if n.WithKey {
		width++
	}
	o.row = make([]types.Datum, width)
	return o
}

func (o *scan) open(r *run) error {
	if index := o.node.Access.Index; index != nil {
		if err := r.checkIndex(o.node.Table, index); err != nil {
			return err
		}
	}
	spans, err := r.spans(&o.node.Access)
	if err != nil {
		return err
	}
	if o.node.Access.Reverse {
		for i, j := 0, len(spans)-1; i < j; i, j = i+1, j-1 {
			spans[i], spans[j] = spans[j], spans[i]
		}
	}
	o.spans, o.at, o.whole = spans, 0, false
	if o.node.Access.Tentative {
		o.storage = scanStorage(o.node)
	}
	if o.node.Access.Tentative && !o.node.Unread {
		if err := o.look(r); err != nil {
			return err
		}
	}
	if len(spans) > 0 && !spans[0].point {
		o.iter = r.txn.Scan(o.storage, o.spans[0].lo, o.spans[0].hi, o.node.Access.Reverse)
		return o.iter.Err()
	}
	return nil
}

func (o *scan) close() {
	if o.iter != nil {
		o.iter.Close()
		o.iter = nil
	}
}

func (o *scan) next(r *run) ([]types.Datum, error) {
	for {
		key, value, ok, err := o.fetch(r)
		if err != nil || !ok {
			return nil, err
		}
		if o.node.Access.Index != nil && !o.whole {
			if key, value, err = o.indexed(r, key, value); err != nil {
				return nil, err
			}
		}
		if err := o.load(key, value); err != nil {
			return nil, err
		}
		filter := o.node.Filter
		if o.whole {
			filter = o.node.Recheck
		}
		if filter == nil {
			return o.row, nil
		}
		if ok, err := r.truth(filter, o.row); err != nil || ok {
			return o.row, err
		}
	}
}

func (o *scan) load(key, value []byte) error {
	if !o.node.Unread {
		if err := o.codec.decode(o.row, key, value); err != nil {
			return err
		}
	}
	if o.node.WithKey {
		o.row[len(o.row)-1] = types.NewBytes(types.Bytea, key)
	}
	return nil
}

// checkEvery is how many rows a loop reads between looks at the statement's context.
const checkEvery = 256

// fetch gives the next stored row of the spans.
func (o *scan) fetch(r *run) (key, value []byte, ok bool, err error) {
	if o.seen++; o.seen%checkEvery == 0 {
		if err := r.check(); err != nil {
			return nil, nil, false, err
		}
	}
	for ; o.at < len(o.spans); o.at++ {
		s := &o.spans[o.at]
		if s.point {
			value, found, err := r.txn.Get(r.eval.Ctx, o.storage, s.lo)
			if err != nil || found {
				o.at++
				o.value = append(o.value[:0], value...) // the engine's copy lasts one call
				return s.lo, o.value, found, err
			}
			continue
		}
		if o.iter == nil {
			o.iter = r.txn.Scan(o.storage, s.lo, s.hi, o.node.Access.Reverse)
		}
		if o.iter.Next() {
			return o.iter.Key(), o.iter.Value(), true, nil
		}
		if err := o.iter.Err(); err != nil {
			return nil, nil, false, err
		}
		o.close()
	}
	return nil, nil, false, nil
}

// pointGet is the plan of SELECT ... WHERE key = $1, without the steps between: one get, one row.
type pointGet struct {
	scan  *plan.Scan
	exprs []plan.Expr
	codec *rowCodec
	base  []types.Datum // the table's columns
	out   []types.Datum
	key   []byte
	found bool
}

func newPointGet(scan *plan.Scan, exprs []plan.Expr) *pointGet {
	width := len(scan.Table.Columns)
	row := make([]types.Datum, width+len(exprs))
	return &pointGet{scan: scan, exprs: exprs, codec: newRowCodec(scan.Table),
		base: row[:width], out: row[width:]}
}

func (o *pointGet) open(r *run) error {
	o.found = false
	key, ok, err := r.prefixKey(o.key[:0], &o.scan.Access)
	o.key = key
	if err != nil || !ok {
		return err
	}
	value, found, err := r.txn.Get(r.eval.Ctx, o.scan.Table.Storage, key)
	if err != nil || !found {
		return err
	}
	if err := o.codec.decode(o.base, key, value); err != nil {
		return err
	}
	if o.scan.Filter != nil {
		if ok, err := r.truth(o.scan.Filter, o.base); err != nil || !ok {
			return err
		}
	}
	o.found = true
	return r.evalRow(o.out, o.exprs, o.base)
}

func (o *pointGet) next(*run) ([]types.Datum, error) {
	if !o.found {
		return nil, nil
	}
	o.found = false
	return o.out, nil
}

func (o *pointGet) close() {}

func (o *pointGet) rewind() bool {
	o.found = false
	return cap(o.key) <= maxKeptBytes
}

// virtualScan gives the rows of a virtual table. They are made at once and kept: the table is asked
// by a callback, which cannot stop half-way and go on.
type virtualScan struct {
	hold
	node *plan.VirtualScan
	rows [][]types.Datum
	at   int
}

func (o *virtualScan) open(r *run) error {
	host := r.env.Session.VirtualHost
	if host == nil {
		host = r.env.Session.Host
	}
	env := r.virtualEnv(host)
	if column, value := o.node.Pinned(); value != nil {
		v, err := value.Eval(&r.eval, nil)
		if err != nil || v.IsNull() {
			return err // no row is equal to NULL
		}
		env.Key, env.Value = column, v
	}
	return o.node.Table.Rows(r.eval.Ctx, env, func(row []types.Datum) error {
		if o.node.Filter != nil {
			if ok, err := r.truth(o.node.Filter, row); err != nil || !ok {
				return err
			}
		}
		o.rows = append(o.rows, cloneRow(row))
		return o.keep(rowSize(row))
	})
}

func (o *virtualScan) close() {
	o.rows, o.at = nil, 0
	o.release()
}

func (o *virtualScan) next(*run) ([]types.Datum, error) {
	if o.at == len(o.rows) {
		return nil, nil
	}
	o.at++
	return o.rows[o.at-1], nil
}
