package types

// castTable is pg_cast for the types that exist here.
var castTable = map[castKey]castEntry{}

func init() {
	addIntegerCasts()
	addOIDCasts()
	addFloatCasts()
	addStringCasts()
	addTimeCasts()
	addJSONCasts()
}

func addCast(from, to OID, ctx CastContext, fn castFunc) {
	castTable[castKey{from, to}] = castEntry{context: ctx, fn: fn}
}

func addStableCast(from, to OID, ctx CastContext, fn castFunc) {
	castTable[castKey{from, to}] = castEntry{context: ctx, fn: fn, stable: true}
}

func addIntegerCasts() {
	order := []OID{Int2, Int4, Int8}
	for i, from := range order {
		for j, to := range order {
			switch {
			case i < j:
				addCast(from, to, Implicit, nil)
			case i > j:
				addCast(from, to, Assignment, castNarrow)
			}
		}
		addCast(from, Numeric, Implicit, castIntToNumeric)
		addCast(Numeric, from, Assignment, castNumericToInt)
		for _, float := range []OID{Float4, Float8} {
			addCast(from, float, Implicit, castIntToFloat)
			addCast(float, from, Assignment, castFloatToInt)
		}
	}
	addCast(Int4, Bool, Explicit, castIntToBool)
	addCast(Bool, Int4, Explicit, nil)
	addCast(Int4, Char, Explicit, castIntToChar)
	addCast(Char, Int4, Explicit, castCharToInt)
	addCast(Xid8, Xid, Explicit, castToUint32)
}

// addOIDCasts lets oid and the reg* types stand for one another, and integers for all of them.
func addOIDCasts() {
	kinds := []OID{Oid, RegProc, RegProcedure, RegClass, RegType, RegNamespace, RegRole}
	for _, kind := range kinds {
		addCast(Int2, kind, Implicit, castToUint32)
		addCast(Int4, kind, Implicit, castToUint32)
		addCast(Int8, kind, Implicit, castInt8ToOID)
		addCast(kind, Int8, Assignment, nil)
		addCast(kind, Int4, Assignment, castToInt32)
		if kind != Oid {
			addCast(Oid, kind, Implicit, nil)
			addCast(kind, Oid, Implicit, nil)
		}
	}
	addCast(RegProc, RegProcedure, Implicit, nil)
	addCast(RegProcedure, RegProc, Implicit, nil)
	addStableCast(Text, RegClass, Implicit, castViaText)
	addStableCast(VarChar, RegClass, Implicit, castViaText)
}

func addFloatCasts() {
	addCast(Float4, Float8, Implicit, nil)
	addCast(Float8, Float4, Assignment, castFloat8To4)
	for _, float := range []OID{Float4, Float8} {
		addCast(float, Numeric, Assignment, castFloatToNumeric)
		addCast(Numeric, float, Implicit, castNumericToFloat)
	}
	addCast(Numeric, Numeric, Implicit, nil)
}

func addStringCasts() {
	addCast(Text, VarChar, Implicit, nil)
	addCast(Text, BPChar, Implicit, nil)
	addCast(Text, Name, Implicit, castToName)
	addCast(Text, Char, Assignment, castToChar)
	addCast(VarChar, Text, Implicit, nil)
	addCast(VarChar, BPChar, Implicit, nil)
	addCast(VarChar, Name, Implicit, castToName)
	addCast(VarChar, Char, Assignment, castToChar)
	addCast(BPChar, Text, Implicit, castTrim)
	addCast(BPChar, VarChar, Implicit, castTrim)
	addCast(BPChar, Name, Implicit, castTrimToName)
	addCast(BPChar, Char, Assignment, castToChar)
	addCast(Name, Text, Implicit, nil)
	addCast(Name, VarChar, Assignment, nil)
	addCast(Name, BPChar, Assignment, nil)
	addCast(Char, Text, Implicit, castCharToString)
	addCast(Char, VarChar, Assignment, castCharToString)
	addCast(Char, BPChar, Assignment, castCharToString)
	for _, to := range []OID{Text, VarChar, BPChar} {
		addCast(Bool, to, Assignment, castBoolToString)
		addCast(Inet, to, Assignment, castInetToString)
	}
	addCast(CString, Text, Assignment, nil)
	addCast(PgNodeTree, Text, Implicit, nil)
	addCast(OidVector, OidArray, Implicit, castVectorToArray)
	addCast(Int2Vector, Int2Array, Implicit, castVectorToArray)
}

func addTimeCasts() {
	addCast(Date, Timestamp, Implicit, castDateToTimestamp)
	addStableCast(Date, TimestampTZ, Implicit, castDateToTimestampTZ)
	addCast(Timestamp, Date, Assignment, castTimestampToDate)
	addStableCast(TimestampTZ, Date, Assignment, castTimestampTZToDate)
	addStableCast(Timestamp, TimestampTZ, Implicit, castTimestampToTZ)
	addStableCast(TimestampTZ, Timestamp, Assignment, castTZToTimestamp)
	addCast(Timestamp, Time, Assignment, castTimestampToTime)
	addStableCast(TimestampTZ, Time, Assignment, castTZToTime)
	addCast(Time, Interval, Implicit, castTimeToInterval)
	addCast(Interval, Time, Assignment, castIntervalToTime)
}

func addJSONCasts() {
	addCast(JSON, JSONB, Assignment, castViaText)
	addCast(JSONB, JSON, Assignment, nil)
	for _, to := range []OID{Bool, Int2, Int4, Int8, Float4, Float8, Numeric} {
		addCast(JSONB, to, Explicit, castJSONBToScalar)
	}
}
