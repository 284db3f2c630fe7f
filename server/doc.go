// Package server joins the floors: it gives every client a session that parses, plans and runs its
// statements in a transaction of the engine, and answers over pgwire.
//
// The types: Server owns the database, the settings and the endpoint. session is one client: its
// transaction, its settings, its prepared statements. setting is an entry of the registry in
// settings_list.go; values are layers of them. host is what functions may ask of a session. exchange
// carries notifications between sessions, durableWatch the news that the log is on disk. role is what
// the node is to others, primary or standby; upstream is whom a standby follows; promotion makes it a
// primary. replicationSession is a client that asked for replication.
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
//   - S9 A standby's sessions write nothing: their transactions are read-only from their beginning to
//     their end, a promotion in between notwithstanding.
//   - S10 A session is told that it may write (in_hot_standby) only once a write would be accepted.
//   - S11 A directory that is to be seeded says so, and whom it follows, before its first byte is
//     wiped and until its own control says it: every start between goes on with the seeding.
//
// Goroutines: a connection's belongs to pgwire's Endpoint; the exchange owns its two; the receiver is
// upstream's, which is its one starter and stopper; a promotion runs on one of its own, awaited by
// Shutdown. Shutdown ends them in this order: promotion, receiver, sessions, the log's last flush,
// senders, listeners, exchange, database.
//
// Locks, in the order they are taken: Server.configMu, upstream.mu, Server.mu, exchange.mu or
// durableWatch.mu, inbox.mu, then pgwire's; promotion.mu is held over none of them. A session's fields
// belong to its connection's goroutine, except those under session.mu, which pg_stat_activity reads,
// and its inbox and durableDue, which the exchange and the watch fill.
package server
