package wal

import (
	"context"
	"errors"
)

// Promote begins a timeline of this node's own at the end of a standby's log.
func (l *Log) Promote(ctx context.Context, reason string) (Begin, error) {
	return Begin{}, errors.New("wal: not yet: Promote")
}

// FollowTimeline prepares a standby for the timeline that its primary's history goes on in.
func (l *Log) FollowTimeline(
	ctx context.Context, next uint32, fork LSN, history []byte,
) error {
	return errors.New("wal: not yet: FollowTimeline")
}
