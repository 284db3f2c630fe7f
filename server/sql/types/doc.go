// Package types holds SQL values: what they are, how they read and print, how they compare, convert
// and lie in keys and rows, each as PostgreSQL 15 does it.
//
// The types to know:
//
//   - Datum is one value, 24 bytes, NULL when zero. It carries the OID of its type.
//   - Type is a type as a column has it: OID and modifier.
//   - Info describes a type that exists: names, category, array and element types.
//   - Env is what a session adds to text forms: time zone, date order, names of relations.
//   - Error is the one error of the SQL floors, with its SQLSTATE.
//
// Invariants, cited by number in code and tests:
//
//   - T1: a Datum that holds bytes aliases the memory it was made from. Whoever keeps one beyond
//     the life of that memory clones it.
//   - T2: bytes.Compare of two encoded keys equals Compare of the two values.
//   - T3: a value of a type in text, binary, key (where lossless) or row form reads back as the
//     same value, and no decoder panics or allocates beyond its input, whatever the bytes.
//   - T4: text never holds a zero byte and is always valid UTF-8.
//   - T5: a numeric's apd exponent is never above zero; the negated exponent is its display scale.
//
// Nothing here locks or starts a goroutine; everything is safe for concurrent use except a Datum
// being assigned.
package types
