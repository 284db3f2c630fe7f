package wal

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The history file of a timeline, for example wal/00000003.history, as Postgres has it: a line for
// each timeline that led to it, oldest first.
//
//	parent TAB position of the fork TAB time of the promotion SPACE reason
//
// Tools read the first two fields, people the rest. The file of a timeline is its parent's and one
// line more, equal on every node.
const (
	historySuffix = ".history"

	// historySizeMax bounds what is taken for a history file: some thousand promotions.
	historySizeMax = 1 << 20

	historyTime = "2006-01-02T15:04:05.000000Z"
)

// historyName is the name of the history file of a timeline.
func historyName(timeline uint32) string { return fmt.Sprintf("%08X%s", timeline, historySuffix) }

// parseHistoryName is the reverse of historyName.
func parseHistoryName(name string) (timeline uint32, ok bool) {
	digits, ok := strings.CutSuffix(name, historySuffix)
	v, err := strconv.ParseUint(digits, 16, 32)
	return uint32(v), ok && err == nil && name == historyName(uint32(v))
}

// appendHistory appends the line of the fork at which t began.
func appendHistory(dst []byte, t *Timeline) []byte {
	dst = fmt.Appendf(dst, "%d\t%s\t", t.Parent, t.Fork)
	if t.Time != 0 {
		dst = time.UnixMicro(t.Time).UTC().AppendFormat(dst, historyTime)
	}
	if t.Time != 0 && t.Reason != "" {
		dst = append(dst, ' ')
	}
	dst = append(dst, oneLine(t.Reason)...)
	return append(dst, '\n')
}

// oneLine keeps a reason that somebody typed from being read as lines of its own.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// parseHistory reads the history file of timeline.
func parseHistory(timeline uint32, b []byte) ([]Timeline, error) {
	if len(b) > historySizeMax {
		return nil, fmt.Errorf("wal: history of timeline %d: over %d bytes", timeline, historySizeMax)
	}
	var lines []Timeline
	for line := range bytes.Lines(b) {
		t, err := parseHistoryLine(string(bytes.TrimRight(line, "\n")))
		if err != nil {
			return nil, fmt.Errorf("wal: history of timeline %d: line %d: %w",
				timeline, len(lines)+1, err)
		}
		if n := len(lines); n > 0 {
			// Each line names the timeline that the one before it led to.
			if t.Parent <= lines[n-1].Parent || t.Fork <= lines[n-1].Fork {
				return nil, fmt.Errorf("wal: history of timeline %d: line %d does not follow",
					timeline, n+1)
			}
			lines[n-1].ID = t.Parent
		}
		lines = append(lines, t)
	}
	if n := len(lines); n == 0 || lines[n-1].Parent >= timeline {
		return nil, fmt.Errorf("wal: history of timeline %d does not lead to it", timeline)
	}
	lines[len(lines)-1].ID = timeline
	return lines, nil
}

func parseHistoryLine(line string) (t Timeline, err error) {
	parent, rest, ok := strings.Cut(line, "\t")
	fork, reason, _ := strings.Cut(rest, "\t")
	if !ok {
		return t, fmt.Errorf("%q has no position", line)
	}
	id, err := strconv.ParseUint(parent, 10, 32)
	if err != nil || id == 0 {
		return t, fmt.Errorf("%q names no timeline", line)
	}
	t.Parent = uint32(id)
	if t.Fork, err = ParseLSN(fork); err != nil {
		return t, err
	}
	t.Reason = reason
	stamp, words, _ := strings.Cut(reason, " ")
	if when, err := time.Parse(historyTime, stamp); err == nil {
		t.Time, t.Reason = when.UnixMicro(), words
	}
	return t, nil
}
