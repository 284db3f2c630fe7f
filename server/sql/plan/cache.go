package plan

import (
	"slices"
	"sync"

	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// cache keeps the plans of statements by the fingerprint of their text without its literals, so
// that a client which writes its values into the text pays for the grammar once.
//
// Entries of one fingerprint differ in the kinds of their literals, in their pinned literals, or
// collide; the template decides (parse's P3). A full cache forgets an arbitrary entry: what is in
// use comes back at the price of one parse, and no list has to be kept in order on every hit.
type cache struct {
	limit int

	mu      sync.RWMutex
	entries map[uint64][]*cached // guarded by mu
	count   int                  // guarded by mu
}

type cached struct {
	template *parse.Template
	plan     *Prepared
}

// maxVariants bounds the entries of one fingerprint.
const maxVariants = 8

func newCache(limit int) *cache {
	return &cache{limit: limit, entries: map[uint64][]*cached{}}
}

func (c *cache) find(st parse.StmtTokens) *Prepared {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, e := range c.entries[st.Fingerprint()] {
		if e.template.Matches(st) {
			return e.plan
		}
	}
	return nil
}

// put adds a plan, or replaces the one of the same template.
func (c *cache) put(st parse.StmtTokens, tmpl *parse.Template, p *Prepared) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := st.Fingerprint()
	list := c.entries[key]
	for _, e := range list {
		if e.template.Matches(st) {
			e.plan, e.template = p, tmpl
			return
		}
	}
	if c.count >= c.limit {
		for other, victims := range c.entries {
			if other != key {
				c.count -= len(victims)
				delete(c.entries, other)
				break
			}
		}
	}
	if len(list) >= maxVariants {
		list, c.count = list[1:], c.count-1
	}
	c.entries[key] = append(list[:len(list):len(list)], &cached{template: tmpl, plan: p})
	c.count++
}

// Simple plans a text of one statement by its fingerprint and gives its literals as arguments.
// args is reused for them when it is large enough. ok is false when the statement cannot be kept,
// or when anything about it fails: then the ordinary way says what is wrong, and where.
func (pl *Planner) Simple(
	env Env, st parse.StmtTokens, args []types.Datum,
) (p *Prepared, bound []types.Datum, ok bool) {
	if !st.Cacheable() {
		return nil, args, false
	}
	p = pl.cache.find(st)
	if p == nil || !p.Current(env.Catalog, env.SearchPath) {
		if p = pl.plantTemplate(env, st, p); p == nil {
			return nil, args, false
		}
	}
	bound, ok = p.bind(st, env, args[:0])
	return p, bound, ok
}

// plantTemplate plans the statement, or what is stale of it, and keeps the plan.
func (pl *Planner) plantTemplate(env Env, st parse.StmtTokens, stale *Prepared) *Prepared {
	if stale != nil && stale.stillMeans(env) && slices.Equal(stale.path, env.SearchPath) {
		stale.version.Store(env.Catalog.Version())
		return stale
	}
	tmpl, err := parse.ParseTemplate(st)
	if err != nil {
		return nil
	}
	p, err := pl.prepareTemplate(env, tmpl)
	if err != nil {
		return nil
	}
	pl.cache.put(st, p.tmpl, p)
	return p
}

func (pl *Planner) prepareTemplate(env Env, tmpl *parse.Template) (*Prepared, error) {
	a := newAnalyzer(env, tmpl.Stmt, nil)
	a.holes = &holes{index: map[int32]int{}, none: tmpl.Holes == 0}
	p, err := pl.finish(a, env, tmpl.Stmt, nil)
	if err != nil {
		return nil, err
	}
	if a.holes.matter {
		return pl.prepareTemplate(env, tmpl.OfItsLiterals())
	}
	p.holes, p.tmpl = a.holes, tmpl
	if len(p.holes.consts) != tmpl.Holes {
		// A literal the plan was made without looking at as a value: it may have been looked at
		// otherwise, and then another text with another literal needs another plan.
		return nil, types.Errorf(types.CodeFeatureNotSupported,
			"a literal of this statement is no value")
	}
	return p, nil
}

// bind makes arguments of a text's literals, each in the type its place gave it.
func (p *Prepared) bind(
	st parse.StmtTokens, env Env, args []types.Datum,
) ([]types.Datum, bool) {
	for i, hole := range p.holes.consts {
		c := st.Const(hole)
		oid := types.OID(p.ParamOIDs[i])
		var v types.Datum
		switch c.Kind {
		case parse.ConstInt4, parse.ConstInt8:
			if keyClass(oid) != types.Int8 || c.Kind == parse.ConstInt8 && oid == types.Int4 {
				return args, false
			}
			v = types.NewInt(oid, c.Int)
		case parse.ConstString:
			if oid == types.Text || oid == types.VarChar {
				v = types.NewString(oid, c.Str)
				break
			}
			fallthrough
		default:
			text := env.Types
			if isReg(oid) {
				text = env.names()
			}
			parsed, err := types.ParseText(types.Type{OID: oid, Mod: types.NoMod}, c.Str, text)
			if err != nil {
				return args, false
			}
			v = parsed
		}
		args = append(args, v)
	}
	return args, true
}

// isReg says whether values of the type are names of things in the catalog.
func isReg(oid types.OID) bool {
	switch oid {
	case types.RegClass, types.RegNamespace, types.RegProc, types.RegProcedure, types.RegRole:
		return true
	}
	return false
}
