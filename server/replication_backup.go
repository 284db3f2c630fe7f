package server

import (
	"context"
	"errors"

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
	err = r.server.hub.Backup(ctx, c, r.peer(), snapshot,
		&backupOut{writer: w, log: r.server.db.Log()})
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
	log    *wal.Log
}

// Begin implements replica.BackupWriter.
func (o *backupOut) Begin(start wal.LSN, timeline uint32, sizeKB int64) error {
	if err := o.position(o.streamable(start), timeline); err != nil {
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

// streamable is where a client that streams the log beside the backup is told to begin, which is at
// the segment's start. A backup of an idle node may begin where the log ends, and pg_basebackup 15
// crashes when it compresses a stream without a byte: it gets the segment before.
func (o *backupOut) streamable(start wal.LSN) wal.LSN {
	before := start - 1
	if start%wal.LSN(o.log.SegmentSize()) != 0 || start < o.log.Flushed() || before < o.log.Oldest() {
		return start
	}
	return before
}

// Data implements replica.BackupWriter.
func (o *backupOut) Data(parts ...[]byte) error {
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
