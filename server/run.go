package server

import (
	"context"
	"errors"
	"io"
	"time"

	"ackdb/pgwire"
	"ackdb/server/sql/exec"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// admit checks what a plan may do here and now, and opens the transaction for it.
func (s *session) admit(ctx context.Context, p *plan.Prepared) error {
	s.enter()
	if s.txn.modes.readOnly && !p.ReadOnly {
		return errReadOnly(p.Refusal)
	}
	if err := s.refuseOnStandby(); err != nil {
		return err
	}
	s.open()
	return s.prepareRead(ctx, p)
}

func errReadOnly(what string) *pgwire.Error {
	return pgwire.Errorf(pgwire.CodeReadOnlySQLTransaction,
		"cannot execute %s in a read-only transaction", what)
}

// execEnv is what a plan runs with.
func (s *session) execEnv(params []types.Datum) *exec.Env {
	s.refreshText()
	s.env.Txn = s.txn.tx
	s.env.Params = params
	s.env.TxnTime = types.MicrosOf(s.txn.started)
	s.env.StmtTime = types.MicrosOf(time.Now())
	s.env.SearchPath, s.env.Implicit, s.env.User = s.text.path, s.text.implicit, s.user
	s.env.Types = &s.text.env
	s.env.Lasting = false
	return &s.env
}

// runPlan runs a plan to its end, writing its rows, and returns the tag. The simple protocol has
// the rows described here; in the extended one Describe has done it.
func (s *session) runPlan(
	ctx context.Context, p *plan.Prepared, params []types.Datum, w *pgwire.Writer,
	formats []int16, describe bool,
) (string, error) {
	if err := s.admit(ctx, p); err != nil {
		return "", err
	}
	s.hold(ctx, p, w)
	switch p.Kind {
	case plan.KindCopyIn:
		return s.copyIn(ctx, p, params, w)
	case plan.KindCopyOut:
		return s.copyOut(ctx, p, params, w)
	}
	if describe && p.Columns != nil {
		w.RowDescription(wireColumns(p.Columns), nil)
	}
	cursor, err := s.server.executor.Open(ctx, p, s.execEnv(params))
	if err != nil {
		return "", err
	}
	defer cursor.Close()
	for {
		row, err := cursor.Next(ctx)
		if err != nil {
			return "", err
		}
		if row == nil {
			return cursor.Tag(), nil
		}
		if err := s.writeRow(w, row, formats); err != nil {
			return "", err
		}
	}
}

// writeRow encodes a row straight into the output.
func (s *session) writeRow(w *pgwire.Writer, row []types.Datum, formats []int16) error {
	w.BeginRow(len(row))
	for i, d := range row {
		switch {
		case d.IsNull():
			w.Null()
		case formatAt(formats, i) == pgwire.FormatBinary:
			w.EndValue(types.AppendBinary(w.BeginValue(), d))
		default:
			w.EndValue(types.AppendText(w.BeginValue(), d, &s.text.env))
		}
	}
	return w.EndRow()
}

func formatAt(formats []int16, i int) int16 {
	switch len(formats) {
	case 0:
		return pgwire.FormatText
	case 1:
		return formats[0]
	}
	return formats[i]
}

// wireColumns describes a plan's rows.
func wireColumns(columns []plan.Column) []pgwire.Column {
	if columns == nil {
		return nil
	}
	out := make([]pgwire.Column, len(columns))
	for i, c := range columns {
		out[i] = pgwire.Column{Name: c.Name, TableOID: c.TableOID, AttNum: c.Attnum,
			TypeOID: uint32(c.Type.OID), TypeSize: typeSize(c.Type.OID), TypeMod: c.Type.Mod}
	}
	return out
}

func typeSize(oid types.OID) int16 {
	if info := types.Lookup(oid); info != nil {
		return info.Len
	}
	return -1
}

func (s *session) copyIn(
	ctx context.Context, p *plan.Prepared, params []types.Datum, w *pgwire.Writer,
) (string, error) {
	in, err := s.server.executor.CopyIn(ctx, p, s.execEnv(params))
	if err != nil {
		return "", err
	}
	defer in.Close()
	reader, err := w.CopyIn(in.Binary(), in.Columns())
	if err != nil {
		return "", err
	}
	for {
		piece, err := reader.Next(ctx)
		if err == io.EOF {
			return in.Finish(ctx)
		}
		if err != nil {
			return "", whileCopying(err, in)
		}
		if err := in.Write(ctx, piece); err != nil {
			return "", err
		}
	}
}

// whileCopying says of an error that came instead of a row, such as the client's own, which row.
func whileCopying(err error, in *exec.CopyIn) error {
	var told *pgwire.Error
	if !errors.As(err, &told) || told.Fatal() {
		return err
	}
	placed := *told
	placed.Where = in.Waiting()
	return &placed
}

func (s *session) copyOut(
	ctx context.Context, p *plan.Prepared, params []types.Datum, w *pgwire.Writer,
) (string, error) {
	out, err := s.server.executor.CopyOut(ctx, p, s.execEnv(params))
	if err != nil {
		return "", err
	}
	defer out.Close()
	w.CopyOut(out.Binary(), out.Columns())
	for {
		buf, more, err := out.Next(ctx, w.BeginCopyData())
		if err != nil {
			return "", err
		}
		if !more {
			w.AbandonCopyData()
			w.CopyDone()
			return out.Tag(), nil
		}
		if err := w.EndCopyData(buf); err != nil {
			return "", err
		}
	}
}
