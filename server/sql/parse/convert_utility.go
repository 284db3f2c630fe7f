package parse

import pg "github.com/pganalyze/pg_query_go/v6"

// utility converts the statements about the session, its transaction and its cursors, and those
// about the upkeep of tables.
func (c *converter) utility(node *pg.Node) Statement {
	switch n := node.GetNode().(type) {
	case *pg.Node_TransactionStmt:
		return c.transaction(n.TransactionStmt)
	case *pg.Node_VariableSetStmt:
		return c.variableSet(n.VariableSetStmt)
	case *pg.Node_VariableShowStmt:
		return &VariableShowStmt{Name: n.VariableShowStmt.Name}
	case *pg.Node_AlterSystemStmt:
		return &AlterSystemStmt{Set: c.variableSet(n.AlterSystemStmt.Setstmt)}
	case *pg.Node_PrepareStmt:
		return c.prepare(n.PrepareStmt)
	case *pg.Node_ExecuteStmt:
		return &ExecuteStmt{Name: n.ExecuteStmt.Name, Args: c.exprs(n.ExecuteStmt.Params)}
	case *pg.Node_DeallocateStmt:
		return &DeallocateStmt{Name: n.DeallocateStmt.Name, All: n.DeallocateStmt.Isall}
	case *pg.Node_ExplainStmt:
		return &ExplainStmt{
			Query: c.statement(n.ExplainStmt.Query), Options: c.options(n.ExplainStmt.Options),
		}
	case *pg.Node_DiscardStmt:
		return c.discard(n.DiscardStmt)
	case *pg.Node_ListenStmt:
		return &ListenStmt{Channel: n.ListenStmt.Conditionname}
	case *pg.Node_UnlistenStmt:
		return &UnlistenStmt{Channel: n.UnlistenStmt.Conditionname}
	case *pg.Node_NotifyStmt:
		return &NotifyStmt{Channel: n.NotifyStmt.Conditionname, Payload: n.NotifyStmt.Payload}
	case *pg.Node_CallStmt:
		if call, ok := c.funcCall(n.CallStmt.Funccall).(*FuncCall); ok {
			return &CallStmt{Call: call}
		}
	}
	if stmt := c.cursor(node); stmt != nil {
		return stmt
	}
	return c.upkeep(node)
}

var fetchDirections = map[pg.FetchDirection]FetchDirection{
	pg.FetchDirection_FETCH_BACKWARD: FetchBackward,
	pg.FetchDirection_FETCH_ABSOLUTE: FetchAbsolute,
	pg.FetchDirection_FETCH_RELATIVE: FetchRelative,
}

func (c *converter) cursor(node *pg.Node) Statement {
	switch n := node.GetNode().(type) {
	case *pg.Node_DeclareCursorStmt:
		return c.declareCursor(n.DeclareCursorStmt)
	case *pg.Node_FetchStmt:
		f := n.FetchStmt
		return &FetchStmt{
			Cursor: f.Portalname, Direction: fetchDirections[f.Direction], Count: f.HowMany, Move: f.Ismove,
		}
	case *pg.Node_ClosePortalStmt:
		return &ClosePortalStmt{Name: n.ClosePortalStmt.Portalname}
	}
	return nil
}

func (c *converter) upkeep(node *pg.Node) Statement {
	switch n := node.GetNode().(type) {
	case *pg.Node_VacuumStmt:
		return c.vacuum(n.VacuumStmt)
	case *pg.Node_CheckPointStmt:
		return &CheckPointStmt{}
	case *pg.Node_LockStmt:
		return &LockStmt{
			Tables: c.rangeVars(n.LockStmt.Relations), Mode: int(n.LockStmt.Mode),
			NoWait: n.LockStmt.Nowait,
		}
	case *pg.Node_ReindexStmt:
		s := n.ReindexStmt
		return &ReindexStmt{
			Table: c.rangeVar(s.Relation), Name: s.Name, Options: c.options(s.Params),
		}
	case *pg.Node_ClusterStmt:
		return &ClusterStmt{
			Table: c.rangeVar(n.ClusterStmt.Relation), Index: n.ClusterStmt.Indexname,
		}
	case *pg.Node_ConstraintsSetStmt:
		out := &SetConstraintsStmt{Deferred: n.ConstraintsSetStmt.Deferred}
		for _, name := range n.ConstraintsSetStmt.Constraints {
			out.Constraints = append(out.Constraints, c.objectName(name))
		}
		return out
	}
	return nil
}

