package types

// What the tests outside the package, which may import the oracle, use of those inside.
var (
	RandomTypes = randomTypes
	RandomDatum = randomDatum
	NewRand     = newRand
)
