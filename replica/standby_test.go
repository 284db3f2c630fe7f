package replica_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/pgwire"
	"ackdb/replica"
	"ackdb/wal"
	"ackdb/wal/waltest"
)

// patience bounds what must happen. It is no part of any claim: a machine under load is slow.
const patience = 30 * time.Second

// testNode is a node without a store: a log on a disk in memory, and a hub that serves it.
type testNode struct {
	t     *testing.T
	disk  *waltest.Disk
	dir   *wal.Dir
	log   *wal.Log
	slots *replica.Slots
	hub   *replica.Hub

	closed bool
}

const nodeDir = "/data"

// openNode opens what is on the disk, as what its control says it is.
func openNode(t *testing.T, disk *waltest.Disk) *testNode {
	t.Helper()
	n := &testNode{t: t, disk: disk}
	slots, err := replica.OpenSlots(replica.SlotsOptions{
		Dir: nodeDir, Disk: disk,
		Limits: func() replica.SlotLimits { return replica.SlotLimits{Max: 10, MaxKeep: -1} },
	})
	require.NoError(t, err)
	n.slots = slots
	n.dir, err = wal.OpenDir(wal.Options{
		Dir: nodeDir, Disk: disk, SegmentSize: wal.SegmentSizeMin, Hold: slots.Hold,
		KeepSize: func() int64 { return 0 },
		Fatal: func(err error) {
			if !disk.Off() {
				t.Errorf("log poisoned: %v", err)
			}
		},
	})
	require.NoError(t, err)
	n.log, _, err = n.dir.OpenLog(context.Background(), wal.Start{})
	require.NoError(t, err)
	switch n.dir.Control().Role {
	case wal.RolePrimary:
		require.NoError(t, n.log.BeginEpoch(context.Background()))
	case wal.RoleBackup:
		require.NoError(t, n.dir.SetRole(wal.RoleStandby, "host=primary"))
	}
	n.hub = replica.NewHub(replica.HubOptions{Dir: nodeDir, Log: n.log, Slots: slots})
	t.Cleanup(n.close)
	return n
}

func newPrimary(t *testing.T) *testNode {
	t.Helper()
	disk := waltest.New()
	require.NoError(t, disk.MkdirAll(nodeDir))
	return openNode(t, disk)
}

// close ends the node. What runs on a disk whose power is off may fail to.
func (n *testNode) close() {
	if n.closed {
		return
	}
	n.closed = true
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = n.hub.Close(ctx)
	_ = n.slots.Close()
	_ = n.log.Close(false)
}

// restart closes the node in no order and opens what a kill leaves.
func (n *testNode) restart() *testNode {
	n.t.Helper()
	after := n.disk.Kill()
	n.close()
	return openNode(n.t, after)
}

// powerCut ends everything the node does to its disk, and gives the disk as the next start finds it.
// A picture of the disk alone would not do: a node that ran on would flush more, and send it.
func (n *testNode) powerCut(seed uint64) *waltest.Disk {
	n.t.Helper()
	n.disk.PowerOffAt(1, seed)
	_, err := n.disk.List(nodeDir)
	require.ErrorIs(n.t, err, waltest.ErrPowerOff)
	return n.disk.Crash(seed)
}

// standbyOf is a node seeded with the primary's log as it is now.
func standbyOf(t *testing.T, p *testNode) *testNode {
	t.Helper()
	p.flush()
	end := p.log.Flushed()
	disk := waltest.New()
	require.NoError(t, disk.MkdirAll(filepath.Join(nodeDir, "wal")))
	write := func(name string, content []byte) {
		file, err := disk.Create(filepath.Join(nodeDir, name))
		require.NoError(t, err)
		_, err = file.WriteAt(content, 0)
		require.NoError(t, err)
		require.NoError(t, errors.Join(file.Sync(), file.Close()))
	}
	for start := p.log.Oldest(); start < end; start += wal.LSN(p.log.SegmentSize()) {
		segment := p.disk.Content(filepath.Join(nodeDir, "wal", p.log.SegmentName(start)))
		if over := start + wal.LSN(len(segment)); over > end {
			clear(segment[len(segment)-int(over-end):])
		}
		write(filepath.Join("wal", p.log.SegmentName(start)), segment)
	}
	for _, line := range p.log.Timelines()[1:] {
		name, content, err := p.log.HistoryFile(line.ID)
		require.NoError(t, err)
		write(filepath.Join("wal", name), content)
	}
	write("epochs", wal.EncodeEpochs(p.log.Epochs().Before(end)))
	write("control", wal.EncodeBackupControl(p.log.Control(), p.log.Oldest(), end))
	for _, dir := range []string{filepath.Join(nodeDir, "wal"), nodeDir, "/"} {
		require.NoError(t, disk.SyncDir(dir))
	}
	return openNode(t, disk)
}

