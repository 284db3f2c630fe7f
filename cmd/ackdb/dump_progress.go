package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress says every second what a dump is at.
type progress struct {
	w    io.Writer
	done chan struct{}
	wg   sync.WaitGroup

	mu sync.Mutex
	// Guarded by mu.
	table      string
	number, of int
	rows       int64
	bytes      int64
	total      int64 // rows of all tables
}

const progressEvery = time.Second

func startProgress(w io.Writer) *progress {
	p := &progress{w: w, done: make(chan struct{})}
	p.wg.Add(1)
	go p.loop()
	return p
}

func (p *progress) loop() {
	defer p.wg.Done()
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	for {
		select {
		case <-p.done:
			return
		case <-ticker.C:
			p.print()
		}
	}
}

func (p *progress) print() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.table == "" {
		fmt.Fprintln(p.w, "ackdb dump: reading definitions")
		return
	}
	fmt.Fprintf(p.w, "ackdb dump: %s, table %d of %d: %d rows, %.1f MB; %d rows in all\n",
		p.table, p.number, p.of, p.rows, float64(p.bytes)/1e6, p.total)
}

func (p *progress) begin(table string, number, of int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.table, p.number, p.of, p.rows, p.bytes = table, number, of, 0, 0
}

// add counts a row.
func (p *progress) add(bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rows, p.bytes, p.total = p.rows+1, p.bytes+int64(bytes), p.total+1
}

// stop ends the lines; the last says how many rows there were.
func (p *progress) stop() {
	close(p.done)
	p.wg.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, "ackdb dump: %d tables, %d rows\n", p.number, p.total)
}
