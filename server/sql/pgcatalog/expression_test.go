package pgcatalog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestShortForm(t *testing.T) {
	for kept, want := range map[string]string{
		"(q > 0)":                                "q > 0",
		"((r <> ''::text) AND (length(r) < 10))": "r <> ''::text AND length(r) < 10",
		"(((a > 1) OR (b > 2)) AND (c = 3))":     "(a > 1 OR b > 2) AND c = 3",
		"(((a > 1) AND (b > 2)) OR (c = 3))":     "a > 1 AND b > 2 OR c = 3",
		"(NOT (a > 1))":                          "NOT a > 1",
		"(NOT ((a > 1) AND b))":                  "NOT (a > 1 AND b)",
		"((a + b) > c)":                          "(a + b) > c",
		"(a + b)":                                "a + b",
		"(a) + (b)":                              "(a) + (b)",
		"(x = '(a) AND (b'::text)":               "x = '(a) AND (b'::text",
		`("AND" IS NOT NULL)`:                    `"AND" IS NOT NULL`,
		"((a)::text <> (12)::numeric)":           "a::text <> 12::numeric",
		"((a + b)::text = f(a)::text)":           "(a + b)::text = f(a)::text",
		"lower(a)":                               "lower(a)",
	} {
		require.Equal(t, want, shortForm(kept))
	}
}

func TestNamesIn(t *testing.T) {
	require.Equal(t, []string{"a", "B c", "d"},
		namesIn(`((length(a) > 1) OR ("B c" = 'e'::text) OR (d)::integer = 1)`))
}