// commit appends one commit of about size bytes.
func (n *testNode) commit(size int) {
	n.t.Helper()
	payload := wal.AppendCommit(nil, &wal.CommitHeader{OpCount: 1, User: "u"},
		bytes.Repeat([]byte{byte(size)}, size))
	require.NoError(n.t, n.log.Append([]wal.Entry{{Type: wal.TypeCommit, Payload: payload}}))
}

// fillTo appends commits until the log ends exactly at the position, which is a multiple of 8 at
// least two records away, in this segment or at its end.
func (n *testNode) fillTo(target wal.LSN) {
	n.t.Helper()
	for {
		overhead := wal.LSN(n.recordSize(0))
		rest := target - n.log.Written()
		switch {
		case rest == 0:
			return
		case rest < overhead:
			n.t.Fatalf("%d bytes are left, a record takes %d", rest, overhead)
		case rest <= 4*overhead:
			n.commit(int(rest - overhead))
		default:
			n.commit(int(min(rest/2, 100_000)))
		}
	}
}

func (n *testNode) recordSize(size int) int {
	payload := len(wal.AppendCommit(nil, &wal.CommitHeader{OpCount: 1, User: "u"}, nil)) + size
	return (wal.HeaderSize + payload + 7) &^ 7
}

func (n *testNode) flush() {
	n.t.Helper()
	require.NoError(n.t, n.log.WaitFlushed(context.Background(), n.log.Written()))
}

// caughtUp waits until the standby has flushed what the primary has.
func (n *testNode) caughtUp(p *testNode) {
	n.t.Helper()
	p.flush()
	n.reaches(p.log.Flushed())
}

func (n *testNode) reaches(lsn wal.LSN) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := n.log.AwaitFlushed(ctx, lsn-1)
	require.NoError(n.t, err, "at %s, to reach %s", n.log.Flushed(), lsn)
}

// equalLogs compares two logs byte for byte, segment for segment, from the later oldest on (W1).
func equalLogs(p, s *testNode) bool {
	if p.log.Flushed() != s.log.Flushed() || !slices.Equal(p.log.Epochs(), s.log.Epochs()) {
		return false
	}
	size := wal.LSN(p.log.SegmentSize())
	for start := max(p.log.Oldest(), s.log.Oldest()); start < p.log.Flushed(); start += size {
		ours := filepath.Join(nodeDir, "wal", p.log.SegmentName(start))
		theirs := filepath.Join(nodeDir, "wal", s.log.SegmentName(start))
		if ours != theirs || !bytes.Equal(p.disk.Content(ours), s.disk.Content(theirs)) {
			return false
		}
	}
	return true
}

func sameLog(t *testing.T, p, s *testNode) {
	t.Helper()
	require.Equal(t, p.log.Flushed(), s.log.Flushed())
	require.Equal(t, p.log.Epochs(), s.log.Epochs())
	require.True(t, equalLogs(p, s), "the logs' bytes differ")
}

// matching answers what a receiver of the standby asks before it streams, so that it does.
func matching(s *testNode) map[string]func(string) answer {
	return map[string]func(string) answer{
		"IDENTIFY_SYSTEM": func(string) answer {
			return row(fmt.Sprint(s.log.Control().SystemID), fmt.Sprint(s.log.Timeline()), "0/2000000")
		},
		"ACK_HANDSHAKE": func(string) answer {
			return row(replica.HandshakeReply{
				Node: 1, EpochID: s.log.Tail().EpochID, Relation: replica.RelationMatch,
			}.Row()...)
		},
	}
}

// hubUpstream serves a standby from a hub, over pipes. One may be dialled many times.
type hubUpstream struct {
	node func() *testNode
	// mangle changes what the standby receives and sends; nil: nothing.
	mangle func(link replica.Link) replica.Link

	mu   sync.Mutex
	refs int // guarded by mu; connections made
}

func (u *hubUpstream) dial(context.Context, replica.ConnInfo) (replica.Upstream, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.refs++
	return &hubConn{upstream: u, node: u.node(), pid: int32(u.refs)}, nil
}

// hubConn is one connection of it.
type hubConn struct {
	upstream *hubUpstream
	node     *testNode
	pid      int32
	replica  uint64
}

func (c *hubConn) Close() error {
	c.node.hub.ReleaseSession(c.pid)
	return nil
}

func (c *hubConn) Query(_ context.Context, sql string) ([]*pgwire.Result, error) {
	command, err := replica.ParseCommand(sql)
	if err != nil {
		return nil, asTold(err)
	}
	a, err := c.answer(command)
	if err != nil {
		return nil, asTold(err)
	}
	return a.results(), nil
}

