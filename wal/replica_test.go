package wal_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

// node is one machine of a small cluster: a disk with a log on it, whose store holds nothing. It is
// used by one goroutine.
type node struct {
	t    *testing.T
	name string
	rng  *rand.Rand
	disk *waltest.Disk
	log  *wal.Log

	full   func(*wal.Options) // changes the options of the next start; nil: as they are
	number int                // of commits appended, in their payloads
}

func newNode(t *testing.T, name string, seed uint64) *node {
	return &node{
		t: t, name: name, rng: rand.New(rand.NewPCG(seed, uint64(name[0]))), disk: waltest.New(),
	}
}

func (n *node) options() wal.Options {
	opts := crashed(n.t, n.disk)
	opts.Rand = chacha(n.rng.Uint64())
	opts.Clock = newHeldClock()
	if n.full != nil {
		n.full(&opts)
	}
	return opts
}

// open recovers the log, and nothing more.
func (n *node) open() (wal.RecoveryReport, error) {
	log, report, err := tryOpen(n.options(), wal.Start{})
	n.log = log
	return report, err
}

// start starts the node as a server would: a primary begins an epoch, a backup becomes a standby.
func (n *node) start() error {
	dir, err := wal.OpenDir(n.options())
	if err != nil {
		return err
	}
	log, _, err := dir.OpenLog(context.Background(), wal.Start{})
	if err != nil {
		return errors.Join(err, dir.Close())
	}
	n.log = log
	switch log.Control().Role {
	case wal.RolePrimary:
		return log.BeginEpoch(context.Background())
	case wal.RoleBackup:
		return dir.SetRole(wal.RoleStandby, "host=up")
	}
	return nil
}

func (n *node) mustStart() *node {
	n.t.Helper()
	require.NoError(n.t, n.start(), n.name)
	return n
}

// stop closes the log, if there is one; what it says does not matter on a disk without power.
func (n *node) stop() {
	if n.log != nil {
		_ = n.log.Close(false)
		n.log = nil
	}
}

// powerCut ends the node, and leaves what the seed chooses.
func (n *node) powerCut(seed uint64) {
	after := n.disk.Crash(seed)
	n.stop()
	n.disk = after
}

func (n *node) restart() {
	n.t.Helper()
	if n.rng.IntN(2) == 0 {
		require.NoError(n.t, n.log.Close(true))
		n.log = nil
	} else {
		n.powerCut(n.rng.Uint64())
	}
	n.mustStart()
}

// work appends some commits of many sizes, switches segments now and then, and flushes.
func (n *node) work(groups int) {
	n.t.Helper()
	for range groups {
		size := n.rng.IntN(400)
		switch n.rng.IntN(12) {
		case 0:
			size = n.rng.IntN(n.log.MaxPayload() / 2)
		case 1:
			_, err := n.log.SwitchSegment()
			require.NoError(n.t, err)
		}
		n.commit(size)
	}
	flush(n.t, n.log)
}

func (n *node) commit(size int) wal.Entry {
	n.t.Helper()
	n.number++
	return commit(n.t, n.log, fmt.Sprintf("%s %d %s", n.name, n.number, strings.Repeat("x", size)))
}

// fillTo appends commits until exactly gap bytes are left of the segment being written.
func (n *node) fillTo(gap int64) wal.LSN {
	n.t.Helper()
	for {
		left := int64(segment - n.log.NextLSN(0)%segment)
		size := left - gap - wal.HeaderSize
		if size < 0 {
			_, err := n.log.SwitchSegment()
			require.NoError(n.t, err)
			continue
		}
		if most := int64(n.log.MaxPayload()); size > most {
			size = min(most, size/2) &^ 7
		}
		group := []wal.Entry{{Type: wal.TypeCommit, Payload: make([]byte, size)}}
		require.NoError(n.t, n.log.Append(group))
		if end := group[0].End; int64((segment-end%segment)%segment) == gap {
			flush(n.t, n.log)
			return end
		}
	}
}

