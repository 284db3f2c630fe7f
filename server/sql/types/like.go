package types

import "strings"

// LikePrefix returns what every text that matches a LIKE pattern begins with. exact says that the
// pattern holds no wildcard, so that only prefix itself matches; whole that it is the prefix and
// one % and nothing else, so that the range needs no further test.
func LikePrefix(pattern string) (prefix string, exact, whole bool) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '%':
			return b.String(), false, i == len(pattern)-1
		case '_':
			return b.String(), false, false
		case '\\':
			i++
			if i == len(pattern) {
				return b.String(), false, false // an error, when the pattern is used
			}
		}
		b.WriteByte(pattern[i])
	}
	return b.String(), true, false
}
