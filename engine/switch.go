package engine

import (
	"context"

	"ackdb/wal"
)

// SwitchSegment ends the log's current segment, so that its file is complete and can be archived,
// and returns where the log ends then. It goes through the pipeline like a commit, because only
// the leader may move the log's end.
func (db *DB) SwitchSegment(ctx context.Context) (wal.LSN, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := db.writableNode(); err != nil {
		return 0, err
	}
	req := requests.Get().(*commitRequest)
	req.kind = wal.TypeNoop
	result, err := db.submit(req)
	return result.End, err
}

// switchSegment is the leader's part. The filler is a record like any other to the marker.
func (db *DB) switchSegment() (CommitResult, error) {
	end, err := db.log.SwitchSegment()
	if err != nil {
		return CommitResult{}, err
	}
	db.applier.mu.Lock()
	db.applier.pass(end)
	db.applier.mu.Unlock()
	db.applied.publish(end)
	return CommitResult{LSN: end, End: end, EpochID: db.epoch}, nil
}
