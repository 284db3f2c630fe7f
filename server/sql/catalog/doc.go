// Package catalog keeps what tables, sequences and schemas exist: descriptors that are ordinary
// rows under reserved table ids, read once at start and held as an immutable, versioned Snapshot.
//
// The few types: Catalog (one a server) publishes Snapshots; a Snapshot answers names and oids; a
// Tx holds the uncommitted DDL of one transaction on top of the newest Snapshot; Table, Sequence
// and Schema are the descriptors; VirtualTable is a table whose rows the server makes up.
//
// Invariants:
//
//   - C1: a Snapshot and every descriptor in it is never changed once it is published. DDL clones.
//   - C2: a descriptor row is on its way to disk before anybody sees it published; what is
//     published is what a restart reads. (But for temporary relations, see temp.go.) So DDL goes
//     through engine.Txn like any other row and is logged, recovered and replicated with no code
//     of its own.
//   - C3: while a commit with DDL is in flight, its relations are in the pending set. Whoever has
//     locked (or read) one of them waits for the set before trusting its plan. Without the set
//     there is a gap: the engine releases the DDL's table lock at apply, the catalog publishes a
//     moment later, and a writer that was queued on the lock would use the old descriptor. The set
//     also says what those relations depend on, for who waited to take that away.
//   - C4: an oid is never given twice, nor a storage id: both come from one counter that is
//     advanced by a small commit of its own, ahead of the DDL that uses it. A rolled back DDL
//     leaves a gap.
//   - C5: on a standby a statement's plan is of a catalog that holds every descriptor its snapshot
//     can see: both are compared once the snapshot is taken.
//   - C6: entries of an index that are committed before a descriptor names it have a row in
//     buildTable, from the first of their commits to the one of the descriptor. So those of an index
//     that came to nothing are found, and no other's are removed.
//
// Lock order: Catalog.oidMu and refreshMu before any engine lock; Catalog.mu is a leaf and is never
// held across a call into the engine.
package catalog
