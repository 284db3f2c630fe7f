package exec_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
)

// script runs one file of testdata on a node of its own.
//
//	sql [session=name]           statements and what they give
//	sql session=name async       a statement that must end up waiting for a lock
//	await session=name           what it gave in the end
//	simple                       each line a statement, through the fingerprint cache
//	prepare [types=(int4,...)]   parameter and result types of a statement
//	execute args=(a,...)         the statement prepared last, with arguments in text, in which a
//	                             semicolon stands for a comma
//	copy [piece=n] [hex]         COPY FROM STDIN and, from the second line on, the data, in which
//	                             <tab> stands for a tab, <cr> for a carriage return and <end> for
//	                             no end of the last line; with hex, the data in hexadecimal
//	restart                      close the store and open it again
type script struct {
	n        *node
	sessions map[string]*session
	waiting  map[string]chan string
	stmt     *parse.Stmt
}

func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			s := &script{n: newNode(t), sessions: map[string]*session{},
				waiting: map[string]chan string{}}
			t.Cleanup(func() {
				for _, session := range s.sessions {
					_ = session.end(false)
				}
			})
			datadriven.RunTest(t, file, s.command)
		})
	}
}

func (s *script) session(d *datadriven.TestData) *session {
	name := "main"
	d.MaybeScanArgs(s.n.t.(*testing.T), "session", &name)
	if s.sessions[name] == nil {
		s.sessions[name] = s.n.session()
	}
	return s.sessions[name]
}

func (s *script) command(t *testing.T, d *datadriven.TestData) string {
	s.n.t = t
	ctx := context.Background()
	session := s.session(d)
	switch d.Cmd {
	case "sql":
		if d.HasArg("async") {
			return s.async(t, d, session)
		}
		return session.run(ctx, d.Input)
	case "await":
		var name string
		d.ScanArgs(t, "session", &name)
		return <-s.waiting[name]
	case "simple":
		session.simple = true
		defer func() { session.simple = false }()
		var out strings.Builder
		for _, line := range strings.Split(d.Input, "\n") {
			out.WriteString(session.run(ctx, line))
		}
		return out.String()
	case "prepare":
		return s.prepare(t, d, session)
	case "execute":
		return s.executeArgs(t, d, session)
	case "copy":
		return s.copy(t, d, session)
	case "restart":
		s.n.restart()
		clear(s.sessions)
		return "ok"
	}
	t.Fatalf("%s: unknown command %s", d.Pos, d.Cmd)
	return ""
}

// async runs a statement in a goroutine and comes back once it waits for a lock.
func (s *script) async(t *testing.T, d *datadriven.TestData, session *session) string {
	var name string
	d.ScanArgs(t, "session", &name)
	done := make(chan string, 1)
	s.waiting[name] = done
	before := s.waiters()
	go func() { done <- session.run(context.Background(), d.Input) }()
	for {
		if s.waiters() > before {
			return "waits"
		}
		select {
		case out := <-done:
			done <- out
			return "does not wait"
		default:
			runtime.Gosched()
		}
	}
}

func (s *script) waiters() int {
	n := 0
	for _, l := range s.n.db.Locks() {
		if !l.Granted {
			n++
		}
	}
	return n
}

func (s *script) prepare(t *testing.T, d *datadriven.TestData, session *session) string {
	stmt, err := parse.ParseOne(d.Input)
	require.NoError(t, err)
	declared := declaredTypes(t, d)
	s.stmt = stmt
	session.begin()
	defer func() {
		if !session.explicit {
			_ = session.end(false)
		}
	}()
	p, err := s.n.planner.Prepare(session.env(nil).Plan(), stmt, declared)
	if err != nil {
		return describe(err)
	}
	out := showParams(p.ParamOIDs)
	if p.Columns != nil {
		out += "\n" + header(p.Columns)
	}
	return out
}

func showParams(oids []uint32) string {
	var params []string
	for _, oid := range oids {
		params = append(params, types.FormatType(types.OID(oid), types.NoMod))
	}
	return "params: " + strings.Join(params, ", ")
}

// declaredTypes reads types=(...), in which - is a type the client leaves open.
func declaredTypes(t *testing.T, d *datadriven.TestData) []uint32 {
	var declared []uint32
	for _, arg := range d.CmdArgs {
		if arg.Key != "types" {
			continue
		}
		for _, name := range arg.Vals {
			if name == "-" {
				declared = append(declared, 0)
				continue
			}
			info, ok := types.LookupTypeName(name)
			require.True(t, ok, name)
			declared = append(declared, uint32(info.OID))
		}
	}
	return declared
}

func (s *script) executeArgs(t *testing.T, d *datadriven.TestData, session *session) string {
	session.begin()
	p, err := s.n.planner.Prepare(session.env(nil).Plan(), s.stmt, nil)
	if err != nil {
		return describe(session.after(err))
	}
	var params []types.Datum
	for _, arg := range d.CmdArgs {
		if arg.Key != "args" {
			continue
		}
		for i, text := range arg.Vals {
			if text == "NULL" {
				params = append(params, types.Null)
				continue
			}
			of := types.Type{OID: types.OID(p.ParamOIDs[i]), Mod: types.NoMod}
			v, err := types.ParseText(of, strings.ReplaceAll(text, ";", ","), nil)
			require.NoError(t, err)
			params = append(params, v)
		}
	}
	if !session.explicit {
		_ = session.end(false)
	}
	var out bytes.Buffer
	if err := session.one(context.Background(), &out, s.stmt, params); err != nil {
		fmt.Fprintln(&out, describe(err))
	}
	return out.String()
}

func (s *script) copy(t *testing.T, d *datadriven.TestData, session *session) string {
	sql, data := copyInput(t, d)
	piece := 1 << 20
	d.MaybeScanArgs(t, "piece", &piece)
	tag, err := session.copyIn(sql, data, piece)
	if err != nil {
		return describe(err)
	}
	return tag
}

// copyInput gives the statement and the data of a copy command.
func copyInput(t *testing.T, d *datadriven.TestData) (string, []byte) {
	sql, data, _ := strings.Cut(d.Input, "\n")
	if d.HasArg("hex") {
		raw, err := hex.DecodeString(strings.Join(strings.Fields(data), ""))
		require.NoError(t, err)
		return sql, raw
	}
	if data == "" {
		return sql, nil
	}
	data = strings.NewReplacer("<tab>", "\t", "<cr>", "\r").Replace(data)
	data, noEnd := strings.CutSuffix(data, "<end>")
	if !noEnd {
		data += "\n"
	}
	return sql, []byte(data)
}
