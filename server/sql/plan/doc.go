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
//   - P1: a plan is immutable once made, and shared by sessions. What an execution needs to remember
//     lives in Eval and in the executor's operators.
//   - P2: a plan names the catalog snapshot it was made under and every relation it resolved. It may
//     run under another snapshot only if those names still mean those descriptors (Refresh).
//   - P3: whatever an Access skips, the WHERE would have refused: an Access narrows, and the whole
//     WHERE is checked again on each row it yields, also after a row was locked and read again.
//   - P4: what is not supported is refused by name while planning, never ignored while running.
package plan
