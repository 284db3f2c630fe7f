package builtin

import (
	"context"
	"strings"
	"time"

	"ackdb/server/sql/types"
)

func init() {
	text, name, i4, i8 := types.Text, types.Name, types.Int4, types.Int8
	boolean, void := types.Bool, types.Void
	register(
		fn("version", text, identity(func(id Identity) Datum { return types.NewText(id.Version) })).
			stable(),
		fn("current_database", name, identity(func(id Identity) Datum {
			return types.NewString(name, id.Database)
		})).stable(),
		fn("current_schema", name, evalCurrentSchema).stable(),
		fn("current_schemas", types.NameArray, evalCurrentSchemas, boolean).stable(),
		fn("pg_backend_pid", i4, identity(func(id Identity) Datum {
			return types.NewInt4(id.PID)
		})).stable(),
		fn("pg_postmaster_start_time", types.TimestampTZ, identity(func(id Identity) Datum {
			return types.NewTimestampTZ(id.ServerStart)
		})).stable(),
		fn("pg_conf_load_time", types.TimestampTZ, identity(func(id Identity) Datum {
			return types.NewTimestampTZ(id.ConfigLoad)
		})).stable(),
		fn("inet_client_addr", types.Inet, identity(func(id Identity) Datum {
			return inetOrNull(id.ClientAddr)
		})).stable().notStrict(),
		fn("inet_server_addr", types.Inet, identity(func(id Identity) Datum {
			return inetOrNull(id.ServerAddr)
		})).stable().notStrict(),
		fn("inet_client_port", i4, identity(func(id Identity) Datum {
			return types.NewInt4(int32(id.ClientPort))
		})).stable().notStrict(),
		fn("inet_server_port", i4, identity(func(id Identity) Datum {
			return types.NewInt4(int32(id.ServerPort))
		})).stable().notStrict(),
		fn("current_setting", text, evalCurrentSetting, text).stable(),
		fn("current_setting", text, evalCurrentSetting, text, boolean).stable(),
		fn("set_config", text, evalSetConfig, text, text, boolean).volatile().notStrict(),
		fn("pg_cancel_backend", boolean, signalFunc(false), i4).volatile(),
		fn("pg_terminate_backend", boolean, signalFunc(true), i4, i8).volatile().defaults(1),
		fn("pg_reload_conf", boolean, evalReload).volatile(),
		fn("txid_current", i8, txidFunc(true, i8)).stable(),
		fn("txid_current_if_assigned", i8, txidFunc(false, i8)).stable(),
		fn("pg_current_xact_id", types.Xid8, txidFunc(true, types.Xid8)).stable(),
		fn("pg_current_xact_id_if_assigned", types.Xid8, txidFunc(false, types.Xid8)).stable(),
		fn("pg_notify", void, evalNotify, text, text).volatile().notStrict(),
		fn("pg_jit_available", boolean, evalFalse).volatile(),
		fn("pg_my_temp_schema", types.Oid, evalTempSchema).stable(),
		fn("pg_is_other_temp_schema", boolean, evalOtherTempSchema, types.Oid).stable(),
		fn("pg_client_encoding", name, evalUTF8).stable(),
		fn("getdatabaseencoding", name, evalUTF8).stable(),
	)
	for _, who := range []string{"current_user", "session_user", "user", "current_role"} {
		register(fn(who, name, evalUser(who == "session_user")).stable())
	}
	registerAdvisory()
}

// identity makes a function of what the server knows of the session.
func identity(pick func(Identity) Datum) Eval {
	return func(c *Context, _ []Datum) (Datum, error) {
		h, err := c.host("this function")
		if err != nil {
			return types.Null, err
		}
		return pick(h.Identity()), nil
	}
}

func evalUser(session bool) Eval {
	return identity(func(id Identity) Datum {
		if session {
			return types.NewString(types.Name, id.SessionUser)
		}
		return types.NewString(types.Name, id.User)
	})
}

