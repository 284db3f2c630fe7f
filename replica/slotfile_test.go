package replica

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

// slotLists are what one history of a file of slots goes through.
var slotLists = [][]storedSlot{
	nil,
	{{name: "a", restart: 0x1000000}},
	{{name: "a", restart: 0x2000000}, {name: "b"}},
	{{name: "a", restart: 0x3000000, lost: true}, {name: "b", restart: 0x2fffff8}},
	{{name: "b", restart: 0x4000000}},
}

func TestSlotsFileBytes(t *testing.T) {
	b := encodeSlots(slotLists[3][:1])
	require.Equal(t, "ACKSLOTS\x00\x00\x00\x01\x00\x00\x00\x01"+
		"\x01a\x01\x00\x00\x00\x00\x03\x00\x00\x00", string(b[:len(b)-4]))
	for _, list := range slotLists[1:] {
		again, err := decodeSlots(encodeSlots(list))
		require.NoError(t, err)
		require.Equal(t, list, again)
	}
}

func TestSlotsFileRefusesDamage(t *testing.T) {
	whole := encodeSlots(slotLists[3])
	for i := range whole {
		damaged := append([]byte(nil), whole...)
		damaged[i] ^= 0x10
		_, err := decodeSlots(damaged)
		require.Error(t, err, "byte %d", i)
		_, err = decodeSlots(whole[:i])
		require.Error(t, err, "cut at %d", i)
	}
	disk := waltest.New()
	file := slotFile{disk: disk, dir: "/"}
	require.NoError(t, file.write(slotLists[3]))
	disk.FlipBit("/slots", 20, 3)
	_, err := OpenSlots(SlotsOptions{Dir: "/", Disk: disk})
	var corrupt *wal.CorruptionError
	require.ErrorAs(t, err, &corrupt)
	require.Equal(t, "slots", corrupt.Segment)
	disk.Damage("/slots", func([]byte) []byte {
		b := encodeSlots(nil)
		b[11] = 2
		return b
	})
	_, err = OpenSlots(SlotsOptions{Dir: "/", Disk: disk})
	var unsupported *wal.UnsupportedError
	require.ErrorAs(t, err, &unsupported, "a later version is named, not taken for damage")
}

// cutSlots writes the history with a power cut at the nth operation, and says what is wrong with
// what is found behind it.
func cutSlots(nth int, seed uint64, lies waltest.Lies) (wrong string, cut bool) {
	disk := waltest.New()
	disk.Lie(lies)
	file := slotFile{disk: disk, dir: "/"}
	disk.PowerOffAt(nth, seed)
	done := 0
	for done+1 < len(slotLists) && file.write(slotLists[done+1]) == nil {
		done++
	}
	found := slotFile{disk: disk.Crash(seed), dir: "/"}
	list, err := found.read()
	if err != nil {
		return err.Error(), disk.Off()
	}
	for i := done; i <= min(done+1, len(slotLists)-1); i++ {
		if fmt.Sprint(list) == fmt.Sprint(slotLists[i]) {
			return "", disk.Off()
		}
	}
	return fmt.Sprintf("%d writes were confirmed, found %v", done, list), disk.Off()
}

// At every step a power cut leaves the slots as confirmed last, or as they were being written.
func TestSlotsFileThroughPowerCuts(t *testing.T) {
	for seed := uint64(1); seed <= 30; seed++ {
		for nth := 1; ; nth++ {
			wrong, cut := cutSlots(nth, seed, waltest.Lies{})
			require.Empty(t, wrong, "operation %d, seed %d", nth, seed)
			if !cut {
				break
			}
		}
	}
}

// A disk that lies must show, or the cuts above prove nothing.
func TestSlotsFileCutsNoticeALyingDisk(t *testing.T) {
	for _, lies := range []waltest.Lies{{Sync: true}, {SyncDir: true}} {
		noticed := false
		for seed := uint64(1); seed <= 30 && !noticed; seed++ {
			for nth := 1; nth < 40 && !noticed; nth++ {
				wrong, _ := cutSlots(nth, seed, lies)
				noticed = wrong != ""
			}
		}
		require.True(t, noticed, "%+v", lies)
	}
}

// After a failed rename or fsync of the directory nobody knows which file a power cut leaves: no
// later write may be confirmed. A full disk is another matter.
func TestSlotsFileFailureSticks(t *testing.T) {
	for op, sticks := range map[waltest.Op]bool{
		waltest.OpRename: true, waltest.OpSyncDir: true, waltest.OpWrite: false, waltest.OpSync: false,
	} {
		disk := waltest.New()
		file := slotFile{disk: disk, dir: "/"}
		failure := errors.New("failed")
		disk.Fail(waltest.Fault{Op: op, Err: failure})
		require.ErrorIs(t, file.write(slotLists[1]), failure, op)
		err := file.write(slotLists[2])
		require.Equal(t, sticks, err != nil, op)
	}
}

func FuzzDecodeSlots(f *testing.F) {
	for _, list := range slotLists {
		f.Add(encodeSlots(list))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := decodeSlots(b)
		if err == nil {
			require.Equal(t, b, encodeSlots(list))
		}
	})
}
