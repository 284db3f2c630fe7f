// Package wal is the log: it gives every record a position, writes it, makes it durable, and after
// a crash finds exactly what was durable.
//
// A Dir is a data directory with its control and its list of epochs; a Log is the log in it, open
// for appending or, on a standby, for receiving; a Cursor reads its records, a RawReader its bytes;
// a Record is what stands in it.
//
// # The ladder
//
//	store flushed <= flushed <= written <= inserted
//
// The leader, one committer at a time, gives records their positions (inserted) and puts them into
// the page cache (written: they survive the process). The flusher makes them durable (flushed:
// they survive the power). The engine applies what is written and calls it visible.
//
// # Invariants
//
// Code and tests cite them by number.
//
//   - W1 Positions are dense byte positions; a replica's log is its primary's byte for byte.
//   - W2 flushed advances only over a contiguous prefix, and only after the kernel said so.
//   - W3 No cursor passes flushed: a reader never sees what a power cut may still take.
//   - W4 A failed write or fsync poisons the log for good: no confirmation follows it, nothing is
//     retried, the process exits with 70.
//   - W5 A frame that does not verify at or above the durable point D is a torn tail and is cut
//     off. Below D durable data is damaged: the log refuses to open, naming file and offset.
//   - W6 Every buffer is bounded; full means wait or refuse, never drop.
//   - W7 A flushed record makes every record before it durable.
//   - R2 A received record enters at exactly its position, its chain matching, or not at all.
//
// # Standbys and timelines
//
// A standby's log has one more writer to its left: the link. Receive makes whole records of the
// bytes, checks each against the chain, and writes the same bytes; from there on flusher, cursors
// and recovery do what they do on a primary. Its list of epochs goes before the log, so that it
// covers the log up to flushed; recovery takes out what the log did not come to have.
//
// A promotion begins a timeline at the tail F. The segment of F then has two files: that of the old
// timeline ends at F for ever, zeros behind it; the log goes on in a copy under the new name, and
// every reader, of either timeline, uses that one. The promotion has happened when its
// timeline-begin is durable. Until then what there is of it leads nowhere, and recovery removes it
// (branches.go); from then on recovery finishes what is missing. Readers of the old timeline stop
// at F from before the first byte is written, and are told how it ended once it is durable.
//
// # Waiting
//
// WaitFlushed and WaitFlushedFor hurry the flusher, AwaitFlushed and a Cursor's Wait follow it. All
// who hurry are one queue ordered by position (waitqueue.go). When the disk fails, all of them, and
// whoever asks later, get one UnresolvedError: what ends above flushed is neither durable nor lost
// until the restart says which (unresolved.go). Options.Unresolved hears of it before Fatal does.
//
// # Who runs
//
//   - the leader: the caller of Append, SwitchSegment, NextLSN and BeginEpoch, one at a time;
//     owns head (group.go). A standby has none: there whoever holds receiving owns head, the caller
//     of Receive, FollowTimeline or Promote
//   - the flusher (flusher.go): one goroutine pinned to its thread; alone moves flushed
//   - the keeper (keeper.go): rewrites control, at most once a second
//   - the preparer (prepare.go): keeps zeroed segments ready
//
// All three goroutines are started by OpenLog and ended and awaited by Close.
//
// # Lock order
//
// Log.recycling before Log.mu, Log.receiving before Log.mu, the two never together; Dir.mu,
// controlFile.mu, horizon.mu and preparer.mu are leaves: no other lock is taken under them. Only
// recycling, receiving and controlFile.mu are ever held over I/O, and none of them is taken by a
// primary's leader or by the flusher. So what OnFlushed was given must not ask for Tail or
// ReceivePosition.
//
// # Files
//
// Bytes without I/O: format*.go, chain.go, control.go, epochs.go, history.go. Recovery is
// recover.go (the steps), branches.go (which timeline), durable.go (D) and settle.go (making what
// was read durable). A standby is receive.go, promote.go and branch.go; those who follow it read
// rawreader.go and link.go. docs/WAL_FORMAT.md draws the bytes, docs/DURABILITY.md says what the
// package assumes of disk and kernel.
package wal
