package pgcatalog

import (
	"ackdb/server/sql/catalog"
)

// commented is what a comment is about. Class 0 stands for any.
type commented struct {
	class, object uint32
	column        int16 // 0 for the object itself
}

// comment is a row of pg_description.
type comment struct {
	commented
	text string
}

// descriptionRows is pg_description.
func descriptionRows(e *env, w *writer) error {
	object, one := e.onlyOID(w, "objoid")
	for _, c := range comments(e.Snapshot) {
		if one && c.object != object {
			continue
		}
		if err := w.add(c.object, c.class, int(c.column), c.text); err != nil {
			return err
		}
	}
	return nil
}

// comments lists what COMMENT gave. The schema public has one from the start.
func comments(s *catalog.Snapshot) []comment {
	var list []comment
	add := func(class, object uint32, column int16, text string) {
		if text != "" {
			list = append(list, comment{commented{class, object, column}, text})
		}
	}
	for _, c := range s.Schemas() {
		text := c.Comment
		if text == "" && c.OID == catalog.PublicOID {
			text = factRows("pg_description")[0][3].Str()
		}
		add(classOfSchemas, c.OID, 0, text)
	}
	for _, t := range s.Tables() {
		add(classOfRelations, t.OID, 0, t.Comment)
		for i := range t.Columns {
			add(classOfRelations, t.OID, t.Columns[i].Attnum, t.Columns[i].Comment)
		}
		for _, i := range indexesOf(t) {
			add(classOfRelations, i.OID, 0, i.Comment)
		}
		for _, c := range constraintsOf(t) {
			add(classOfConstraints, c.oid, 0, c.comment)
		}
	}
	for _, v := range s.Views() {
		add(classOfRelations, v.OID, 0, v.Comment)
		for i := range v.Columns {
			add(classOfRelations, v.OID, v.Columns[i].Attnum, v.Columns[i].Comment)
		}
	}
	for _, q := range s.Sequences() {
		add(classOfRelations, q.OID, 0, q.Comment)
	}
	return list
}

// Comment is what an object is described with; table names its catalog, "" any. Column 0 is the
// object itself.
func (d *Definitions) Comment(object uint32, table string, column int) (string, bool) {
	if table == "pg_database" {
		return sharedComment(object)
	}
	class := uint32(0)
	if known := relations()[[2]string{catalog.PgCatalog, table}]; known != nil {
		class = known.oid
	} else if table != "" {
		return "", false
	}
	if d.comments == nil {
		d.comments = map[commented]string{}
		for _, c := range comments(d.Snapshot) {
			d.comments[c.commented] = c.text
			d.comments[commented{0, c.object, c.column}] = c.text
		}
	}
	text, ok := d.comments[commented{class, object, int16(column)}]
	return text, ok
}

// sharedComment looks in pg_shdescription, which is of facts alone.
func sharedComment(object uint32) (string, bool) {
	const owner, text = 0, 2 // columns of pg_shdescription
	for _, row := range factRows("pg_shdescription") {
		if uint32(row[owner].Int()) == object {
			return row[text].Str(), true
		}
	}
	return "", false
}
