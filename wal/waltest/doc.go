// Package waltest is a disk that can lose its power at any moment.
//
// A Disk is one process's view of a store of files in memory. The store tells three things
// apart, as a machine does: what programs read (the page cache), what is on the medium, and the
// writes and names that are on their way from the one to the other. Sync and SyncDir bring them
// there. Crash gives a disk as it might be found after a power cut: what was synced, and of the
// rest a random subset in pieces of 512 bytes. Kill ends the process and keeps the page cache.
//
// The model is harsher than most file systems: pieces and names survive independently and in any
// order, and syncing a file says nothing about its name. Code that passes here does not rest on
// what one file system happens to order.
//
// Everything random comes from a seed. A Disk is safe for concurrent use; one lock, of the store,
// guards all, and is not held while an operation waits at a Gate.
package waltest
