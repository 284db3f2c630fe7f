package exec

import (
	"sync"

	"ackdb/engine"
	"ackdb/server/sql/builtin"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// Executor runs plans. One a server, safe for concurrent use.
type Executor struct {
	db      *engine.DB
	catalog *catalog.Catalog
	planner *plan.Planner
	builds  indexBuilds
	memory  *builtin.Memory

	buildBatch int // bytes of entries in one commit of the making of an index

	mu        sync.Mutex
	sequences map[uint32]*sequence       // guarded by mu
	rowIDs    map[engine.TableID]*rowIDs // guarded by mu
}

// New makes an executor.
func New(db *engine.DB, c *catalog.Catalog, p *plan.Planner) *Executor {
	statement := func() int64 { return builtin.DefaultStatementMemory }
	all := func() int64 { return builtin.DefaultAllMemory }
	return &Executor{db: db, catalog: c, planner: p, buildBatch: indexBatchBytes,
		memory:    builtin.NewMemory(statement, all),
		sequences: map[uint32]*sequence{}, rowIDs: map[engine.TableID]*rowIDs{}}
}

// BoundMemory sets what bounds the memory of statements, before the first one.
func (x *Executor) BoundMemory(m *builtin.Memory) { x.memory = m }

// Memory is what bounds the memory of statements.
func (x *Executor) Memory() *builtin.Memory { return x.memory }

// Forget drops what is remembered of sequences and row ids: whenever rows came into the store by
// another way than through this executor.
func (x *Executor) Forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	clear(x.sequences)
	clear(x.rowIDs)
}

// Session is what a connection keeps between statements. It belongs to the connection's goroutine.
type Session struct {
	Host builtin.Host
	// VirtualHost is handed to virtual tables; nil hands Host.
	VirtualHost any

	currval  map[uint32]int64
	lastval  uint32 // oid of the sequence nextval was last called on; 0 for none
	free     *run   // of the last statement, for the next
	freeCurs *Cursor

	// operators are closed and ready to be opened again, by the plan they run.
	operators map[*plan.Prepared]rewinder
}

// maxKeptOperators bounds the plans whose operators a session keeps. One too many lets go of all:
// a session that runs more plans than that in turn gains little by them.
const maxKeptOperators = 32

// kept takes the operators that were kept of a plan; nil when there are none.
func (s *Session) kept(p *plan.Prepared) operator {
	op, ok := s.operators[p]
	if !ok {
		return nil
	}
	delete(s.operators, p)
	return op
}

func (s *Session) keep(p *plan.Prepared, op rewinder) {
	if len(s.operators) >= maxKeptOperators {
		clear(s.operators)
	}
	s.operators[p] = op
}

// NewSession makes the state of a new connection.
func (x *Executor) NewSession(host builtin.Host) *Session {
	return &Session{Host: host, currval: map[uint32]int64{},
		operators: map[*plan.Prepared]rewinder{}}
}

// DiscardSequences forgets currval and lastval, as DISCARD SEQUENCES does.
func (s *Session) DiscardSequences() {
	clear(s.currval)
	s.lastval = 0
}

// Env is what a statement runs in.
type Env struct {
	Txn        *Txn
	Session    *Session
	SearchPath []string
	Implicit   int                             // of plan.Env
	Temp       func() (*catalog.Schema, error) // of plan.Env
	User       string
	Types      *types.Env // the session's text forms; nil for the defaults
	Params     []types.Datum

	// TxnTime and StmtTime are what now() and statement_timestamp() give, in microseconds since
	// 2000-01-01 UTC.
	TxnTime, StmtTime int64

	// Lasting says that other statements may run before the last row is asked for. Whoever runs them
	// calls Keep first.
	Lasting bool

	// Notice takes what the statement has to say besides its result; may be nil.
	Notice func(*types.Error)
}

// Plan gives what a planner needs to know of the environment.
func (e *Env) Plan() plan.Env {
	return plan.Env{Catalog: e.Txn.Catalog(), SearchPath: e.SearchPath, User: e.User,
		Types: e.Types, Implicit: e.Implicit, Temp: e.Temp}
}
