package wal

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// DumpOptions say what Dump prints.
type DumpOptions struct {
	JSON bool
	From LSN  // print records that begin at or above this
	To   LSN  // and below this; 0 is no limit
	Ops  bool // the operations of commits too
}

// dumpValueMax is how much of a key or value the text form shows.
const dumpValueMax = 64

// Dump prints the records of a log, from its oldest segment to its end, one a line. Nothing is
// changed or locked, so the log of a running server can be looked at; what it flushes meanwhile
// may or may not be shown. JSON is one object a line, and complete; text cuts long values.
func Dump(disk Disk, dir string, opts DumpOptions, out io.Writer) (err error) {
	w, err := openWalker(disk, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	buffer := bufio.NewWriter(out)
	d := dumper{opts: opts, out: buffer, json: json.NewEncoder(buffer)}
	for {
		rec, err := w.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && rec.LSN >= opts.From && (opts.To == 0 || rec.LSN < opts.To) {
			err = d.record(&rec)
		}
		if err != nil {
			return errors.Join(err, buffer.Flush())
		}
	}
	return errors.Join(d.end(w), buffer.Flush())
}

// dumper prints one record after the other.
type dumper struct {
	opts DumpOptions
	out  *bufio.Writer
	json *json.Encoder
}

// The JSON form. Positions are as LSN prints them, crcs and epochs hexadecimal, keys and values
// hexadecimal too, since they are any bytes.
type (
	dumpRecord struct {
		LSN      string       `json:"lsn"`
		End      string       `json:"end"`
		Prev     string       `json:"prev"`
		Type     string       `json:"type"`
		Timeline uint32       `json:"timeline"`
		Epoch    string       `json:"epoch"`
		Flushed  string       `json:"flushed"`
		Length   uint32       `json:"length"`
		CRC      string       `json:"crc"`
		PrevCRC  string       `json:"prev_crc"`
		Commit   *dumpCommit  `json:"commit,omitempty"`
		Data     *dumpData    `json:"data,omitempty"`
		Abort    string       `json:"abort_of,omitempty"`
		Begin    *dumpBegin   `json:"begin,omitempty"`
		Segment  *dumpSegment `json:"segment,omitempty"`
		Error    string       `json:"error,omitempty"`
	}
	dumpCommit struct {
		Time      string   `json:"time"`
		Level     string   `json:"level"`
		FirstData string   `json:"first_data,omitempty"`
		OpCount   uint32   `json:"op_count"`
		User      string   `json:"user"`
		App       string   `json:"application_name"`
		Ops       []dumpOp `json:"ops,omitempty"`
	}
	dumpOp struct {
		Kind  string `json:"op"`
		Table uint32 `json:"table"`
		Key   string `json:"key"`
		Value string `json:"value,omitempty"`
	}
	dumpData struct {
		First string `json:"first"`
		Piece uint32 `json:"piece"`
		Bytes int    `json:"bytes"`
	}
	dumpBegin struct {
		Previous string `json:"previous"`
		Ended    string `json:"ended"`
		Node     string `json:"node"`
		Time     string `json:"time"`
		Clean    bool   `json:"clean"`
		Reason   string `json:"reason,omitempty"`
	}
	dumpSegment struct {
		Version     uint32 `json:"version"`
		SystemID    uint64 `json:"system_id,string"`
		SegmentSize int64  `json:"segment_size"`
	}
	dumpEnd struct {
		End    string `json:"end"`
		Reason string `json:"reason"`
	}
)

func (d *dumper) record(r *Record) error {
	out := &dumpRecord{
		LSN: r.LSN.String(), End: r.End.String(), Prev: r.Prev.String(), Type: r.Type.String(),
		Timeline: r.Timeline, Epoch: strconv.FormatUint(r.Epoch, 16),
		Flushed: r.Flushed.String(), Length: r.Length,
		CRC: fmt.Sprintf("%08x", r.CRC), PrevCRC: fmt.Sprintf("%08x", r.PrevCRC),
	}
	ops, err := out.fill(r, d.opts.Ops)
	if err != nil {
		// The crc holds, so these are the bytes that were written: show the record and say so.
		out.Error = err.Error()
	}
	if d.opts.JSON {
		return d.json.Encode(out)
	}
	return d.text(out, ops)
}

// fill adds what the payload says.
func (out *dumpRecord) fill(r *Record, withOps bool) (ops []Op, err error) {
	switch r.Type {
	case TypeCommit:
		h, encoded, err := DecodeCommit(r.Payload)
		if err != nil {
			return nil, err
		}
		out.Commit = &dumpCommit{
			Time: micros(h.Time), Level: h.Level.String(), OpCount: h.OpCount,
			User: h.User, App: h.App,
		}
		if h.FirstData != 0 {
			// Its operations began in data records: what is here may begin inside one.
			out.Commit.FirstData = h.FirstData.String()
			return nil, nil
		}
		if withOps {
			return out.Commit.decodeOps(encoded)
		}
	case TypeData:
		h, piece, err := DecodeData(r)
		if err != nil {
			return nil, err
		}
		out.Data = &dumpData{First: h.First.String(), Piece: h.Piece, Bytes: len(piece)}
	case TypeAbort:
		first, err := DecodeAbort(r.Payload)
		out.Abort = first.String()
		return nil, err
	case TypeEpochBegin, TypeTimelineBegin:
		b, err := DecodeBegin(r.Payload)
		out.Begin = &dumpBegin{
			Previous: b.Previous.String(), Ended: b.Ended.String(), Time: micros(b.Time),
			Node: strconv.FormatUint(b.Node, 16), Clean: b.Clean, Reason: b.Reason,
		}
		return nil, err
	case TypeSegment:
		h, err := DecodeSegment(r.Payload)
		out.Segment = &dumpSegment{h.Version, h.SystemID, h.SegmentSize}
		return nil, err
	}
	return nil, nil
}

func (c *dumpCommit) decodeOps(encoded []byte) (ops []Op, err error) {
	for len(encoded) > 0 {
		var op Op
		if op, encoded, err = DecodeOp(encoded); err != nil {
			return ops, err
		}
		ops = append(ops, op)
		c.Ops = append(c.Ops, dumpOp{
			Kind: opKindName(op.Kind), Table: op.Table,
			Key: hex.EncodeToString(op.Key), Value: hex.EncodeToString(op.Value),
		})
	}
	return ops, nil
}

func opKindName(k OpKind) string {
	switch k {
	case OpSet:
		return "set"
	case OpDelete:
		return "delete"
	case OpDeleteRange:
		return "delete-range"
	}
	return "kind " + itoa(uint64(k))
}

func micros(t int64) string { return time.UnixMicro(t).UTC().Format("2006-01-02T15:04:05.000000Z") }

func (d *dumper) text(r *dumpRecord, ops []Op) error {
	fmt.Fprintf(d.out, "%-12s %-14s len %-6d crc %s after %s %s epoch %d.%s flushed %s",
		r.LSN, r.Type, r.Length, r.CRC, r.Prev, r.PrevCRC, r.Timeline, r.Epoch, r.Flushed)
	switch {
	case r.Commit != nil:
		c := r.Commit
		fmt.Fprintf(d.out, "  %s %s ops %d user %q app %q", c.Time, c.Level, c.OpCount, c.User, c.App)
		if c.FirstData != "" {
			fmt.Fprintf(d.out, " data from %s", c.FirstData)
		}
	case r.Data != nil:
		fmt.Fprintf(d.out, "  of %s piece %d, %d bytes", r.Data.First, r.Data.Piece, r.Data.Bytes)
	case r.Begin != nil:
		b := r.Begin
		fmt.Fprintf(d.out, "  %s after %s ended at %s, node %s", b.Time, b.Previous, b.Ended, b.Node)
		if b.Clean {
			fmt.Fprint(d.out, ", clean")
		}
		if b.Reason != "" {
			fmt.Fprintf(d.out, ", reason %q", b.Reason)
		}
	case r.Segment != nil:
		s := r.Segment
		fmt.Fprintf(d.out, "  version %d system %d size %d", s.Version, s.SystemID, s.SegmentSize)
	case r.Abort != "":
		fmt.Fprintf(d.out, "  of %s", r.Abort)
	}
	if r.Error != "" {
		fmt.Fprintf(d.out, "  MALFORMED: %s", r.Error)
	}
	if err := d.out.WriteByte('\n'); err != nil {
		return err
	}
	return d.textOps(ops)
}

func (d *dumper) textOps(ops []Op) error {
	for i := range ops {
		op := &ops[i]
		_, err := fmt.Fprintf(d.out, "    %s table %d %s", opKindName(op.Kind), op.Table, clip(op.Key))
		if err == nil && op.Kind != OpDelete {
			_, err = fmt.Fprintf(d.out, " %s", clip(op.Value))
		}
		if err = errors.Join(err, d.out.WriteByte('\n')); err != nil {
			return err
		}
	}
	return nil
}

// clip quotes b, and says how long it is when it shows only the beginning.
func clip(b []byte) string {
	if len(b) <= dumpValueMax {
		return strconv.Quote(string(b))
	}
	return fmt.Sprintf("%q...(%d bytes)", b[:dumpValueMax], len(b))
}

func (d *dumper) end(w *walker) error {
	if d.opts.JSON {
		return d.json.Encode(dumpEnd{End: w.end().String(), Reason: w.stop.Error()})
	}
	_, err := fmt.Fprintf(d.out, "%-12s end: %v\n", w.end(), w.stop)
	return err
}
