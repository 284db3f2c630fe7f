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

// closeAll ends every portal but the running one and, unless held says so, those that are held.
func (p *portals) closeAll(held bool) {
	if !p.unnamed.running {
		p.unnamed.close()
	}
	for name, entry := range p.named {
		if entry.running || !held && entry.held() {
			continue
		}
		entry.close()
		delete(p.named, name)
	}
}

func (e *portalEntry) held() bool {
	p, ok := e.portal.(HeldPortal)
	return ok && p.Held()
}

// ClosePortals ends every portal but the one being executed and those that are held: for the end of
// a transaction. Connection goroutine only, as those below.
func (c *Conn) ClosePortals() { c.portals.closeAll(false) }

// CloseHeldPortals ends those that are held, too: for CLOSE ALL.
func (c *Conn) CloseHeldPortals() { c.portals.closeAll(true) }

// Portal finds a portal by its name. SQL's cursors and the protocol's portals share these names.
func (c *Conn) Portal(name string) (Portal, bool) {
	entry, err := c.portals.find([]byte(name))
	if err != nil {
		return nil, false
	}
	return entry.portal, true
}

// AddPortal adds a named portal, for DECLARE. Its rows are of one format.
func (c *Conn) AddPortal(name string, portal Portal, format int16) error {
	entry, err := c.portals.reserve([]byte(name), []int16{format})
	if err == nil {
		entry.portal = portal
	}
	return err
}

// ClosePortal ends a portal, for CLOSE. One that is being executed cannot be ended.
func (c *Conn) ClosePortal(name string) error {
	if entry := c.portals.named[name]; entry != nil && entry.running {
		return Errorf(CodeInvalidCursorState, "cannot drop active portal \"%s\"", name)
	}
	c.portals.drop([]byte(name))
	return nil
}

// EachPortal visits the portals, in no order. The unnamed one has an empty name.
func (c *Conn) EachPortal(visit func(name string, portal Portal)) {
	if c.portals.unnamed.portal != nil {
		visit("", c.portals.unnamed.portal)
	}
	for name, entry := range c.portals.named {
		if entry.portal != nil {
			visit(name, entry.portal)
		}
	}
}
