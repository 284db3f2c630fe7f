package types

// OID identifies a type, as in PostgreSQL's pg_type.
type OID uint32

// The built-in types, under PostgreSQL's own numbers.
const (
	Bool               OID = 16
	Bytea              OID = 17
	Char               OID = 18 // "char", one byte
	Name               OID = 19
	Int8               OID = 20
	Int2               OID = 21
	Int2Vector         OID = 22
	Int4               OID = 23
	RegProc            OID = 24
	Text               OID = 25
	Oid                OID = 26
	Xid                OID = 28
	Cid                OID = 29
	OidVector          OID = 30
	JSON               OID = 114
	PgNodeTree         OID = 194
	Float4             OID = 700
	Float8             OID = 701
	Unknown            OID = 705
	Inet               OID = 869
	AclItem            OID = 1033
	BPChar             OID = 1042
	VarChar            OID = 1043
	Date               OID = 1082
	Time               OID = 1083
	Timestamp          OID = 1114
	TimestampTZ        OID = 1184
	Interval           OID = 1186
	Numeric            OID = 1700
	RegProcedure       OID = 2202
	RegClass           OID = 2205
	RegType            OID = 2206
	Record             OID = 2249
	CString            OID = 2275
	Any                OID = 2276
	AnyArray           OID = 2277
	Void               OID = 2278
	AnyElement         OID = 2283
	UUID               OID = 2950
	PgLSN              OID = 3220
	JSONB              OID = 3802
	RegNamespace       OID = 4089
	RegRole            OID = 4096
	AnyCompatible      OID = 5077
	AnyCompatibleArray OID = 5078
	Xid8               OID = 5069

	AnyNonArray           OID = 2776
	AnyCompatibleNonArray OID = 5079
)

// The arrays of them.
const (
	JSONArray         OID = 199
	Xid8Array         OID = 271
	BoolArray         OID = 1000
	ByteaArray        OID = 1001
	CharArray         OID = 1002
	NameArray         OID = 1003
	Int2Array         OID = 1005
	Int2VectorArray   OID = 1006
	Int4Array         OID = 1007
	RegProcArray      OID = 1008
	TextArray         OID = 1009
	XidArray          OID = 1011
	CidArray          OID = 1012
	OidVectorArray    OID = 1013
	BPCharArray       OID = 1014
	VarCharArray      OID = 1015
	Int8Array         OID = 1016
	Float4Array       OID = 1021
	Float8Array       OID = 1022
	OidArray          OID = 1028
	AclItemArray      OID = 1034
	InetArray         OID = 1041
	TimestampArray    OID = 1115
	DateArray         OID = 1182
	TimeArray         OID = 1183
	TimestampTZArray  OID = 1185
	IntervalArray     OID = 1187
	NumericArray      OID = 1231
	CStringArray      OID = 1263
	RegProcedureArray OID = 2207
	RegClassArray     OID = 2210
	RegTypeArray      OID = 2211
	RecordArray       OID = 2287
	UUIDArray         OID = 2951
	PgLSNArray        OID = 3221
	JSONBArray        OID = 3807
	RegNamespaceArray OID = 4090
	RegRoleArray      OID = 4097
)
