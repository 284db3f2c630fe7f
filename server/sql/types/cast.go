package types

// CastContext says how willingly a conversion is made; each context allows those before it.
type CastContext uint8

const (
	// Implicit conversions happen in any expression.
	Implicit CastContext = iota
	// Assignment conversions happen when a value is stored into a column.
	Assignment
	// Explicit conversions are asked for, by CAST or ::.
	Explicit
)

// castFunc converts a value that is not NULL.
type castFunc func(d Datum, to OID, env *Env) (Datum, error)

// Cast is a conversion found by FindCast.
type Cast struct {
	fn       castFunc
	explicit bool
	// Stable marks a conversion whose result depends on the session, its time zone for example.
	Stable bool
}

// Relabel reports whether the conversion keeps the value and changes its type alone, so that an
// index on the source serves the target.
func (c Cast) Relabel() bool { return c.fn == nil }

// Apply converts a value; NULL stays NULL. The modifier of the target is applied too.
func (c Cast) Apply(d Datum, to Type, env *Env) (Datum, error) {
	if d.IsNull() {
		return d, nil
	}
	if c.fn == nil {
		d = d.As(to.OID)
	} else {
		var err error
		if d, err = c.fn(d, to.OID, env); err != nil {
			return Null, err
		}
	}
	if to.Mod == NoMod {
		return d, nil
	}
	return ApplyMod(d, to, c.explicit)
}

// castEntry is one row of pg_cast.
type castEntry struct {
	context CastContext
	fn      castFunc
	stable  bool
}

type castKey struct{ from, to OID }

// FindCast finds how a type becomes another in a context, as PostgreSQL's find_coercion_pathway
// does: the same type, an unknown literal, an entry of the table, arrays by their elements, and
// conversions through text.
func FindCast(from, to OID, ctx CastContext) (Cast, bool) {
	explicit := ctx == Explicit
	switch {
	case from == to || from == 0 || to == Any:
		return Cast{explicit: explicit}, true
	case from == Unknown:
		return Cast{fn: castUnknown, explicit: explicit, Stable: stableInput(to)}, !isPolymorphic(to)
	}
	if entry, ok := castTable[castKey{from, to}]; ok {
		return Cast{fn: entry.fn, explicit: explicit, Stable: entry.stable}, entry.context <= ctx
	}
	if toElem, fromElem := ElemOf(to), ElemOf(from); toElem != 0 && fromElem != 0 && !isVector(to) {
		return findArrayCast(from, to, ctx)
	}
	return findTextCast(from, to, ctx)
}

// CanCast reports whether FindCast finds a conversion.
func CanCast(from, to OID, ctx CastContext) bool {
	_, ok := FindCast(from, to, ctx)
	return ok
}

// CastByFunction reports whether a function converts between two types, or within one to a length,
// and not a change of name or a way through text.
func CastByFunction(from, to OID) bool {
	entry, ok := castTable[castKey{from, to}]
	return from == to || ok && entry.fn != nil
}

// findTextCast converts through the text forms: to a string type on assignment, from one only when
// asked for.
func findTextCast(from, to OID, ctx CastContext) (Cast, bool) {
	fromCategory, _ := Category(from)
	toCategory, _ := Category(to)
	pseudo := Lookup(to) == nil || Lookup(to).Pseudo && to != Record
	switch {
	case pseudo || Lookup(from) == nil:
		return Cast{}, false
	case toCategory == 'S' && ctx >= Assignment && from != Void:
		return Cast{fn: castViaText, explicit: ctx == Explicit, Stable: stableInput(from)}, true
	case fromCategory == 'S' && ctx == Explicit:
		return Cast{fn: castViaText, explicit: true, Stable: stableInput(to)}, true
	}
	return Cast{}, false
}

// stableInput reports whether the text form of a type depends on the session.
func stableInput(oid OID) bool {
	switch oid {
	case Date, Time, Timestamp, TimestampTZ, RegClass, RegProc, RegProcedure, RegNamespace, RegRole:
		return true
	}
	if elem := ElemOf(oid); elem != 0 {
		return stableInput(elem)
	}
	return false
}

func isPolymorphic(oid OID) bool {
	switch oid {
	case AnyArray, AnyElement, AnyNonArray, AnyCompatible, AnyCompatibleArray, AnyCompatibleNonArray:
		return true
	}
	return false
}

func castUnknown(d Datum, to OID, env *Env) (Datum, error) { return parseText(to, d.Str(), env) }

func castViaText(d Datum, to OID, env *Env) (Datum, error) {
	return parseText(to, string(AppendText(nil, d, env)), env)
}

func findArrayCast(from, to OID, ctx CastContext) (Cast, bool) {
	elem, ok := FindCast(ElemOf(from), ElemOf(to), ctx)
	if !ok {
		return Cast{}, false
	}
	fn := func(d Datum, to OID, env *Env) (Datum, error) {
		src := d.Array()
		out := &Array{Elem: ElemOf(to), Dims: src.Dims, Elems: make([]Datum, len(src.Elems))}
		target := Of(out.Elem)
		for i, e := range src.Elems {
			var err error
			if out.Elems[i], err = elem.Apply(e, target, env); err != nil {
				return Null, err
			}
		}
		return NewArrayDatum(to, out), nil
	}
	return Cast{fn: fn, explicit: ctx == Explicit, Stable: elem.Stable}, true
}

// CastDatum converts one value; use FindCast where many follow.
func CastDatum(d Datum, to Type, ctx CastContext, env *Env) (Datum, error) {
	if d.IsNull() {
		return d, nil
	}
	c, ok := FindCast(d.typ, to.OID, ctx)
	if !ok {
		return Null, ErrCannotCast(d.typ, to.OID)
	}
	return c.Apply(d, to, env)
}

// ErrCannotCast answers a conversion that does not exist.
func ErrCannotCast(from, to OID) *Error {
	return Errorf(CodeCannotCoerce, "cannot cast type %s to %s", FormatType(from, NoMod),
		FormatType(to, NoMod))
}

// ErrColumnType answers a value that cannot be assigned to its column.
func ErrColumnType(column string, columnType, from OID) *Error {
	return Errorf(CodeDatatypeMismatch, "column \"%s\" is of type %s but expression is of type %s",
		column, FormatType(columnType, NoMod), FormatType(from, NoMod)).
		WithHint("You will need to rewrite or cast the expression.")
}

// CommonType chooses the type of several expressions that must have one, as in UNION, CASE,
// COALESCE, IN, VALUES and ARRAY[]. On failure it returns the two types that do not match.
func CommonType(oids []OID) (common OID, mismatch OID, ok bool) {
	common = Unknown
	for _, next := range oids {
		if next == Unknown || next == 0 || next == common {
			continue
		}
		if common == Unknown {
			common = next
			continue
		}
		commonCategory, preferred := Category(common)
		nextCategory, _ := Category(next)
		if commonCategory != nextCategory {
			return common, next, false
		}
		if !preferred && CanCast(common, next, Implicit) && !CanCast(next, common, Implicit) {
			common = next
		}
	}
	if common == Unknown {
		common = Text
	}
	return common, 0, true
}
