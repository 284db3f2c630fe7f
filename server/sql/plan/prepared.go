package plan

import (
	"slices"
	"sync/atomic"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// Kind says how a plan is run.
type Kind uint8

// The kinds of plans.
const (
	KindRows         Kind = iota // SELECT, VALUES, EXPLAIN: a row limit suspends it
	KindDML                      // runs to its end and gives no rows
	KindDMLReturning             // runs to its end, then gives its rows
	KindDDL
	KindCopyIn
	KindCopyOut
)

// Column describes a result column to the client.
type Column struct {
	Name     string
	Type     types.Type
	TableOID uint32 // 0 when it is not simply a column of a table
	Attnum   int16

	pos    parse.Pos // of what it was computed from, for errors
	fields []Column  // of a row value
}

// Prepared is a plan. Immutable, but for the catalog version it was last found good for.
type Prepared struct {
	Kind      Kind
	Tag       string // the command's name: "SELECT", "INSERT", "CREATE TABLE"
	ReadOnly  bool   // may run in a read-only transaction
	Refusal   string // what such a transaction is told it cannot execute: "SELECT FOR UPDATE"
	ParamOIDs []uint32
	Columns   []Column // nil: gives no rows
	Root      Node

	Locks []Lock   // in the order they are to be taken
	Uses  []uint32 // oids of what it locks, and of the stored relations it resolved
	Owns  []uint32 // oids of what it locks against everybody
	Point bool     // touches at most one key
	Late  bool     // may read a table for the first time when it has given rows already

	// CopyColumns describes what COPY ... TO sends, which is no result of the statement.
	CopyColumns []Column

	Notices []*types.Error // to be sent when it runs, severity NOTICE

	stmt     *parse.Stmt
	slots    int // that Outer reads
	subplans int
	declared []uint32 // parameter types as the client declared them
	holes    *holes   // the parameters are the literals of the text
	tmpl     *parse.Template
	path     []string
	used     []usedRelation
	version  atomic.Uint64
}

// usedRelation is a name the plan resolved and what it stood for (P2), or what it came to by an oid
// of the catalog itself.
type usedRelation struct {
	schema, name string
	oid          uint32 // instead of a name
	relation     catalog.Relation
}

// Env is what names and literals mean to the session that asks.
type Env struct {
	Catalog    *catalog.Snapshot
	SearchPath []string
	User       string
	Types      *types.Env // for the text form of literals; nil for the defaults

	// Implicit is how many schemas at the head of SearchPath are searched unasked: nothing is
	// created there.
	Implicit int

	// Temp gives the schema of the session's temporary relations, and makes it when need be. May be
	// nil: then there are none.
	Temp func() (*catalog.Schema, error)

	// NoParams says that the statement came by a way that has no parameters: $1 is an error then.
	NoParams bool
}

// names gives e's text environment with the reg* types resolved by the catalog.
func (e Env) names() *types.Env {
	var out types.Env
	if e.Types != nil {
		out = *e.Types
	}
	out.Names = catalog.Names{Snapshot: e.Catalog, Path: e.SearchPath, Next: out.Names}
	return &out
}

// stillMeans says whether every name the plan resolved still means the same (P2).
func (p *Prepared) stillMeans(env Env) bool {
	for _, u := range p.used {
		is := catalog.Relation{}
		if u.oid != 0 {
			is = env.Catalog.RelationByOID(u.oid)
		} else {
			is = env.Catalog.Resolve(env.SearchPath, u.schema, u.name)
		}
		if is != u.relation {
			return false
		}
	}
	return true
}

// owns lists what a plan locks against everybody: perhaps to take it away, and then what depends on
// it has to be known.
func owns(locks []Lock) []uint32 {
	var oids []uint32
	for i := range locks {
		if locks[i].Mode == engine.AccessExclusiveLock {
			oids = append(oids, locks[i].OID)
		}
	}
	return oids
}

// uses lists what a plan locks, and the stored relations among those it resolved.
func uses(locks []Lock, used []usedRelation) []uint32 {
	var oids []uint32
	for i := range locks {
		oids = append(oids, locks[i].OID)
	}
	for _, u := range used {
		switch {
		case u.relation.Table != nil:
			oids = append(oids, u.relation.Table.OID)
		case u.relation.Sequence != nil:
			oids = append(oids, u.relation.Sequence.OID)
		case u.relation.Index != nil:
			oids = append(oids, u.relation.Index.OID)
		}
	}
	return oids
}

// Refresh gives the plan to run under env: p itself while its names mean what they did, else a new
// one. A client was told p's columns, so a new plan must have the same. DDL looks at more of the
// catalog than the names in it, and is planned again whatever has changed.
func (pl *Planner) Refresh(env Env, p *Prepared) (*Prepared, error) {
	if p.Current(env.Catalog, env.SearchPath) {
		return p, nil
	}
	if p.Kind != KindDDL && p.stillMeans(env) && slices.Equal(p.path, env.SearchPath) {
		p.version.Store(env.Catalog.Version())
		return p, nil
	}
	next, err := pl.replan(env, p)
	if err != nil {
		return nil, err
	}
	if !slices.EqualFunc(p.Columns, next.Columns, sameForClient) {
		return nil, types.Errorf(types.CodeFeatureNotSupported,
			"cached plan must not change result type")
	}
	return next, nil
}

func sameForClient(a, b Column) bool { return a.Name == b.Name && a.Type == b.Type }
