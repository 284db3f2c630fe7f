package pgcatalog

// tablesRows is pg_tables.
func tablesRows(e *env, w *writer) error {
	for _, h := range holders(e.Snapshot) {
		if h.kind != 'r' {
			continue
		}
		var space any
		if h.shared {
			space = "pg_global"
		}
		hasIndex := h.table != nil && len(indexesOf(h.table)) > 0
		err := w.add(h.schema, h.name, e.site.Superuser, space, hasIndex, false, false, false)
		if err != nil {
			return err
		}
	}
	return nil
}

// viewsRows is pg_views. The system's own views are not made of a query, and have no definition.
func viewsRows(e *env, w *writer) error {
	for _, h := range holders(e.Snapshot) {
		if h.kind != 'v' {
			continue
		}
		if err := w.add(h.schema, h.name, e.site.Superuser, e.definition(&h)); err != nil {
			return err
		}
	}
	return nil
}

// rewriteRows is pg_rewrite: a view is a rule that bears its oid (G2).
func rewriteRows(e *env, w *writer) error {
	d := e.definitions()
	for _, v := range e.Snapshot.Views() {
		err := w.add(v.OID, "_RETURN", v.OID, '1', 'O', true, "<>", d.view(v, false, 0))
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *env) definition(h *holder) any {
	if h.view == nil {
		return nil
	}
	return e.definitions().view(h.view, false, 0)
}

// indexesRows is pg_indexes.
func indexesRows(e *env, w *writer) error {
	d := &Definitions{Snapshot: e.Snapshot}
	for _, t := range e.Snapshot.Tables() {
		for _, i := range indexesOf(t) {
			if err := w.add(t.Schema, t.Name, i.Name, nil, d.index(&i, false)); err != nil {
				return err
			}
		}
	}
	return nil
}
