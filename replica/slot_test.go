package replica_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/replica"
	"ackdb/wal"
	"ackdb/wal/waltest"
)

func requireCode(t *testing.T, code string, err error) {
	t.Helper()
	var told *replica.Error
	require.ErrorAs(t, err, &told)
	require.Equal(t, code, told.Code)
}

func (n *servedNode) slot(name string) replica.SlotInfo {
	n.t.Helper()
	info, ok := n.hub.ReadSlot(name)
	require.True(n.t, ok)
	return info
}

// recycle gives up what nobody holds, as a checkpoint does.
func (n *servedNode) recycle() {
	n.t.Helper()
	end := n.log.Flushed()
	n.log.SetDurableApplied(end, end)
	require.NoError(n.t, n.log.Recycle(end))
}

func TestSlotErrors(t *testing.T) {
	n := newServed(t)
	create := func(name string) error {
		_, err := n.hub.CreateSlot(replica.CreateSlot{Name: name}, 1)
		return err
	}
	require.NoError(t, create("s1"))
	requireCode(t, "42710", create("s1"))
	requireCode(t, "42602", create("S1"))
	requireCode(t, "42602", create(""))
	requireCode(t, "42622", create(string(make([]byte, 64))))
	requireCode(t, "42704", n.hub.DropSlot(context.Background(), replica.DropSlot{Name: "s2"}))
	n.limits.Store(&replica.SlotLimits{Max: 1, MaxKeep: -1})
	requireCode(t, "53400", create("s2"))
	require.Zero(t, n.slot("s1").Restart, "nothing is held before its first use")
	require.Zero(t, n.slots.Hold())
	require.NoError(t, n.hub.DropSlot(context.Background(), replica.DropSlot{Name: "s1"}))
	require.Empty(t, n.hub.ListSlots())
}

func TestSlotIsUsedByOne(t *testing.T) {
	n := newServed(t)
	_, err := n.hub.CreateSlot(replica.CreateSlot{Name: "s1"}, 1)
	require.NoError(t, err)
	req := replica.StartReplication{From: wal.FirstLSN, Slot: "s1"}
	s := n.stream(req, archiver)
	require.Equal(t, archiver.Conn, n.slot("s1").Active)
	require.Equal(t, "s1", s.row().Slot)
	require.Equal(t, "55006", n.refused(req, trusted).Code)
	drop := replica.DropSlot{Name: "s1"}
	requireCode(t, "55006", n.hub.DropSlot(context.Background(), drop))
	dropped := make(chan error, 1)
	drop.Wait = true
	go func() { dropped <- n.hub.DropSlot(context.Background(), drop) }()
	require.NoError(t, s.link.CloseSend())
	require.NoError(t, s.awaitEnd().err)
	require.NoError(t, <-dropped)
	require.Empty(t, n.hub.ListSlots())
}

// What a standby says it has flushed is what its slot moves by, never back, and log is held for it
// from there.
func TestSlotHoldsWhatItsStandbyLacks(t *testing.T) {
	n := newServed(t)
	restart, err := n.hub.CreateSlot(replica.CreateSlot{Name: "s1", Reserve: true}, 1)
	require.NoError(t, err)
	require.Equal(t, wal.FirstLSN, restart)
	end := n.grow(3 << 20)
	n.recycle()
	require.Equal(t, wal.FirstLSN, n.log.Oldest(), "held for a standby that has not come yet")
	s := n.stream(replica.StartReplication{From: restart, Slot: "s1"}, trusted)
	s.await(end)
	s.report(end, wal.FirstLSN+5<<18, wal.FirstLSN)
	require.Equal(t, wal.FirstLSN+5<<18, n.slot("s1").Restart)
	s.report(end, wal.FirstLSN, wal.FirstLSN)
	require.Equal(t, wal.FirstLSN+5<<18, n.slot("s1").Restart, "not back")
	n.recycle()
	require.Equal(t, wal.FirstLSN+1<<20, n.log.Oldest())
	require.NoError(t, s.link.CloseSend())
	require.NoError(t, s.awaitEnd().err)
	n.grow(1 << 20)
	n.recycle()
	require.Equal(t, wal.FirstLSN+1<<20, n.log.Oldest(), "held while its standby is away")
	require.NoError(t, n.hub.DropSlot(context.Background(), replica.DropSlot{Name: "s1"}))
	n.recycle()
	require.Greater(t, n.log.Oldest(), wal.FirstLSN+1<<20)
}

func TestTemporarySlotGoesWithItsSession(t *testing.T) {
	n := newServed(t)
	_, err := n.hub.CreateSlot(replica.CreateSlot{Name: "t1", Temporary: true, Reserve: true}, 11)
	require.NoError(t, err)
	require.Equal(t, int32(11), n.slot("t1").Active)
	require.Equal(t, wal.FirstLSN, n.slots.Hold())
	req := replica.StartReplication{From: wal.FirstLSN, Slot: "t1"}
	require.Equal(t, "55006", n.refused(req, archiver).Code, "another session's")
	s := n.stream(req, trusted)
	require.NoError(t, s.link.CloseSend())
	require.NoError(t, s.awaitEnd().err)
	require.Nil(t, n.disk.Content("/data/slots"), "never on disk")
	n.hub.ReleaseSession(12)
	require.Len(t, n.hub.ListSlots(), 1)
	n.hub.ReleaseSession(11)
	require.Empty(t, n.hub.ListSlots())
}

