// Package parse turns SQL text into statements that the planner understands.
//
// Two readers look at every text. Tokens.Lex is ours, makes one pass without allocating, and gives
// statement bounds, a fingerprint without literals, and the literals; a plan kept under that
// fingerprint needs nothing else. Parse and ParseTemplate hand the text to Postgres' own grammar
// (pg_query, in C, imported by this package alone) and convert its tree into the types of the ast
// files. What that tree says and ours cannot hold is a FeatureError that names it. WAIT FOR, which
// that grammar lacks, is read from the tokens by waitfor.go.
//
// Invariants:
//
//	P1  No text reaches the C parser that Lex has not passed: its stack is bounded by Lex's guard
//	    alone, and an overflow there kills the process.
//	P2  The texts of the tokens and what stands between them, joined, are the source.
//	P3  A template matches a text only if all tokens agree, save the literals the template has
//	    holes for, and those agree in kind. The hash only finds candidates.
//	P4  Positions inside a tree are byte offsets into Stmt.Text; positions inside errors are
//	    characters, from 1, in the text that was handed in.
//
// The package imports nothing of ours. It takes no lock; the threads that run the C parser are
// fed by one unbuffered channel.
package parse
