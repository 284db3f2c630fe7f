package pgcatalog

import (
	"fmt"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// The views of information_schema about functions. Most of their columns are of things that
// PostgreSQL has none of, and NULL: they are filled by name.

func schemaRoutines(e *env, w *writer) error {
	for i := range procedures() {
		p := &procedures()[i]
		var kind any
		if p.kind == 'f' {
			kind = "FUNCTION"
		}
		err := w.named(map[string]any{
			"specific_catalog": e.site.Database, "specific_schema": catalog.PgCatalog,
			"specific_name": p.specificName(), "routine_catalog": e.site.Database,
			"routine_schema": catalog.PgCatalog, "routine_name": p.name, "routine_type": kind,
			"data_type": schemaType(p.result), "type_udt_catalog": e.site.Database,
			"type_udt_schema": catalog.PgCatalog, "type_udt_name": internalName(p.result),
			"dtd_identifier": "0", "routine_body": "EXTERNAL", "routine_definition": p.source,
			"external_language": "INTERNAL", "parameter_style": "GENERAL",
			"is_deterministic": yesNo(p.volatility == 'i'), "sql_data_access": "MODIFIES",
			"is_null_call": yesNo(p.strict), "schema_level_routine": "YES",
			"max_dynamic_result_sets": 0, "security_type": "INVOKER", "as_locator": "NO",
			"is_udt_dependent": "NO"})
		if err != nil {
			return err
		}
	}
	return nil
}

// parameterModes are the names of pg_proc.proargmodes; the rest of an argument list is one, too.
var parameterModes = map[byte]string{'i': "IN", 'v': "IN", 'o': "OUT", 't': "OUT", 'b': "INOUT"}

func schemaParameters(e *env, w *writer) error {
	for i := range procedures() {
		if err := e.parametersOf(w, &procedures()[i]); err != nil {
			return err
		}
	}
	return nil
}

func (e *env) parametersOf(w *writer, p *proc) error {
	defaults := p.defaultsByInput()
	position, input := 0, 0
	var failed error
	p.eachArgument(func(name string, mode byte, typ types.OID) {
		position++
		var expr, parameter any
		if mode == 'i' || mode == 'b' || mode == 'v' {
			input++
			if text := defaults[input]; text != "" {
				expr = text
			}
		}
		if name != "" {
			parameter = name
		}
		if failed != nil {
			return
		}
		failed = w.named(map[string]any{
			"specific_catalog": e.site.Database, "specific_schema": catalog.PgCatalog,
			"specific_name": p.specificName(), "ordinal_position": position,
			"parameter_mode": parameterModes[mode], "is_result": "NO", "as_locator": "NO",
			"parameter_name": parameter, "data_type": schemaType(typ),
			"udt_catalog": e.site.Database, "udt_schema": catalog.PgCatalog,
			"udt_name": internalName(typ), "dtd_identifier": fmt.Sprint(position),
			"parameter_default": expr})
	})
	return failed
}

// specificName tells a function from others of its name.
func (p *proc) specificName() string { return fmt.Sprintf("%s_%d", p.name, p.oid) }

// schemaType is what information_schema calls a type.
func schemaType(oid types.OID) string {
	if types.ElemOf(oid) != 0 {
		return "ARRAY"
	}
	return TypeName(oid)
}

// internalName is pg_type.typname.
func internalName(oid types.OID) string {
	if info := types.Lookup(oid); info != nil {
		return info.Name
	}
	return pseudoTypes()[oid]
}
