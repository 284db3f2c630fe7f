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
// What Judge holds the server to, after kill -9 in any mode:
//
//   - J1 every acknowledged transaction is there, whole;
//   - J2 of one session's transactions a prefix is there: at most the one in flight at the kill
//     is undecided, and it is there whole or not at all;
//   - J3 what is there is a prefix of the commit order across sessions: the ticks, drawn under one
//     row lock and so in commit order, are 1..n without a hole or a repetition;
//   - J4 nothing rolled back, and nothing deleted, is there;
//   - J5 the log position after recovery is at or past every position a client was shown.
package jepsenlite
