package replica_test

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/replica"
	"ackdb/replica/replicatest"
	"ackdb/wal"
	"ackdb/wal/waltest"
)

// servedNode is a log on a crash disk with a hub that serves it, by a clock that stands still.
type servedNode struct {
	t     *testing.T
	disk  *waltest.Disk
	dir   *wal.Dir
	log   *wal.Log
	slots *replica.Slots
	hub   *replica.Hub
	clock *replicatest.Clock

	timeout atomic.Int64 // wal_sender_timeout
	limits  atomic.Pointer[replica.SlotLimits]
	stale   atomic.Int64

	near, lost chan replica.SlotInfo
	diverged   chan replica.Handshake
}

func newServed(t *testing.T) *servedNode {
	t.Helper()
	return openServed(t, waltest.New())
}

// openServed opens what is on a disk, as a start of the server does.
func openServed(t *testing.T, disk *waltest.Disk) *servedNode {
	t.Helper()
	n := &servedNode{
		t: t, disk: disk, clock: replicatest.NewClock(),
		near: make(chan replica.SlotInfo, 10), lost: make(chan replica.SlotInfo, 10),
		diverged: make(chan replica.Handshake, 10),
	}
	n.limits.Store(&replica.SlotLimits{Max: 10, MaxKeep: -1, MaxWAL: 4 << 20})
	n.timeout.Store(int64(time.Minute))
	require.NoError(t, disk.MkdirAll("/data"))
	var err error
	n.slots, err = replica.OpenSlots(replica.SlotsOptions{
		Dir: "/data", Disk: disk, Limits: func() replica.SlotLimits { return *n.limits.Load() },
		Events: replica.SlotEvents{
			NearLimit: func(s replica.SlotInfo, _, _ int64) { n.near <- s },
			Lost:      func(s replica.SlotInfo, _, _ int64) { n.lost <- s },
		},
	})
	require.NoError(t, err)
	dir, err := wal.OpenDir(wal.Options{
		Dir: "/data", Disk: disk, SegmentSize: wal.SegmentSizeMin,
		KeepSize: func() int64 { return 0 }, Hold: n.slots.Hold,
		Fatal: func(err error) { t.Errorf("log poisoned: %v", err) },
	})
	require.NoError(t, err)
	n.log, _, err = dir.OpenLog(context.Background(), wal.Start{
		Applied: dir.Control().Applied, Redo: dir.Control().Redo,
	})
	require.NoError(t, err)
	if n.dir = dir; dir.Control().Role == wal.RolePrimary {
		require.NoError(t, n.log.BeginEpoch(context.Background()))
	}
	n.hub = replica.NewHub(replica.HubOptions{
		Dir: "/data", Log: n.log, Slots: n.slots, Clock: n.clock,
		Settings: func() replica.HubSettings {
			return replica.HubSettings{
				SenderTimeout: time.Duration(n.timeout.Load()),
				Staleness:     func() time.Duration { return time.Duration(n.stale.Load()) },
			}
		},
		Events: replica.HubEvents{
			Diverged: func(h replica.Handshake, _ replica.HandshakeReply) { n.diverged <- h },
		},
	})
	t.Cleanup(n.close)
	return n
}

// standby is the same node started again as one that follows.
func (n *servedNode) standby() *servedNode {
	n.t.Helper()
	require.NoError(n.t, n.dir.SetRole(wal.RoleStandby, "host=elsewhere"))
	n.close()
	return openServed(n.t, n.disk)
}

// promote begins a timeline where the log ends, and returns where that is.
func (n *servedNode) promote() wal.LSN {
	n.t.Helper()
	begin, err := n.log.Promote(context.Background(), "a test")
	require.NoError(n.t, err)
	return begin.Ended
}

