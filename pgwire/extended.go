package pgwire

func (c *Conn) parseStatement(body []byte) error {
	if err := decodeParse(&c.parse, body); err != nil {
		return err
	}
	name := c.parse.Name
	if name == "" {
		// Gone even when the new one cannot be made.
		c.prepared.dropUnnamed()
	} else if err := c.prepared.admit(name); err != nil {
		return err
	}
	stmt, err := c.runParse()
	if err != nil {
		return err
	}
	c.prepared.put(name, stmt)
	c.writer.raw(parseComplete)
	return nil
}

func (c *Conn) runParse() (Statement, error) {
	ctx := c.begin()
	defer c.end()
	return c.backend.Parse(ctx, c.parse.Query, c.parse.ParameterOIDs)
}

func (c *Conn) bindPortal(body []byte) error {
	m := &c.bind
	if err := m.decode(body); err != nil {
		return err
	}
	stmt, err := c.prepared.find(m.statement)
	if err != nil {
		return err
	}
	if err := m.check(len(stmt.ParamOIDs()), len(stmt.Columns())); err != nil {
		return err
	}
	entry, err := c.portals.reserve(m.portal, m.resultFormats)
	if err != nil {
		return err
	}
	m.args.ResultFormats, m.args.Portal = entry.formats, m.portal
	portal, err := c.runBind(stmt, &m.args)
	if err != nil {
		c.portals.drop(m.portal)
		return err
	}
	entry.portal = portal
	c.writer.raw(bindComplete)
	return nil
}

func (c *Conn) runBind(stmt Statement, args *BindArgs) (Portal, error) {
	ctx := c.begin()
	defer c.end()
	return c.backend.Bind(ctx, stmt, args)
}

func (c *Conn) describe(body []byte) error {
	kind, name, err := decodeTarget(body, "Describe")
	if err != nil {
		return err
	}
	if kind == 'S' {
		return c.describeStatement(name)
	}
	entry, err := c.portals.find(name)
	if err != nil {
		return err
	}
	return c.describeColumns(entry.portal.Columns(), entry.formats)
}

func (c *Conn) describeStatement(name []byte) error {
	stmt, err := c.prepared.find(name)
	if err != nil {
		return err
	}
	if stmt.Columns() != nil {
		if err := c.refuseFailed(); err != nil {
			return err
		}
	}
	c.writer.parameterDescription(stmt.ParamOIDs())
	return c.describeColumns(stmt.Columns(), nil)
}

// describeColumns: nil means no rows, as opposed to rows of no columns (SELECT without a list).
func (c *Conn) describeColumns(columns []Column, formats []int16) error {
	if columns == nil {
		c.writer.raw(noData)
		return nil
	}
	if err := c.refuseFailed(); err != nil {
		return err
	}
	c.writer.RowDescription(columns, formats)
	return nil
}

// refuseFailed: in a failed transaction the catalog a description rests on may not be read.
func (c *Conn) refuseFailed() error {
	if c.backend.TxStatus() != TxFailed {
		return nil
	}
	return Errorf(CodeInFailedSQLTransaction,
		"current transaction is aborted, commands ignored until end of transaction block")
}

func (c *Conn) execute(body []byte) error {
	name, maxRows, err := decodeExecute(body)
	if err != nil {
		return err
	}
	entry, err := c.portals.find(name)
	if err != nil {
		return err
	}
	execution, err := c.runExecute(entry, maxRows)
	if err != nil {
		return err
	}
	if execution == Suspended {
		c.writer.raw(portalSuspended)
	}
	return nil
}

func (c *Conn) runExecute(entry *portalEntry, maxRows int) (Execution, error) {
	ctx := c.begin()
	entry.running = true
	defer func() {
		entry.running = false
		c.end()
	}()
	return entry.portal.Execute(ctx, &c.writer, maxRows)
}

// closeTarget: closing what is not there is no error.
func (c *Conn) closeTarget(body []byte) error {
	kind, name, err := decodeTarget(body, "Close")
	if err != nil {
		return err
	}
	if kind == 'S' {
		c.prepared.drop(name)
	} else {
		c.portals.drop(name)
	}
	c.writer.raw(closeComplete)
	return nil
}

func errTooManyNames(what string) *Error {
	return Errorf(CodeConfigurationLimitExceeded,
		"too many %s: a connection may hold %d", what, namedMax)
}
