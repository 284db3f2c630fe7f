package catalog

import "ackdb/engine"

// System tables, all below the 100 that the engine reserves. Part of the stored format.
const (
	descriptorTable engine.TableID = 1 // kind byte + oid -> descriptor
	nameTable       engine.TableID = 2 // schema oid + name -> oid; the row DDL on a name locks
	// SequenceTable holds the state of sequences: oid -> last value and whether it was given out.
	SequenceTable engine.TableID = 3
	counterTable  engine.TableID = 4 // name of a counter -> its next value
	buildTable    engine.TableID = 5 // storage of an index that no descriptor names yet
)

// FirstUserOID is the first oid a user object gets, as in Postgres (FirstNormalObjectId).
const FirstUserOID uint32 = 16384

// Oids of built-in objects, those of Postgres.
const (
	PgCatalogOID         uint32 = 11
	PublicOID            uint32 = 2200
	InformationSchemaOID uint32 = 13000
	HeapAccessMethodOID  uint32 = 2
	BtreeAccessMethodOID uint32 = 403
	BootstrapRoleOID     uint32 = 10
)

// Names of the schemas that exist without a descriptor row.
const (
	PgCatalog         = "pg_catalog"
	Public            = "public"
	InformationSchema = "information_schema"
)

// MaxNameBytes is NAMEDATALEN-1: Postgres cuts longer names, with a notice.
const MaxNameBytes = 63

// MaxColumns is Postgres' MaxHeapAttributeNumber.
const MaxColumns = 1600
