package server

import (
	"context"
	"errors"
	"time"

	"ackdb/pgwire"
	"ackdb/replica"
	"ackdb/server/sql/types"
	"ackdb/wal"
)

// baseBackup serves BASE_BACKUP: two result sets, a copy that holds one archive, and one result set
// more behind it.
func (r *replicationSession) baseBackup(
	ctx context.Context, c replica.BaseBackup, w *pgwire.Writer,
) error {
	r.waitsFor("Activity", "BaseBackup")
	defer r.waitsFor("", "")
	snapshot, err := r.server.db.Snapshot(ctx)
	if err != nil {
		return err
	}
	peer := r.peer()
	out := &backupOut{writer: w, patience: r.senderTimeout(), stalled: func() {
		r.server.log.Warn("terminating walsender process due to replication timeout: the client "+
			"does not read its base backup", "pid", peer.Conn, "application_name", peer.App)
		r.conn.Break()
	}}
	err = r.server.hub.Backup(ctx, c, peer, snapshot, out)
	if closing := snapshot.Close(); err == nil {
		err = closing
	}
	if errors.Is(err, replica.ErrHubClosed) {
		return errShuttingDown
	}
	return err
}

// backupOut writes a base backup in the messages pg_basebackup expects. It implements
// replica.BackupWriter.
type backupOut struct {
	writer *pgwire.Writer
	// patience is how long the client may take to read a piece; 0 is for ever. Stalled ends one that
	// takes longer: it would hold a snapshot of the store, and all log since, as long as it likes.
	patience time.Duration
	stalled  func()
}

// Begin implements replica.BackupWriter.
func (o *backupOut) Begin(start wal.LSN, timeline uint32, sizeKB int64) error {
	if err := o.position(start, timeline); err != nil {
		return err
	}
	// One tablespace, the default, which has neither oid nor place.
	oid := pgwire.Column{Name: "spcoid", TypeOID: uint32(types.Oid), TypeSize: 4, TypeMod: -1}
	err := writeResult(o.writer, []pgwire.Column{oid, textColumn("spclocation"),
		int8Column("size")}, nil, nil, sizeKB)
	if err != nil {
		return err
	}
	o.writer.CommandComplete("SELECT")
	o.writer.CopyOut(false, 0)
	return nil
}

// Data implements replica.BackupWriter.
func (o *backupOut) Data(parts ...[]byte) error {
	if o.patience > 0 {
		timer := time.AfterFunc(o.patience, o.stalled)
		defer timer.Stop()
	}
	buf := o.writer.BeginCopyData()
	for _, p := range parts {
		buf = append(buf, p...)
	}
	return o.writer.EndCopyData(buf)
}

// End implements replica.BackupWriter.
func (o *backupOut) End(end wal.LSN, timeline uint32) error {
	o.writer.CopyDone()
	return o.position(end, timeline)
}

func (o *backupOut) position(lsn wal.LSN, timeline uint32) error {
	err := writeResult(o.writer, []pgwire.Column{textColumn("recptr"), int8Column("tli")},
		lsn, timeline)
	if err != nil {
		return err
	}
	o.writer.CommandComplete("SELECT")
	return nil
}
