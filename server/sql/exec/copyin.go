package exec

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// CopyRowMax bounds the bytes of one row a client copies in: what is held while its end has not
// come.
const CopyRowMax = 128 << 20

// CopyIn takes what a client sends after COPY ... FROM STDIN. It belongs to one goroutine.
type CopyIn struct {
	run    *run
	node   *plan.Copy
	insert *insert
	fields []types.Datum
	types  []types.Type

	format  copyReader
	pending []byte // what came and is no whole row yet
	read    int64
	rows    int64 // of them, those WHERE let through
	ended   bool  // the format's own end was met; what follows is ignored
	closed  bool
}

// copyReader takes one row from the front of what came.
type copyReader interface {
	// read fills the fields of the next row and says how many bytes it took: 0 when the row is not
	// all there. end says that the data are at their end.
	read(c *CopyIn, data []byte, last bool) (taken int, end, row bool, err error)
	// where tells the row it is at, from 1; its text, or that of the field it stopped at, whose
	// number is column, else -1.
	// The line is 0 while no row was begun.
	where() (line int64, text []byte, column int)
	// finish says what is wrong with data that end here, with so many bytes left.
	finish(left int) error
}

// CopyIn starts a COPY ... FROM STDIN.
func (x *Executor) CopyIn(ctx context.Context, p *plan.Prepared, env *Env) (*CopyIn, error) {
	r := env.Session.take(x, ctx, env)
	p, err := x.lock(ctx, p, r)
	if err != nil {
		env.Session.put(r)
		return nil, err
	}
	r.txn.StartStatement()
	node, ok := p.Root.(*plan.Copy)
	if !ok || node.Insert == nil {
		env.Session.put(r)
		return nil, fmt.Errorf("exec: CopyIn of %T", p.Root)
	}
	c := &CopyIn{run: r, node: node, fields: make([]types.Datum, len(node.Columns))}
	for _, column := range node.Columns {
		c.types = append(c.types, node.Table.Columns[column].Type)
	}
	c.insert = &insert{node: node.Insert, row: make([]types.Datum, len(node.Table.Columns))}
	if c.insert.writer, err = r.newWriter(node.Table, node.Insert.Checks, node.Insert.Foreign); err != nil {
		env.Session.put(r)
		return nil, err
	}
	if node.Format.Binary {
		c.format = &binaryReader{}
	} else {
		c.format = newLineReader(&node.Format)
	}
	return c, nil
}

// Binary says which format the client is asked for.
func (c *CopyIn) Binary() bool { return c.node.Format.Binary }

// Columns says how many fields a row has.
func (c *CopyIn) Columns() int { return len(c.node.Columns) }

// Waiting says, as the context of an error, which row the client was to send next.
func (c *CopyIn) Waiting() string {
	line, _, _ := c.format.where()
	return fmt.Sprintf("COPY %s, line %d", c.node.Table.Name, line+1)
}

// Write takes a piece of what the client sends; pieces need not end where rows do.
func (c *CopyIn) Write(ctx context.Context, chunk []byte) error {
	if c.ended {
		return nil
	}
	c.run.eval.Ctx = ctx
	if len(c.pending) == 0 {
		rest, err := c.consume(chunk, false)
		c.pending = append(c.pending[:0], rest...)
		return err
	}
	c.pending = append(c.pending, chunk...)
	rest, err := c.consume(c.pending, false)
	c.pending = c.pending[:copy(c.pending, rest)]
	if err == nil && len(c.pending) > CopyRowMax {
		err = types.Errorf(types.CodeProgramLimit,
			"a row of COPY is larger than %d MB", CopyRowMax>>20)
	}
	return err
}

// consume inserts the rows at the front of data and gives what is left.
func (c *CopyIn) consume(data []byte, last bool) ([]byte, error) {
	for len(data) > 0 && !c.ended {
		taken, end, row, err := c.format.read(c, data, last)
		if err != nil {
			return nil, c.place(err, false)
		}
		if taken == 0 && !end {
			return data, nil
		}
		data, c.ended = data[taken:], end
		if !row {
			continue
		}
		if err := c.one(); err != nil {
			if hasCode(err, plan.CodeForeignKey) {
				return nil, err // which Postgres checks when all rows are there
			}
			return nil, c.place(err, hasCode(err, plan.CodeUniqueViolation))
		}
	}
	return data, nil
}

// one keeps the row of the fields, if WHERE lets it.
func (c *CopyIn) one() error {
	if c.read++; c.read%checkEvery == 0 {
		if err := c.run.check(); err != nil {
			return err
		}
	}
	if err := c.run.evalRow(c.insert.row, c.node.Insert.Row, c.fields); err != nil {
		return err
	}
	if c.node.Where != nil {
		if ok, err := c.run.truth(c.node.Where, c.insert.row); err != nil || !ok {
			return err
		}
	}
	c.rows++
	_, err := c.insert.one(c.run)
	return err
}

func hasCode(err error, code types.Code) bool {
	var e *types.Error
	return errors.As(err, &e) && e.Code == code
}

// maxShownLine bounds the line or value an error shows, Postgres' MAX_COPY_DATA_DISPLAY.
const maxShownLine = 100

// place says in an error where in the data it happened. Without the line: of a duplicate it is not
// shown, since Postgres finds those a batch later.
func (c *CopyIn) place(err error, withoutLine bool) error {
	var e *types.Error
	line, text, column := c.format.where()
	if !errors.As(err, &e) || line == 0 {
		return err
	}
	placed := *e
	placed.Context = fmt.Sprintf("COPY %s, line %d", c.node.Table.Name, line)
	if column >= 0 {
		placed.Context += ", column " + c.columnName(column)
	}
	if text != nil && !withoutLine {
		if len(text) > maxShownLine {
			cut := maxShownLine
			for cut > 0 && !utf8.RuneStart(text[cut]) {
				cut--
			}
			text = append(text[:cut:cut], "..."...)
		}
		placed.Context += ": \"" + string(text) + "\""
	}
	return &placed
}

// columnName names the column of a field.
func (c *CopyIn) columnName(field int) string {
	return c.node.Table.Columns[c.node.Columns[field]].Name
}

// Finish ends the data and gives the command tag.
func (c *CopyIn) Finish(ctx context.Context) (string, error) {
	c.run.eval.Ctx = ctx
	rest, err := c.consume(c.pending, true)
	if err == nil && !c.ended {
		err = c.place(c.format.finish(len(rest)), false)
	}
	if err == nil {
		err = c.insert.writer.finish(c.run)
	}
	tag := "COPY " + strconv.FormatInt(c.rows, 10)
	c.Close()
	return tag, err
}

// Close frees what the copy holds. It may be called twice.
func (c *CopyIn) Close() {
	if !c.closed {
		c.closed = true
		c.run.env.Session.put(c.run)
	}
}
