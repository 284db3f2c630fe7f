package main

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReplica: one command makes a replica, another a primary of it, and status says which is which.
// A node that has gone its own way meanwhile stops with 1 and says 55000.
func TestReplica(t *testing.T) {
	dir := t.TempDir()
	primary := start(t, dir)
	standby := start(t, t.TempDir(), "--replica-of", primary.addr, "--slot", "s1")
	require.Contains(t, standby.ready, "ready: standby, ")
	out, _, code := run(t, "status", "--addr", standby.addr)
	require.Zero(t, code)
	require.Regexp(t, `role +standby\n`, out)
	require.Regexp(t, `receiver +(starting|streaming)\n`, out)
	out, _, code = run(t, "status", "--addr", primary.addr, "--json")
	require.Zero(t, code)
	require.Contains(t, out, `"role": "primary"`)
	require.Contains(t, out, `"replica": "s1"`)

	_, errs, code := run(t, "promote", "--addr", primary.addr)
	require.Equal(t, 1, code)
	require.Contains(t, errs, "recovery is not in progress")
	out, _, code = run(t, "promote", "--addr", standby.addr)
	require.Zero(t, code)
	require.Contains(t, out, "promoted: timeline 2 begins at ")

	// A restart of its own is an epoch that the new timeline does not have.
	code, log := primary.stop(syscall.SIGTERM)
	require.Zero(t, code, log)
	primary = start(t, dir)
	code, log = primary.stop(syscall.SIGTERM)
	require.Zero(t, code, log)
	_, log, code = run(t, "start", "--data", dir, "--listen", "127.0.0.1:0",
		"--replica-of", standby.addr)
	require.Equal(t, 1, code, log)
	require.Contains(t, log, "code=55000")

	_, errs, code = run(t, "start", "--data", t.TempDir(), "--listen", "127.0.0.1:0",
		"--replica-of", "host=a nonsense=b")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "primary_conninfo")
}
