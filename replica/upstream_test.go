package replica

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/pgwire"
	"ackdb/wal"
)

func textRow(values ...string) []*string {
	row := make([]*string, len(values))
	for i := range values {
		row[i] = &values[i]
	}
	return row
}

func TestParseIdentity(t *testing.T) {
	id, err := parseIdentity(append(textRow("7", "3", "1/A0"), nil))
	require.NoError(t, err)
	require.Equal(t, identity{system: 7, timeline: 3, flushed: 0x1000000A0}, id)
	for _, bad := range [][]string{
		{}, {"7"}, {"7", "3"}, {"x", "3", "1/0"}, {"-1", "3", "1/0"}, {"7", "0", "1/0"},
		{"7", "4294967296", "1/0"}, {"7", "3", "1"},
	} {
		_, err := parseIdentity(textRow(bad...))
		require.ErrorIs(t, err, ErrProtocol, "%q", bad)
	}
}

func TestStartCommand(t *testing.T) {
	for slot, want := range map[string]string{
		"":    "START_REPLICATION PHYSICAL 0/1000028 TIMELINE 2",
		"s_1": `START_REPLICATION SLOT "s_1" PHYSICAL 0/1000028 TIMELINE 2`,
	} {
		text := startCommand(slot, 0x1000028, 2)
		require.Equal(t, want, text)
		command, err := ParseCommand(text)
		require.NoError(t, err)
		require.Equal(t, StartReplication{Slot: slot, From: 0x1000028, Timeline: 2}, command)
	}
	command, err := ParseCommand(backupCommand)
	require.NoError(t, err)
	require.IsType(t, BaseBackup{}, command)
}

// Whatever upstream answers, it is understood or refused by name.
func FuzzUpstreamAnswers(f *testing.F) {
	f.Add("7", "3", "1/A0")
	f.Add("2", "0/2000000", "")
	f.Add("", "\x00", "/")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		row := textRow(a, b, c)
		if id, err := parseIdentity(row); err == nil {
			require.NotZero(t, id.timeline)
		} else {
			require.ErrorIs(t, err, ErrProtocol)
		}
		next, err := parseSwitchover([]*pgwire.Result{{Rows: [][]*string{row}}})
		if err != nil {
			require.ErrorIs(t, err, ErrProtocol)
			return
		}
		require.NotZero(t, next.timeline)
		fork, err := wal.ParseLSN(next.fork.String())
		require.NoError(t, err)
		require.Equal(t, next.fork, fork)
	})
}
