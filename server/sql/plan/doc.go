// Package plan turns a parsed statement into a plan: names resolved against one catalog snapshot,
// types and parameters inferred as Postgres infers them, and the primary key used where the WHERE
// and ORDER BY allow it.
//
// The types to know: Planner makes and keeps plans; Prepared is a plan with what a client is told
// about it; Node is a step of a plan, a row source over row sources; Expr is a resolved expression,
// which evaluates itself; Access says which keys a Scan visits; Join and SubPlan bring rows
// together.
//
// A query is resolved in a scope: its sources' columns stand one behind another in one row, and an
// expression is a function of that row. Scopes are nested. What a query reads of a row further out,
// or LATERAL of what stands to its left, is an Outer, which reads a slot; whoever opens the query
// sets the slots from the row at hand (Binding). A join that looks keys up works the same way, and
// so a key can be found by any term, whatever its value is read from. FROM stays a joinTree until
// all conditions are known; planTree then hands each of them down as far as it can be checked.
//
// What the catalog keeps as text, views, checks and defaults, is printed from a definition: the same
// analyzer resolves it without planning it (define), and a deparser writes it as Postgres would,
// with everything by its present name. A form that neither knows is an error there, and is shown as
// it was written.
//
// Invariants:
//
//   - P1: a plan is immutable once made, and shared by sessions. What an execution needs to
//     remember lives in Eval and in the executor's operators.
//   - P2: a plan names the catalog snapshot it was made under and every relation it resolved. It
//     may run under another snapshot only if those names still mean those descriptors (Refresh).
//   - P3: an Access takes a term of the WHERE over only if key bytes decide it exactly (types' T2);
//     every other term stays in the filter, which is checked on each row the Access yields, and
//     again on a row that was locked and read again. The terms taken over by the table's own key
//     cannot change under the lock: a row with another key is another row. What an index took over
//     can, so there the whole WHERE is checked again (Scan.Whole).
//   - P4: what is not supported is refused by name while planning, never ignored while running.
//   - P5: a slot is set by the step right above the scope it is read in, before what reads it is
//     opened, and from a row that stays valid until that is closed.
//   - P6: what is kept as text, as far as define knows it, means the same to every session at any
//     time: relations in it are those listed beside it, or there by number, and no literal hangs on
//     a setting or the clock.
package plan
