package wal

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
)

// Verdict is what Verify says of a log.
type Verdict string

// The verdicts. A log that is torn is in order: the next start cuts the tail off, and loses
// nothing that was confirmed.
const (
	VerdictOK      Verdict = "ok"
	VerdictTorn    Verdict = "torn"
	VerdictDamaged Verdict = "damaged"
)

// VerifyReport is what Verify found.
type VerifyReport struct {
	Verdict  Verdict          `json:"verdict"`
	Dir      string           `json:"dir"`
	SystemID uint64           `json:"system_id,string"`
	Segments int              `json:"segments"`
	From     string           `json:"from"`
	End      string           `json:"end"`
	Stop     string           `json:"stop"`            // why the log ends there
	Durable  string           `json:"durable"`         // the durable point, "0/0" when unknown
	Says     string           `json:"durable_by"`      // what it is known by
	Control  string           `json:"control"`         // "ok", or why there is none
	Damage   string           `json:"error,omitempty"` // of VerdictDamaged, naming file and offset
	Records  map[string]int64 `json:"records"`         // by type
	Bytes    int64            `json:"bytes"`
	Epochs   int              `json:"epochs"` // begun in the segments there are
}

// Verify reads a log from its oldest segment to its end and judges that end as recovery would
// (W5), without changing anything: whether the next start will take it as it is, cut off a torn
// tail, or refuse. The store's marker is not asked. Where there is no control, as in an archive of
// segments, what control would know is not known, and only gaps between segments are damage.
//
// On the directory of a running server the tail may be in motion, and look torn.
func Verify(disk Disk, dir string) (report VerifyReport, err error) {
	w, err := openWalker(disk, dir)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	report = VerifyReport{
		Verdict: VerdictOK, Dir: w.segs.dir, SystemID: w.segs.systemID, Segments: len(w.starts),
		From: w.starts[0].String(), Control: "ok", Records: map[string]int64{},
	}
	if w.control == nil {
		report.Control = w.noCtrl.Error()
	}
	if err := report.count(w); err != nil {
		return report, err
	}
	return report, report.judge(w, dir)
}

// count reads the log to its end.
func (v *VerifyReport) count(w *walker) error {
	for {
		rec, err := w.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		v.Records[rec.Type.String()]++
		v.Bytes += int64(rec.End - rec.LSN)
	}
	v.End, v.Stop, v.Epochs = w.end().String(), w.stop.Error(), len(w.begun)
	return nil
}

// judge says what the end means.
func (v *VerifyReport) judge(w *walker, dir string) error {
	durable, err := w.durable(dir)
	if err != nil {
		return err
	}
	v.Durable, v.Says = durable.lsn.String(), durable.says
	switch end := w.end(); {
	case durable.lsn > end:
		v.Verdict = VerdictDamaged
		v.Damage = w.segs.damaged(w.bad, durable.lsn, fmt.Sprintf(
			"%s; the log was durable beyond it, says %s", w.stop, durable.says)).Error()
	case w.stop != errZeros && w.stop != errMissing && w.stop != errLastFull || w.chain.leading:
		v.Verdict = VerdictTorn
	}
	return nil
}

// durable finds the durable point by recovery's own rule.
func (w *walker) durable(dir string) (durablePoint, error) {
	if w.control == nil {
		// Segments follow one another without a gap or the log was longer once.
		last := w.starts[len(w.starts)-1]
		if last > w.bad {
			return durablePoint{last, "segment " + filepath.Base(w.segs.path(last))}, nil
		}
		return durablePoint{}, nil
	}
	list, err := readEpochs(w.segs.disk, dir)
	if err != nil {
		return durablePoint{}, err
	}
	control := &controlFile{}
	control.cur.Store(w.control)
	r := recovery{
		d:    &Dir{control: control, epochs: list},
		segs: w.segs, reader: w.reader, chain: w.chain, bad: w.bad, begun: w.begun,
	}
	// Control hears of the store's marker too, later than the store.
	r.start.Applied = w.control.Applied
	if err := r.findDurable(); err != nil {
		return durablePoint{}, err
	}
	return r.durable, nil
}
