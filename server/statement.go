package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ackdb/pgwire"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// statement is a prepared statement: a plan, a utility command, or nothing at all.
type statement struct {
	sql     string
	made    time.Time
	bySQL   bool // PREPARE, not Parse
	plan    *plan.Prepared
	utility *utility
	exits   bool // a failed transaction lets it through

	oids    []uint32
	columns []pgwire.Column
}

// ParamOIDs implements pgwire.Statement.
func (st *statement) ParamOIDs() []uint32 { return st.oids }

// Columns implements pgwire.Statement.
func (st *statement) Columns() []pgwire.Column { return st.columns }

// parsedMax bounds the texts a session remembers. Drivers that parse the same text for each run
// (pgbench -M extended, JDBC's first five) then pay for the grammar once.
const (
	parsedMax      = 128
	parsedBytesMax = 4 << 10
)

// Parse implements pgwire.Backend.
func (s *session) Parse(
	ctx context.Context, sql string, oids []uint32,
) (made pgwire.Statement, err error) {
	defer s.contain(&err)
	s.begins(nil)
	st, err := s.parseText(sql, oids)
	if err != nil {
		return nil, s.asError(ctx, err)
	}
	return st, nil
}

func (s *session) parseText(sql string, oids []uint32) (*statement, error) {
	if st := s.parsed[sql]; st != nil && len(oids) == 0 && s.reusable(st) {
		return st, nil
	}
	stmt, err := parse.ParseOne(sql)
	if err != nil {
		return nil, err
	}
	if stmt == nil {
		return &statement{sql: sql, made: time.Now(), exits: true}, nil
	}
	if s.txn.block == blockFailed && !exitsBlock(stmt.Tree) {
		return nil, errAborted()
	}
	// The wire's message is gone when the statement is planned again.
	st, err := s.prepare(sql, stmt, append([]uint32(nil), oids...))
	if err != nil {
		return nil, err
	}
	s.remember(st, len(oids) == 0)
	return st, nil
}

// reusable tells whether a remembered statement still means what it did.
func (s *session) reusable(st *statement) bool {
	s.refreshText()
	return s.txn.block != blockFailed && st.plan.Current(s.snapshot(), s.text.path)
}

func (s *session) remember(st *statement, open bool) {
	if !open || st.plan == nil || len(st.sql) > parsedBytesMax {
		return
	}
	if s.parsed == nil || len(s.parsed) >= parsedMax {
		s.parsed = make(map[string]*statement)
	}
	s.parsed[st.sql] = st
}

// prepare plans a parsed statement, or takes it for a utility command.
func (s *session) prepare(sql string, stmt *parse.Stmt, oids []uint32) (*statement, error) {
	st := &statement{sql: sql, made: time.Now(), exits: exitsBlock(stmt.Tree)}
	if plan.Handles(stmt.Tree) {
		prepared, err := s.server.planner.Prepare(s.planEnv(), stmt, oids)
		if err != nil {
			return nil, err
		}
		st.plan, st.oids = prepared, prepared.ParamOIDs
		st.columns = wireColumns(prepared.Columns)
		return st, nil
	}
	u, err := s.newUtility(stmt, oids)
	if err != nil {
		return nil, err
	}
	st.utility, st.columns, st.oids = u, u.columns(), u.paramOIDs()
	return st, nil
}

// refresh plans the statement again if what it stands on has changed. Its columns stay: a client
// was told them.
func (s *session) refresh(st *statement) error {
	if st.plan == nil {
		return nil
	}
	fresh, err := s.server.planner.Refresh(s.planEnv(), st.plan)
	if err != nil {
		return err
	}
	st.plan = fresh
	return nil
}

// Bind implements pgwire.Backend.
func (s *session) Bind(
	ctx context.Context, stmt pgwire.Statement, args *pgwire.BindArgs,
) (made pgwire.Portal, err error) {
	defer s.contain(&err)
	s.begins(nil)
	st := stmt.(*statement)
	if s.txn.block == blockFailed && !st.exits {
		return nil, errAborted()
	}
	p := s.newPortal(st, args.ResultFormats)
	if err := s.bindParams(p, st, args); err != nil {
		p.Close()
		return nil, s.asError(ctx, err)
	}
	return p, nil
}

// bindParams decodes the parameters. Values alias the bytes they are made of, and those of the wire
// are gone when Bind returns: so the portal keeps one copy of all.
func (s *session) bindParams(p *portal, st *statement, args *pgwire.BindArgs) error {
	total := 0
	for _, v := range args.Params {
		total += len(v)
	}
	if cap(p.bytes) < total {
		p.bytes = make([]byte, 0, total)
	}
	p.bytes = p.bytes[:0]
	s.refreshText()
	for i, v := range args.Params {
		if v == nil {
			p.params = append(p.params, types.Null)
			continue
		}
		start := len(p.bytes)
		p.bytes = append(p.bytes, v...)
		d, err := s.decodeParam(types.OID(st.oids[i]), args.ParamFormat(i), p.bytes[start:])
		if err != nil {
			return ofParam(err, args, i)
		}
		p.params = append(p.params, d)
	}
	return nil
}

// ofParam says of an error which parameter it is about. Values are not shown, as in Postgres by
// default: they may be anybody's secrets.
func ofParam(err error, args *pgwire.BindArgs, i int) error {
	var told *types.Error
	if !errors.As(err, &told) {
		return err
	}
	placed := *told
	placed.Context = "unnamed portal"
	if len(args.Portal) > 0 {
		placed.Context = "portal \"" + string(args.Portal) + "\""
	}
	placed.Context += fmt.Sprintf(" parameter $%d", i+1)
	if args.ParamFormat(i) == pgwire.FormatText {
		placed.Context += " = '...'"
	}
	return &placed
}

func (s *session) decodeParam(oid types.OID, format int16, v []byte) (types.Datum, error) {
	t := types.Type{OID: oid, Mod: types.NoMod}
	if format == pgwire.FormatBinary {
		return types.ParseBinary(t, v)
	}
	d, err := types.ParseText(t, bytesAsString(v), &s.text.env)
	if err == nil {
		return d, nil
	}
	// What is no text at all is told as that, not as a bad value of its type.
	if garbled := types.CheckText(bytesAsString(v)); garbled != nil {
		err = garbled
	}
	return d, err
}
