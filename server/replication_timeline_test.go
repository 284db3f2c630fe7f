package server_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

// startStandby starts a replica of n, which seeds itself.
func (n *node) startStandby() *node {
	n.t.Helper()
	standby := prepareNode(n.t)
	standby.opts.ReplicaOf = n.report.Addr.String()
	standby.start()
	return standby
}

// promoteAt promotes the standby once it has all of the primary's log.
func (n *node) promoteAt(standby *node) (fork wal.LSN) {
	n.t.Helper()
	fork, err := wal.ParseLSN(n.session().value("select pg_current_wal_insert_lsn()"))
	require.NoError(n.t, err)
	s := standby.session()
	require.Eventually(n.t, func() bool {
		return s.value("select pg_last_wal_replay_lsn()") == fork.String()
	}, patience, time.Millisecond)
	require.Equal(n.t, "t", s.value("select pg_promote()"))
	return fork
}

// TestReplicationTimelineSwitch: what a receiver is told that asks for a timeline that has ended,
// in the middle of a segment and exactly between two.
func TestReplicationTimelineSwitch(t *testing.T) {
	for name, boundary := range map[string]bool{"inside": false, "boundary": true} {
		t.Run(name, func(t *testing.T) {
			primary := startNode(t)
			standby := primary.startStandby()
			primary.session().do("set synchronous_commit = local; insert into kv values ('a', 'b')")
			if boundary {
				primary.session().do("select pg_switch_wal()")
			}
			fork := primary.promoteAt(standby)
			require.Equal(t, boundary, fork%(16<<20) == 0)
			w := standby.session("replication", "true").wire()
			end := "c\nT next_tli:20 next_tli_startpos:25\nD \"2\" \"*\"\nC START_STREAMING\n" +
				"C START_REPLICATION\n"

			// A receiver that holds all of it: the copy begins, and ends at once.
			got := w.exchange(fmt.Sprintf("START_REPLICATION %s TIMELINE 1", fork))
			require.Equal(t, "W 0 0\n"+end, got)
			// One that holds less gets the rest first.
			got = w.exchange("START_REPLICATION 0/1000000 TIMELINE 1")
			require.Equal(t, "W 0 0\nd w\n"+end,
				regexp.MustCompile(`(d w\n)+`).ReplaceAllString(got, "d w\n"))
			require.Contains(t, w.exchange(fmt.Sprintf("START_REPLICATION %s TIMELINE 1", fork+8)),
				"E 55000 requested starting point")
			require.Contains(t, w.exchange("TIMELINE_HISTORY 2"),
				"T filename:25 content:25\nD \"*.history\" \"1\\t*\\t")
			requireNewTimeline(t, standby, fork)
		})
	}
}

// requireNewTimeline: the new timeline is served from the start of the fork's segment, bytes of the
// old one included, and from the fork on.
func requireNewTimeline(t *testing.T, n *node, fork wal.LSN) {
	t.Helper()
	c := n.replication()
	for _, from := range []wal.LSN{fork - fork%(16<<20), fork} {
		both, err := c.CopyBoth(n.context(), fmt.Sprintf("START_REPLICATION %s TIMELINE 2", from))
		require.NoError(t, err)
		s := &stream{t: t, both: both, from: from}
		s.until(n.flushed(n.session()))
		_, err = both.Finish(n.context())
		require.NoError(t, err)
	}
}
