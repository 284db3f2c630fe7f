package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
	"text/tabwriter"

	"ackdb/wal"
)

type walCommand struct {
	Dump   walDumpCommand   `cmd:"" help:"Print the records of a log."`
	Verify walVerifyCommand `cmd:"" help:"Check every record of a log; exit 2 when it is damaged."`
}

type walDumpCommand struct {
	Dir  string `arg:"" help:"Data directory; a server may be running on it."`
	JSON bool   `name:"json" help:"One JSON object a line, with everything."`
	From string `placeholder:"LSN" help:"Leave out records that begin below this."`
	To   string `placeholder:"LSN" help:"Leave out records that begin at or above this."`
	Ops  bool   `help:"Print the operations of commits too."`
}

// Run prints the log.
func (c *walDumpCommand) Run() error {
	opts := wal.DumpOptions{JSON: c.JSON, Ops: c.Ops}
	for _, limit := range []struct {
		text string
		to   *wal.LSN
	}{{c.From, &opts.From}, {c.To, &opts.To}} {
		if limit.text == "" {
			continue
		}
		lsn, err := wal.ParseLSN(limit.text)
		if err != nil {
			return err
		}
		*limit.to = lsn
	}
	return wal.Dump(wal.OSDisk(), c.Dir, opts, os.Stdout)
}

type walVerifyCommand struct {
	Dir  string `arg:"" help:"Data directory; a server may be running on it."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Run prints what a start would make of the log.
func (c *walVerifyCommand) Run() error {
	report, err := wal.Verify(wal.OSDisk(), c.Dir)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(report)
	} else {
		err = printVerify(&report)
	}
	if err == nil && report.Verdict == wal.VerdictDamaged {
		err = &damageError{errors.New(report.Damage)}
	}
	return err
}

func printVerify(r *wal.VerifyReport) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	types := make([]string, 0, len(r.Records))
	for name, n := range r.Records {
		types = append(types, fmt.Sprintf("%d %s", n, name))
	}
	sort.Strings(types)
	for _, line := range [][2]string{
		{"verdict", string(r.Verdict)},
		{"log", fmt.Sprintf("%s to %s, %d segments, %d bytes of records", r.From, r.End, r.Segments,
			r.Bytes)},
		{"records", strings.Join(types, ", ")},
		{"ends because", r.Stop},
		{"durable to", r.Durable + " by " + r.Says},
		{"control", r.Control},
		{"damage", r.Damage},
	} {
		if line[1] == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s\t%s\n", line[0], line[1]); err != nil {
			return err
		}
	}
	return w.Flush()
}
