package jepsenlite

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
)

// Net is hosts of their own on this machine: network namespaces, every two joined by a veth pair,
// which can be taken down or made to swallow what is sent. The tests reach each host over another
// pair, which stays whole, so that a partition of the hosts is not one from their judge. It needs
// root. Names carry the process id and a number, and everything is removed by name.
type Net struct {
	hosts []*Host
	names []string // namespaces that were made
}

// Host is one namespace.
type Host struct {
	Name   string // of the namespace
	Public string // address by which the tests reach it

	net   *Net
	index int
	peers map[*Host]*netLink
}

// netLink is one host's end of the pair to another.
type netLink struct {
	device, addr string
}

var netCount atomic.Int32

// hostsMax is what the addresses of a Net are cut for.
const hostsMax = 4

// NetMissing says why a Net cannot be had here, "" when it can.
func NetMissing() string {
	if os.Getuid() != 0 {
		return "a network namespace needs root"
	}
	if _, err := exec.LookPath("ip"); err != nil {
		return "ip is missing: apt-get install iproute2"
	}
	if _, err := os.Stat("/proc/self/ns/net"); err != nil {
		return "the kernel has no network namespaces"
	}
	return ""
}

// NewNet makes n hosts, joined each with each. Close it.
func NewNet(n int) (*Net, error) {
	if n > hostsMax {
		return nil, fmt.Errorf("netns: %d hosts, at most %d", n, hostsMax)
	}
	// Of 198.18.0.0/15, which is for tests, a /24 by process and number: runs beside each other do
	// not meet, save by a chance that the kernel refuses as an address in use.
	id := int(netCount.Add(1))
	third := (os.Getpid()*7 + id) % 256
	w := &Net{}
	for i := range n {
		if err := w.addHost(fmt.Sprintf("ack%d-%d-%c", os.Getpid(), id, 'a'+i), i, third); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	for i, a := range w.hosts {
		for _, b := range w.hosts[i+1:] {
			if err := w.join(a, b, id, third); err != nil {
				return nil, errors.Join(err, w.Close())
			}
		}
	}
	return w, nil
}

func (w *Net) addHost(name string, index, third int) error {
	if _, err := run("ip", "netns", "add", name); err != nil {
		return err
	}
	w.names = append(w.names, name)
	near := fmt.Sprintf("198.18.%d.%d", third, 4*index+1)
	far := fmt.Sprintf("198.18.%d.%d", third, 4*index+2)
	outer, inner := fmt.Sprintf("a%dm%d%d", os.Getpid(), netCount.Load(), index), "mgmt"
	h := &Host{Name: name, Public: far, net: w, index: index, peers: map[*Host]*netLink{}}
	w.hosts = append(w.hosts, h)
	return runAll(
		[]string{"ip", "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", name},
		[]string{"ip", "addr", "add", near + "/30", "dev", outer},
		[]string{"ip", "link", "set", outer, "up"},
		[]string{"ip", "-n", name, "link", "set", "lo", "up"},
		[]string{"ip", "-n", name, "addr", "add", far + "/30", "dev", inner},
		[]string{"ip", "-n", name, "link", "set", inner, "up"},
	)
}

func (w *Net) join(a, b *Host, id, third int) error {
	device := fmt.Sprintf("pair%d%d", a.index, b.index)
	base := 64 + 4*(hostsMax*a.index+b.index)
	addrA := fmt.Sprintf("198.18.%d.%d", third, base+1)
	addrB := fmt.Sprintf("198.18.%d.%d", third, base+2)
	a.peers[b] = &netLink{device: device, addr: addrA}
	b.peers[a] = &netLink{device: device, addr: addrB}
	return runAll(
		[]string{"ip", "-n", a.Name, "link", "add", device, "type", "veth", "peer", "name", device,
			"netns", b.Name},
		[]string{"ip", "-n", a.Name, "addr", "add", addrA + "/30", "dev", device},
		[]string{"ip", "-n", b.Name, "addr", "add", addrB + "/30", "dev", device},
		[]string{"ip", "-n", a.Name, "link", "set", device, "up"},
		[]string{"ip", "-n", b.Name, "link", "set", device, "up"},
	)
}

func runAll(commands ...[]string) error {
	for _, c := range commands {
		if _, err := run(c[0], c[1:]...); err != nil {
			return err
		}
	}
	return nil
}

// Hosts are the hosts, in order.
func (w *Net) Hosts() []*Host { return w.hosts }

// Close removes what NewNet made. With a namespace its devices go, and with them their peers.
func (w *Net) Close() error {
	var errs []error
	for _, name := range w.names {
		_, err := run("ip", "netns", "del", name)
		errs = append(errs, err)
	}
	w.names = nil
	return errors.Join(errs...)
}

// Node has the node run on the host, on all of the host's addresses: the tests use one, its peers
// another.
func (h *Host) Node(n *Node, port string) {
	n.Within = []string{"ip", "netns", "exec", h.Name}
	n.Listen, n.Addr = "0.0.0.0:"+port, h.Public+":"+port
	n.Args = append(n.Args, "--insecure")
}

// AddrFor is the address by which the other host reaches this one.
func (h *Host) AddrFor(other *Host) string { return h.peers[other].addr }

// Link takes the pair between the hosts up or down at this host's end.
func (h *Host) Link(other *Host, up bool) error {
	state := "down"
	if up {
		state = "up"
	}
	_, err := run("ip", "-n", h.Name, "link", "set", h.peers[other].device, state)
	return err
}

// Swallow has this host send nothing more to the other, without a word to either: a blackhole
// route, one way. What the other sends still arrives, unanswered.
func (h *Host) Swallow(other *Host, on bool) error {
	verb := "del"
	if on {
		verb = "add"
	}
	_, err := run("ip", "-n", h.Name, "route", verb, "blackhole", other.AddrFor(h)+"/32")
	return err
}

// Names lists what of all Nets of this process is still there, so that a test can see that nothing
// is left behind.
func (w *Net) Names() ([]string, error) {
	out, err := run("ip", "netns", "list")
	if err != nil {
		return nil, err
	}
	var names []string
	for line := range strings.Lines(out) {
		if name, _, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasPrefix(name,
			fmt.Sprintf("ack%d-", os.Getpid())) {
			names = append(names, name)
		}
	}
	return names, nil
}
