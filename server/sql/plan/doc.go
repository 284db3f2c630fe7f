// Package plan turns a parsed statement into a plan: names resolved against one catalog snapshot,
// types and parameters inferred as Postgres infers them, and the primary key used where the WHERE
// and ORDER BY allow it.
//
// The types to know: Planner makes and keeps plans; Prepared is a plan with what a client is told
// about it; Node is a step of a plan, a row source over row sources; Expr is a resolved expression,
// which evaluates itself; Access says which keys a Scan visits.
//
// Invariants:
//
//   - P1: a plan is immutable once made, and shared by sessions. What an execution needs to
//     remember lives in Eval and in the executor's operators.
//   - P2: a plan names the catalog snapshot it was made under and every relation it resolved. It
//     may run under another snapshot only if those names still mean those descriptors (Refresh).
//   - P3: an Access takes a term of the WHERE over only if key bytes decide it exactly (types' T2);
//     every other term stays in the filter, which is checked on each row the Access yields, and
//     again on a row that was locked and read again. The terms taken over cannot change under the
//     lock: a row with another key is another row.
//   - P4: what is not supported is refused by name while planning, never ignored while running.
package plan
