//go:build !linux || !iouring

package wal

import (
	"runtime"
)

// newUringSyncer says why this binary has no ring.
func newUringSyncer(string) (Syncer, string) {
	if runtime.GOOS != "linux" {
		return nil, "not Linux"
	}
	return nil, "built without the tag iouring"
}
