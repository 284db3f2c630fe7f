package enginetest

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A list of ops that never comes to some answer proves nothing about it.
func TestOpsReachEveryAnswer(t *testing.T) {
	const seeds, ops = 40, 600
	seen := map[string]int{}
	for seed := range uint64(seeds) {
		m := NewModel()
		for _, op := range Generate(rand.New(rand.NewPCG(seed+1, 1)), ops) {
			answer := m.Run(op)
			switch {
			case strings.HasSuffix(answer, "(changed)"):
				answer = "changed"
			case strings.HasPrefix(answer, "="):
				answer = "found"
			case strings.HasSuffix(answer, "..."):
				answer = "part of a range"
			case strings.HasSuffix(answer, "."):
				answer = "a range"
			}
			seen[answer]++
		}
	}
	for _, answer := range []string{
		AnswerOK, AnswerAbsent, AnswerLocked, AnswerSkipped, AnswerReadOnly, AnswerNothing,
		AnswerNoSavepoint, AnswerConcurrentWrite, AnswerConcurrentGone, AnswerReadWrite,
		"changed", "found", "a range", "part of a range",
	} {
		require.Greater(t, seen[answer], 20, "%s: %v", answer, seen)
	}
	t.Log(seen)
}

// The model's own anomalies: what each level must refuse, it refuses.
func TestModelRefusesWriteSkew(t *testing.T) {
	for level, want := range map[Level]string{
		RepeatableRead: AnswerOK, Serializable: AnswerReadWrite,
	} {
		m := NewModel()
		for txn, keys := range [][2]string{{"x", "y"}, {"y", "x"}} {
			m.Run(Op{Kind: OpBegin, Txn: txn, Level: level})
			require.Equal(t, AnswerAbsent, m.Run(Op{Kind: OpGet, Txn: txn, Key: keys[0]}))
			require.Equal(t, AnswerAbsent, m.Run(Op{Kind: OpWrite, Txn: txn, Key: keys[1]}))
		}
		require.Equal(t, AnswerOK, m.Run(Op{Kind: OpCommit, Txn: 0}))
		require.Equal(t, want, m.Run(Op{Kind: OpCommit, Txn: 1}))
	}
}
