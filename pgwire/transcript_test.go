package pgwire_test

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgproto3/v2"
	"github.com/stretchr/testify/require"

	"ackdb/pgwire"
)

// TestTranscripts plays testdata: what a client sends, one message a line, and what comes back.
//
//	start [version=MAJOR.MINOR]   a new connection; lines are name and value of parameters
//	send [until=MESSAGE] [ready=N]
//	                              all lines in one write, then reads as many ReadyForQuery as there
//	                              are Sync, Query and FunctionCall (or N), or up to MESSAGE
//
// Regenerate with: go test ./pgwire -run TestTranscripts -rewrite
func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		addr, _ := start(t, &toyServer{}, pgwire.Options{MaxMessageBytes: 1 << 20})
		var c *client
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "start":
				c = dial(t, addr)
				c.send(startLine(t, d))
				return c.collect("Ready", 1)
			case "send":
				return c.play(t, d)
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func startLine(t *testing.T, d *datadriven.TestData) []byte {
	version := uint32(3 << 16)
	if d.HasArg("version") {
		var v string
		d.ScanArgs(t, "version", &v)
		major, minor, _ := strings.Cut(v, ".")
		ma, err := strconv.Atoi(major)
		require.NoError(t, err)
		mi, err := strconv.Atoi(minor)
		require.NoError(t, err)
		version = uint32(ma)<<16 | uint32(mi)
	}
	return startupPacket(version, strings.Fields(d.Input)...)
}

func (c *client) play(t *testing.T, d *datadriven.TestData) string {
	want, count := "Ready", 0
	var all []byte
	for _, line := range strings.Split(d.Input, "\n") {
		m := parseLine(t, line)
		switch m[0] {
		case 'S', 'Q', 'F':
			count++
		}
		all = append(all, m...)
	}
	if d.HasArg("ready") {
		d.ScanArgs(t, "ready", &count)
	}
	if d.HasArg("until") {
		d.ScanArgs(t, "until", &want)
		count = 1
	}
	c.t = t
	c.send(all)
	return c.collect(want, count)
}

// collect reads until count messages of the wanted kind, or the end.
func (c *client) collect(want string, count int) string {
	var b strings.Builder
	for count > 0 {
		m := c.receive()
		fmt.Fprintln(&b, m)
		if m == "closed" {
			break
		}
		if strings.HasPrefix(m, want) {
			count--
		}
	}
	return b.String()
}

// parseLine reads a message: its name and quoted or bare words.
func parseLine(t *testing.T, line string) []byte {
	words := splitWords(t, line)
	arg := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	switch words[0] {
	case "Query":
		return query(arg(1))
	case "Parse":
		m := &pgproto3.Parse{Name: arg(1), Query: arg(2)}
		for _, w := range words[min(3, len(words)):] {
			m.ParameterOIDs = append(m.ParameterOIDs, uint32(number(t, w)))
		}
		return encode(m)
	case "Bind":
		return encode(bindLine(t, arg(1), arg(2), words[min(3, len(words)):]))
	case "Describe":
		return encode(&pgproto3.Describe{ObjectType: arg(1)[0], Name: arg(2)})
	case "Execute":
		return encode(&pgproto3.Execute{Portal: arg(1), MaxRows: uint32(number(t, arg(2)))})
	case "Close":
		return encode(&pgproto3.Close{ObjectType: arg(1)[0], Name: arg(2)})
	case "Sync":
		return encode(&pgproto3.Sync{})
	case "Flush":
		return encode(&pgproto3.Flush{})
	case "Terminate":
		return encode(&pgproto3.Terminate{})
	case "CopyData":
		return encode(&pgproto3.CopyData{Data: []byte(arg(1))})
	case "CopyDone":
		return encode(&pgproto3.CopyDone{})
	case "CopyFail":
		return encode(&pgproto3.CopyFail{Message: arg(1)})
	case "Raw":
		raw, err := hex.DecodeString(strings.Join(words[1:], ""))
		require.NoError(t, err)
		return raw
	}
	t.Fatalf("unknown message %q", line)
	return nil
}

// bindLine reads parameters; pf=0,1 and rf=0,1 are the formats of parameters and results.
func bindLine(t *testing.T, portal, statement string, words []string) *pgproto3.Bind {
	m := &pgproto3.Bind{DestinationPortal: portal, PreparedStatement: statement}
	for _, w := range words {
		switch {
		case strings.HasPrefix(w, "pf="):
			m.ParameterFormatCodes = formats(t, w[3:])
		case strings.HasPrefix(w, "rf="):
			m.ResultFormatCodes = formats(t, w[3:])
		default:
			m.Parameters = append(m.Parameters, []byte(w))
		}
	}
	return m
}

func formats(t *testing.T, list string) (codes []int16) {
	for _, f := range strings.Split(list, ",") {
		codes = append(codes, int16(number(t, f)))
	}
	return codes
}

func number(t *testing.T, s string) int {
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	require.NoError(t, err)
	return n
}

func splitWords(t *testing.T, line string) (words []string) {
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		if line[0] != '"' {
			word, rest, _ := strings.Cut(line, " ")
			words, line = append(words, word), rest
			continue
		}
		quoted, err := strconv.QuotedPrefix(line)
		require.NoError(t, err)
		word, err := strconv.Unquote(quoted)
		require.NoError(t, err)
		words, line = append(words, word), line[len(quoted):]
	}
	return words
}
