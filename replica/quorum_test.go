package replica

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

// lsnMax bounds the positions of the model, so that it can try every one.
const lsnMax = 12

// modelPeer is a peer in the model.
type modelPeer struct {
	app              string
	node             uint64
	replica, streams bool
	proven           positions
	real             *member
}

// modelWait is a commit that waits.
type modelWait struct {
	lsn  wal.LSN
	rung rung
	over bool
	real *syncWaiter // nil: it was over at once
}

// quorumBug makes the model wrong on purpose: what does not notice tests nothing.
type quorumBug int

const (
	noBug quorumBug = iota
	bugOneFewer
	bugStarPicksAnybody
	bugCatchupCounts
	bugLeaverLowers
	bugFirstIsAny
	bugOldSettingStands
	bugOneNodeIsTwo
	quorumBugs
)

// quorumModel says by trying what the quorum works out.
type quorumModel struct {
	bug   quorumBug
	names StandbyNames
	peers []*modelPeer
	held  positions // the highest position confirmed since the setting came into force
	waits []*modelWait
}

// confirmed says whether the peers connected now confirm lsn.
func (m *quorumModel) confirmed(lsn wal.LSN, r rung) bool {
	asked := m.names.N
	if m.bug == bugOneFewer && asked > 1 {
		asked--
	}
	if m.bug == bugLeaverLowers {
		asked = max(min(asked, len(m.peers)), 1)
	}
	have, seen := 0, 0
	for _, name := range m.names.Names {
		for _, p := range m.peers {
			if !m.matches(name, p) || m.matchedBefore(name, p) {
				continue
			}
			if !p.streams && m.bug != bugCatchupCounts || p.proven[r] == 0 {
				continue
			}
			seen++
			if p.proven[r] >= lsn && (m.names.Any || seen <= asked || m.bug == bugFirstIsAny) {
				have++
			}
		}
	}
	return have >= asked
}

func (m *quorumModel) matches(name string, p *modelPeer) bool {
	if name == "*" {
		return p.replica || m.bug == bugStarPicksAnybody
	}
	return strings.EqualFold(name, p.app)
}

// matchedBefore says that an earlier name of the list has the peer already.
func (m *quorumModel) matchedBefore(name string, p *modelPeer) bool {
	for _, earlier := range m.names.Names {
		if earlier == name {
			return false
		}
		if m.matches(earlier, p) {
			return true
		}
	}
	return false
}

func (m *quorumModel) settle() {
	for r := range rungs {
		for lsn := wal.LSN(lsnMax); lsn > 0; lsn-- {
			if !m.names.Empty() && m.confirmed(lsn, r) {
				m.held[r] = max(m.held[r], lsn)
				break
			}
		}
	}
	for _, w := range m.waits {
		w.over = w.over || m.names.Empty() || w.lsn <= m.held[w.rung]
	}
}

var modelNames = []string{
	"", "a", "*", "FIRST 2 (a, b, *)", "ANY 2 (a, b, c)", "ANY 1 (b, *)", "2 (*)", "FIRST 3 (c, *)",
	"ANY 2 (*)", "FIRST 1 (c, A)",
}

// step does one random thing to both.
func (m *quorumModel) step(t testing.TB, q *quorum, rng *rand.Rand) string {
	switch k := rng.IntN(20); {
	case k < 3 && len(m.peers) < 6:
		p := &modelPeer{app: string("abcd"[rng.IntN(4)]), node: rng.Uint64N(6)}
		p.replica = p.node != 0
		p.real = q.join(p.app, p.node)
		m.peers = append(slices.DeleteFunc(m.peers, func(o *modelPeer) bool {
			return p.replica && o.node == p.node && m.bug != bugOneNodeIsTwo
		}), p)
		return fmt.Sprintf("join %s node=%d", p.app, p.node)
	case k < 5 && len(m.peers) > 0:
		i := rng.IntN(len(m.peers))
		q.leave(m.peers[i].real)
		m.peers = append(m.peers[:i:i], m.peers[i+1:]...)
		return fmt.Sprintf("leave %d", i)
	case k < 8 && len(m.peers) > 0:
		p := m.peers[rng.IntN(len(m.peers))]
		p.streams = true
		q.stream(p.real)
		return "stream"
	case k < 14 && len(m.peers) > 0:
		p := m.peers[rng.IntN(len(m.peers))]
		var at positions
		for r := range at {
			at[r] = wal.LSN(rng.IntN(lsnMax + 1))
			p.proven[r] = max(p.proven[r], at[r])
		}
		q.report(p.real, at)
		return fmt.Sprintf("report %v", at)
	case k < 15:
		text := modelNames[rng.IntN(len(modelNames))]
		names, err := ParseStandbyNames(text)
		require.NoError(t, err)
		if m.names = names; m.bug != bugOldSettingStands {
			m.held = positions{}
		}
		q.set(names)
		return "set " + text
	default:
		w := &modelWait{lsn: wal.LSN(1 + rng.IntN(lsnMax)), rung: rung(rng.IntN(int(rungs)))}
		real, err := q.enqueue(w.lsn, w.rung)
		require.NoError(t, err)
		w.real = real
		m.waits = append(m.waits, w)
		return fmt.Sprintf("wait %d on %d", w.lsn, w.rung)
	}
}

// differs compares who has been woken.
func (m *quorumModel) differs() string {
	for i, w := range m.waits {
		if over := w.real == nil || len(w.real.done) > 0; over != w.over {
			return fmt.Sprintf("wait %d for %d on rung %d: over=%v, want %v",
				i, w.lsn, w.rung, over, w.over)
		}
	}
	return ""
}

