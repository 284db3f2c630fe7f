package exec

import (
	"context"
	"strconv"

	"ackdb/engine"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// Cursor is a running plan. It belongs to one goroutine, and lives no longer than its transaction.
type Cursor struct {
	run  *run
	plan *plan.Prepared
	op   operator
	tag  string // set at the end
	rows int64  // given so far

	write    writeOp // runs before the first row (X4); nil for what only reads
	affected int64
	ended    bool

	moment *engine.Moment // of Keep; nil: reads are the statement's
}

// writeOp is the root of a plan that writes: it runs to its end and says how many rows it touched.
// What RETURNING gives is collected in it, an operator then.
type writeOp interface {
	operator
	execute(r *run) (int64, error)
}

// Open starts a plan. It takes the plan's table locks and begins a new statement of the
// transaction, and plans again when a name has come to mean something else (X2).
func (x *Executor) Open(ctx context.Context, p *plan.Prepared, env *Env) (*Cursor, error) {
	for _, n := range p.Notices {
		if env.Notice != nil {
			env.Notice(n)
		}
	}
	r := env.Session.take(x, ctx, env)
	c, err := x.open(ctx, p, r)
	if err != nil {
		env.Session.put(r)
		return nil, err
	}
	return c, nil
}

func (x *Executor) open(ctx context.Context, p *plan.Prepared, r *run) (*Cursor, error) {
	for {
		current, err := x.lock(ctx, p, r)
		if err != nil {
			return nil, err
		}
		p = current
		if p.Point && !r.lasting {
			r.txn.StartPointStatement()
		} else {
			r.txn.StartStatement()
		}
		c, err := r.start(p)
		if err != nil {
			return nil, err
		}
		if p.Locks != nil {
			return c, nil
		}
		// Without a table lock a DDL may have come between the plan and the snapshot (X2).
		ok, err := x.settled(ctx, p, r)
		if ok {
			return c, nil
		}
		c.letGo()
		if err != nil {
			return nil, err
		}
	}
}

// lock takes the locks of a plan and gives the plan to run, which is another one when a wait
// for a lock was a wait for DDL.
func (x *Executor) lock(ctx context.Context, p *plan.Prepared, r *run) (*plan.Prepared, error) {
	for {
		for _, l := range p.Locks {
			if err := r.txn.LockTable(ctx, l.Storage, l.Mode, engine.Wait); err != nil {
				return nil, lockError(err, l.Name)
			}
		}
		fresh, err := x.settled(ctx, p, r)
		if err != nil {
			return nil, err
		}
		if fresh {
			return p, nil
		}
		next, err := x.planner.Refresh(r.env.Plan(), p)
		if err != nil {
			return nil, err
		}
		if next == p {
			return p, nil
		}
		p = next
	}
}

// settled waits out commits of DDL on what the plan uses and says whether the plan is still current.
func (x *Executor) settled(ctx context.Context, p *plan.Prepared, r *run) (bool, error) {
	if err := x.catalog.Refresh(ctx); err != nil {
		return false, err
	}
	if x.catalog.Committing() {
		if err := x.catalog.AwaitSettled(ctx, p.Uses...); err != nil {
			return false, err
		}
		if err := x.catalog.AwaitDependents(ctx, p.Owns...); err != nil {
			return false, err
		}
	}
	return p.Current(r.env.Txn.Catalog(), r.env.SearchPath), nil
}

// start builds the operators of a plan and opens them, so that a plan that reads has its snapshot.
func (r *run) start(p *plan.Prepared) (*Cursor, error) {
	c := r.env.Session.cursor()
	*c = Cursor{run: r, plan: p}
	r.plan = p
	r.eval.Begin(p)
	var op operator
	if !r.lasting { // what is kept may be of another build
		op = r.env.Session.kept(p)
	}
	if op == nil {
		var err error
		if op, err = r.build(p.Root); err != nil {
			return nil, err
		}
	}
	if p.Late {
		r.txn.SnapshotLSN() // which takes the snapshot (X2); a failure shows in the first read
	}
	c.op = op
	c.write, _ = op.(writeOp)
	if err := op.open(r); err != nil {
		c.letGo()
		return nil, err
	}
	return c, nil
}

// Plan gives the plan that runs, perhaps a newer one than was asked for.
func (c *Cursor) Plan() *plan.Prepared { return c.plan }

// Next gives the next row, valid until the next call; nil at the end.
func (c *Cursor) Next(ctx context.Context) ([]types.Datum, error) {
	if c.ended {
		return nil, nil
	}
	if c.moment != nil {
		return c.nextKept(ctx)
	}
	c.run.eval.Ctx = ctx
	if c.write != nil {
		w := c.write
		c.write = nil
		n, err := w.execute(c.run)
		if err != nil {
			c.Close()
			return nil, err
		}
		c.affected = n
	}
	row, err := c.op.next(c.run)
	if err != nil {
		c.Close()
		return nil, err
	}
	if row == nil {
		c.finish()
		return nil, nil
	}
	c.rows++
	return row, nil
}

// Rows says how many rows were given so far.
func (c *Cursor) Rows() int64 { return c.rows }

func (c *Cursor) finish() {
	c.ended = true
	switch c.plan.Tag {
	case "SELECT":
		c.tag = selectTag(c.rows + c.affected) // written by CREATE TABLE AS
	case "INSERT":
		c.tag = insertTag(c.affected)
	case "UPDATE":
		if c.tag = "UPDATE 1"; c.affected != 1 {
			c.tag = "UPDATE " + strconv.FormatInt(c.affected, 10)
		}
	case "DELETE":
		c.tag = "DELETE " + strconv.FormatInt(c.affected, 10)
	default:
		c.tag = c.plan.Tag
	}
	c.closeOp()
}

func selectTag(n int64) string {
	if n == 1 {
		return "SELECT 1"
	}
	return "SELECT " + strconv.FormatInt(n, 10)
}

func insertTag(n int64) string {
	if n == 1 {
		return "INSERT 0 1"
	}
	return "INSERT 0 " + strconv.FormatInt(n, 10)
}

// Tag is the command tag, once Next has given nil.
func (c *Cursor) Tag() string { return c.tag }

// Close frees what the cursor holds. It may be called twice, and after the end.
func (c *Cursor) Close() {
	c.ended = true
	c.closeOp()
}

// closeOp gives back what the cursor holds, the run included.
func (c *Cursor) closeOp() {
	c.closeMoment()
	if c.op != nil {
		c.letGo()
		c.run.env.Session.put(c.run)
	}
}

// letGo closes the operators, and keeps them for the next execution of the plan where it can.
func (c *Cursor) letGo() {
	c.op.close()
	if again, ok := c.op.(rewinder); ok && again.rewind() {
		c.run.env.Session.keep(c.plan, again)
	}
	c.op = nil
}
