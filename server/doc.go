// Package server joins the floors: it gives every client a session that parses, plans and runs its
// statements in a transaction of the engine, and answers over pgwire.
//
// The types: Server owns the database, the settings and the endpoint. session is one client: its
// transaction, its settings, its prepared statements. setting is an entry of the registry in
// settings_list.go; values are layers of them. host is what functions may ask of a session. exchange carries
// notifications between sessions, durableWatch the news that the log is on disk.
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
//   - S6 A receipt is sent to who asked for it, behind the completion of its commit; nobody else
//     ever sees a parameter that Postgres has not.
//   - S7 A notification leaves once its commit has reached the level it promised, and a watermark
//     is never above flushed. Neither is ever waited for by a commit.
//   - S8 With ack.read_durability = flushed nothing leaves for the client, row, count or error, that
//     tells of a commit above flushed.
//
// Locks, in the order they are taken: Server.configMu, Server.mu, exchange.mu or durableWatch.mu,
// inbox.mu, then pgwire's. A session's fields belong to its connection's goroutine, except those
// under session.mu, which pg_stat_activity reads, and its inbox and durableDue, which the exchange
// and the watch fill.
package server
