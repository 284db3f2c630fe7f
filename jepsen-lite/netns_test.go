package jepsenlite

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

func newNet(t *testing.T, hosts int) *Net {
	t.Helper()
	if missing := NetMissing(); missing != "" {
		t.Skip("SKIPPED, no network namespaces: ", missing)
	}
	w, err := NewNet(hosts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w
}

// A rig that partitions nothing proves nothing: packets pass, stop in the way that was asked for,
// pass again, and afterwards nothing of the rig is left.
func TestNetPartitions(t *testing.T) {
	w := newNet(t, 2)
	a, b := w.Hosts()[0], w.Hosts()[1]
	passes := func(from, to *Host) bool {
		script := "timeout 1 bash -c 'exec 3<>/dev/tcp/" + to.AddrFor(from) + "/1' 2>&1 | grep -q refused"
		return exec.Command("ip", "netns", "exec", from.Name, "/bin/bash", "-c", script).Run() == nil
	}
	require.True(t, passes(a, b), "a closed port is refused when packets pass both ways")
	require.NoError(t, a.Link(b, false))
	require.False(t, passes(a, b))
	require.NoError(t, a.Link(b, true))
	require.Eventually(t, func() bool { return passes(a, b) }, startTimeout, pollEvery)
	require.NoError(t, b.Swallow(a, true))
	require.False(t, passes(a, b), "the answer is swallowed")
	require.NoError(t, b.Swallow(a, false))
	require.True(t, passes(a, b))

	require.NoError(t, w.Close())
	left, err := w.Names()
	require.NoError(t, err)
	require.Empty(t, left)
}
