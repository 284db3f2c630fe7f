package builtin

import "golang.org/x/sys/unix"

// yieldThread puts the thread behind the others that want its processor. A system call that may
// block, it also lets the runtime hand this thread's goroutines to another meanwhile.
func yieldThread() { _, _, _ = unix.Syscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }
