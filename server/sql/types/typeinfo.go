package types

// Type is a type as a column or an expression has it.
type Type struct {
	OID OID
	// Mod is PostgreSQL's type modifier: n+4 for varchar(n) and char(n), precision and scale for
	// numeric, fractional digits for timestamps, and NoMod where there is none.
	Mod int32
}

// NoMod is the modifier of a type without one.
const NoMod int32 = -1

// Of returns the type with the given OID and no modifier.
func Of(oid OID) Type { return Type{OID: oid, Mod: NoMod} }

// Info describes a type that exists; the columns of pg_type.
type Info struct {
	OID       OID
	Name      string // internal, as in pg_type.typname
	SQLName   string // as messages and format_type show it
	Len       int16
	Category  byte
	Preferred bool
	Pseudo    bool
	Elem      OID
	Array     OID
	Collation uint32
	ByVal     bool
	Align     byte
	Storage   byte
}

// repr says how a Datum of a type holds its value.
type repr uint8

const (
	reprNone    repr = iota
	reprInt          // n
	reprFloat        // n, the bits of a float64
	reprBytes        // p and n, memory and length
	reprNumeric      // n and aux when small, else p = *apd.Decimal
	reprSpan         // p = *Span
	reprArray        // p = *Array
	reprRecord       // p = *record
)

// maxOID bounds the built-in types, so that their tables are arrays and a lookup is one load.
const maxOID = 5120

// Initialisers rather than an init function, so that other package variables may be built of
// values.
var (
	infoByOID, infoByName = indexInfos()
	reprByOID             = indexReprs()
)

func indexInfos() (byOID [maxOID]*Info, byName map[string]*Info) {
	byName = make(map[string]*Info, len(infos))
	for i := range infos {
		info := &infos[i]
		byOID[info.OID] = info
		byName[info.Name] = info
	}
	return byOID, byName
}

func indexReprs() (reprs [maxOID]repr) {
	for i := range infos {
		reprs[infos[i].OID] = reprOf(&infos[i])
	}
	return reprs
}

func reprOf(info *Info) repr {
	switch info.OID {
	case Float4, Float8:
		return reprFloat
	case Numeric:
		return reprNumeric
	case Interval:
		return reprSpan
	case Record:
		return reprRecord
	case Name, CString, Unknown, UUID, Void:
		return reprBytes
	}
	switch {
	case info.Elem != 0:
		return reprArray
	case info.Len > 0 && info.ByVal:
		return reprInt
	}
	return reprBytes
}

// Lookup describes a built-in type, or returns nil.
func Lookup(oid OID) *Info {
	if oid >= maxOID {
		return nil
	}
	return infoByOID[oid]
}

// LookupName finds a type by its internal name, as in pg_type.typname.
func LookupName(name string) *Info { return infoByName[name] }

// All lists the built-in types in no promised order; the caller does not write to it.
func All() []Info { return infos }

// ArrayOf returns the array type over an element type, 0 when there is none.
func ArrayOf(elem OID) OID {
	if info := Lookup(elem); info != nil {
		return info.Array
	}
	return 0
}

// ElemOf returns the element type of an array type, 0 when oid is no array.
func ElemOf(oid OID) OID {
	if info := Lookup(oid); info != nil && reprByOID[oid] == reprArray {
		return info.Elem
	}
	return 0
}

// Category returns the type's category and whether it is the preferred one of it.
func Category(oid OID) (byte, bool) {
	if info := Lookup(oid); info != nil {
		return info.Category, info.Preferred
	}
	return 'X', false
}

// isVector reports whether a type is one of the two catalog vectors, which are subscripted as
// arrays are and convert as none does.
func isVector(oid OID) bool { return oid == Int2Vector || oid == OidVector }

func reprFor(oid OID) repr {
	if oid >= maxOID {
		return reprNone
	}
	return reprByOID[oid]
}
