//go:build !cgo

package parse

// The SQL grammar is Postgres' own C source, so a build without cgo has no parser at all. Failing
// here, in words, is better than a linker naming a missing symbol.
const _ int = "ackdb needs cgo: its SQL grammar is C; build with CGO_ENABLED=1 and a C compiler"
