package server

import (
	"context"
	"fmt"

	"ackdb/pgwire"
	"ackdb/wal"
)

const unresolvedHint = "After the restart ack_commit_status() says of each token what became of it."

// unresolvedDetail names the range of which only the restart decides.
func unresolvedDetail(e *wal.UnresolvedError) string {
	return fmt.Sprintf("Commits in %s..%s are unresolved: only the restart decides whether they "+
		"are durable. Those up to %s are.", e.First, e.Last, e.First)
}

// tellUnresolved tells every session that the disk has failed, before the process ends: those who
// wait for a commit, those who listen on ack_durable, and those who would find out by their next
// statement. The log calls it once and gives it wal.UnresolvedGraceMax, so a client that does not
// read is not waited for longer.
func (srv *Server) tellUnresolved(e *wal.UnresolvedError) {
	srv.log.Error("the log has failed; the server stops", "err", e)
	reason := wireError(e)
	reason.Severity = pgwire.SeverityFatal
	if !srv.ready.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), wal.UnresolvedGraceMax)
	defer cancel()
	srv.endpoint.Shutdown(ctx, reason)
}
