package pgcatalog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamesIn(t *testing.T) {
	require.Equal(t, []string{"a", "B c", "d"},
		namesIn(`((length(a) > 1) OR ("B c" = 'e'::text) OR (d)::integer = 1)`))
}
