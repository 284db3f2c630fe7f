// Package jepsenlite starts real ackdb servers, loads them through sockets, breaks them, and judges
// from the clients' own journals whether the promises of docs/DURABILITY.md were kept.
//
// It is a black box by rule: it imports nothing of the database. What it knows, it learned through
// the Postgres protocol, from process exits and from files it damaged itself, so a bug in our code
// cannot hide in a shared helper of the judge.
//
// The types: a [Node] is one server process; a [Workload] drives sessions against it; a [Journal]
// is the history, one JSON object a line, which [Judge] reads and nothing else. A history can be
// judged again long after the run (jepsen-lite check FILE).
//
// What Judge holds the server to:
//
//   - J1 after kill -9, in any mode, every acknowledged transaction is there, whole;
//   - J2 of one session's transactions a prefix is there, each whole or not at all;
//   - J3 what is there is a prefix of the commit order across sessions, without a hole: by the
//     positions of the receipts, and by ticks, which are drawn under one row lock and so in commit
//     order;
//   - J4 nothing rolled back, and nothing deleted, is there;
//   - J5 the log ends at or past every position a client was shown; after a power cut, every
//     position the server called flushed;
//   - J6 after a power cut everything is there that was acknowledged in a mode above off, that was
//     acknowledged before such a commit began, or that lies at or below what was called flushed, be
//     it in an answer, by the end of a wait or in a notification;
//   - J7 what a session with ack.read_durability = flushed was shown is there;
//   - J8 after a failover everything is there that was acknowledged in a mode that waits for a
//     standby, or that WAIT FOR said a replica had flushed, in the sense of J6; and the new primary
//     judges every receipt as what became of it: none judged durable is gone, none judged lost is
//     there, and none is unknown.
package jepsenlite
