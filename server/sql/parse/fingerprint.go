package parse

import "math/bits"

const (
	fingerprintSeed  = 0x9e3779b97f4a7c15
	fingerprintPrime = 0xd6e8feb86659fd93
)

// mix folds one word into a hash. It needs to spread, not to resist an attacker: a template
// compares tokens, so a collision costs a comparison (P3).
func mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^v, fingerprintPrime)
	return hi ^ lo
}

// foldMask sets the bit by which ASCII letters' cases differ. It also maps '_' to DEL and joins
// some bytes above ASCII, none of which matters to a hash.
const foldMask = 0x2020202020202020

// mixText folds a token's text in, eight bytes at a time; mask folds case.
func mixText(h uint64, s string, mask uint64) uint64 {
	n := uint64(len(s))
	for len(s) >= 8 {
		v := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		h = mix(h, v|mask)
		s = s[8:]
	}
	v := n << 56
	for i := range len(s) {
		v |= uint64(s[i]|byte(mask)) << (8 * i)
	}
	return mix(h, v)
}