// A slot that nobody reads from is warned of, then given up: disk is bounded (R3).
func TestSlotIsLostBeyondItsLimit(t *testing.T) {
	n := newServed(t)
	n.limits.Store(&replica.SlotLimits{Max: 9, MaxKeep: 4 << 20, KeepSize: 1, MaxWAL: 2 << 20})
	restart, err := n.hub.CreateSlot(replica.CreateSlot{Name: "s1", Reserve: true}, 1)
	require.NoError(t, err)
	require.Equal(t, replica.SlotReserved, n.slot("s1").Status)
	require.True(t, n.slot("s1").Limited)
	n.grow(5 << 19)
	require.Equal(t, replica.SlotExtended, n.slot("s1").Status)
	n.clock.AwaitTimers(1, time.Second)
	n.clock.Advance(time.Second)
	n.recycle()
	require.Empty(t, n.near)
	n.grow(1 << 20)
	n.clock.AwaitTimers(1, time.Second)
	n.clock.Advance(time.Second)
	warned := <-n.near
	require.Equal(t, "s1", warned.Name, "between two checkpoints")
	require.Positive(t, warned.SafeWALSize)
	n.recycle()
	require.Empty(t, n.near, "told once")
	require.Equal(t, wal.FirstLSN, n.log.Oldest())

	// It is sent everything and says nothing: the log it reads is there, what its slot holds goes.
	s := n.stream(replica.StartReplication{From: restart, Slot: "s1"}, archiver)
	s.await(n.grow(1 << 20))
	require.Equal(t, replica.SlotUnreserved, n.slot("s1").Status)
	require.Negative(t, n.slot("s1").SafeWALSize)
	n.recycle()
	require.Equal(t, "s1", (<-n.lost).Name)
	require.Equal(t, replica.SlotLost, n.slot("s1").Status)
	require.Zero(t, n.slot("s1").Restart)
	require.Greater(t, n.log.Oldest(), wal.FirstLSN)
	for s.next() == nil {
	}
	requireCode(t, "58P01", (<-s.done).err)
	saved, err := replica.OpenSlots(replica.SlotsOptions{
		Dir: "/data", Disk: n.disk.Crash(1),
		Limits: func() replica.SlotLimits { return *n.limits.Load() },
	})
	require.NoError(t, err)
	info, ok := saved.Get("s1")
	require.True(t, ok)
	require.Equal(t, replica.SlotLost, info.Status, "on disk before the log goes")
	told := n.refused(replica.StartReplication{From: n.log.Flushed(), Slot: "s1"}, trusted)
	require.Equal(t, "58P01", told.Code, "also for log that is there: the slot would hold nothing")

	n = openServed(t, n.restart())
	require.Equal(t, replica.SlotLost, n.slot("s1").Status, "for good")
	_, err = n.hub.CreateSlot(replica.CreateSlot{Name: "s1"}, 1)
	requireCode(t, "42710", err)
}

// restart ends the node and gives the disk as the next process finds it.
func (n *servedNode) restart() *waltest.Disk {
	n.t.Helper()
	n.close()
	return n.disk.Kill()
}

// A slot whose log went while nobody looked, as under another release, is lost and not served.
func TestSlotBehindTheLogIsLost(t *testing.T) {
	n := newServed(t)
	_, err := n.hub.CreateSlot(replica.CreateSlot{Name: "s1", Reserve: true}, 1)
	require.NoError(t, err)
	stale := n.disk.Content("/data/slots")
	require.NoError(t, n.hub.DropSlot(context.Background(), replica.DropSlot{Name: "s1"}))
	n.grow(3 << 20)
	n.recycle()
	require.NotEqual(t, wal.FirstLSN, n.log.Oldest())
	disk := n.restart()
	disk.Damage("/data/slots", func([]byte) []byte { return stale })
	n = openServed(t, disk)
	require.Equal(t, replica.SlotLost, n.slot("s1").Status)
}

// What the log is kept from is what the file says: with a newer position in memory a crash leaves a
// slot that points at log which is gone.
func TestHoldIsWhatIsOnDisk(t *testing.T) {
	n := newServed(t)
	restart, err := n.hub.CreateSlot(replica.CreateSlot{Name: "s1", Reserve: true}, 1)
	require.NoError(t, err)
	end := n.grow(3 << 20)
	s := n.stream(replica.StartReplication{From: restart, Slot: "s1"}, trusted)
	s.await(end)
	s.report(end, end, end)
	full := errors.New("no space left on device")
	n.disk.Fail(waltest.Fault{Op: waltest.OpCreate, Path: "slots.new", Err: full, Sticky: true})
	require.Equal(t, restart, n.slots.Hold())
	n.recycle()
	require.Equal(t, restart, n.log.Oldest())
	_, err = n.hub.CreateSlot(replica.CreateSlot{Name: "s2"}, 1)
	require.ErrorIs(t, err, full)
	require.Len(t, n.hub.ListSlots(), 1, "what is not on disk is not there")
	n.disk.Heal()
	require.Equal(t, end, n.slots.Hold(), "space again: the next recycling writes it")
}
