package exec

import (
	"context"
	"fmt"
	"strconv"

	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// CopyOut gives the rows of COPY ... TO STDOUT in their text form. It belongs to one goroutine.
type CopyOut struct {
	cursor *Cursor
	node   *plan.Copy
	names  []plan.Column
	header bool // is still to be given
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
		header: node.Format.Header}, nil
}

// Binary says which format the rows are given in.
func (c *CopyOut) Binary() bool { return c.node.Format.Binary }

// Columns says how many fields a row has.
func (c *CopyOut) Columns() int { return len(c.names) }

// Next appends the next row to dst, line end included; false at the end.
func (c *CopyOut) Next(ctx context.Context, dst []byte) ([]byte, bool, error) {
	if c.header {
		c.header = false
		return c.appendHeader(dst), true, nil
	}
	row, err := c.cursor.Next(ctx)
	if row == nil || err != nil {
		return dst, false, err
	}
	for i, d := range row {
		if i > 0 {
			dst = append(dst, c.node.Format.Delimiter)
		}
		if d.IsNull() {
			dst = append(dst, c.node.Format.Null...)
			continue
		}
		c.text = types.AppendText(c.text[:0], d, &c.cursor.run.text)
		dst = appendEscaped(dst, c.text, c.node.Format.Delimiter)
	}
	return append(dst, '\n'), true, nil
}

func (c *CopyOut) appendHeader(dst []byte) []byte {
	for i, column := range c.names {
		if i > 0 {
			dst = append(dst, c.node.Format.Delimiter)
		}
		dst = appendEscaped(dst, []byte(column.Name), c.node.Format.Delimiter)
	}
	return append(dst, '\n')
}

// Tag is the command tag, once Next has given false.
func (c *CopyOut) Tag() string { return "COPY " + strconv.FormatInt(c.cursor.Rows(), 10) }

// Close frees what the copy holds. It may be called twice.
func (c *CopyOut) Close() { c.cursor.Close() }
