package server

import (
	"context"
	"errors"
	"fmt"

	"ackdb/pgwire"
	"ackdb/replica"
)

// stream serves START_REPLICATION. While it runs the connection outlives the sessions of a server
// that shuts down: what they have committed last is still to be sent.
func (r *replicationSession) stream(
	ctx context.Context, c replica.StartReplication, w *pgwire.Writer,
) error {
	r.conn.Linger(true)
	defer r.conn.Linger(false)
	r.waitsFor("Activity", "WalSenderMain")
	defer r.waitsFor("", "")
	var both *pgwire.CopyBoth
	open := func() (_ replica.Link, err error) {
		if both, err = w.CopyBoth(ctx); err != nil {
			return nil, err
		}
		return both, nil
	}
	end, err := r.server.hub.Stream(ctx, open, c, r.peer())
	if err != nil {
		return streamFailed(err, both != nil, w)
	}
	if err := both.Finish(r.senderTimeout()); err != nil {
		return err
	}
	if end != nil {
		err := writeResult(w, []pgwire.Column{int8Column("next_tli"),
			textColumn("next_tli_startpos")}, end.Next, end.Start)
		if err != nil {
			return err
		}
	}
	// pg_receivewal wants two completions behind the copy: this, and the command's own.
	w.CommandComplete("START_STREAMING")
	return nil
}

// streamFailed is how a stream that err has ended is answered.
func streamFailed(err error, begun bool, w *pgwire.Writer) error {
	switch {
	case errors.Is(err, replica.ErrHubClosed) && begun:
		// The server shuts down and everything is sent. Postgres says so in these words and hangs up.
		w.CommandComplete("COPY 0")
		return pgwire.ErrEndSession
	case errors.Is(err, replica.ErrHubClosed):
		return errShuttingDown
	case errors.Is(err, replica.ErrPeerSilent):
		// Nobody is there to be told.
		return fmt.Errorf("%w: terminating walsender process due to replication timeout: %w",
			pgwire.ErrClientGone, err)
	}
	return err
}
