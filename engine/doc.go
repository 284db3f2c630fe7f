// Package engine turns a log and an ordered store into a database of transactions: a commit is
// one record in the log, applied to the store in the order of the log.
//
// There are few types. A DB is one open directory. A Txn reads a view and gathers a write set. The
// pipeline lines commits up and lets one of their goroutines lead a group through validation,
// append, apply and publishing. The applier is the one door into the store, for commits and for
// recovery. The interlock keeps the store behind the log on disk. The checkpointer learns what
// the store has made durable and lets the log drop the rest. A standby feeds the applier from a log
// that another node writes.
//
// # The path of a commit
//
//	Txn.Commit -> DB.commit -> pipeline.submit -> commitGroup -> answer
//	                                              admit        conflicts.validate
//	                                              appendGroup  wal.Log.Append
//	                                              applyGroup   one batch, one marker
//	                                              publish      applied, conflicts, row locks
//	                                              lendGroup    answers off, within the limit
//
// commitGroup runs on the leader, for all members of its group; answer runs on each committer
// and waits for the level it asked for, and an off commit that met the limit waits there too: the
// leader waits for nobody's disk. A level above local waits for this disk and then for the Quorum
// (quorum.go). A transaction too large for one record writes its operations into data records first
// (large.go).
//
// # Roles
//
// A DB is opened as what its directory says: a primary, which begins an epoch; a standby, also
// because Options.ReplicaOf makes it one; a base backup started alone, which begins a timeline. A
// standby's path is short:
//
//	wal.Log.Receive .. flushed -> wal.Cursor -> replay -> one batch of many commits, one marker
//	                                            (large ones alone, behind a pinned view)
//	                                         -> applied, listeners, checkpoints
//
// Recovery and standby share replay (replay.go), so what a standby has and what a restart of it
// would have are the same. Promote ends that path where the log ends and opens the path of a commit
// (role.go); readers are on neither. A transaction makes its first write and takes its first lock
// on a primary, so none carries a lock over a promotion, which those who write elsewhere have not
// honoured.
//
// # Positions
//
// Every LSN in this package is an end: of the commit record a row was written by, of the last
// record applied, of what a snapshot shows. So "changed since my snapshot" is row > snapshot.
//
// # Invariants
//
//   - E1: the marker {applied, redo} is a key in the batch of the last of the writes it covers.
//   - E2: apply order is LSN order is the order of visibility.
//   - E3: the store is never ahead of the log on disk: interlock.go.
//     A standby applies what it has flushed, so there the store never waits.
//   - E4: all writes to the store go through the applier, and feeding it twice is harmless.
//   - W4: after a failed Append, Apply or fsync nothing is acknowledged any more: DB.fail.
//   - W6: a queue is as long as there are sessions; a group, a batch, the log since the last
//     checkpoint, a large transaction's unflushed data have bounds with names.
//   - W7: row locks go at apply, before the commit is durable. Who reads such a row commits
//     behind it, so it is durable whenever the reader's commit is.
//
// Of answers (losslimit.go):
//
//   - L1: a commit is answered unflushed only while the oldest such commit is no older than the
//     limit, and the log from flushed to its own end no longer. Deciding and entering it are one
//     step, at the moment of answering.
//   - L2: lossAudit counts answers that broke L1 without asking who decided; the count stays 0.
//   - L3: nothing is answered once the log has halted (W4), so the range called unresolved has
//     every commit that was answered unflushed.
//
// Of readers with ReadFlushed (flushed_view.go, txn_flushed.go):
//
//   - F1: a plain statement reads a view at or below flushed. One that locks or writes sees the
//     newest rows, and LookedAt says what must be flushed before it may show anything.
//   - F2: the view has every commit that was answered as flushed before the statement began, and
//     the session's own.
//
// Of transactions:
//
//   - T1: who writes a row holds its lock, or is the only one who can know its key.
//   - T2: a lock is released after apply, so whoever is granted a row reads what its last holder
//     wrote.
//   - T3: nobody passes a waiter it conflicts with, so every waiter is served.
//   - T4: a SERIALIZABLE transaction is validated before its group has an LSN, against every commit
//     its snapshot lacks and against the group's earlier members.
//   - T5: it is registered with the conflict window before it takes its snapshot, and a commit is
//     published there after new snapshots have it. So a commit that a snapshot lacks is kept.
//
// # Goroutines
//
// A DB owns the checkpointer and the sweeper, which closes the snapshots that their users may not
// wait for (sweeper.go), both begun by Open and awaited by Close, and on a standby the one that
// applies, which Close or Promote awaits. Committing needs none: the leader is a committer. The
// store and the log have their own.
//
// # Lock order
//
// DB.promoting, then leadership of the pipeline, which on a standby nobody has, then applier.mu,
// then visibility.mu and appliedPosition.mu, then the locks inside the store. lender.mu and
// flushedViews.mu come below leadership: the one is taken by the log's flusher too, with nothing
// under it; under the other views are closed. pipeline.mu and orphanAborts.mu are held for a few
// instructions and nothing is taken under them. Below leadership come the lock table's list of
// owners, one owner's mu, and the lock table's shards in the order of their index;
// conflictWindow.mu, txnPool.mu, sweeper.mu and standby.mu stand alone, and so does holds.mu,
// which the log takes under its recycling lock. Whoever holds leadership or applier.mu may wait
// for the store, the store for the log's flusher (E3), and the flusher for nobody.
package engine
