// Package replicatest is a link in memory that can be as bad as a network: slow, full, cut in the
// middle of a message, or half open, where one side sends for ever and nobody is there.
//
// Pair gives both its ends. Nothing in it waits for time: what is held is held until the test lets
// it go. One lock, of the pair, guards all.
package replicatest