func inetOrNull(addr string) Datum {
	d, err := types.ParseText(types.Of(types.Inet), addr, nil)
	if err != nil {
		return types.Null // a Unix socket has no address
	}
	return d
}

func evalFalse(*Context, []Datum) (Datum, error) { return types.NewBool(false), nil }

// evalTempSchema gives the schema of the session's temporary relations, 0 while it has none.
func evalTempSchema(c *Context, _ []Datum) (Datum, error) {
	h, err := c.host("pg_my_temp_schema")
	if err != nil || h.TempSchema() == "" || c.Env == nil || c.Env.Names == nil {
		return types.NewOID(0), err
	}
	oid, _ := c.Env.Names.OIDOf(types.RegNamespace, []string{h.TempSchema()})
	return types.NewOID(oid), nil
}

// evalOtherTempSchema says whether a schema is that of another session's temporary relations.
func evalOtherTempSchema(c *Context, a []Datum) (Datum, error) {
	h, err := c.host("pg_is_other_temp_schema")
	if err != nil || c.Env == nil || c.Env.Names == nil {
		return types.NewBool(false), err
	}
	name, _ := c.Env.Names.NameOf(types.RegNamespace, types.OID(a[0].Int()))
	return types.NewBool(strings.HasPrefix(name, "pg_temp_") && name != h.TempSchema()), nil
}

func evalUTF8(*Context, []Datum) (Datum, error) { return types.NewString(types.Name, "UTF8"), nil }

func evalCurrentSchema(c *Context, _ []Datum) (Datum, error) {
	h, err := c.host("current_schema")
	if err != nil {
		return types.Null, err
	}
	for _, schema := range h.SearchPath() {
		return types.NewString(types.Name, schema), nil
	}
	return types.Null, nil
}

