package builtin

import "ackdb/server/sql/types"

func isPolymorphic(oid OID) bool {
	switch oid {
	case types.AnyElement, types.AnyArray, types.AnyNonArray, types.AnyCompatible,
		types.AnyCompatibleArray, types.AnyCompatibleNonArray:
		return true
	}
	return false
}

func hasPolymorphic(args []OID) bool {
	for _, a := range args {
		if isPolymorphic(a) || a == types.Any {
			return true
		}
	}
	return false
}

// binding is what the two families of polymorphic types stand for in one call: anyelement and its
// kin for one type exactly, anycompatible and its kin for the common type of all.
type binding struct {
	elem       OID
	compatible OID
}

// solvePolymorphic finds the types that polymorphic arguments stand for; elem stays 0 when all of
// that family are untyped.
func solvePolymorphic(declared, actual []OID) (binding, error) {
	var b binding
	var compatible []OID
	for i, d := range declared {
		a := actual[i]
		if a == types.Unknown || a == 0 {
			continue
		}
		switch d {
		case types.AnyElement, types.AnyNonArray:
			if b.elem != 0 && b.elem != a {
				return b, errNotAllAlike("anyelement", b.elem, a)
			}
			b.elem = a
		case types.AnyArray:
			elem := types.ElemOf(a)
			if b.elem != 0 && b.elem != elem {
				return b, errNotAllAlike("anyelement", b.elem, elem)
			}
			b.elem = elem
		case types.AnyCompatible, types.AnyCompatibleNonArray:
			compatible = append(compatible, a)
		case types.AnyCompatibleArray:
			compatible = append(compatible, types.ElemOf(a))
		}
	}
	if len(compatible) > 0 {
		common, other, ok := types.CommonType(compatible)
		if !ok {
			return b, errNotAllAlike("anycompatible", common, other)
		}
		b.compatible = common
	}
	if b.compatible == 0 {
		b.compatible = types.Text
	}
	return b, nil
}

func needsElem(declared []OID) bool {
	for _, d := range declared {
		switch d {
		case types.AnyElement, types.AnyNonArray, types.AnyArray:
			return true
		}
	}
	return false
}

func errNotAllAlike(family string, a, b OID) *types.Error {
	return types.Errorf(types.CodeDatatypeMismatch, "arguments declared \"%s\" are not all alike",
		family).WithDetail("%s versus %s", types.FormatType(a, types.NoMod),
		types.FormatType(b, types.NoMod))
}

func (b binding) concrete(declared, actual OID) OID {
	switch declared {
	case types.AnyElement, types.AnyNonArray:
		return b.elem
	case types.AnyArray:
		if actual == types.OidVector || actual == types.Int2Vector {
			return actual
		}
		return types.ArrayOf(b.elem)
	case types.AnyCompatible, types.AnyCompatibleNonArray:
		return b.compatible
	case types.AnyCompatibleArray:
		return types.ArrayOf(b.compatible)
	case types.Any:
		return actual
	}
	return declared
}
