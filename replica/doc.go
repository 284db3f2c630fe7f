// Package replica carries the log from one node to others: by Postgres' own replication protocol, so
// that Postgres' tools can archive it, and with a handshake of ours, so that two histories that have
// parted never meet unnoticed.
package replica