var transactionKinds = map[pg.TransactionStmtKind]TransactionKind{
	pg.TransactionStmtKind_TRANS_STMT_BEGIN:             TransBegin,
	pg.TransactionStmtKind_TRANS_STMT_START:             TransStart,
	pg.TransactionStmtKind_TRANS_STMT_COMMIT:            TransCommit,
	pg.TransactionStmtKind_TRANS_STMT_ROLLBACK:          TransRollback,
	pg.TransactionStmtKind_TRANS_STMT_SAVEPOINT:         TransSavepoint,
	pg.TransactionStmtKind_TRANS_STMT_RELEASE:           TransRelease,
	pg.TransactionStmtKind_TRANS_STMT_ROLLBACK_TO:       TransRollbackTo,
	pg.TransactionStmtKind_TRANS_STMT_PREPARE:           TransPrepare,
	pg.TransactionStmtKind_TRANS_STMT_COMMIT_PREPARED:   TransCommitPrepared,
	pg.TransactionStmtKind_TRANS_STMT_ROLLBACK_PREPARED: TransRollbackPrepared,
}

func (c *converter) transaction(n *pg.TransactionStmt) Statement {
	return &TransactionStmt{
		Kind:      transactionKinds[n.Kind],
		Modes:     transactionModes(n.Options),
		Savepoint: n.SavepointName,
		GID:       n.Gid,
		Chain:     n.Chain,
		Pos:       c.pos(n.Location),
	}
}

func transactionModes(nodes []*pg.Node) TransactionModes {
	var out TransactionModes
	for _, node := range nodes {
		d := node.GetDefElem()
		value := d.GetArg().GetAConst()
		on := value.GetIval().GetIval() != 0
		switch d.GetDefname() {
		case "transaction_isolation":
			out.Isolation = value.GetSval().GetSval()
		case "transaction_read_only":
			out.ReadOnly = &on
		case "transaction_deferrable":
			out.Deferrable = &on
		}
	}
	return out
}

var setKinds = map[pg.VariableSetKind]SetKind{
	pg.VariableSetKind_VAR_SET_VALUE:   SetValue,
	pg.VariableSetKind_VAR_SET_DEFAULT: SetDefault,
	pg.VariableSetKind_VAR_SET_CURRENT: SetFromCurrent,
	pg.VariableSetKind_VAR_SET_MULTI:   SetTransaction,
	pg.VariableSetKind_VAR_RESET:       SetReset,
	pg.VariableSetKind_VAR_RESET_ALL:   SetResetAll,
}

func (c *converter) variableSet(n *pg.VariableSetStmt) *VariableSetStmt {
	out := &VariableSetStmt{Kind: setKinds[n.GetKind()], Name: n.GetName(), Local: n.GetIsLocal()}
	if out.Kind != SetTransaction {
		out.Args = c.exprs(n.GetArgs())
		return out
	}
	switch n.GetName() {
	case "TRANSACTION SNAPSHOT":
		if args := n.GetArgs(); len(args) > 0 {
			out.Snapshot = args[0].GetAConst().GetSval().GetSval()
		}
	default:
		out.Session = n.GetName() == "SESSION CHARACTERISTICS"
		out.Modes = transactionModes(n.GetArgs())
	}
	return out
}

func (c *converter) prepare(n *pg.PrepareStmt) Statement {
	out := &PrepareStmt{Name: n.Name, Query: c.statement(n.Query)}
	for _, t := range n.Argtypes {
		if name := c.typeName(t.GetTypeName()); name != nil {
			out.Types = append(out.Types, *name)
		}
	}
	return out
}

var discardKinds = map[pg.DiscardMode]DiscardKind{
	pg.DiscardMode_DISCARD_PLANS:     DiscardPlans,
	pg.DiscardMode_DISCARD_SEQUENCES: DiscardSequences,
	pg.DiscardMode_DISCARD_TEMP:      DiscardTemp,
}

func (c *converter) discard(n *pg.DiscardStmt) Statement {
	return &DiscardStmt{Target: discardKinds[n.Target]}
}

// The bits of a cursor's options, as Postgres has them.
const (
	cursorBinary      = 0x01
	cursorScroll      = 0x02
	cursorNoScroll    = 0x04
	cursorInsensitive = 0x08
	cursorAsensitive  = 0x10
	cursorHold        = 0x20
)

func (c *converter) declareCursor(n *pg.DeclareCursorStmt) Statement {
	return &DeclareCursorStmt{
		Name:        n.Portalname,
		Binary:      n.Options&cursorBinary != 0,
		Scroll:      n.Options&cursorScroll != 0,
		NoScroll:    n.Options&cursorNoScroll != 0,
		Insensitive: n.Options&cursorInsensitive != 0,
		Asensitive:  n.Options&cursorAsensitive != 0,
		Hold:        n.Options&cursorHold != 0,
		Query:       c.query(n.Query),
	}
}

func (c *converter) vacuum(n *pg.VacuumStmt) Statement {
	out := &VacuumStmt{Vacuum: n.IsVacuumcmd, Options: c.options(n.Options)}
	for _, node := range n.Rels {
		r := node.GetVacuumRelation()
		out.Tables = append(out.Tables, VacuumTable{
			Table: c.rangeVar(r.GetRelation()), Columns: words(r.GetVaCols()),
		})
	}
	return out
}
