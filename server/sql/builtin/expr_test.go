package builtin

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/server/sql/types"
	"ackdb/server/sql/types/pgoracle"
)

// The golden files hold expressions of a small part of SQL, evaluated here without parser and
// planner: literals, casts, function calls, at most one operator a level, and one aggregate over
// one set-returning function.

// typed is a value and the type its expression has; an untyped literal has types.Unknown.
type typed struct {
	value Datum
	oid   OID
}

// evaluator reads and computes one expression.
type evaluator struct {
	ctx  *Context
	rest string
	x    typed // the row of FROM, named x
	rows []Datum
}

func evalGolden(expr string, settings map[string]string) pgoracle.Result {
	env := &types.Env{}
	for name, value := range settings {
		applySetting(env, name, value)
	}
	e := &evaluator{ctx: &Context{Env: env}, rest: expr}
	v, err := e.run()
	if err != nil {
		return pgoracle.Result{Err: err}
	}
	if v.oid == types.Unknown {
		v.oid, v.value = types.Text, v.value.As(types.Text)
	}
	return pgoracle.Result{
		Type: types.FormatType(v.oid, types.NoMod), Null: v.value.IsNull(),
		Text:   string(types.AppendText(nil, v.value, env)),
		Binary: types.AppendBinary(nil, v.value),
	}
}

func applySetting(env *types.Env, name, value string) {
	switch strings.ToLower(name) {
	case "timezone":
		loc, err := time.LoadLocation(value)
		if err != nil {
			panic(err)
		}
		env.Location = loc
	case "datestyle":
		env.DateOrder = map[string]types.DateOrder{
			"ISO, MDY": types.MDY, "ISO, DMY": types.DMY, "ISO, YMD": types.YMD,
		}[value]
	case "bytea_output":
		env.ByteaEscape = value == "escape"
	case "extra_float_digits":
		n, err := strconv.Atoi(value)
		if err != nil {
			panic(err)
		}
		env.FloatDigits = types.ExtraFloatDigits(n)
	default:
		panic("unknown setting " + name)
	}
}

// run reads expr [FROM setcall x].
func (e *evaluator) run() (typed, error) {
	call, from, ok := strings.Cut(e.rest, " FROM ")
	if !ok {
		v, err := e.expr()
		if err == nil && strings.TrimSpace(e.rest) != "" {
			err = fmt.Errorf("cannot read %q", e.rest)
		}
		return v, err
	}
	e.rest = from
	if err := e.fromSet(); err != nil {
		return typed{}, err
	}
	e.rest = call
	return e.aggregate()
}

func (e *evaluator) fromSet() error {
	name := e.word()
	args, err := e.args()
	if err != nil {
		return err
	}
	c, values, err := e.resolve(name, args)
	if err != nil {
		return err
	}
	e.x.oid = c.Result
	return c.EvalSet(e.ctx, values, func(d Datum) error {
		e.rows = append(e.rows, d.Clone())
		return nil
	})
}

func (e *evaluator) aggregate() (typed, error) {
	name := e.word()
	start := e.rest
	if e.take("(*)") {
		agg, err := ResolveAggregate(name, nil, true)
		if err != nil {
			return typed{}, err
		}
		acc := agg.New()
		for range e.rows {
			if err := acc.Add(e.ctx, nil); err != nil {
				return typed{}, err
			}
		}
		d, err := acc.Result(e.ctx)
		return typed{d, agg.Result}, err
	}
	e.x.value = types.Null
	args, err := e.args()
	if err != nil {
		return typed{}, err
	}
	agg, err := ResolveAggregate(name, oidsOf(args), false)
	if err != nil {
		return typed{}, err
	}
	acc := agg.New()
	for _, row := range e.rows {
		e.rest, e.x.value = start, row
		if args, err = e.args(); err != nil {
			return typed{}, err
		}
		values, err := e.castAll(args, agg.Args)
		if err != nil {
			return typed{}, err
		}
		if err := acc.Add(e.ctx, values); err != nil {
			return typed{}, err
		}
	}
	d, err := acc.Result(e.ctx)
	return typed{d, agg.Result}, err
}

