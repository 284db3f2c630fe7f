package pgwire

import (
	"context"
	"encoding/binary"
	"io"

	"github.com/jackc/pgproto3/v2"
)

// CopyReader hands out what a client sends for COPY FROM STDIN.
type CopyReader struct {
	conn *Conn
	done bool
}

// CopyIn asks the client for data. The reader is valid until the Backend's call returns; what it
// leaves unread is dropped by the loop.
func (w *Writer) CopyIn(binaryFormat bool, columns int) (*CopyReader, error) {
	w.add(&pgproto3.CopyInResponse{
		OverallFormat: copyFormat(binaryFormat), ColumnFormatCodes: w.copyColumns(binaryFormat, columns)})
	if err := w.flush(); err != nil {
		return nil, err
	}
	w.copyReader.done = false
	return &w.copyReader, nil
}

// Next returns the next piece, cut wherever the client cut it, valid until the following call (P6).
// io.EOF means that the client has sent everything; an *Error, that it gave up or was cancelled.
func (r *CopyReader) Next(ctx context.Context) ([]byte, error) {
	if r.done {
		return nil, io.EOF
	}
	c := r.conn
	c.copying = true
	defer func() { c.copying = false }()
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		typ, body, err := c.reader.next()
		if err == io.EOF {
			err = Fatalf(CodeConnectionFailure,
				"unexpected EOF on client connection with an open transaction")
		}
		if err != nil {
			return nil, err
		}
		switch typ {
		case 'd':
			return body, nil
		case 'c':
			r.done = true
			return nil, io.EOF
		case 'f':
			return nil, copyFailed(body)
		case 'H', 'S':
			// Clients that send Sync right behind Execute do not wait to learn that it was a COPY.
		default:
			return nil, Fatalf(CodeProtocolViolation,
				"unexpected message type 0x%02X during COPY from stdin", typ)
		}
	}
}

func copyFailed(body []byte) error {
	message, err := decodeCopyFail(body)
	if err != nil {
		return err
	}
	return Errorf(CodeQueryCanceled, "COPY from stdin failed: %s", message)
}

// CopyOut announces data to the client.
func (w *Writer) CopyOut(binaryFormat bool, columns int) {
	w.add(&pgproto3.CopyOutResponse{
		OverallFormat: copyFormat(binaryFormat), ColumnFormatCodes: w.copyColumns(binaryFormat, columns)})
}

// BeginCopyData returns the buffer for the caller to append a piece to, by custom one row;
// EndCopyData takes it back.
func (w *Writer) BeginCopyData() []byte {
	w.rowStart = w.begin('d')
	return w.buf
}

// EndCopyData ends the piece.
func (w *Writer) EndCopyData(buf []byte) error {
	w.buf = buf
	return w.EndRow()
}

// CopyDone ends the data.
func (w *Writer) CopyDone() { w.raw(copyDone) }

func copyFormat(binaryFormat bool) byte {
	if binaryFormat {
		return 1
	}
	return 0
}

func (w *Writer) copyColumns(binaryFormat bool, columns int) []uint16 {
	w.copyFormats = w.copyFormats[:0]
	for range columns {
		w.copyFormats = append(w.copyFormats, uint16(copyFormat(binaryFormat)))
	}
	return w.copyFormats
}

// AppendCopyData is for callers that have the piece already.
func (w *Writer) AppendCopyData(piece []byte) error {
	w.buf = append(w.buf, 'd')
	w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(len(piece)+4))
	w.buf = append(w.buf, piece...)
	return w.flushIfFull()
}

// AbandonCopyData takes back what BeginCopyData began: the source turned out to have no more.
func (w *Writer) AbandonCopyData() { w.dropRow() }
