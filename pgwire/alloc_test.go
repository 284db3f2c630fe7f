package pgwire_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgproto3/v2"
	"github.com/stretchr/testify/require"

	"ackdb/pgwire"
)

// cannedServer answers every statement with the same row and allocates nothing itself, so that what
// remains is the protocol's.
type cannedServer struct{}

type cannedBackend struct {
	columns []pgwire.Column
	oids    []uint32
}

func (cannedServer) Connect(
	context.Context, *pgwire.StartupInfo, *pgwire.Conn,
) (pgwire.Backend, error) {
	return &cannedBackend{oids: []uint32{25},
		columns: []pgwire.Column{{Name: "v", TypeOID: 25, TypeSize: -1, TypeMod: -1}}}, nil
}

func (b *cannedBackend) Greet(*pgwire.Writer)                          {}
func (b *cannedBackend) Sync(context.Context, *pgwire.Writer) error    { return nil }
func (b *cannedBackend) Fail(*pgwire.Error)                            {}
func (b *cannedBackend) TxStatus() pgwire.TxStatus                     { return pgwire.TxIdle }
func (b *cannedBackend) Ready(*pgwire.Writer)                          {}
func (b *cannedBackend) Woken(*pgwire.Writer)                          {}
func (b *cannedBackend) IdleLimit() (d time.Duration, e *pgwire.Error) { return }
func (b *cannedBackend) Close()                                        {}
func (b *cannedBackend) ParamOIDs() []uint32                           { return b.oids }
func (b *cannedBackend) Columns() []pgwire.Column                      { return b.columns }

func (b *cannedBackend) Query(_ context.Context, _ string, w *pgwire.Writer) error {
	w.RowDescription(b.columns, nil)
	_, err := b.Execute(context.Background(), w, 0)
	return err
}

func (b *cannedBackend) Parse(context.Context, string, []uint32) (pgwire.Statement, error) {
	return b, nil
}

// cannedPortal is apart from cannedBackend because Close means another thing.
type cannedPortal struct{ *cannedBackend }

func (b *cannedBackend) Bind(
	context.Context, pgwire.Statement, *pgwire.BindArgs,
) (pgwire.Portal, error) {
	return cannedPortal{b}, nil
}

func (b *cannedBackend) Execute(
	_ context.Context, w *pgwire.Writer, _ int,
) (pgwire.Execution, error) {
	w.BeginRow(1)
	w.EndValue(append(w.BeginValue(), "value"...))
	if err := w.EndRow(); err != nil {
		return 0, err
	}
	w.CommandComplete("SELECT 1")
	return pgwire.Completed, nil
}

// hotConn feeds the same prepared round to the loop n times, then ends.
type hotConn struct {
	streamConn
	prologue, round []byte
	n               int
	writes          int
	onRound         func()
}

func (h *hotConn) Read(p []byte) (int, error) {
	if len(h.prologue) > 0 {
		n := copy(p, h.prologue)
		h.prologue = h.prologue[n:]
		return n, nil
	}
	if h.n == 0 {
		return 0, io.EOF
	}
	h.n--
	if h.onRound != nil {
		h.onRound()
	}
	return copy(p, h.round), nil
}

func (h *hotConn) Write(p []byte) (int, error) { h.writes++; return len(p), nil }

func newHotConn(n int) *hotConn {
	h := &hotConn{n: n}
	h.prologue = startupPacket(3<<16, "user", "toy")
	h.prologue = append(h.prologue, encode(&pgproto3.Parse{Name: "s", Query: "select v"})...)
	h.prologue = append(h.prologue, encode(&pgproto3.Sync{})...)
	h.round = append(h.round, encode(&pgproto3.Bind{PreparedStatement: "s",
		Parameters: [][]byte{[]byte("key")}, ParameterFormatCodes: []int16{0},
		ResultFormatCodes: []int16{0}})...)
	h.round = append(h.round, encode(&pgproto3.Describe{ObjectType: 'P'})...)
	h.round = append(h.round, encode(&pgproto3.Execute{})...)
	h.round = append(h.round, encode(&pgproto3.Sync{})...)
	return h
}

var _ net.Conn = (*hotConn)(nil)

// TestPreparedRoundAllocatesNothing: Bind, Describe, Execute and Sync of a prepared statement, as
// pgbench sends them, and one write for all answers.
func TestPreparedRoundAllocatesNothing(t *testing.T) {
	const rounds = 2000
	h := newHotConn(rounds)
	e := pgwire.NewEndpoint(cannedServer{}, pgwire.Options{})
	perRun := testing.AllocsPerRun(1, func() {
		h.n = rounds
		h.prologue = newHotConn(0).prologue
		pgwire.Handle(e, h)
	})
	require.Less(t, perRun, float64(rounds)/10, "allocations in %d rounds", rounds)
	require.InDelta(t, 2*rounds, h.writes, 20)
}

func BenchmarkPreparedRound(b *testing.B) {
	e := pgwire.NewEndpoint(cannedServer{}, pgwire.Options{})
	h := newHotConn(b.N)
	b.ReportAllocs()
	b.ResetTimer()
	pgwire.Handle(e, h)
}
