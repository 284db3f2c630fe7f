package pgcatalog

import (
	"fmt"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// measures are what information_schema says of the sizes of a type; nil where it says nothing.
type measures struct {
	characters, octets      any
	precision, radix, scale any
	fraction                any // digits of a second
}

const (
	// octetsPerCharacter is the most that UTF8 takes in PostgreSQL.
	octetsPerCharacter = 4
	// unboundedOctets is what a text without a length may have.
	unboundedOctets = 1 << 30
	// modHeader is what the modifiers of texts and numerics have above the length.
	modHeader = 4
	// secondDigits is how many digits of a second there are when nothing else is said.
	secondDigits = 6
)

func measuresOf(t types.Type) measures {
	switch t.OID {
	case types.Text:
		return measures{octets: unboundedOctets}
	case types.VarChar, types.BPChar:
		if t.Mod < 0 {
			return measures{octets: unboundedOctets}
		}
		length := int(t.Mod) - modHeader
		return measures{characters: length, octets: length * octetsPerCharacter}
	case types.Int2, types.Int4, types.Int8:
		return measures{precision: integerBits[t.OID], radix: 2, scale: 0}
	case types.Float4:
		return measures{precision: 24, radix: 2}
	case types.Float8:
		return measures{precision: 53, radix: 2}
	case types.Numeric:
		if t.Mod < 0 {
			return measures{radix: 10}
		}
		return measures{precision: int(t.Mod-modHeader) >> 16 & 0xffff, radix: 10,
			scale: int(t.Mod-modHeader) & 0xffff}
	case types.Date:
		return measures{fraction: 0}
	case types.Time, types.Timestamp, types.TimestampTZ, types.Interval:
		if digits := int(t.Mod) & 0xffff; t.Mod >= 0 && digits != 0xffff {
			return measures{fraction: digits}
		}
		return measures{fraction: secondDigits}
	}
	return measures{}
}

func schemaColumns(e *env, w *writer) error {
	for _, h := range e.accessible() {
		for i := range h.columns {
			if err := e.schemaColumn(w, &h, &h.columns[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *env) schemaColumn(w *writer, h *holder, c *catalog.Column) error {
	info := typeInfo(c.Type.OID)
	m := measuresOf(c.Type)
	var collation [3]any
	if info.Collation != 0 && info.Collation != defaultCollation {
		collation = [3]any{e.site.Database, catalog.PgCatalog, "C"}
	}
	db := e.site.Database
	id := e.identityOf(c)
	a := attribute{Column: c}
	var expr any
	if a.hasDefault() {
		expr = e.definitions().Expression(h.table, c.Default, false)
	}
	return w.add(db, h.schema, h.name, c.Name, c.Attnum, expr, yesNo(!c.NotNull),
		schemaType(c.Type.OID), m.characters, m.octets, m.precision, m.radix, m.scale, m.fraction,
		nil, nil, nil, nil, nil, collation[0], collation[1], collation[2], nil, nil, nil, db,
		catalog.PgCatalog, info.Name, nil, nil, nil, nil, fmt.Sprint(c.Attnum), "NO",
		yesNo(id.generation != nil), id.generation, id.start, id.increment, id.max, id.min,
		yesNo(id.cycle), "NEVER", nil, yesNo(h.kind == 'r'))
}

// identity is what information_schema says of an identity column; nil for others.
type identity struct {
	generation, start, increment, max, min any
	cycle                                  bool
}

func (e *env) identityOf(c *catalog.Column) identity {
	q := e.Snapshot.SequenceByOID(c.IdentitySequence)
	if c.Identity == "" || q == nil {
		return identity{}
	}
	generation := "BY DEFAULT"
	if c.Identity == catalog.IdentityAlways {
		generation = "ALWAYS"
	}
	return identity{generation: generation, start: fmt.Sprint(q.Start),
		increment: fmt.Sprint(q.Increment), max: fmt.Sprint(q.Max), min: fmt.Sprint(q.Min),
		cycle: q.Cycle}
}