// asTold is an error as it comes over the wire.
func asTold(err error) error {
	var own *replica.Error
	if errors.As(err, &own) {
		return &pgwire.Error{Code: own.Code, Message: own.Message, Detail: own.Detail}
	}
	return &pgwire.Error{Code: "XX000", Message: err.Error()}
}

func (c *hubConn) answer(command replica.Command) (answer, error) {
	hub, log := c.node.hub, c.node.log
	switch command := command.(type) {
	case replica.IdentifySystem:
		return row(fmt.Sprint(log.Control().SystemID), fmt.Sprint(log.Timeline()),
			log.Flushed().String()), nil
	case replica.ReadSlot:
		slot, ok := hub.ReadSlot(command.Name)
		if !ok {
			return nulls(3), nil
		}
		return row("physical", slot.Restart.String(), fmt.Sprint(slot.Timeline)), nil
	case replica.CreateSlot:
		_, err := hub.CreateSlot(command, c.pid)
		return row(command.Name, "0/0"), err
	case replica.TimelineHistory:
		name, content, err := log.HistoryFile(command.Timeline)
		return row(name, string(content)), err
	case replica.Handshake:
		reply, err := hub.Handshake(command)
		if reply.Relation == replica.RelationMatch {
			c.replica = command.Node
		}
		return row(reply.Row()...), err
	}
	return answer{}, errors.New("not a command of these tests")
}

func (c *hubConn) CopyOut(context.Context, string) (replica.UpstreamCopy, error) {
	return nil, errors.New("not a command of these tests")
}

func (c *hubConn) CopyBoth(ctx context.Context, sql string) (replica.UpstreamLink, error) {
	command, err := replica.ParseCommand(sql)
	if err != nil {
		return nil, asTold(err)
	}
	peer := replica.Peer{Conn: c.pid, App: "standby", Node: c.replica}
	ours, theirs := newPipe()
	link := &hubLink{Link: ours, refused: make(chan error, 1), done: make(chan struct{})}
	opened := make(chan struct{})
	go func() {
		defer close(link.done)
		open := func() (replica.Link, error) {
			close(opened)
			return theirs, nil
		}
		link.end, link.err = c.node.hub.Stream(context.Background(), open,
			command.(replica.StartReplication), peer)
		_ = theirs.CloseSend()
		if link.err != nil {
			_ = theirs.Close()
		}
	}()
	select {
	case <-opened:
	case <-link.done:
		return nil, asTold(link.err)
	}
	context.AfterFunc(ctx, func() { _ = ours.Close() })
	if c.upstream.mangle != nil {
		link.Link = c.upstream.mangle(link.Link)
	}
	return link, nil
}

// hubLink is the standby's end of a stream from a hub.
type hubLink struct {
	replica.Link
	refused chan error
	done    chan struct{} // closed when Stream has returned
	end     *replica.TimelineEnd
	err     error
}

func (l *hubLink) Finish(ctx context.Context) ([]*pgwire.Result, error) {
	_ = l.CloseSend()
	select {
	case <-l.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if l.err != nil {
		return nil, asTold(l.err)
	}
	if l.end == nil {
		return answer{}.results(), nil
	}
	return row(fmt.Sprint(l.end.Next), l.end.Start.String()).results(), nil
}

// pipeEnd is one end of a link in memory. It holds a few messages, as sockets do.
type pipeEnd struct {
	in, out chan []byte
	closed  chan struct{}
	once    *sync.Once
	sent    *sync.Once
}

const pipeHolds = 4

func newPipe() (a, b *pipeEnd) {
	ab, ba := make(chan []byte, pipeHolds), make(chan []byte, pipeHolds)
	closed, once := make(chan struct{}), new(sync.Once)
	return &pipeEnd{in: ba, out: ab, closed: closed, once: once, sent: new(sync.Once)},
		&pipeEnd{in: ab, out: ba, closed: closed, once: once, sent: new(sync.Once)}
}

func (p *pipeEnd) Send(parts ...[]byte) error {
	select {
	case <-p.closed:
		return io.ErrClosedPipe
	default:
	}
	select {
	case p.out <- bytes.Join(parts, nil):
		return nil
	case <-p.closed:
		return io.ErrClosedPipe
	}
}

func (p *pipeEnd) Receive() ([]byte, error) {
	select {
	case <-p.closed:
		return nil, io.ErrClosedPipe
	default:
	}
	select {
	case msg, ok := <-p.in:
		if !ok {
			return nil, io.EOF
		}
		return msg, nil
	case <-p.closed:
		return nil, io.ErrClosedPipe
	}
}

func (p *pipeEnd) CloseSend() error {
	p.sent.Do(func() { close(p.out) })
	return nil
}

func (p *pipeEnd) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}