// backup is a new node made of a base backup of this one.
func (n *node) backup(name string, seed uint64) *node {
	n.t.Helper()
	b := newNode(n.t, name, seed)
	end, start := n.log.Flushed(), n.log.Oldest()
	require.NoError(n.t, b.disk.MkdirAll("/data/wal"))
	for at := start; at < end; at += segment {
		n.copySegment(b, at, end)
	}
	for _, tl := range n.log.Timelines()[1:] {
		file, content, err := n.log.HistoryFile(tl.ID)
		require.NoError(n.t, err)
		b.create("/data/wal/"+file, content)
	}
	b.create("/data/epochs", wal.EncodeEpochs(n.log.Epochs().Before(end)))
	b.create("/data/control", wal.EncodeBackupControl(n.log.Control(), start, end))
	return b
}

func (n *node) copySegment(to *node, at, end wal.LSN) {
	content := make([]byte, segment)
	r, err := n.log.RawReader(n.log.Timeline(), at)
	require.NoError(n.t, err)
	for r.Position() < min(at+segment, end) {
		_, _, err := r.Read(content[r.Position()-at:][:min(at+segment, end)-r.Position()])
		require.NoError(n.t, err)
	}
	require.NoError(n.t, r.Close())
	to.create("/data/wal/"+n.log.SegmentName(at), content)
}

// create writes a file durably.
func (n *node) create(path string, content []byte) {
	n.t.Helper()
	file, err := n.disk.Create(path)
	require.NoError(n.t, err)
	_, err = file.WriteAt(content, 0)
	require.NoError(n.t, err)
	require.NoError(n.t, file.Sync())
	require.NoError(n.t, file.Close())
	for dir := path; dir != "/"; {
		dir = filepath.Dir(dir)
		require.NoError(n.t, n.disk.SyncDir(dir))
	}
}

// errStopped says that a shipment ended early, as it was asked to.
var errStopped = errors.New("stopped")

// ship sends everything that up has flushed and down has not, in pieces of random size, through
// forks too. It stops, with errStopped, when stop says so; stop is asked in front of every piece.
func ship(up, down *node, stop func() bool) error {
	for {
		r, err := up.log.RawReader(down.log.Timeline(), down.log.ReceivePosition())
		if err != nil {
			return err
		}
		err = shipTimeline(r, down, stop)
		var end *wal.TimelineEndError
		if err = errors.Join(err, r.Close()); !errors.As(err, &end) {
			return err
		}
		_, history, err := up.log.HistoryFile(end.Next)
		if err != nil {
			return err
		}
		ctx := context.Background()
		if err := down.log.FollowTimeline(ctx, end.Next, end.Fork, history); err != nil {
			return err
		}
		if r, err = up.log.RawReader(end.Next, end.Fork); err != nil {
			return err
		}
		if err = errors.Join(shipTimeline(r, down, stop), r.Close()); err != nil &&
			!errors.As(err, &end) {
			return err
		}
	}
}

func shipTimeline(r *wal.RawReader, down *node, stop func() bool) error {
	for {
		buf := make([]byte, 1+down.rng.IntN([]int{40, 3000, 1 << 18}[down.rng.IntN(3)]))
		pos, n, err := r.Read(buf)
		if err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		for b := buf[:n]; len(b) > 0; {
			if stop != nil && stop() {
				return errStopped
			}
			piece := b[:1+down.rng.IntN(len(b))]
			if err := down.log.Receive(pos, piece); err != nil {
				return err
			}
			pos, b = pos+wal.LSN(len(piece)), b[len(piece):]
		}
	}
}

// mustShip ships everything, and has it flushed.
func mustShip(t *testing.T, up, down *node) {
	t.Helper()
	down.log.ResetReceive()
	require.NoError(t, shipAll(up, down))
	require.Equal(t, up.log.Flushed(), down.log.Flushed())
}

// shipAll is ship until down has all, whose tail is then flushed.
func shipAll(up, down *node) error {
	if err := ship(up, down, nil); err != nil {
		return err
	}
	return down.log.WaitFlushed(context.Background(), down.log.Written())
}

