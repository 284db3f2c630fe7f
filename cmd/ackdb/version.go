package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"ackdb/server"
	"ackdb/wal"
)

type versionCommand struct{}

// Run prints the version, and which way of syncing the log this binary can use.
func (c *versionCommand) Run() error {
	fmt.Printf("ackdb %s (%s %s/%s)\n", server.Version, runtime.Version(), runtime.GOOS,
		runtime.GOARCH)
	fmt.Printf("wal_sync_method here: %s\n", syncBackend())
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				fmt.Printf("revision: %s\n", s.Value)
			}
		}
	}
	return nil
}

// syncBackend probes as a server would, in the directory for temporary files: what runs on a data
// directory may differ, and the ready line says which it is.
func syncBackend() string {
	// A ring belongs to the thread that made it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	syncer, err := wal.OSDisk().Syncer("", os.TempDir())
	if err != nil {
		return err.Error()
	}
	defer func() { _ = syncer.Close() }()
	return syncer.Method() + " (" + syncer.Reason() + ")"
}
