package pgwire

// prepared holds a connection's prepared statements. SQL's PREPARE and the protocol's Parse share
// these names. Connection goroutine only.
type prepared struct {
	unnamed Statement
	named   map[string]Statement
}

func (p *prepared) find(name []byte) (Statement, error) {
	if len(name) == 0 {
		if p.unnamed == nil {
			return nil, Errorf(CodeInvalidSQLStatementName, "unnamed prepared statement does not exist")
		}
		return p.unnamed, nil
	}
	stmt, ok := p.named[string(name)]
	if !ok {
		return nil, Errorf(CodeInvalidSQLStatementName,
			"prepared statement \"%s\" does not exist", name)
	}
	return stmt, nil
}

// admit tells whether a named statement may be added.
func (p *prepared) admit(name string) error {
	if _, ok := p.named[name]; ok {
		return Errorf(CodeDuplicatePreparedStatement,
			"prepared statement \"%s\" already exists", name)
	}
	if len(p.named) >= namedMax {
		return errTooManyNames("prepared statements")
	}
	return nil
}

func (p *prepared) put(name string, stmt Statement) {
	if name == "" {
		p.unnamed = stmt
		return
	}
	if p.named == nil {
		p.named = make(map[string]Statement)
	}
	p.named[name] = stmt
}

func (p *prepared) dropUnnamed() { p.unnamed = nil }

func (p *prepared) drop(name []byte) bool {
	if len(name) == 0 {
		p.unnamed = nil
		return true
	}
	_, ok := p.named[string(name)]
	delete(p.named, string(name))
	return ok
}

// Prepared finds a named statement, for EXECUTE. Connection goroutine only, as the four below.
func (c *Conn) Prepared(name string) (Statement, error) { return c.prepared.find([]byte(name)) }

// Prepare adds a named statement, for PREPARE.
func (c *Conn) Prepare(name string, stmt Statement) error {
	if err := c.prepared.admit(name); err != nil {
		return err
	}
	c.prepared.put(name, stmt)
	return nil
}

// Deallocate drops a named statement, for DEALLOCATE, and tells whether it was there.
func (c *Conn) Deallocate(name string) bool { return c.prepared.drop([]byte(name)) }

// DeallocateAll drops every named statement, for DEALLOCATE ALL and DISCARD ALL.
func (c *Conn) DeallocateAll() { clear(c.prepared.named) }

// EachPrepared visits the named statements, in no order.
func (c *Conn) EachPrepared(visit func(name string, stmt Statement)) {
	for name, stmt := range c.prepared.named {
		visit(name, stmt)
	}
}

// portals holds a connection's portals. Connection goroutine only.
type portals struct {
	unnamed portalEntry
	named   map[string]*portalEntry
}

type portalEntry struct {
	portal  Portal
	formats []int16
	// running: Execute is on the stack. A COMMIT run through a portal ends every portal but this.
	running bool
}

func (e *portalEntry) close() {
	if e.portal != nil {
		e.portal.Close()
		e.portal = nil
	}
}

func (p *portals) find(name []byte) (*portalEntry, error) {
	entry := &p.unnamed
	if len(name) != 0 {
		entry = p.named[string(name)]
	}
	if entry == nil || entry.portal == nil {
		return nil, Errorf(CodeInvalidCursorName, "portal \"%s\" does not exist", name)
	}
	return entry, nil
}

// reserve makes the place for a portal, with a copy of its formats. The unnamed one is replaced,
// and its memory used again.
func (p *portals) reserve(name []byte, formats []int16) (*portalEntry, error) {
	if len(name) == 0 {
		p.unnamed.close()
		p.unnamed.formats = append(p.unnamed.formats[:0], formats...)
		return &p.unnamed, nil
	}
	if p.named[string(name)] != nil {
		return nil, Errorf(CodeDuplicateCursor, "cursor \"%s\" already exists", name)
	}
	if len(p.named) >= namedMax {
		return nil, errTooManyNames("portals")
	}
	if p.named == nil {
		p.named = make(map[string]*portalEntry)
	}
	entry := &portalEntry{formats: append([]int16(nil), formats...)}
	p.named[string(name)] = entry
	return entry, nil
}

func (p *portals) drop(name []byte) {
	if len(name) == 0 {
		p.unnamed.close()
		return
	}
	if entry := p.named[string(name)]; entry != nil {
		entry.close()
		delete(p.named, string(name))
	}
}

func (p *portals) closeAll() {
	if !p.unnamed.running {
		p.unnamed.close()
	}
	for name, entry := range p.named {
		if !entry.running {
			entry.close()
			delete(p.named, name)
		}
	}
}

// ClosePortals ends every portal but the one being executed: for the end of a transaction.
// Connection goroutine only.
func (c *Conn) ClosePortals() { c.portals.closeAll() }
