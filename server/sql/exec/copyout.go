package exec

import (
	"context"
	"fmt"
	"strconv"

	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// CopyOut gives the rows of COPY ... TO STDOUT in the format that was asked for. It belongs to one
// goroutine.
type CopyOut struct {
	cursor *Cursor
	node   *plan.Copy
	names  []plan.Column
	header bool // is still to be given
	ended  bool // all rows were given
	text   []byte
}

// CopyOut starts a COPY ... TO STDOUT.
func (x *Executor) CopyOut(ctx context.Context, p *plan.Prepared, env *Env) (*CopyOut, error) {
	node, ok := p.Root.(*plan.Copy)
	if !ok || node.In == nil {
		return nil, fmt.Errorf("exec: CopyOut of %T", p.Root)
	}
	cursor, err := x.Open(ctx, p, env)
	if err != nil {
		return nil, err
	}
	p = cursor.Plan()
	node = p.Root.(*plan.Copy)
	return &CopyOut{cursor: cursor, node: node, names: p.CopyColumns,
		header: node.Format.Header || node.Format.Binary}, nil
}

// Binary says which format the rows are given in.
func (c *CopyOut) Binary() bool { return c.node.Format.Binary }

// Columns says how many fields a row has.
func (c *CopyOut) Columns() int { return len(c.names) }

// Next appends the next row to dst, line end included; false at the end. What comes before the
// first row and, in the binary format, behind the last counts as one.
func (c *CopyOut) Next(ctx context.Context, dst []byte) ([]byte, bool, error) {
	if c.header {
		c.header = false
		return c.appendHeader(dst), true, nil
	}
	if c.ended {
		return dst, false, nil
	}
	row, err := c.cursor.Next(ctx)
	if err != nil {
		return dst, false, err
	}
	f := &c.node.Format
	if row == nil {
		c.ended = true
		if f.Binary {
			return append(dst, 0xff, 0xff), true, nil
		}
		return dst, false, nil
	}
	if f.Binary {
		return appendBinaryRow(dst, row), true, nil
	}
	for i, d := range row {
		if i > 0 {
			dst = append(dst, f.Delimiter)
		}
		if d.IsNull() {
			dst = append(dst, f.Null...)
			continue
		}
		c.text = types.AppendText(c.text[:0], d, &c.cursor.run.text)
		dst = c.appendField(dst, c.text, f.ForceQuote != nil && f.ForceQuote[i])
	}
	return append(dst, '\n'), true, nil
}

func (c *CopyOut) appendField(dst, text []byte, quote bool) []byte {
	if f := &c.node.Format; f.CSV {
		return appendCSV(dst, text, f, quote, len(c.names) == 1)
	}
	return appendEscaped(dst, text, c.node.Format.Delimiter)
}

func (c *CopyOut) appendHeader(dst []byte) []byte {
	if c.node.Format.Binary {
		return appendBinaryHeader(dst)
	}
	for i, column := range c.names {
		if i > 0 {
			dst = append(dst, c.node.Format.Delimiter)
		}
		dst = c.appendField(dst, []byte(column.Name), false)
	}
	return append(dst, '\n')
}

// Tag is the command tag, once Next has given false.
func (c *CopyOut) Tag() string { return "COPY " + strconv.FormatInt(c.cursor.Rows(), 10) }

// Close frees what the copy holds. It may be called twice.
func (c *CopyOut) Close() { c.cursor.Close() }