// runQuorum does n random steps and returns the first difference.
func runQuorum(t testing.TB, seed uint64, n int, bug quorumBug) string {
	rng := rand.New(rand.NewPCG(seed, 17))
	q, m := &quorum{}, &quorumModel{bug: bug}
	for i := range n {
		did := m.step(t, q, rng)
		m.settle()
		if diff := m.differs(); diff != "" {
			return fmt.Sprintf("step %d (%s), names %q: %s", i, did, m.names, diff)
		}
	}
	return ""
}

func TestQuorumAgreesWithBruteForce(t *testing.T) {
	first, runs := uint64(1), 300
	if text := os.Getenv("QUORUM_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
		first, runs = seed, 1
	}
	for seed := first; seed < first+uint64(runs); seed++ {
		if diff := runQuorum(t, seed, 150, noBug); diff != "" {
			t.Fatalf("%s\nagain: QUORUM_SEED=%d go test ./replica -run QuorumAgreesWithBruteForce",
				diff, seed)
		}
	}
}

// Every bug of the model must show, or agreeing with it would say nothing.
func TestQuorumModelNoticesBugs(t *testing.T) {
	for bug := noBug + 1; bug < quorumBugs; bug++ {
		noticed := false
		for seed := uint64(1); seed <= 300 && !noticed; seed++ {
			noticed = runQuorum(t, seed, 150, bug) != ""
		}
		require.True(t, noticed, "bug %d", bug)
	}
}

func names(t testing.TB, text string) StandbyNames {
	t.Helper()
	parsed, err := ParseStandbyNames(text)
	require.NoError(t, err)
	return parsed
}

func upTo(lsn wal.LSN) positions { return positions{lsn, lsn, lsn} }

func TestQuorumWaitEndsWithItsContext(t *testing.T) {
	q := &quorum{}
	q.set(names(t, "*"))
	cause := fmt.Errorf("cancelled by the user")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	require.ErrorIs(t, q.wait(ctx, 5, rungFlush), cause)
	require.Empty(t, q.waiting[rungFlush].waiters, "a cancelled wait leaves nothing behind")
	require.ErrorIs(t, q.waitCount(ctx, 1, 5), cause)
	require.Empty(t, q.counts)
}

func TestQuorumCloseEndsWaits(t *testing.T) {
	q := &quorum{}
	q.set(names(t, "*"))
	w, err := q.enqueue(5, rungApply)
	require.NoError(t, err)
	q.close()
	require.ErrorIs(t, <-w.done, ErrHubClosed)
	require.ErrorIs(t, q.wait(context.Background(), 5, rungApply), ErrHubClosed)
	require.ErrorIs(t, q.waitCount(context.Background(), 1, 5), ErrHubClosed)
}

func TestCountFlushedCountsReplicasOnly(t *testing.T) {
	q := &quorum{}
	archiver, one, two := q.join("pg_receivewal", 0), q.join("r1", 1), q.join("r2", 2)
	q.report(archiver, upTo(9))
	q.report(one, upTo(9))
	q.report(two, positions{9, 4, 4})
	require.Equal(t, 1, q.countFlushed(5))
	require.Equal(t, 2, q.countFlushed(4))
	require.NoError(t, q.waitCount(context.Background(), 2, 4))
	done := make(chan error, 1)
	go func() { done <- q.waitCount(context.Background(), 2, 7) }()
	q.report(two, upTo(7))
	require.NoError(t, <-done)
	q.leave(one)
	require.Equal(t, 1, q.countFlushed(4), "who has left is not counted")
}

// A replica that connects again while its old connection hangs half open is one node with one disk.
func TestQuorumCountsANodeOnce(t *testing.T) {
	q := &quorum{}
	q.set(names(t, "ANY 2 (*)"))
	w, err := q.enqueue(5, rungFlush)
	require.NoError(t, err)
	before := q.join("r1", 1)
	q.stream(before)
	q.report(before, upTo(9))
	again := q.join("r1", 1)
	q.stream(again)
	q.report(again, upTo(9))
	require.Empty(t, w.done, "one disk has it")
	require.Equal(t, 1, q.countFlushed(5))
	_, state := q.standing(before)
	require.Equal(t, SyncAsync, state)
	q.leave(before)
	require.Equal(t, 1, q.countFlushed(5), "the end of the old connection is not the node's")
	other := q.join("r2", 2)
	q.stream(other)
	q.report(other, upTo(5))
	require.NoError(t, <-w.done)
}

func TestStanding(t *testing.T) {
	q := &quorum{}
	q.set(names(t, "FIRST 1 (a, b)"))
	b, a, other := q.join("b", 1), q.join("A", 2), q.join("c", 3)
	type standing struct {
		priority int
		state    SyncState
	}
	of := func(m *member) standing {
		priority, state := q.standing(m)
		return standing{priority, state}
	}
	require.Equal(t, standing{0, SyncAsync}, of(a), "nothing is known of it yet")
	for _, m := range []*member{a, b, other} {
		q.report(m, upTo(3))
	}
	require.Equal(t, standing{1, SyncPotential}, of(a), "it does not stream yet")
	q.stream(a)
	q.stream(b)
	require.Equal(t, standing{1, SyncSync}, of(a))
	require.Equal(t, standing{2, SyncPotential}, of(b))
	require.Equal(t, standing{0, SyncAsync}, of(other))
	q.report(a, upTo(9))
	q.leave(a)
	require.Equal(t, standing{2, SyncPotential}, of(b), "it lacks what only the one before it has")
	q.report(b, upTo(9))
	require.Equal(t, standing{2, SyncSync}, of(b))
	q.set(names(t, "ANY 1 (a, b)"))
	require.Equal(t, standing{1, SyncQuorum}, of(b))
	q.set(StandbyNames{})
	require.Equal(t, standing{0, SyncAsync}, of(b))
}
