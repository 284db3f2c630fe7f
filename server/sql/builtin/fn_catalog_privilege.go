package builtin

import (
	"strings"

	"ackdb/server/sql/types"
)

// privileged is a kind of object that has_*_privilege asks about.
type privileged struct {
	object string
	kind   OID    // of the type that names it, 0 when nothing is looked up
	words  string // the privileges there are, between commas
}

const tablePrivileges = ",SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER,RULE,"

var privilegedObjects = []privileged{
	{"table", types.RegClass, tablePrivileges},
	{"any_column", types.RegClass, ",SELECT,INSERT,UPDATE,REFERENCES,"},
	{"sequence", types.RegClass, ",USAGE,SELECT,UPDATE,"},
	{"schema", types.RegNamespace, ",CREATE,USAGE,"},
	{"type", types.RegType, ",USAGE,"},
	{"function", 0, ",EXECUTE,"},
	{"database", 0, ",CREATE,TEMPORARY,TEMP,CONNECT,"},
	{"tablespace", 0, ",CREATE,"},
	{"language", 0, ",USAGE,"},
	{"server", 0, ",USAGE,"},
	{"foreign_data_wrapper", 0, ",USAGE,"},
}

// registerPrivileges enters has_*_privilege. There is one role, which may do everything: what they
// find out is whether role, object and privilege exist.
func registerPrivileges() {
	oid, text, name := types.Oid, types.Text, types.Name
	users := [][]OID{{}, {name}, {oid}}
	for i := range privilegedObjects {
		p := &privilegedObjects[i]
		for _, user := range users {
			for _, what := range []OID{text, oid} {
				args := append(append([]OID(nil), user...), what, text)
				register(fn("has_"+p.object+"_privilege", types.Bool, p.eval, args...).stable())
			}
		}
	}
	column := &privileged{"column", types.RegClass, ",SELECT,INSERT,UPDATE,REFERENCES,"}
	parameter := &privileged{"parameter", 0, ",SET,ALTER SYSTEM,"}
	for _, user := range users {
		for _, what := range []OID{text, oid} {
			for _, which := range []OID{text, types.Int2} {
				args := append(append([]OID(nil), user...), what, which, text)
				register(fn("has_column_privilege", types.Bool, column.evalColumn, args...).
					stable())
			}
		}
		args := append(append([]OID(nil), user...), text, text)
		register(fn("has_parameter_privilege", types.Bool, parameter.eval, args...).stable())
	}
	for _, user := range users {
		for _, what := range []OID{name, oid} {
			args := append(append([]OID(nil), user...), what, text)
			register(fn("pg_has_role", types.Bool, evalHasRole, args...).stable())
		}
	}
}

// eval takes the arguments user, if given, object and privilege.
func (p *privileged) eval(c *Context, a []Datum) (Datum, error) {
	if len(a) > 2 {
		if err := checkRole(c, a[0]); err != nil {
			return types.Null, err
		}
		a = a[1:]
	}
	return p.answer(c, a[0], a[1])
}

func (p *privileged) answer(c *Context, object, privilege Datum) (Datum, error) {
	if p.kind != 0 && object.OID() == types.Text {
		if _, err := types.ParseText(types.Of(p.kind), object.Str(), c.Env); err != nil {
			return types.Null, err
		}
	}
	if err := p.check(privilege.Str()); err != nil {
		return types.Null, err
	}
	if p.kind == types.RegClass && object.OID() == types.Oid {
		if _, exists := c.catalog().Visible(p.kind, OID(object.Int())); !exists {
			return types.Null, nil
		}
	}
	return types.NewBool(true), nil
}

// check looks at a list of privileges, each perhaps WITH GRANT OPTION.
func (p *privileged) check(list string) error {
	for _, written := range strings.Split(list, ",") {
		written = strings.TrimSpace(written)
		word := strings.TrimSuffix(strings.ToUpper(written), " WITH GRANT OPTION")
		if !strings.Contains(p.words, ","+word+",") || word == "" {
			return types.Errorf(types.CodeInvalidParameter, "unrecognized privilege type: \"%s\"",
				written)
		}
	}
	return nil
}

// evalColumn takes one argument more, the column.
func (p *privileged) evalColumn(c *Context, a []Datum) (Datum, error) {
	if len(a) > 3 {
		if err := checkRole(c, a[0]); err != nil {
			return types.Null, err
		}
		a = a[1:]
	}
	return p.answer(c, a[0], a[2])
}

func evalHasRole(c *Context, a []Datum) (Datum, error) {
	for _, role := range a[:len(a)-1] {
		if err := checkRole(c, role); err != nil {
			return types.Null, err
		}
	}
	p := privileged{words: ",USAGE,MEMBER,SET,"}
	return types.NewBool(true), p.check(a[len(a)-1].Str())
}

// checkRole refuses the name of a role that is not there.
func checkRole(c *Context, role Datum) error {
	if role.OID() != types.Name {
		return nil
	}
	_, err := types.ParseText(types.Of(types.RegRole), quoted(role.Str()), c.Env)
	return err
}

// quoted keeps the case of a name that is parsed as an identifier.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
