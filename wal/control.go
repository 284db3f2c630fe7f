package wal

import (
	"encoding/binary"
	"hash/crc32"
)

// Role is what a node is; it survives restarts in control.
type Role uint8

// The roles. The numbers are part of the format.
const (
	RolePrimary Role = 1
	RoleStandby Role = 2
	RoleBackup  Role = 3 // a base backup nobody has started yet
)

func (r Role) String() string {
	switch r {
	case RolePrimary:
		return "primary"
	case RoleStandby:
		return "standby"
	case RoleBackup:
		return "backup"
	}
	return "role " + itoa(uint64(r))
}

// Cut is a shortening of the log that has been decided and may not be finished: everything from
// At on goes. The zero Cut is none.
type Cut struct {
	Timeline uint32
	At       LSN
}

// Control is what a node knows about itself before it reads any log.
type Control struct {
	SystemID    uint64 // of the database, equal on every node of it
	NodeID      uint64 // drawn at the first start of this directory
	SegmentSize int64
	Role        Role
	Clean       bool // the node stopped in order and has not started since
	EpochID          // newest this node knew
	Flushed     LSN  // lags flushed by about a second while commits come in
	Applied     LSN  // the store's durable marker, as last heard
	Redo        LSN
	Cut         Cut
	BackupStart LSN // of RoleBackup: the log it needs
	BackupEnd   LSN
	PrimaryConn string // primary_conninfo of a standby
	Time        int64  // microseconds since 1970, of the last rewrite
}

// The file control is two copies of one block, written in turn: a power cut in the middle of one
// leaves the other whole.
//
//	 0       8     12        16    24          32        40             48     49      50
//	+-------+-----+---------+-----+-----------+---------+--------------+------+-------+
//	| magic | crc | version | seq | system id | node id | segment size | role | clean |  zero x6
//	+-------+-----+---------+-----+-----------+---------+--------------+------+-------+
//	 56      64      72        80        88     96       104     112      120     124       128
//	+-------+-------+---------+---------+------+--------+-------+--------+--------+----------+
//	| time  | epoch | flushed | applied | redo | cut at | start | end    | timel. | cut tim. |
//	+-------+-------+---------+---------+------+--------+-------+--------+--------+----------+
//	 128        130: conninfo, then zeros
//	+----------+
//	| conn len |
//	+----------+
//
// crc is CRC-32C over the whole block but itself and the magic, in every version, so that what a
// later version wrote can be told from damage.
const (
	controlBlockSize = 4096
	controlCopies    = 2
	controlMagic     = 0x4c4f525443_6b6361 // "ackCTROL"
	controlVersion   = 1
	controlConnMax   = 1024
)

// encodeControl makes the block of c.
func encodeControl(c *Control, seq uint64) []byte {
	b := make([]byte, controlBlockSize)
	le := binary.LittleEndian
	le.PutUint64(b, controlMagic)
	le.PutUint32(b[12:], controlVersion)
	le.PutUint64(b[16:], seq)
	le.PutUint64(b[24:], c.SystemID)
	le.PutUint64(b[32:], c.NodeID)
	le.PutUint64(b[40:], uint64(c.SegmentSize))
	b[48] = byte(c.Role)
	if c.Clean {
		b[49] = 1
	}
	le.PutUint64(b[56:], uint64(c.Time))
	le.PutUint64(b[64:], c.Epoch)
	for i, lsn := range []LSN{c.Flushed, c.Applied, c.Redo, c.Cut.At, c.BackupStart, c.BackupEnd} {
		le.PutUint64(b[72+8*i:], uint64(lsn))
	}
	le.PutUint32(b[120:], c.Timeline)
	le.PutUint32(b[124:], c.Cut.Timeline)
	conn := c.PrimaryConn[:min(len(c.PrimaryConn), controlConnMax)]
	le.PutUint16(b[128:], uint16(len(conn)))
	copy(b[130:], conn)
	le.PutUint32(b[8:], crc32.Checksum(b[12:], castagnoli))
	return b
}

// decodeControl is the reverse of encodeControl.
func decodeControl(b []byte) (c Control, seq uint64, err error) {
	le := binary.LittleEndian
	switch {
	case len(b) != controlBlockSize || le.Uint64(b) != controlMagic:
		return c, 0, badFrame("no control block")
	case crc32.Checksum(b[12:], castagnoli) != le.Uint32(b[8:]):
		return c, 0, badFrame("crc of a control block does not match")
	case le.Uint32(b[12:]) != controlVersion:
		return c, 0, &UnsupportedError{What: "control version " + itoa(uint64(le.Uint32(b[12:])))}
	}
	conn := int(le.Uint16(b[128:]))
	if conn > controlConnMax || !validSegmentSize(int64(le.Uint64(b[40:]))) || b[49] > 1 {
		return c, 0, badFrame("a field of a control block is out of range")
	}
	lsn := func(i int) LSN { return LSN(le.Uint64(b[i:])) }
	return Control{
		SystemID: le.Uint64(b[24:]), NodeID: le.Uint64(b[32:]),
		SegmentSize: int64(le.Uint64(b[40:])),
		Role:        Role(b[48]), Clean: b[49] == 1, Time: int64(le.Uint64(b[56:])),
		EpochID: EpochID{Timeline: le.Uint32(b[120:]), Epoch: le.Uint64(b[64:])},
		Flushed: lsn(72), Applied: lsn(80), Redo: lsn(88),
		Cut:         Cut{Timeline: le.Uint32(b[124:]), At: lsn(96)},
		BackupStart: lsn(104), BackupEnd: lsn(112),
		PrimaryConn: string(b[130 : 130+conn]),
	}, le.Uint64(b[16:]), nil
}
