package replica

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"

	"ackdb/wal"
)

// The file `slots`, big endian, replaced whole:
//
//	magic 8 | version u32 | count u32 | count times: length u8, name, flags u8, restart u64 | crc u32
//
// crc is CRC-32C over everything before it.
const (
	slotsName    = "slots"
	slotsMagic   = "ACKSLOTS"
	slotsVersion = 1

	slotLost = 1 << 0
)

// maxStoredSlots bounds what a file of slots may hold.
const maxStoredSlots = 1024

const slotsFileSizeMax = 8 + 4 + 4 + maxStoredSlots*(1+maxSlotName+1+8) + 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// storedSlot is what a slot is between two runs.
type storedSlot struct {
	name    string
	restart wal.LSN
	lost    bool
}

func encodeSlots(list []storedSlot) []byte {
	b := append([]byte(nil), slotsMagic...)
	b = binary.BigEndian.AppendUint32(b, slotsVersion)
	b = binary.BigEndian.AppendUint32(b, uint32(len(list)))
	for _, s := range list {
		b = append(b, byte(len(s.name)))
		b = append(b, s.name...)
		var flags byte
		if s.lost {
			flags |= slotLost
		}
		b = append(b, flags)
		b = binary.BigEndian.AppendUint64(b, uint64(s.restart))
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

var errBadSlots = errors.New("not a file of slots")

func decodeSlots(b []byte) ([]storedSlot, error) {
	if len(b) < 20 || string(b[:8]) != slotsMagic {
		return nil, errBadSlots
	}
	if v := binary.BigEndian.Uint32(b[8:]); v != slotsVersion {
		return nil, &wal.UnsupportedError{Segment: slotsName, What: fmt.Sprintf("version %d", v)}
	}
	body := b[:len(b)-4]
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(b[len(b)-4:]) {
		return nil, errors.New("checksum does not match")
	}
	count := binary.BigEndian.Uint32(b[12:])
	if count > maxStoredSlots {
		return nil, fmt.Errorf("%d slots", count)
	}
	rest := body[16:]
	list := make([]storedSlot, 0, count)
	for range count {
		var s storedSlot
		var err error
		if s, rest, err = decodeSlot(rest); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if len(rest) != 0 {
		return nil, errBadSlots
	}
	return list, nil
}

func decodeSlot(b []byte) (s storedSlot, rest []byte, err error) {
	if len(b) < 1 || len(b) < 1+int(b[0])+1+8 {
		return s, nil, errBadSlots
	}
	n := int(b[0])
	s.name = string(b[1 : 1+n])
	if checkSlotName(s.name) != nil || b[1+n]&^slotLost != 0 {
		return s, nil, errBadSlots
	}
	s.lost = b[1+n]&slotLost != 0
	s.restart = wal.LSN(binary.BigEndian.Uint64(b[2+n:]))
	return s, b[10+n:], nil
}

// slotFile keeps the slots on disk. One goroutine at a time.
type slotFile struct {
	disk wal.Disk
	dir  string

	// fail is sticky: once a rename or the fsync of its directory has failed nobody knows which of
	// the two files a power cut leaves, and an fsync that succeeds later proves nothing (W4).
	fail error
}

// read gives the slots on disk, none when there is no file.
func (f *slotFile) read() (list []storedSlot, err error) {
	file, err := f.disk.OpenRead(filepath.Join(f.dir, slotsName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("replica: open slots: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	b := make([]byte, slotsFileSizeMax+1)
	n, err := file.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("replica: read slots: %w", err)
	}
	list, err = decodeSlots(b[:n])
	var unsupported *wal.UnsupportedError
	if err != nil && !errors.As(err, &unsupported) {
		err = &wal.CorruptionError{Segment: slotsName, Reason: err.Error()}
	}
	return list, err
}

// write replaces the file: after a crash it is there as it was or as it is now.
func (f *slotFile) write(list []storedSlot) error {
	if f.fail != nil {
		return f.fail
	}
	temp := filepath.Join(f.dir, slotsName+".new")
	if err := f.writeTemp(temp, encodeSlots(list)); err != nil {
		return fmt.Errorf("replica: write slots: %w", err)
	}
	err := f.disk.Rename(temp, filepath.Join(f.dir, slotsName))
	if err == nil {
		err = f.disk.SyncDir(f.dir)
	}
	if err != nil {
		f.fail = fmt.Errorf("replica: replace slots: %w", err)
	}
	return f.fail
}

// writeTemp makes a new file of the content, durable under a name that nobody reads.
func (f *slotFile) writeTemp(path string, content []byte) error {
	if err := f.disk.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := f.disk.Create(path)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(content, 0)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}
