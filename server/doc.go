// Package server joins the floors: it gives every client a session that parses, plans and runs its
// statements in a transaction of the engine, and answers over pgwire.
//
// The types: Server owns the database, the settings and the endpoint. session is one client: its
// transaction, its settings, its prepared statements. setting is an entry of the registry in
// settings_list.go; values are layers of them. host is what functions may ask of a session.
//
// Invariants, cited in code and tests by number:
//
//   - S1 CommandComplete of a transaction's last statement is written after its commit succeeded;
//     in the extended protocol the commit is at Sync, so ReadyForQuery is what says so.
//   - S2 After an error a transaction block answers 25P02 to everything but its end, and its end is
//     a rollback, whatever was typed.
//   - S3 A setting changed inside a transaction is undone with it; SET LOCAL is undone with it in
//     any case.
//   - S4 Every error leaves through wireError, the one table from errors to SQLSTATE.
//   - S5 A statement that changes the catalog or the configuration is on disk before it is
//     answered, whatever synchronous_commit says.
//
// Locks, in the order they are taken: Server.configMu, Server.mu, then pgwire's. A session's fields
// belong to its connection's goroutine, except those under session.mu, which pg_stat_activity
// reads.
package server
