// Package exec runs plans on a transaction of the engine: a tree of operators that pull rows from
// one another, the writes of DML, DDL, sequences and the row formats of COPY.
//
// The types to know: Executor, one a server; Txn, an engine transaction with its uncommitted DDL;
// Session, what a connection keeps between statements; Cursor, a running plan that gives a row when
// asked for one, so that a portal can stop and go on; CopyIn and CopyOut.
//
// Invariants:
//
//   - X1: a row an operator gives is valid until it is asked for the next. Whoever keeps one clones
//     it, and accounts for it: what a statement holds is bounded (53200).
//   - X2: a plan runs only under descriptors that were current after its table locks were granted,
//     or, for a plan that locks nothing, after its snapshot was taken.
//   - X3: what an UPDATE, DELETE or SELECT FOR UPDATE works on is the row as it is once locked,
//     checked against the whole WHERE again if it changed meanwhile.
//   - X4: a statement that writes runs to its end before its first row is given: a client that
//     stops reading RETURNING has still changed every row.
//   - X5: a hidden row id is never used twice while anybody could see both rows.
//   - X6: no statement sees its own writes. One that reads tables in its own time (joins, queries
//     in expressions) has read all of it before it writes the first row.
//   - X7: an operator that was closed can be opened again and starts anew, holding nothing. Joins
//     and queries in expressions do that for every row.
//   - X6: each row has one entry in every index of its table, written and removed by who holds the
//     row, in the same transaction. A unique key without NULL is one entry, under a row lock of its
//     own: there the writers of two rows meet that must not both be. An entry and the row it leads
//     to are read as of one moment.
//
// Lock order: a table before its rows; tables of one statement in the order of their oids; the
// mutex of a sequence before the row of its state.
package exec