// requireSameLogs wants the segments and history files that both nodes have to be equal, byte for
// byte (W1), and the lists of epochs too.
func requireSameLogs(t *testing.T, a, b *node) {
	t.Helper()
	same := 0
	for _, path := range a.disk.Files() {
		name := filepath.Base(path)
		_, _, isSegment := wal.ParseSegmentName(name, wal.SegmentSizeMin)
		if !isSegment && !strings.HasSuffix(name, ".history") {
			continue
		}
		want, got := a.disk.Content(path), b.disk.Content(path)
		if got == nil {
			continue
		}
		same++
		if string(want) != string(got) {
			at := 0
			for want[at] == got[at] {
				at++
			}
			require.Failf(t, "files differ", "%s of %s and %s from offset %d on", name, a.name, b.name, at)
		}
	}
	require.NotZero(t, same)
	require.Equal(t, a.log.Epochs(), b.log.Epochs())
	require.Equal(t, a.log.Timelines(), b.log.Timelines())
}

// A primary and two standbys, one behind the other, through restarts of each, promotions of one
// standby after the other, and chunks of any size: all logs are one.
func TestReplicasAreByteForByteEqual(t *testing.T) {
	eachSeed(t, 6, func(t *testing.T, seed uint64) {
		a := newNode(t, "a", seed).mustStart()
		a.work(5)
		b := a.backup("b", seed).mustStart()
		c := a.backup("c", seed).mustStart()
		nodes := []*node{a, b, c}
		defer func() {
			for _, n := range nodes {
				n.stop()
			}
		}()
		for i := range 12 {
			up, down, far := nodes[0], nodes[1], nodes[2]
			up.work(1 + up.rng.IntN(6))
			if up.rng.IntN(4) == 0 {
				up.restart()
			}
			err := ship(up, down, func() bool { return down.rng.IntN(40) == 0 })
			if err != nil {
				require.ErrorIs(t, err, errStopped)
			}
			if down.rng.IntN(3) == 0 {
				down.restart()
			}
			mustShip(t, up, down)
			requireSameLogs(t, up, down)
			if i%4 != 3 {
				mustShip(t, down, far)
				requireSameLogs(t, down, far)
				continue
			}
			// The standby takes over; the primary's disk is lost, and a backup takes its place.
			_, err = down.log.Promote(context.Background(), fmt.Sprintf("round %d", i))
			require.NoError(t, err)
			up.stop()
			down.work(2)
			again := down.backup(string(rune('d'+i)), seed).mustStart()
			nodes = []*node{down, far, again}
			mustShip(t, down, far)
			requireSameLogs(t, down, far)
		}
		require.Len(t, nodes[0].log.Timelines(), 4)
	})
}

// A standby that was away during two promotions goes through both forks in one go, wherever in a
// segment they are.
func TestAStandbyTwoTimelinesBehind(t *testing.T) {
	for _, gap := range forkGaps {
		a, b := standbyAt(t, 1, gap)
		behind := a.backup("d", 1).mustStart()
		a.commit(10)
		flush(t, a.log)
		mustShip(t, a, b)
		a.stop()
		b.promote("first")
		b.fillTo(gap)
		c := b.backup("c", 1).mustStart()
		b.stop()
		c.promote("second")
		c.work(2)
		mustShip(t, c, behind)
		requireSameLogs(t, c, behind)
		require.Equal(t, uint32(3), behind.log.Timeline())
		behind.restart()
		mustShip(t, c, behind)
		requireSameLogs(t, c, behind)
		behind.stop()
		c.stop()
	}
}

// Two nodes hand the primary's role to each other in order, again and again: each follows from
// exactly where it stopped, and finds its own old begins in its log.
func TestHandingOverBackAndForth(t *testing.T) {
	up, down := standbyAt(t, 1, 3000)
	for round := range 6 {
		if round%2 == 0 {
			up.fillTo(forkGaps[round%len(forkGaps)])
		}
		mustShip(t, up, down)
		require.NoError(t, up.log.Close(true))
		up.log = nil
		down.promote(fmt.Sprintf("round %d", round))
		down.work(1)

		dir, err := wal.OpenDir(up.options())
		require.NoError(t, err)
		require.NoError(t, dir.SetRole(wal.RoleStandby, "host=other"))
		require.NoError(t, dir.Close())
		up.mustStart()
		mustShip(t, down, up)
		requireSameLogs(t, down, up)
		up.restart()
		require.Equal(t, wal.RoleStandby, up.log.Control().Role)
		up, down = down, up
	}
	require.Equal(t, uint32(7), up.log.Timeline())
	up.stop()
	down.stop()
}
