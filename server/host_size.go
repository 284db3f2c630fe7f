package server

import (
	"ackdb/engine"
	"ackdb/server/sql/builtin"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// Size implements builtin.Catalog, by what the store's files hold.
func (h *hostCatalog) Size(relation types.OID, kind builtin.SizeKind) (int64, bool) {
	s := h.session()
	if relation == 0 {
		size, err := s.server.db.TotalDiskUsage()
		return int64(size), err == nil
	}
	snapshot := s.snapshot()
	if t := snapshot.TableByOID(uint32(relation)); t != nil {
		return s.diskUsage(storagesOf(t, kind))
	}
	for _, t := range snapshot.Tables() {
		for _, x := range t.Indexes {
			if x.OID == uint32(relation) {
				return s.diskUsage([]engine.TableID{x.Storage})
			}
		}
		if t.PrimaryKey != nil && t.PrimaryKey.OID == uint32(relation) {
			return 0, true // it is the table
		}
	}
	return 0, snapshot.RelationByOID(uint32(relation)).Exists()
}

// storagesOf lists what belongs to a size of a table.
func storagesOf(t *catalog.Table, kind builtin.SizeKind) []engine.TableID {
	var list []engine.TableID
	if kind != builtin.SizeIndexes {
		list = append(list, t.Storage)
	}
	if kind == builtin.SizeIndexes || kind == builtin.SizeTotal {
		for _, x := range t.Indexes {
			list = append(list, x.Storage)
		}
	}
	return list
}

func (s *session) diskUsage(storages []engine.TableID) (int64, bool) {
	total := int64(0)
	for _, storage := range storages {
		if storage == 0 {
			continue
		}
		size, err := s.server.db.DiskUsage(storage)
		if err != nil {
			return 0, false
		}
		total += int64(size)
	}
	return total, true
}
