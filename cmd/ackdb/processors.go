package main

import (
	"os"
	"runtime"
)

// processorsPerCore is how many threads may run Go code at once for each core. One each, as the
// runtime has it, leaves the threads of commits and of a greedy statement to run whole slices of
// the kernel's behind one another as soon as anything else wants a core. With two, a thread that
// wakes for a commit is new to the kernel and goes first.
const processorsPerCore = 2

// spreadOverThreads follows GOMAXPROCS where it is set.
func spreadOverThreads() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(processorsPerCore * runtime.GOMAXPROCS(0))
	}
}
