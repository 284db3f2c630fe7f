package server_test

import (
	"bytes"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// TestCopyFormats: csv and binary out and in again, over the wire.
func TestCopyFormats(t *testing.T) {
	s := startNode(t).session()
	s.do("create table c (id int primary key, v text, n numeric)")
	s.do(`insert into c values (1, E'a "b",\n', 1.50), (2, null, null), (3, '', -7)`)
	const all = "select string_agg(format('%s %L %L', id, v, n), ';' order by id) from c"
	want := s.value(all)
	pg := s.conn.PgConn()
	for _, format := range []string{"text", "csv", "csv, header, quote '''', escape E'\\\\'",
		"binary"} {
		var out bytes.Buffer
		tag, err := pg.CopyTo(s.context(), &out, "copy c to stdout (format "+format+")")
		require.NoError(t, err)
		require.Equal(t, "COPY 3", tag.String())
		s.do("truncate c")
		tag, err = pg.CopyFrom(s.context(), &out,
			"copy c from stdin (format "+format+") where id > 0")
		require.NoError(t, err)
		require.Equal(t, "COPY 3", tag.String())
		require.Equal(t, want, s.value(all))
	}
}

// TestCopyExtended: COPY by Parse, Bind and Execute, both ways, and what the client is told of the
// format.
func TestCopyExtended(t *testing.T) {
	s := startNode(t).session()
	front := s.conn.PgConn().Frontend()
	execute := func(sql string) pgproto3.BackendMessage {
		front.Send(&pgproto3.Parse{Query: sql})
		front.Send(&pgproto3.Bind{})
		front.Send(&pgproto3.Execute{})
		front.Send(&pgproto3.Flush{}) // in PostgreSQL too, what COPY sends may wait for it
		require.NoError(t, front.Flush())
		for {
			m, err := front.Receive()
			require.NoError(t, err)
			switch m.(type) {
			case *pgproto3.ParseComplete, *pgproto3.BindComplete:
				continue
			}
			return m
		}
	}
	finish := func() (data []byte, tag string) {
		front.Send(&pgproto3.Sync{})
		require.NoError(t, front.Flush())
		for {
			m, err := front.Receive()
			require.NoError(t, err)
			switch m := m.(type) {
			case *pgproto3.CopyData:
				data = append(data, m.Data...)
			case *pgproto3.CommandComplete:
				tag = string(m.CommandTag)
			case *pgproto3.ErrorResponse:
				tag = m.Code
			case *pgproto3.ReadyForQuery:
				return data, tag
			}
		}
	}
	in, ok := execute("copy kv from stdin (format csv)").(*pgproto3.CopyInResponse)
	require.True(t, ok)
	require.Equal(t, byte(0), in.OverallFormat)
	front.Send(&pgproto3.CopyData{Data: []byte("a,\"1\nb")})
	front.Send(&pgproto3.CopyData{Data: []byte("\"\nb,2\n")})
	front.Send(&pgproto3.CopyDone{})
	_, tag := finish()
	require.Equal(t, "COPY 2", tag)

	out, ok := execute("copy kv to stdout (format binary)").(*pgproto3.CopyOutResponse)
	require.True(t, ok)
	require.Equal(t, byte(1), out.OverallFormat)
	require.Equal(t, []uint16{1, 1}, out.ColumnFormatCodes)
	data, tag := finish()
	require.Equal(t, "COPY 2", tag)
	require.True(t, bytes.HasPrefix(data, []byte("PGCOPY\n\xff\r\n\x00")))
	require.True(t, bytes.HasSuffix(data, []byte{0xff, 0xff}))
	require.Equal(t, "2", s.value("select count(*) from kv"))
}
