package replica

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseStandbyNames(t *testing.T) {
	for text, want := range map[string]StandbyNames{
		"":                            {},
		"  ":                          {},
		"*":                           {N: 1, Names: []string{"*"}},
		"s1":                          {N: 1, Names: []string{"s1"}},
		"s1, s2":                      {N: 1, Names: []string{"s1", "s2"}},
		"2 (s1,s2 , s3)":              {N: 2, Names: []string{"s1", "s2", "s3"}},
		"FIRST 2 (s1, *)":             {N: 2, Names: []string{"s1", "*"}},
		"any 1 (s1, s2)":              {Any: true, N: 1, Names: []string{"s1", "s2"}},
		`ANY 3("a b", "q""q", "any")`: {Any: true, N: 3, Names: []string{"a b", `q"q`, "any"}},
		"12, 13":                      {N: 1, Names: []string{"12", "13"}},
		"3 (1)":                       {N: 3, Names: []string{"1"}},
		"Größe":                       {N: 1, Names: []string{"Größe"}},
	} {
		got, err := ParseStandbyNames(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
		again, err := ParseStandbyNames(got.String())
		require.NoError(t, err, got.String())
		require.Equal(t, got, again)
	}
}

func TestParseStandbyNamesRefuses(t *testing.T) {
	for _, text := range []string{
		",", "a,", "a b", "FIRST", "FIRST 1", "FIRST 1 a", "ANY (a)", "ANY 0 (a)", "0 (a)", "1 ()",
		"1 (a", "1 (a))", "(a)", `"a`, "ANY 1 (FIRST)", "99999999999 (a)", "-1 (a)", "a; b",
		strings.Repeat("a,", MaxStandbyNames) + "a",
	} {
		_, err := ParseStandbyNames(text)
		var told *Error
		require.ErrorAs(t, err, &told, text)
	}
}

func TestPriority(t *testing.T) {
	s := names(t, "a, *, b")
	require.Equal(t, 1, s.Priority("A", true))
	require.Equal(t, 2, s.Priority("b", true))
	require.Equal(t, 3, s.Priority("b", false), "no replica, but named")
	require.Equal(t, 0, s.Priority("pg_receivewal", false), "the star picks replicas only")
}

func FuzzParseStandbyNames(f *testing.F) {
	for _, text := range modelNames {
		f.Add(text)
	}
	f.Add(`FIRST 1 ("a""b", c$1)`)
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := ParseStandbyNames(text)
		if err != nil {
			return
		}
		again, err := ParseStandbyNames(parsed.String())
		require.NoError(t, err)
		require.Equal(t, parsed, again)
	})
}