func oidsOf(args []typed) []OID {
	oids := make([]OID, len(args))
	for i, a := range args {
		oids[i] = a.oid
	}
	return oids
}

func (e *evaluator) castAll(args []typed, to []OID) ([]Datum, error) {
	values := make([]Datum, len(args))
	for i, a := range args {
		cast, ok := types.FindCast(a.oid, to[i], types.Implicit)
		if !ok {
			return nil, types.ErrCannotCast(a.oid, to[i])
		}
		var err error
		if values[i], err = cast.Apply(a.value, types.Of(to[i]), e.ctx.Env); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func (e *evaluator) resolve(name string, args []typed) (Call, []Datum, error) {
	call, err := Resolve(name, oidsOf(args))
	if err != nil {
		return Call{}, nil, err
	}
	values, err := e.castAll(args, call.Args)
	return call, values, err
}

func (e *evaluator) skip() { e.rest = strings.TrimLeft(e.rest, " ") }

func (e *evaluator) take(token string) bool {
	e.skip()
	rest, ok := strings.CutPrefix(e.rest, token)
	if ok {
		e.rest = rest
	}
	return ok
}

func (e *evaluator) span(class string) string {
	e.skip()
	end := len(e.rest) - len(strings.TrimLeft(e.rest, class))
	out := e.rest[:end]
	e.rest = e.rest[end:]
	return out
}

const (
	wordBytes     = "abcdefghijklmnopqrstuvwxyz_0123456789."
	operatorBytes = "+-*/<>=~!@#%^&|?"
)

func (e *evaluator) word() string { return e.span(wordBytes) }

func (e *evaluator) expr() (typed, error) {
	left, err := e.operand()
	if err != nil {
		return typed{}, err
	}
	for {
		op := e.span(operatorBytes)
		if op == "" {
			return left, nil
		}
		right, err := e.operand()
		if err != nil {
			return typed{}, err
		}
		if left, err = e.operate(op, left, right); err != nil {
			return typed{}, err
		}
	}
}

func (e *evaluator) operate(op string, left, right typed) (typed, error) {
	call, err := ResolveOperator(op, left.oid, right.oid)
	if err != nil {
		return typed{}, err
	}
	values, err := e.castAll([]typed{left, right}, call.Args)
	if err != nil {
		return typed{}, err
	}
	d, err := call.Eval(e.ctx, values)
	return typed{d, call.Result}, err
}

func (e *evaluator) operand() (typed, error) {
	if op := e.span(operatorBytes); op != "" {
		v, err := e.operand()
		if err != nil {
			return typed{}, err
		}
		call, err := ResolveOperator(op, 0, v.oid)
		if err != nil {
			return typed{}, err
		}
		values, err := e.castAll([]typed{v}, call.Args)
		if err != nil {
			return typed{}, err
		}
		d, err := call.Eval(e.ctx, values)
		return typed{d, call.Result}, err
	}
	v, err := e.primary()
	for err == nil && e.take("::") {
		v, err = e.cast(v)
	}
	return v, err
}

func (e *evaluator) cast(v typed) (typed, error) {
	name := `"char"`
	if !e.take(name) {
		name = e.word()
	}
	var args []int64
	if e.take("(") {
		for _, text := range strings.Split(e.span("0123456789,- "), ",") {
			n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
			if err != nil {
				return typed{}, err
			}
			args = append(args, n)
		}
		e.take(")")
	}
	if e.take("[]") {
		name += "[]"
	}
	info, ok := types.LookupTypeName(name)
	if !ok {
		return typed{}, types.Errorf(types.CodeUndefinedObject, "type \"%s\" does not exist", name)
	}
	if name == "char" && args == nil {
		args = []int64{1}
	}
	mod, err := types.ModFromArgs(info.OID, args)
	if err != nil {
		return typed{}, err
	}
	cast, ok := types.FindCast(v.oid, info.OID, types.Explicit)
	if !ok {
		return typed{}, types.ErrCannotCast(v.oid, info.OID)
	}
	d, err := cast.Apply(v.value, types.Type{OID: info.OID, Mod: mod}, e.ctx.Env)
	return typed{d, info.OID}, err
}

func (e *evaluator) primary() (typed, error) {
	switch {
	case e.take("("):
		v, err := e.expr()
		if err == nil && !e.take(")") {
			err = fmt.Errorf("no ) in %q", e.rest)
		}
		return v, err
	case e.take("NULL"):
		return typed{types.Null, types.Unknown}, nil
	case e.take("true"):
		return typed{types.NewBool(true), types.Bool}, nil
	case e.take("false"):
		return typed{types.NewBool(false), types.Bool}, nil
	case e.take("'"):
		return e.text()
	}
	e.skip()
	if e.rest != "" && strings.IndexByte("0123456789.", e.rest[0]) >= 0 {
		return e.number()
	}
	name := e.word()
	if name == "x" && e.x.oid != 0 {
		return e.x, nil
	}
	args, err := e.args()
	if err != nil {
		return typed{}, err
	}
	call, values, err := e.resolve(name, args)
	if err != nil {
		return typed{}, err
	}
	d, err := call.Eval(e.ctx, values)
	return typed{d, call.Result}, err
}

func (e *evaluator) text() (typed, error) {
	var b strings.Builder
	for {
		literal, rest, ok := strings.Cut(e.rest, "'")
		if !ok {
			return typed{}, fmt.Errorf("no end of literal in %q", e.rest)
		}
		b.WriteString(literal)
		e.rest = rest
		if !strings.HasPrefix(rest, "'") {
			return typed{types.NewString(types.Unknown, b.String()), types.Unknown}, nil
		}
		b.WriteByte('\'')
		e.rest = rest[1:]
	}
}

func (e *evaluator) number() (typed, error) {
	digits := e.span("0123456789.e")
	oid := types.Numeric
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		oid = types.Int8
		if n == int64(int32(n)) {
			oid = types.Int4
		}
	}
	d, err := types.ParseText(types.Of(oid), digits, nil)
	return typed{d, oid}, err
}

func (e *evaluator) args() ([]typed, error) {
	if !e.take("(") {
		return nil, fmt.Errorf("no arguments in %q", e.rest)
	}
	var args []typed
	if e.take(")") {
		return nil, nil
	}
	for {
		v, err := e.expr()
		if err != nil {
			return nil, err
		}
		args = append(args, v)
		if e.take(")") {
			return args, nil
		}
		if !e.take(",") {
			return nil, fmt.Errorf("no , or ) in %q", e.rest)
		}
	}
}

// TestGolden compares with what PostgreSQL 15 answers.
func TestGolden(t *testing.T) {
	golden := pgoracle.New(t, evalGolden)
	for _, file := range []string{
		"integer", "float", "numeric", "text", "bytea", "bool", "datetime", "interval", "array",
		"misc", "json", "cast", "compare", "resolve", "string", "regex", "math", "timefunc",
		"aggregate", "set", "tochar_time", "tochar_number", "parse_time",
		"agg_more", "more", "json_access", "json_more",
	} {
		t.Run(file, func(t *testing.T) {
			golden.Run(t, "testdata/"+file+".txt")
		})
	}
}

// TestGoldenCanFail shows that a wrong result is noticed.
func TestGoldenCanFail(t *testing.T) {
	got := evalGolden("1 + 1", nil)
	require.Equal(t, `integer | "2" | 00000002`, got.String())
	require.NotEqual(t, `bigint | "2" | 00000002`, got.String())
	require.Equal(t, "ERROR 22012 | division by zero", evalGolden("1 / 0", nil).String())
}
