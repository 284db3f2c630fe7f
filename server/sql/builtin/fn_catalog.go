package builtin

import (
	"fmt"
	"strings"

	"ackdb/server/sql/types"
)

func init() {
	oid, text, name, i4 := types.Oid, types.Text, types.Name, types.Int4
	boolean := types.Bool
	for fname, kind := range map[string]OID{
		"pg_table_is_visible": types.RegClass, "pg_type_is_visible": types.RegType,
		"pg_function_is_visible": types.RegProc, "pg_operator_is_visible": types.RegProcedure,
		"pg_collation_is_visible": 0, "pg_opclass_is_visible": 0, "pg_ts_config_is_visible": 0,
		"pg_statistics_obj_is_visible": 0, "pg_conversion_is_visible": 0,
		"pg_opfamily_is_visible": 0, "pg_ts_dict_is_visible": 0, "pg_ts_parser_is_visible": 0,
		"pg_ts_template_is_visible": 0,
	} {
		register(fn(fname, boolean, visibleFunc(kind), oid).stable())
	}
	register(
		fn("format_type", text, evalFormatType, oid, i4).stable().notStrict(),
		fn("pg_typeof", types.RegType, nil, types.Any).ofTypes(typeOf).stable().notStrict(),
		fn("to_regclass", types.RegClass, toReg(types.RegClass), text).stable(),
		fn("to_regtype", types.RegType, toReg(types.RegType), text).stable(),
		fn("to_regnamespace", types.RegNamespace, toReg(types.RegNamespace), text).stable(),
		fn("to_regproc", types.RegProc, toReg(types.RegProc), text).stable(),
		fn("to_regprocedure", types.RegProcedure, toReg(types.RegProcedure), text).stable(),
		fn("to_regrole", types.RegRole, toReg(types.RegRole), text).stable(),
		fn("pg_get_userbyid", name, evalUserByID, oid).stable(),
		fn("pg_get_serial_sequence", text, evalSerialSequence, text, text).stable(),
		fn("obj_description", text, evalObjDescription, oid, name).stable(),
		fn("obj_description", text, evalObjDescription, oid).stable(),
		fn("shobj_description", text, evalObjDescription, oid, name).stable(),
		fn("col_description", text, evalColDescription, oid, i4).stable(),
		fn("pg_encoding_to_char", name, evalEncodingToChar, i4).stable(),
		fn("pg_char_to_encoding", i4, evalCharToEncoding, name).stable(),
		fn("pg_relation_is_publishable", boolean, evalFalse, types.RegClass).stable(),
		fn("pg_tablespace_location", text, evalEmptyText, oid).stable(),
	)
	registerPrivileges()
	registerSequences()
}

func evalEmptyText(*Context, []Datum) (Datum, error) { return types.NewText(""), nil }

// catalog returns what answers questions about objects; without a server nothing exists.
func (c *Context) catalog() Catalog {
	if c.Host == nil {
		return noCatalog{}
	}
	if cat := c.Host.Catalog(); cat != nil {
		return cat
	}
	return noCatalog{}
}

// visibleFunc asks for one kind of object; of kind 0 there are only those of pg_catalog, all
// visible.
func visibleFunc(kind OID) Eval {
	return func(c *Context, a []Datum) (Datum, error) {
		if kind == 0 {
			return types.NewBool(true), nil
		}
		visible, exists := c.catalog().Visible(kind, OID(a[0].Int()))
		if !exists {
			return types.Null, nil
		}
		return types.NewBool(visible), nil
	}
}

// evalFormatType tells char without a modifier from bpchar, which is what -1 asks for.
func evalFormatType(c *Context, a []Datum) (Datum, error) {
	if a[0].IsNull() {
		return types.Null, nil
	}
	oid, mod := OID(a[0].Int()), types.NoMod
	if !a[1].IsNull() {
		mod = int32(a[1].Int())
		if mod == types.NoMod && oid == types.BPChar {
			return types.NewText("bpchar"), nil
		}
	}
	switch {
	case oid == 0:
		return types.NewText("-"), nil
	case types.Lookup(oid) != nil:
		return types.NewText(types.FormatType(oid, mod)), nil
	}
	if name, ok := c.catalog().TypeName(oid); ok {
		return types.NewText(name), nil
	}
	return types.NewText("???"), nil
}

// typeOf goes by the type an argument was resolved to, which a NULL has, too.
func typeOf(actual []OID) Eval {
	d := types.NewInt(types.RegType, int64(actual[0]))
	return func(*Context, []Datum) (Datum, error) { return d, nil }
}

// toReg is the cast that gives NULL for what does not exist.
func toReg(kind OID) Eval {
	return func(c *Context, a []Datum) (Datum, error) {
		d, err := types.ParseText(types.Of(kind), a[0].Str(), c.Env)
		if e, ok := err.(*types.Error); ok && e.Code != types.CodeInvalidName {
			return types.Null, nil
		}
		return d, err
	}
}

func evalUserByID(c *Context, a []Datum) (Datum, error) {
	name, ok := c.catalog().RoleName(OID(a[0].Int()))
	if !ok {
		name = fmt.Sprintf("unknown (OID=%d)", a[0].Int())
	}
	return types.NewString(types.Name, name), nil
}

func textOrNull(s string, ok bool) (Datum, error) {
	if !ok {
		return types.Null, nil
	}
	return types.NewText(s), nil
}

func evalSerialSequence(c *Context, a []Datum) (Datum, error) {
	name, ok, err := c.catalog().SerialSequence(a[0].Str(), a[1].Str())
	if err != nil || !ok {
		return types.Null, err
	}
	return types.NewText(name), nil
}

func evalObjDescription(c *Context, a []Datum) (Datum, error) {
	catalog := ""
	if len(a) > 1 {
		catalog = a[1].Str()
	}
	return textOrNull(c.catalog().Comment(OID(a[0].Int()), catalog, 0))
}

func evalColDescription(c *Context, a []Datum) (Datum, error) {
	return textOrNull(c.catalog().Comment(OID(a[0].Int()), "pg_class", int(a[1].Int())))
}

// encodings are those with a number in pg_enc that clients meet.
var encodings = map[int64]string{0: "SQL_ASCII", 1: "EUC_JP", 6: "UTF8", 8: "LATIN1", 9: "LATIN2",
	16: "LATIN9", 24: "WIN1252"}

func evalEncodingToChar(_ *Context, a []Datum) (Datum, error) {
	return types.NewString(types.Name, encodings[a[0].Int()]), nil
}

func evalCharToEncoding(_ *Context, a []Datum) (Datum, error) {
	name := strings.ReplaceAll(strings.ToUpper(a[0].Str()), "-", "")
	for number, known := range encodings {
		if known == name {
			return types.NewInt4(int32(number)), nil
		}
	}
	return types.NewInt4(-1), nil
}

func registerSequences() {
	class, i8 := types.RegClass, types.Int8
	register(
		fn("nextval", i8, sequenceFunc(NextVal), class).volatile(),
		fn("currval", i8, sequenceFunc(CurrVal), class).volatile(),
		fn("setval", i8, sequenceFunc(SetVal), class, i8).volatile(),
		fn("setval", i8, sequenceFunc(SetVal), class, i8, types.Bool).volatile(),
		fn("lastval", i8, sequenceFunc(LastVal)).volatile(),
	)
}

func sequenceFunc(kind SequenceKind) Eval {
	return func(c *Context, a []Datum) (Datum, error) {
		h, err := c.host("a sequence")
		if err != nil {
			return types.Null, err
		}
		op := SequenceOp{Kind: kind, IsCalled: true}
		if len(a) > 0 {
			op.Sequence = OID(a[0].Int())
		}
		if len(a) > 1 {
			op.Value = a[1].Int()
		}
		if len(a) > 2 {
			op.IsCalled = a[2].Bool()
		}
		v, err := h.Sequence(c.context(), op)
		if err != nil {
			return types.Null, err
		}
		return types.NewInt8(v), nil
	}
}

// noCatalog knows no objects.
type noCatalog struct{}

func (noCatalog) Visible(OID, OID) (visible, exists bool)          { return false, false }
func (noCatalog) TypeName(OID) (string, bool)                      { return "", false }
func (noCatalog) RoleName(OID) (string, bool)                      { return "", false }
func (noCatalog) IndexDef(OID, int, bool) (string, bool)           { return "", false }
func (noCatalog) ConstraintDef(OID, bool) (string, bool)           { return "", false }
func (noCatalog) ViewDef(OID, bool, int) (string, bool)            { return "", false }
func (noCatalog) Expression(kept string, _ OID, _ bool) string     { return kept }
func (noCatalog) FunctionDef(OID, FunctionPart) (string, bool)     { return "", false }
func (noCatalog) Comment(OID, string, int) (string, bool)          { return "", false }
func (noCatalog) SerialSequence(_, _ string) (string, bool, error) { return "", false, nil }
func (noCatalog) Size(OID, SizeKind) (int64, bool)                 { return 0, false }