// evalCurrentSchemas with true shows pg_catalog too, which is searched first.
func evalCurrentSchemas(c *Context, a []Datum) (Datum, error) {
	h, err := c.host("current_schemas")
	if err != nil {
		return types.Null, err
	}
	var elems []Datum
	path := h.SearchPath()
	if temp := h.TempSchema(); a[0].Bool() && temp != "" && !contains(path, temp) {
		elems = append(elems, types.NewString(types.Name, temp))
	}
	if a[0].Bool() && !contains(path, "pg_catalog") {
		elems = append(elems, types.NewString(types.Name, "pg_catalog"))
	}
	for _, schema := range path {
		elems = append(elems, types.NewString(types.Name, schema))
	}
	return types.NewArray(types.Name, elems), nil
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

func evalCurrentSetting(c *Context, a []Datum) (Datum, error) {
	h, err := c.host("current_setting")
	if err != nil {
		return types.Null, err
	}
	value, ok := h.Setting(a[0].Str())
	switch {
	case ok:
		return types.NewText(value), nil
	case len(a) > 1 && a[1].Bool():
		return types.Null, nil
	}
	return types.Null, types.Errorf(types.CodeUndefinedObject,
		"unrecognized configuration parameter \"%s\"", a[0].Str())
}

func evalSetConfig(c *Context, a []Datum) (Datum, error) {
	h, err := c.host("set_config")
	if err != nil {
		return types.Null, err
	}
	if a[0].IsNull() {
		return types.Null, types.Errorf(types.CodeNullNotAllowed,
			"SET requires parameter name")
	}
	value, err := h.SetSetting(a[0].Str(), a[1].Str(), a[2].Bool())
	if err != nil {
		return types.Null, err
	}
	return types.NewText(value), nil
}

func signalFunc(terminate bool) Eval {
	return func(c *Context, a []Datum) (Datum, error) {
		h, err := c.host("signalling a session")
		if err != nil {
			return types.Null, err
		}
		if len(a) > 1 && a[1].Int() < 0 {
			return types.Null, types.Errorf(types.CodeNumericOutOfRange,
				"\"timeout\" must not be negative")
		}
		found, err := h.Signal(int32(a[0].Int()), terminate)
		if ctx := c.context(); err == nil && ctx.Err() != nil {
			err = context.Cause(ctx) // it was this session
		}
		return types.NewBool(found), err
	}
}

// Reloader is implemented by a Host that can read its configuration again.
type Reloader interface{ Reload() error }

func evalReload(c *Context, _ []Datum) (Datum, error) {
	h, err := c.host("pg_reload_conf")
	if err != nil {
		return types.Null, err
	}
	r, ok := h.(Reloader)
	if !ok {
		return types.Null, types.Errorf(types.CodeFeatureNotSupported,
			"pg_reload_conf is not supported")
	}
	if err := r.Reload(); err != nil {
		return types.NewBool(false), nil
	}
	return types.NewBool(true), nil
}

func txidFunc(assign bool, oid OID) Eval {
	return func(c *Context, _ []Datum) (Datum, error) {
		h, err := c.host("txid_current")
		if err != nil {
			return types.Null, err
		}
		id, ok := h.TxnID(assign)
		if !ok {
			return types.Null, nil
		}
		return types.NewInt(oid, int64(id)), nil
	}
}

func evalNotify(c *Context, a []Datum) (Datum, error) {
	h, err := c.host("pg_notify")
	if err != nil {
		return types.Null, err
	}
	return voidResult(h.Notify(a[0].Str(), a[1].Str()))
}

func voidResult(err error) (Datum, error) {
	if err != nil {
		return types.Null, err
	}
	return types.NewString(types.Void, ""), nil
}

// registerAdvisory enters the advisory lock functions, each with one int8 and two int4 keys.
func registerAdvisory() {
	for _, f := range []struct {
		name   string
		result OID
		op     AdvisoryOp
	}{
		{"pg_advisory_lock", types.Void, AdvisoryOp{}},
		{"pg_advisory_lock_shared", types.Void, AdvisoryOp{Shared: true}},
		{"pg_advisory_xact_lock", types.Void, AdvisoryOp{Txn: true}},
		{"pg_advisory_xact_lock_shared", types.Void, AdvisoryOp{Txn: true, Shared: true}},
		{"pg_try_advisory_lock", types.Bool, AdvisoryOp{Try: true}},
		{"pg_try_advisory_lock_shared", types.Bool, AdvisoryOp{Try: true, Shared: true}},
		{"pg_try_advisory_xact_lock", types.Bool, AdvisoryOp{Try: true, Txn: true}},
		{"pg_try_advisory_xact_lock_shared", types.Bool,
			AdvisoryOp{Try: true, Txn: true, Shared: true}},
		{"pg_advisory_unlock", types.Bool, AdvisoryOp{Unlock: true}},
		{"pg_advisory_unlock_shared", types.Bool, AdvisoryOp{Unlock: true, Shared: true}},
	} {
		eval := advisoryFunc(f.op, f.result)
		register(
			fn(f.name, f.result, eval, types.Int8).volatile(),
			fn(f.name, f.result, eval, types.Int4, types.Int4).volatile(),
		)
	}
	register(fn("pg_advisory_unlock_all", types.Void,
		advisoryFunc(AdvisoryOp{UnlockAll: true}, types.Void)).volatile())
}

func advisoryFunc(op AdvisoryOp, result OID) Eval {
	return func(c *Context, a []Datum) (Datum, error) {
		h, err := c.host("advisory locking")
		if err != nil {
			return types.Null, err
		}
		op := op
		switch len(a) {
		case 1:
			op.Key = a[0].Int()
		case 2:
			op.Pair = true
			op.Key = a[0].Int()<<32 | int64(uint32(a[1].Int()))
		}
		ok, err := h.AdvisoryLock(c.context(), op)
		if result == types.Void {
			return voidResult(err)
		}
		return types.NewBool(ok), err
	}
}

// seconds makes a duration of a number of seconds.
func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }
