package wal

import (
	"encoding/binary"
	"fmt"
	"io"
)

// SetRole writes the role, and for a standby whom it follows, into both copies of control: were
// one left with the role before, damage to the other would have the next start be what it was.
func (d *Dir) SetRole(role Role, primaryConn string) error {
	if len(primaryConn) > controlConnMax {
		return fmt.Errorf("wal: connection string of %d bytes, at most %d",
			len(primaryConn), controlConnMax)
	}
	return d.control.updateBoth(func(c *Control) {
		if c.Role == RoleBackup && role != RoleBackup {
			// The log has been recovered, and so reaches the backup's end durably.
			c.Flushed = max(c.Flushed, c.BackupEnd)
			c.BackupStart, c.BackupEnd = 0, 0
		}
		c.Role, c.PrimaryConn = role, primaryConn
	})
}

// EncodeBackupControl makes the file control of a base backup of the node that c is of, which needs
// the log from start to end.
func EncodeBackupControl(c Control, start, end LSN) []byte {
	backup := Control{
		SystemID: c.SystemID, SegmentSize: c.SegmentSize, Role: RoleBackup, EpochID: c.EpochID,
		BackupStart: start, BackupEnd: end, Time: c.Time,
	}
	return append(encodeControl(&backup, 1), make([]byte, controlBlockSize)...)
}

// drawNode gives the directory of a backup an identity of its own at its first start.
func (d *Dir) drawNode() error {
	if d.control.get().NodeID != 0 {
		return nil
	}
	id, err := drawID(d.opts.Rand)
	if err != nil {
		return err
	}
	return d.control.updateBoth(func(c *Control) { c.NodeID = id | 1 })
}

// drawID draws an identifier; whoever does sets a bit in it, for 0 means "none".
func drawID(random io.Reader) (uint64, error) {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return 0, fmt.Errorf("wal: draw identifiers: %w", err)
	}
	return binary.LittleEndian.Uint64(b[:]), nil
}
