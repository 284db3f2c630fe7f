package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ackdb/pgwire"
	"ackdb/replica"
	"ackdb/wal"
)

// waitingEvery is how often a node that waits for its upstream says so.
const waitingEvery = 10 * time.Second

// mayFollow is asked when a directory that was a primary's is started with --replica-of. The flag
// may be a leftover: of a promoted node whose unit file still names the primary it replaced. Were it
// simply obeyed, that node would wait for a dead primary and refuse writes for ever, or follow one
// that lacks its commits; were it ignored, an old primary would come back as a second one. So the
// upstream decides, and until it answers nobody is served.
func (srv *Server) mayFollow(ctx context.Context, log *wal.Log) error {
	info, err := connInfoOf(srv.opts.ReplicaOf, srv.opts.Slot)
	if err != nil {
		return err
	}
	var told time.Time
	err = replica.AwaitUpstream(ctx, replica.ReceiverOptions{
		ConnInfo: info, Slot: srv.opts.Slot, Log: log,
		Events: replica.ReceiverEvents{Lost: func(err error, _ time.Duration) {
			if time.Since(told) < waitingEvery {
				return
			}
			told = time.Now()
			srv.log.Warn("this node was a primary, and waits for its upstream before it becomes a "+
				"standby; start it without --replica-of to serve as a primary",
				"timeline", log.Timeline(), "ends", log.Tail().End, "upstream", info.Addr(),
				"err", err)
		}},
	})
	if err == nil || ctx.Err() != nil {
		return err
	}
	srv.log.Error("this node was a primary, and cannot become a standby there; it stays a primary",
		"code", pgwire.CodeObjectNotInPrerequisiteState, "timeline", log.Timeline(),
		"upstream", info.Addr(), "err", err)
	if errors.Is(err, replica.ErrOlderTimeline) {
		return fmt.Errorf("%w; following it would lose what this node has committed since it was "+
			"promoted: start it without --replica-of, and the other with --replica-of this one", err)
	}
	return err
}