// close ends everything, abruptly for streams that still run.
func (n *servedNode) close() {
	if n.disk.Off() {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := n.hub.Close(ctx); !errors.Is(err, replica.ErrHubClosed) && !errors.Is(err, ctx.Err()) {
		require.NoError(n.t, err)
	}
	if err := n.log.Close(true); !errors.Is(err, wal.ErrClosed) {
		require.NoError(n.t, err)
	}
}

// write appends a commit of n bytes without flushing it, and returns where it ends.
func (n *servedNode) write(size int) wal.LSN {
	n.t.Helper()
	group := []wal.Entry{{
		Type:    wal.TypeCommit,
		Payload: wal.AppendCommit(nil, &wal.CommitHeader{OpCount: 1}, make([]byte, size)),
	}}
	require.NoError(n.t, n.log.Append(group))
	return group[0].End
}

func (n *servedNode) flush() wal.LSN {
	n.t.Helper()
	require.NoError(n.t, n.log.WaitFlushed(context.Background(), n.log.Written()))
	return n.log.Flushed()
}

// commit writes and flushes.
func (n *servedNode) commit(size int) wal.LSN {
	n.t.Helper()
	n.write(size)
	return n.flush()
}

// grow commits until the log has got at least size bytes longer.
func (n *servedNode) grow(size int) wal.LSN {
	n.t.Helper()
	for until := n.log.Written() + wal.LSN(size); n.log.Written() < until; {
		n.write(100 << 10)
	}
	return n.flush()
}

// image is the log as it lies on disk, from its oldest segment to upTo.
func (n *servedNode) image(timeline uint32, from, upTo wal.LSN) []byte {
	n.t.Helper()
	size := wal.LSN(n.log.SegmentSize())
	var b []byte
	for at := from - from%size; at < upTo; at += size {
		content := n.disk.Content("/data/wal/" + wal.SegmentName(timeline, at, int64(size)))
		require.NotNil(n.t, content, "segment at %s", at)
		b = append(b, content...)
	}
	return b[from%size : from%size+(upTo-from)]
}

// trusted is a peer that has shaken hands, archiver one that cannot.
var (
	trusted  = replica.Peer{Conn: 11, App: "r1", Node: 0xfeed}
	archiver = replica.Peer{Conn: 12, App: "pg_receivewal"}
)

// tap is the far end of a stream.
type tap struct {
	t    *testing.T
	node *servedNode
	link *replicatest.Link
	near *replicatest.Link // the sender's end
	done chan streamEnd

	from, at wal.LSN
	data     []byte
	alive    []replica.Keepalive // received since the last look
	greeting replica.Keepalive   // of a trusted peer: the first, which nobody asks for
}

type streamEnd struct {
	next *replica.TimelineEnd
	err  error
}

// stream starts one; it must be accepted.
func (n *servedNode) stream(req replica.StartReplication, peer replica.Peer) *tap {
	n.t.Helper()
	near, far := replicatest.Pair()
	s := &tap{
		t: n.t, node: n, link: far, near: near, done: make(chan streamEnd, 1),
		from: req.From, at: req.From,
	}
	opened := make(chan struct{})
	go func() {
		next, err := n.hub.Stream(context.Background(), func() (replica.Link, error) {
			close(opened)
			return near, nil
		}, req, peer)
		s.done <- streamEnd{next, err}
	}()
	select {
	case <-opened:
	case end := <-s.done:
		require.NoError(n.t, end.err, "the stream was refused")
	}
	if peer.Node != 0 {
		s.greeting = s.awaitKeepalive()
	}
	return s
}

// refused is the error of a stream that must not begin.
func (n *servedNode) refused(req replica.StartReplication, peer replica.Peer) *replica.Error {
	n.t.Helper()
	_, err := n.hub.Stream(context.Background(), func() (replica.Link, error) {
		n.t.Error("the copy was begun")
		return nil, io.ErrClosedPipe
	}, req, peer)
	var told *replica.Error
	require.ErrorAs(n.t, err, &told)
	return told
}

// next takes one message and keeps account of it; io.EOF at the end of the copy.
func (s *tap) next() error {
	s.t.Helper()
	msg, err := s.link.Receive()
	if err != nil {
		return err
	}
	switch msg[0] {
	case replica.KindData:
		d, err := replica.DecodeData(msg)
		require.NoError(s.t, err)
		require.Equal(s.t, s.at, d.Start, "no gap, nothing twice")
		require.LessOrEqual(s.t, len(d.Bytes), replica.MaxDataSize)
		s.data = append(s.data, d.Bytes...)
		s.at += wal.LSN(len(d.Bytes))
		require.LessOrEqual(s.t, s.at, d.End, "R1")
		require.LessOrEqual(s.t, d.End, s.node.log.Flushed(), "R1")
	case replica.KindKeepalive:
		k, err := replica.DecodeKeepalive(msg)
		require.NoError(s.t, err)
		s.alive = append(s.alive, k)
	default:
		s.t.Fatalf("unexpected message %q", msg[0])
	}
	return nil
}

// await takes messages up to a position.
func (s *tap) await(lsn wal.LSN) {
	s.t.Helper()
	for s.at < lsn {
		require.NoError(s.t, s.next())
	}
}

// awaitKeepalive takes messages up to the next keepalive.
func (s *tap) awaitKeepalive() replica.Keepalive {
	s.t.Helper()
	for len(s.alive) == 0 {
		require.NoError(s.t, s.next())
	}
	k := s.alive[0]
	s.alive = s.alive[1:]
	return k
}

// awaitEnd takes messages up to the end of the copy and ends ours.
func (s *tap) awaitEnd() streamEnd {
	s.t.Helper()
	for {
		err := s.next()
		if err == io.EOF {
			require.NoError(s.t, s.link.CloseSend())
			return <-s.done
		}
		require.NoError(s.t, err)
	}
}

// report says what the peer has, and returns once the sender has taken it in: it is asked to
// answer, and the reader takes reports in order.
func (s *tap) report(write, flush, apply wal.LSN) {
	s.t.Helper()
	require.NoError(s.t, s.link.Send(replica.AppendStatus(nil, replica.Status{
		Write: write, Flush: flush, Apply: apply, Time: s.node.clock.Now(), Reply: true,
	})))
	s.awaitKeepalive()
	require.Empty(s.t, s.alive, "a keepalive that was not asked for may not stand for the answer")
}

// pass moves the clock, and takes the keepalive that this sends to a trusted peer.
func (s *tap) pass(d time.Duration) {
	s.t.Helper()
	s.node.clock.AwaitTimers(1, 200*time.Millisecond)
	s.node.clock.Advance(d)
	s.awaitKeepalive()
}

// row is this peer's row of pg_stat_replication.
func (s *tap) row() replica.StandbyStatus {
	s.t.Helper()
	rows := s.node.hub.Standbys()
	require.Len(s.t, rows, 1)
	return rows[0]
}
