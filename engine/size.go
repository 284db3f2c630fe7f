package engine

import "encoding/binary"

// DiskUsage estimates how many bytes of the store's files a table takes up. Rows that no file holds
// yet, because no checkpoint has come since they were written, are not counted.
func (db *DB) DiskUsage(table TableID) (uint64, error) {
	lo, hi := tableSpan(table)
	return db.diskUsage(lo, hi)
}

// TotalDiskUsage estimates how many bytes of the store's files all tables take up.
func (db *DB) TotalDiskUsage() (uint64, error) {
	lo, _ := tableSpan(metaTable)
	return db.diskUsage(lo, binary.BigEndian.AppendUint32(nil, uint32(MaxTableID)+1))
}

func (db *DB) diskUsage(lo, hi []byte) (uint64, error) {
	if err := db.closing(); err != nil {
		return 0, err
	}
	return db.store.EstimateDiskUsage(lo, hi)
}
