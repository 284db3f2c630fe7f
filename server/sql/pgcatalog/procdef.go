package pgcatalog

import (
	"fmt"
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// FunctionResult is the result of a function as CREATE FUNCTION writes it; false when there is no
// such function.
func FunctionResult(oid uint32) (string, bool) {
	p := findProc(oid)
	if p == nil {
		return "", false
	}
	result := TypeName(p.result)
	if table := p.tableColumns(); table != "" {
		return "TABLE(" + table + ")", true
	}
	if p.set {
		return "SETOF " + result, true
	}
	return result, true
}

// FunctionArguments are the arguments of a function as CREATE FUNCTION writes them, or, to tell it
// from others of its name, without defaults and results.
func FunctionArguments(oid uint32, identity bool) (string, bool) {
	p := findProc(oid)
	if p == nil {
		return "", false
	}
	var list []string
	defaults := p.defaultsByInput()
	input := 0
	p.eachArgument(func(name string, mode byte, typ types.OID) {
		isInput := mode == 'i' || mode == 'b' || mode == 'v'
		if isInput {
			input++
		}
		if mode == 't' || identity && !isInput {
			return
		}
		text := argumentMode[mode] + name
		if name != "" {
			text += " "
		}
		text += TypeName(typ)
		if d := defaults[input]; isInput && d != "" && !identity {
			text += " DEFAULT " + d
		}
		list = append(list, text)
	})
	return strings.Join(list, ", "), true
}

// AggregateName is the name of an aggregate; false when the number is no aggregate's.
func AggregateName(oid uint32) (string, bool) {
	p := findProc(oid)
	if p == nil || p.kind != 'a' {
		return "", false
	}
	return p.name, true
}

// FunctionStatement is CREATE FUNCTION; false when there is no such function.
func FunctionStatement(oid uint32) (string, bool) {
	p := findProc(oid)
	if p == nil {
		return "", false
	}
	args, _ := FunctionArguments(oid, false)
	result, _ := FunctionResult(oid)
	traits := ""
	for _, t := range []struct {
		text string
		has  bool
	}{
		{" WINDOW", p.kind == 'w'}, {" IMMUTABLE", p.volatility == 'i'},
		{" STABLE", p.volatility == 's'}, {" PARALLEL SAFE", p.parallel == 's'},
		{" PARALLEL RESTRICTED", p.parallel == 'r'}, {" STRICT", p.strict},
		{" LEAKPROOF", p.leakproof}, {fmt.Sprintf(" COST %d", p.cost), p.cost != 1},
		{fmt.Sprintf(" ROWS %d", p.rows), p.set && p.rows != 1000},
	} {
		if t.has {
			traits += t.text
		}
	}
	if traits != "" {
		traits = "\n" + traits
	}
	return fmt.Sprintf("CREATE OR REPLACE FUNCTION %s.%s(%s)\n RETURNS %s\n LANGUAGE internal%s\n"+
		"AS $function$%s$function$\n", catalog.PgCatalog, catalog.QuoteIdent(p.name), args, result,
		traits, p.source), true
}

var argumentMode = map[byte]string{'o': "OUT ", 'b': "INOUT ", 'v': "VARIADIC "}

// eachArgument calls yield with every argument, those of the result included.
func (p *proc) eachArgument(yield func(name string, mode byte, typ types.OID)) {
	args := p.args
	if !p.allTypes.IsNull() {
		args = nil
		for _, d := range p.allTypes.Array().Elems {
			args = append(args, types.OID(d.Int()))
		}
	}
	for i, typ := range args {
		name, mode := "", byte('i')
		if !p.names.IsNull() {
			name = p.names.Array().Elems[i].Str()
		}
		if !p.modes.IsNull() {
			mode = byte(p.modes.Array().Elems[i].Int())
		} else if p.variadic != 0 && i == len(args)-1 {
			mode = 'v'
		}
		yield(name, mode, typ)
	}
}

// tableColumns are the columns of a function that returns a table.
func (p *proc) tableColumns() string {
	var list []string
	p.eachArgument(func(name string, mode byte, typ types.OID) {
		if mode == 't' {
			list = append(list, name+" "+TypeName(typ))
		}
	})
	return strings.Join(list, ", ")
}

// defaultsByInput maps input arguments, counted from 1, to their defaults.
func (p *proc) defaultsByInput() map[int]string {
	if p.defaults.IsNull() {
		return nil
	}
	texts := splitDefaults(p.defaults.Str())
	found := make(map[int]string, len(texts))
	for i, text := range texts {
		found[len(p.args)-len(texts)+i+1] = text
	}
	return found
}

// splitDefaults takes a list of expressions apart at the commas outside literals.
func splitDefaults(text string) []string {
	var list []string
	start, quoted := 0, false
	for i := range len(text) {
		switch {
		case text[i] == '\'':
			quoted = !quoted
		case text[i] == ',' && !quoted:
			list = append(list, strings.TrimSpace(text[start:i]))
			start = i + 1
		}
	}
	return append(list, strings.TrimSpace(text[start:]))
}
