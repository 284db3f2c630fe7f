package server

import (
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"

	"ackdb/server/sql/builtin"
)

var idServerMemory, idStatementMemory settingID

var memoryIDs = map[string]*settingID{
	"ack.server_memory":    &idServerMemory,
	"ack.statement_memory": &idStatementMemory,
}

var memorySettings = []setting{
	{name: "ack.server_memory", kind: kindInteger, context: contextSighup, unit: unitMegabyte,
		min: 64, max: maxInt32, category: catResource,
		boot:  strconv.FormatInt(max(64, machineMemory(os.ReadFile)/2>>20), 10),
		short: "Sets the memory the server keeps within; its statements hold at most a half of it."},
	{name: "ack.statement_memory", kind: kindInteger, context: contextSighup, unit: unitMegabyte,
		min: 1, max: maxInt32, category: catResource,
		boot:  strconv.Itoa(builtin.DefaultStatementMemory >> 20),
		short: "Sets the memory one statement may hold."},
}

// boundMemory sets what statements may hold. A half is for all of them together: as much again may
// be garbage that is not collected yet, and caches, messages and the log have their own bounds.
func (srv *Server) boundMemory() {
	srv.executor.BoundMemory(builtin.NewMemory(
		func() int64 { return srv.settings.number(idStatementMemory) << 20 },
		func() int64 { return srv.settings.number(idServerMemory) << 20 / 2 }))
	srv.limitHeap()
}

// limitHeap has the collector work harder as the heap comes near ack.server_memory. GOMEMLIMIT of
// the environment stands.
func (srv *Server) limitHeap() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(srv.settings.number(idServerMemory) << 20)
	}
}

// messageMemory is what messages may take that are being read: an eighth of the whole, and at least
// as much as one message may have.
func (srv *Server) messageMemory() int64 {
	const oneMessage = 160 << 20
	return max(oneMessage, srv.settings.number(idServerMemory)<<20/8)
}

// unknownMemory is taken for the machine's where nothing says how much it has.
const unknownMemory = 4 << 30

// machineMemory is how much memory this process may use before the kernel ends it: the machine's,
// or the tightest limit of the control groups it is in, of either version.
func machineMemory(read func(string) ([]byte, error)) int64 {
	least := int64(unknownMemory)
	if text, err := read("/proc/meminfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) < 2 || fields[0] != "MemTotal:" {
				continue
			}
			if kb, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
				least = kb << 10
			}
		}
	}
	text, err := read("/proc/self/cgroup")
	if err != nil {
		return least
	}
	for line := range strings.Lines(string(text)) {
		// number:controllers:path; version 2 has number 0 and no controllers.
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		switch {
		case parts[1] == "":
			least = groupLimit(read, "/sys/fs/cgroup", parts[2], "memory.max", least)
		case parts[1] == "memory":
			least = groupLimit(read, "/sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes", least)
		}
	}
	return least
}

// groupLimit is the tightest limit of a control group and those around it. Within a container the
// path is often of the host, and only the root is there.
func groupLimit(
	read func(string) ([]byte, error), root, group, file string, least int64,
) int64 {
	for group = path.Clean("/" + group); ; group = path.Dir(group) {
		if text, err := read(path.Join(root, group, file)); err == nil {
			if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && n > 0 {
				least = min(least, n)
			}
		}
		if group == "/" {
			return least
		}
	}
}
