// Package builtin holds the functions, operators and aggregates of SQL and chooses among them as
// PostgreSQL 15 does.
//
// The types to know:
//
//   - Function is one entry of the registry: signature, volatility, code.
//   - Call is a function chosen for given arguments: what each must be cast to, what comes out.
//   - Aggregate and Accumulator are the same for aggregates.
//   - Context is what a call may look at: the session's Env, the clock, and through Host the
//     server.
//
// Invariants, cited by number in code and tests:
//
//   - B1: the registry is built before main and never written afterwards; it needs no lock.
//   - B2: every entry has the argument types, result, strictness and volatility that pg_proc of
//     PostgreSQL 15 has, so that resolution chooses as it does.
//   - B3: a function keeps none of its arguments beyond the call; results may alias them.
//   - B4: whatever can take long asks Context.Check within its loop.
package builtin
