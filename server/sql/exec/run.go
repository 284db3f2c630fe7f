package exec

import (
	"context"

	"ackdb/engine"
	"ackdb/server/sql/builtin"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// run is one execution of a plan: what its operators share.
type run struct {
	x    *Executor
	env  *Env
	txn  *engine.Txn
	plan *plan.Prepared
	eval plan.Eval

	queries []operator             // of the expressions, by plan.SubPlan.Index; nil until one runs
	ctes    map[*plan.CTE]*cteRows // of WITH
	unions  map[*plan.RecursiveUnion]*recursiveUnion
	stats   map[plan.Node]*nodeStats // of EXPLAIN ANALYZE; else nil

	moment    *engine.Moment // of within
	unsettled []*writer      // which are to finish behind it

	text  types.Env     // env's, with names of the catalog
	names catalog.Names // what text.Names points to

	memory  builtin.Share // for the rows kept (X1)
	lasting bool          // no row may lie in a buffer of the engine's from one call to the next
}

// take gives a run for the next statement, that of the last one when it is free.
func (s *Session) take(x *Executor, ctx context.Context, env *Env) *run {
	r := s.free
	s.free = nil
	if r == nil {
		r = new(run)
	}
	r.x, r.env, r.txn, r.lasting = x, env, &env.Txn.txn, env.Lasting
	r.memory.Open(x.memory)
	if env.Types != nil {
		r.text = *env.Types
	} else {
		r.text = types.Env{}
	}
	r.names = catalog.Names{Snapshot: env.Txn.Catalog(), Path: env.SearchPath, Next: r.text.Names}
	r.text.Names = &r.names
	r.text.Now = env.TxnTime
	r.eval.Params, r.eval.Sequences, r.eval.Subqueries = env.Params, r, r
	r.eval.Context.Begin(ctx)
	r.eval.Env, r.eval.Host = &r.text, env.Session.Host
	r.eval.TxnTime, r.eval.StmtTime = env.TxnTime, env.StmtTime
	r.eval.Memory = x.memory
	return r
}

func (s *Session) put(r *run) {
	for _, op := range r.queries {
		if op != nil {
			op.close()
		}
	}
	r.env, r.plan, r.eval.Params, r.queries, r.stats = nil, nil, nil, nil, nil
	r.ctes, r.unions = nil, nil
	r.memory.Close()
	s.free = r
}

// cursor gives a new cursor; a caller that lets go of one may hand it back by Recycle.
func (s *Session) cursor() *Cursor {
	if c := s.freeCurs; c != nil {
		s.freeCurs = nil
		return c
	}
	return new(Cursor)
}

// Recycle lets the session use a closed cursor for its next statement, so that a statement costs no
// allocation for it. Nobody may look at the cursor afterwards.
func (s *Session) Recycle(c *Cursor) {
	if c.op == nil {
		s.freeCurs = c
	}
}

// check says why the statement must stop, and lets others run (builtin.Context.Check).
func (r *run) check() error {
	if err := r.eval.Check(); err != nil {
		return context.Cause(r.eval.Ctx)
	}
	return nil
}

// truth evaluates a condition: NULL is not true.
func (r *run) truth(cond plan.Expr, row []types.Datum) (bool, error) {
	v, err := cond.Eval(&r.eval, row)
	return v.Bool(), err
}
