package pgcatalog

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"ackdb/server/sql/builtin"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// proc is a function or an aggregate. The facts know PostgreSQL's, with those that no statement
// calls but other catalogs name; what else the registry has follows, under numbers of our own.
type proc struct {
	oid        uint32
	name       string
	kind       byte // pg_proc.prokind
	result     types.OID
	args       []types.OID
	set        bool
	strict     bool
	volatility byte
	variadic   types.OID
	allTypes   types.Datum // proallargtypes, proargmodes, proargnames; NULL where not needed
	modes      types.Datum
	names      types.Datum
	defaults   types.Datum // of the last arguments, as text with commas between
	source     string
	parallel   byte // pg_proc.proparallel
	cost, rows int  // what PostgreSQL's planner takes it for
	leakproof  bool
}

// firstOwnProc is the number of the first function that PostgreSQL does not have.
const firstOwnProc = 15000

// procedures lists all functions by number.
var procedures = sync.OnceValue(func() []proc {
	list := factProcs()
	known := map[string]bool{}
	for i := range list {
		known[procSignature(list[i].name, list[i].args)] = true
	}
	own := ownProcs(known)
	slices.SortFunc(own, func(a, b proc) int {
		return strings.Compare(procSignature(a.name, a.args), procSignature(b.name, b.args))
	})
	for i := range own {
		own[i].oid = firstOwnProc + uint32(i)
	}
	list = append(list, own...)
	slices.SortFunc(list, func(a, b proc) int { return int(a.oid) - int(b.oid) })
	return list
})

// Columns of pg_proc.tsv.
const (
	procOID = iota
	procName
	procKind
	procResult
	procArgs
	procSet
	procStrict
	procVolatility
	procVariadic
	procAllTypes
	procModes
	procNames
	procDefaults
	procSource
	procParallel
	procCost
	procRowCount
	procLeakproof
)

func factProcs() []proc {
	lines := factLines("pg_proc.tsv")
	list := make([]proc, len(lines))
	for i, f := range lines {
		list[i] = proc{oid: uint32(factNumber(f[procOID])), name: f[procName], kind: f[procKind][0],
			result: types.OID(factNumber(f[procResult])), set: f[procSet] == "t",
			strict: f[procStrict] == "t", volatility: f[procVolatility][0],
			variadic: types.OID(factNumber(f[procVariadic])), source: f[procSource],
			allTypes: factDatum(types.OidArray, f[procAllTypes]),
			modes:    factDatum(types.CharArray, f[procModes]),
			names:    factDatum(types.TextArray, f[procNames]),
			defaults: factDatum(types.Text, f[procDefaults]), parallel: f[procParallel][0],
			cost: int(factNumber(f[procCost])), rows: int(factNumber(f[procRowCount])),
			leakproof: f[procLeakproof] == "t"}
		for _, arg := range strings.Fields(f[procArgs]) {
			list[i].args = append(list[i].args, types.OID(factNumber(arg)))
		}
	}
	return list
}

// ownProcs are those of the registry that the facts do not have.
func ownProcs(known map[string]bool) []proc {
	var list []proc
	add := func(p proc) {
		if signature := procSignature(p.name, p.args); !known[signature] {
			known[signature] = true
			list = append(list, p)
		}
	}
	builtin.EachFunction(func(f *builtin.Function) {
		p := proc{name: f.Name, kind: 'f', result: f.Result, args: f.Args, set: f.ReturnsSet(),
			strict: !f.NotStrict, volatility: "isv"[f.Volatility], source: f.Name, parallel: 's',
			cost: 1}
		if p.set {
			p.rows = 1000
		}
		if f.Variadic {
			p.variadic = max(types.ElemOf(f.Args[len(f.Args)-1]), types.Any)
		}
		add(p)
	})
	builtin.EachAggregate(func(a *builtin.Aggregate) {
		add(proc{name: a.Name, kind: 'a', result: a.Result, args: a.Args, volatility: 'i',
			source: "aggregate_dummy", parallel: 's', cost: 1})
	})
	return list
}

func procSignature(name string, args []types.OID) string {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = fmt.Sprint(uint32(a))
	}
	return name + " " + strings.Join(words, " ")
}

// procRows is pg_proc.
func procRows(e *env, w *writer) error {
	if oid, ok := e.onlyOID(w, "oid"); ok {
		if p := findProc(oid); p != nil {
			return p.write(w)
		}
		return nil
	}
	if name, ok := e.only(w, "proname"); ok {
		for _, p := range procsNamed(name.Str()) {
			if err := p.write(w); err != nil {
				return err
			}
		}
		return nil
	}
	for i := range procedures() {
		if err := procedures()[i].write(w); err != nil {
			return err
		}
	}
	return nil
}

func (p *proc) write(w *writer) error {
	defaults := 0
	if !p.defaults.IsNull() {
		defaults = len(splitDefaults(p.defaults.Str()))
	}
	return w.add(p.oid, p.name, catalog.PgCatalogOID, catalog.BootstrapRoleOID, internalLanguage,
		p.cost, p.rows, p.variadic, 0, p.kind, false, p.leakproof, p.strict, p.set, p.volatility,
		p.parallel, len(p.args), defaults, p.result, anys(p.args), p.allTypes, p.modes, p.names,
		p.defaults.As(types.PgNodeTree), nil, p.source, nil, nil, nil, nil)
}

// findProc finds a function by number; nil when there is none.
func findProc(oid uint32) *proc {
	list := procedures()
	at, found := slices.BinarySearchFunc(list, oid, func(p proc, oid uint32) int {
		return int(p.oid) - int(oid)
	})
	if !found {
		return nil
	}
	return &list[at]
}

// procsNamed lists the functions of a name.
func procsNamed(name string) []*proc { return procsByName()[name] }

var procsByName = sync.OnceValue(func() map[string][]*proc {
	list := procedures()
	byName := map[string][]*proc{}
	for i := range list {
		byName[list[i].name] = append(byName[list[i].name], &list[i])
	}
	return byName
})
