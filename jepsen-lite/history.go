package jepsenlite

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// Kinds of history lines. An operation is invoked and then ends in exactly one of ok (the server
// said so), fail (it certainly did not happen) and unknown (the connection broke while the COMMIT
// was under way). A kill or a power cut ends a round; a state line holds what the next server
// showed.
const (
	Invoke  = "invoke"
	OK      = "ok"
	Fail    = "fail"
	Unknown = "unknown"
	Flushed = "flushed" // the server said that the log is on disk up to LSN
	Shown   = "shown"   // a reader of durable data saw the ticks up to Tick
	Kill    = "kill"
	Cut     = "cut"
	// Failover: the primary was killed for good and a standby it was to wait for was promoted; after
	// the power of that was cut, too, if How says so.
	Failover = "failover"
	Judged   = "judged" // the next server said by the receipt of the transaction what became of it
	State    = "state"
)

// Event is one line of a history.
type Event struct {
	Type    string `json:"type"`
	Mono    int64  `json:"mono_ns"` // monotonic, since the journal was opened
	Session int    `json:"session,omitempty"`
	N       int64  `json:"n,omitempty"` // the session's transaction number, from 1
	Op      string `json:"op,omitempty"`
	Mode    string `json:"mode,omitempty"` // synchronous_commit of the session
	Pieces  int    `json:"pieces,omitempty"`
	Tick    int64  `json:"tick,omitempty"`  // drawn in this transaction, 0 for none
	LSN     string `json:"lsn,omitempty"`   // the commit's own position, from its receipt
	Token   string `json:"token,omitempty"` // the receipt itself
	How     string `json:"how,omitempty"`   // of a flushed line: asked, notified, waited; the verdict
	Shown   string `json:"shown,omitempty"` // end of the log, as shown to the client afterwards
	Err     string `json:"err,omitempty"`

	Seen *Seen `json:"seen,omitempty"` // of a state line
}

// Seen is everything a reader finds after a restart.
type Seen struct {
	Entries map[int]map[int64]int `json:"entries"`  // session -> n -> number of pieces
	Last    map[int]int64         `json:"last"`     // session -> its register
	Ticks   []int64               `json:"ticks"`    // ascending
	TickTop int64                 `json:"tick_top"` // the counter they were drawn from
	LSN     string                `json:"lsn"`      // the end of the log
}

// Journal writes a history. Safe for concurrent use. The clients live in another process than the
// server, so a buffer here does not weaken what a kill of the server proves.
type Journal struct {
	start time.Time

	mu  sync.Mutex
	out *bufio.Writer // guarded by mu
	err error         // guarded by mu; sticky
	// round is what was acknowledged, with a receipt, since the last state line. guarded by mu
	round []Event
}

// NewJournal starts a history on w.
func NewJournal(w io.Writer) *Journal {
	return &Journal{start: time.Now(), out: bufio.NewWriter(w)}
}

// Add stamps the event and writes it. A failed write is kept and returned by Flush.
func (j *Journal) Add(e Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	// Stamped under the lock, so that the order of the lines is the order of the stamps.
	e.Mono = int64(time.Since(j.start))
	line, err := json.Marshal(e)
	if err == nil {
		_, err = j.out.Write(append(line, '\n'))
	}
	if j.err == nil {
		j.err = err
	}
	switch {
	case e.Type == OK && e.Token != "":
		j.round = append(j.round, e)
	case e.Type == State:
		j.round = nil
	}
}

// Receipts is every acknowledgement with a receipt since the last state line.
func (j *Journal) Receipts() []Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.round)
}

// Flush writes out what is buffered.
func (j *Journal) Flush() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil {
		j.err = j.out.Flush()
	}
	return j.err
}

// ReadHistory calls each for every event of a history, in order.
func ReadHistory(r io.Reader, each func(Event) error) error {
	lines := json.NewDecoder(bufio.NewReaderSize(r, 1<<20))
	for n := 1; ; n++ {
		var e Event
		if err := lines.Decode(&e); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("history: event %d: %w", n, err)
		}
		if err := each(e); err != nil {
			return err
		}
	}
}
