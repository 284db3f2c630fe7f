// Package replica carries the log from one node to others: by Postgres' own replication protocol,
// so that Postgres' tools can archive it, and with a handshake of ours, so that two histories that
// have parted never meet unnoticed.
//
// A Hub serves a node's log to its peers, primary or standby, and knows what each of them has;
// Slots keep the log for those that are away; a Receiver keeps a standby's log going; Seed makes a
// directory to begin with. A Link is what they talk over.
//
// # Invariants
//
// Code and tests cite them by number; W and E are those of the log and the store.
//
//   - R1 acknowledged <= sent <= flushed: no peer is sent what a power cut here may still take
//     back, and what a peer says it has beyond what it was sent is not believed.
//   - R2 A received record enters the log at exactly its position, its chain matching, or the link
//     is dropped.
//   - R3 A slow peer costs disk, up to a limit, and never a commit's time: a sender holds one
//     buffer of SenderBufferSize, what else its peer lacks stays in the log.
//   - R4 A replica whose log has parted from its upstream's is refused. Nothing is cut off and
//     nothing merged.
//
// # Who counts
//
// A commit that waits for standbys waits for positions that peers have proven to hold at its level:
// written, flushed or applied. A replica that shook hands is believed from its first report on,
// since its log is known to be a prefix of ours. Postgres' pg_receivewal begins by reporting where
// it starts, which proves nothing, so only what lies beyond its first report counts; and `*` in
// synchronous_standby_names picks replicas alone.
//
// # Who runs
//
//   - a stream, three goroutines: the caller of Hub.Stream supervises, judges the peer's silence
//     and awaits the writer, which reads the log and sends, and the reader, which takes reports
//   - a base backup: its caller's goroutine alone
//   - the hub's watch, which looks at the slots once a second; started by NewHub, ended and awaited
//     by Hub.Close
//   - the receiver, and for each of its links a reporter, a watch and one that follows flushed;
//     ended and awaited by Receiver.Stop
//
// Hub.Close lets each stream send what is flushed and awaits it.
//
// # Lock order
//
// The log's recycling lock, then Slots.saving, then Slots.mu. Hub.mu before sender.mu, and before
// quorum.mu. All of mu are leaves otherwise; Slots.saving alone is held over I/O, and no stream
// takes it. The flusher takes none of them: it finds whom to wake in an atomic list.
//
// # Files
//
// Bytes without I/O: protocol.go, command*.go, syncnames.go, slotfile.go but for its last third,
// conninfo.go, keywords.go. The sending side is hub.go, sender*.go, quorum.go, slot*.go,
// backup*.go. The receiving side is receiver.go (one link after the other), follow.go (who upstream
// is, and going over to its next timeline), feed.go, reporter.go and watch.go (one stream),
// upstream.go and dial.go (what is said to whom); a seed is seed.go (its attempts),
// backupstream.go, untar.go and seeddir.go.
package replica
