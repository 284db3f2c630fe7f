package server

import (
	"context"
	"slices"
	"sync"
	"time"

	"ackdb/pgwire"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// tempSchema is where a session's temporary relations are. Connection goroutine only.
type tempSchema struct {
	number int
	name   string // "" until the first is made
	schema *catalog.Schema
}

// tempNumbers says which schemas of temporary relations have a session. Safe for concurrent use.
type tempNumbers struct {
	mu    sync.Mutex
	taken map[int]bool // guarded by mu
}

// take gives the lowest number free, so that there are never more schemas than there were sessions.
func (n *tempNumbers) take() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.taken == nil {
		n.taken = map[int]bool{}
	}
	number := 1
	for n.taken[number] {
		number++
	}
	n.taken[number] = true
	return number
}

func (n *tempNumbers) give(number int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.taken, number)
}

// tempSchema gives the session's schema of temporary relations. The first call makes it, at once
// and whatever becomes of the transaction: an empty schema is nothing that anybody could see change.
func (s *session) tempSchema() (*catalog.Schema, error) {
	if s.temp.schema != nil {
		return s.temp.schema, nil
	}
	if s.server.inRecovery() {
		return nil, types.Errorf(types.Code(pgwire.CodeReadOnlySQLTransaction),
			"cannot create temporary tables during recovery")
	}
	number := s.server.temps.take()
	name := catalog.TempName(number)
	schema, err := s.server.executor.TempSchema(context.Background(), name)
	if err != nil {
		s.server.temps.give(number)
		return nil, err
	}
	s.temp = tempSchema{number: number, name: name, schema: schema}
	s.text.path = nil // to be made again
	return schema, nil
}

// TempSchema names the session's schema of temporary relations; "" while it has none.
func (s *session) TempSchema() string { return s.temp.name }

// withTemp puts the schema of temporary relations into a search path, in front of all when the path
// does not say where, and tells how many schemas it has put there. What follows it unasked is
// pg_catalog, unless the path says where.
func (s *session) withTemp(path []string) ([]string, int) {
	if s.temp.name == "" {
		return path, 0
	}
	if i := slices.Index(path, catalog.TempAlias); i >= 0 {
		path[i] = s.temp.name
		return path, 0
	}
	if slices.Contains(path, s.temp.name) {
		return path, 0
	}
	implicit := []string{s.temp.name}
	if !slices.Contains(path, catalog.PgCatalog) {
		implicit = append(implicit, catalog.PgCatalog)
	}
	return append(implicit, path...), len(implicit)
}

// discardTemp drops the session's temporary relations.
func (s *session) discardTemp(ctx context.Context) error {
	switch {
	case s.temp.name == "":
		return nil
	case s.txn.block == blockNone && s.txn.tx == nil:
		_, err := s.server.executor.TempSchema(ctx, s.temp.name)
		return err
	case s.txn.modes.readOnly:
		return errReadOnly("DISCARD TEMP")
	}
	s.open()
	return s.txn.tx.DropTemp(ctx, s.temp.name)
}

// tempClearMax bounds what the end of a session waits for. What it could not drop, the next session
// with the number does.
const tempClearMax = 10 * time.Second

// endTemp drops the temporary relations at the end of the session.
func (s *session) endTemp() {
	if s.temp.name == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), tempClearMax)
	defer cancel()
	if _, err := s.server.executor.TempSchema(ctx, s.temp.name); err != nil {
		s.server.log.Warn("temporary tables not dropped", "schema", s.temp.name, "err", err)
	}
	s.server.temps.give(s.temp.number)
	s.temp = tempSchema{}
}
