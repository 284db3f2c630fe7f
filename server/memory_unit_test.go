package server

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMachineMemory: the machine's memory or a tighter limit of a control group, of either version,
// seen from the host or from within a container.
func TestMachineMemory(t *testing.T) {
	const meminfo = "MemTotal:        8388608 kB\nMemFree:         1000 kB\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"unknown": {nil, 4 << 30},
		"machine": {map[string]string{"/proc/meminfo": meminfo}, 8 << 30},
		"v2, around it": {map[string]string{"/proc/meminfo": meminfo,
			"/proc/self/cgroup":               "0::/a/b\n",
			"/sys/fs/cgroup/a/b/memory.max":   "max\n",
			"/sys/fs/cgroup/a/memory.max":     "1073741824\n",
			"/sys/fs/cgroup/other/memory.max": "1\n"}, 1 << 30},
		"v1": {map[string]string{"/proc/meminfo": meminfo,
			"/proc/self/cgroup":                             "4:memory:/x\n3:cpu:/\n0::/\n",
			"/sys/fs/cgroup/memory/x/memory.limit_in_bytes": "2147483648\n",
			"/sys/fs/cgroup/memory/memory.limit_in_bytes":   "9223372036854771712\n"}, 2 << 30},
		"v1, in a container": {map[string]string{"/proc/meminfo": meminfo,
			"/proc/self/cgroup":                           "4:memory:/docker/123\n",
			"/sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912\n"}, 512 << 20},
	} {
		read := func(path string) ([]byte, error) {
			if text, ok := c.files[path]; ok {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		}
		require.Equal(t, c.want, machineMemory(read), name)
	}
}
