package pgwire

import (
	"encoding/binary"
	"math"
	"net"

	"github.com/jackc/pgproto3/v2"
)

// Writer is the output of one connection. Messages are encoded into its buffer, one after the
// other, and go to the network together (P3). Only the connection's goroutine uses it.
//
// A failed write is kept: what is written afterwards is dropped, and EndRow, CopyData and flush
// return ErrClientGone, so that a Backend producing rows for nobody stops.
type Writer struct {
	conn net.Conn
	buf  []byte
	err  error

	// rowStart and rowColumns describe the DataRow being written; rowStart is -1 outside.
	rowStart   int
	rowColumns int
	valueStart int

	// gate is asked before what stands from held on may leave; nil when nothing is held.
	gate func() error
	held int

	// Reused, so that encoding allocates nothing.
	rowDescription pgproto3.RowDescription
	columnNames    []byte
	copyFormats    []uint16

	copyReader CopyReader
}

func newWriter(conn net.Conn) Writer {
	return Writer{conn: conn, buf: make([]byte, 0, writeBufferBytes), rowStart: -1}
}

// message is what the library's backend messages have in common.
type message interface {
	Encode(dst []byte) ([]byte, error)
}

// add encodes m. Encode fails only for a count that does not fit its field, and returns nil then:
// the buffer is kept, and the connection ended, since the client waits for a message that cannot
// be sent.
func (w *Writer) add(m message) {
	if w.err != nil {
		return
	}
	buf, err := m.Encode(w.buf)
	if err != nil {
		w.err = err
		return
	}
	w.buf = buf
}

// begin starts a message encoded by hand; finish fills in its length.
func (w *Writer) begin(typ byte) int {
	w.buf = append(w.buf, typ, 0, 0, 0, 0)
	return len(w.buf) - 4
}

func (w *Writer) finish(start int) {
	binary.BigEndian.PutUint32(w.buf[start:], uint32(len(w.buf)-start))
}

// RowDescription announces rows of these columns. formats is as in BindArgs.ResultFormats.
func (w *Writer) RowDescription(columns []Column, formats []int16) {
	fields := w.rowDescription.Fields[:0]
	names := w.columnNames[:0]
	for i := range columns {
		c := &columns[i]
		start := len(names)
		names = append(names, c.Name...)
		fields = append(fields, pgproto3.FieldDescription{
			Name:                 names[start:len(names):len(names)],
			TableOID:             c.TableOID,
			TableAttributeNumber: uint16(c.AttNum),
			DataTypeOID:          c.TypeOID,
			DataTypeSize:         c.TypeSize,
			TypeModifier:         c.TypeMod,
			Format:               formatOf(formats, i),
		})
	}
	w.rowDescription.Fields, w.columnNames = fields, names
	w.add(&w.rowDescription)
}

// BeginRow starts a DataRow, to be followed by one value for each column and EndRow.
func (w *Writer) BeginRow(columns int) {
	w.rowStart = w.begin('D')
	w.rowColumns = columns
	w.buf = binary.BigEndian.AppendUint16(w.buf, uint16(columns))
}

// Null adds a NULL.
func (w *Writer) Null() {
	w.buf = binary.BigEndian.AppendUint32(w.buf, math.MaxUint32)
}

// Value adds a value.
func (w *Writer) Value(v []byte) {
	w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(len(v)))
	w.buf = append(w.buf, v...)
}

// BeginValue returns the buffer for the caller to append a value to; EndValue takes it back.
func (w *Writer) BeginValue() []byte {
	w.buf = append(w.buf, 0, 0, 0, 0)
	w.valueStart = len(w.buf)
	return w.buf
}

// EndValue ends the value begun by BeginValue.
func (w *Writer) EndValue(buf []byte) {
	w.buf = buf
	binary.BigEndian.PutUint32(w.buf[w.valueStart-4:], uint32(len(w.buf)-w.valueStart))
}

// EndRow ends the row and writes what has gathered, if that is enough.
func (w *Writer) EndRow() error {
	w.finish(w.rowStart)
	w.rowStart = -1
	return w.flushIfFull()
}

// dropRow takes back a row whose values could not all be produced, so that the error that follows
// is not read as the rest of it.
func (w *Writer) dropRow() {
	if w.rowStart >= 0 {
		w.buf = w.buf[:w.rowStart-1]
		w.rowStart = -1
	}
}

// CommandComplete ends a statement with its tag.
func (w *Writer) CommandComplete(tag string) {
	start := w.begin('C')
	w.buf = append(w.buf, tag...)
	w.buf = append(w.buf, 0)
	w.finish(start)
}

// EmptyQuery ends a statement that held nothing.
func (w *Writer) EmptyQuery() { w.add(&pgproto3.EmptyQueryResponse{}) }

// Notice sends a notice or a warning.
func (w *Writer) Notice(e *Error) {
	n := pgproto3.NoticeResponse(e.fields())
	w.add(&n)
}

// ParameterStatus reports a setting. It may stand anywhere between messages. It is encoded by hand,
// since a session that asks for receipts gets two with each commit.
func (w *Writer) ParameterStatus(name, value string) {
	start := w.begin('S')
	w.text(name)
	w.text(value)
	w.finish(start)
}

// Notification delivers a NOTIFY.
func (w *Writer) Notification(pid int32, channel, payload string) {
	start := w.begin('A')
	w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(pid))
	w.text(channel)
	w.text(payload)
	w.finish(start)
}

// text appends a string and its end.
func (w *Writer) text(s string) {
	w.buf = append(w.buf, withoutNUL(s)...)
	w.buf = append(w.buf, 0)
}

func (w *Writer) errorResponse(e *Error) {
	w.dropRow()
	fields := e.fields()
	w.add(&fields)
}

func (w *Writer) parameterDescription(oids []uint32) {
	w.add(&pgproto3.ParameterDescription{ParameterOIDs: oids})
}

// Messages without content, as bytes: there is nothing to encode.
var (
	parseComplete   = []byte{'1', 0, 0, 0, 4}
	bindComplete    = []byte{'2', 0, 0, 0, 4}
	closeComplete   = []byte{'3', 0, 0, 0, 4}
	noData          = []byte{'n', 0, 0, 0, 4}
	portalSuspended = []byte{'s', 0, 0, 0, 4}
	copyDone        = []byte{'c', 0, 0, 0, 4}
)

func (w *Writer) raw(message []byte) { w.buf = append(w.buf, message...) }

func (w *Writer) readyForQuery(status TxStatus) {
	w.buf = append(w.buf, 'Z', 0, 0, 0, 5, byte(status))
}

func (w *Writer) flushIfFull() error {
	if len(w.buf) < flushBytes && w.err == nil {
		return nil
	}
	return w.flush()
}

// flush writes the buffer, once the gate lets it. After a failure nothing more is written, because what the client got is
// no longer at a message's end (P5).
func (w *Writer) flush() error {
	if w.err != nil {
		w.buf = w.buf[:0]
		return ErrClientGone
	}
	if len(w.buf) == 0 {
		return nil
	}
	if w.gate != nil {
		if err := w.gate(); err != nil {
			return err
		}
		w.held = 0
	}
	if _, err := w.conn.Write(w.buf); err != nil {
		w.err = err
		w.buf = w.buf[:0]
		return ErrClientGone
	}
	if cap(w.buf) > writeKeepBytes {
		w.buf = make([]byte, 0, writeBufferBytes)
	}
	w.buf = w.buf[:0]
	return nil
}
