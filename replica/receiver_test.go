package replica_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/replica"
	"ackdb/wal"
)

// follow starts a receiver of the standby. Waits between attempts are over at once; a receiver that
// gives up fails the test unless change says otherwise.
func follow(
	t *testing.T, s *testNode, up replica.DialFunc, change func(o *replica.ReceiverOptions),
) *replica.Receiver {
	t.Helper()
	opts := replica.ReceiverOptions{
		ConnInfo: replica.ConnInfo{Host: "primary", Port: 1, User: "u", ConnectTimeout: time.Second},
		Log:      s.log, Dial: up, Rand: func() float64 { return 0 },
		Fatal: func(err error) { t.Errorf("receiver gave up: %v", err) },
	}
	if change != nil {
		change(&opts)
	}
	r := replica.StartReceiver(opts)
	t.Cleanup(r.Stop)
	return r
}

func always(n *testNode) func() *testNode { return func() *testNode { return n } }

func TestReceiverFollows(t *testing.T) {
	p := newPrimary(t)
	p.commit(100)
	s := standbyOf(t, p)
	r := follow(t, s, (&hubUpstream{node: always(p)}).dial, nil)
	for range 30 {
		p.commit(100_000) // three segments
	}
	s.caughtUp(p)
	sameLog(t, p, s)
	status := r.Status()
	require.Equal(t, replica.ReceiverStreaming, status.State)
	require.Equal(t, s.log.Flushed(), status.Flushed)
	require.Equal(t, uint32(1), status.ReceivedTLI)
	require.Equal(t, uint64(1), status.Connections)
	r.Stop()
	require.Equal(t, replica.ReceiverStopped, r.Status().State)
	p.commit(5)
	p.flush()
	require.Less(t, s.log.Flushed(), p.log.Flushed(), "nothing is taken behind Stop")
}

// A standby that was killed goes on where its own log ends.
func TestReceiverGoesOnBehindARestart(t *testing.T) {
	p := newPrimary(t)
	s := standbyOf(t, p)
	up := (&hubUpstream{node: always(p)}).dial
	for i := range 5 {
		r := follow(t, s, up, nil)
		p.commit(30_000)
		s.caughtUp(p)
		p.commit(1000 * i)
		r.Stop()
		s = s.restart()
	}
	follow(t, s, up, nil)
	s.caughtUp(p)
	sameLog(t, p, s)
}

// rechunked cuts what comes into pieces of any size, and breaks off wherever its seed says.
type rechunked struct {
	replica.Link
	rng    *rand.Rand
	rest   replica.Data
	breaks int // one in so many messages breaks the link
}

func (l *rechunked) Receive() ([]byte, error) {
	for len(l.rest.Bytes) == 0 {
		if l.breaks > 0 && l.rng.IntN(l.breaks) == 0 {
			_ = l.Close()
			return nil, errCut
		}
		msg, err := l.Link.Receive()
		if err != nil || msg[0] != replica.KindData {
			return msg, err
		}
		if l.rest, err = replica.DecodeData(msg); err != nil {
			return nil, err
		}
	}
	most := []int{1, 7, 60, 4000, 1 << 20}[l.rng.IntN(5)]
	n := min(len(l.rest.Bytes), 1+l.rng.IntN(most))
	piece := append(replica.AppendDataHeader(nil, l.rest.Start, l.rest.End, l.rest.Time),
		l.rest.Bytes[:n]...)
	l.rest.Start, l.rest.Bytes = l.rest.Start+wal.LSN(n), l.rest.Bytes[n:]
	return piece, nil
}

func TestReceiverTakesPiecesOfAnySizeThroughCuts(t *testing.T) {
	eachSeed(t, 6, func(t *testing.T, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 7))
		var mu sync.Mutex
		p := newPrimary(t)
		s := standbyOf(t, p)
		up := &hubUpstream{node: always(p), mangle: func(link replica.Link) replica.Link {
			mu.Lock()
			defer mu.Unlock()
			return &rechunked{Link: link, rng: rand.New(rand.NewPCG(rng.Uint64(), 1)), breaks: 40}
		}}
		follow(t, s, up.dial, nil)
		mu.Lock()
		sizes := make([]int, 60)
		for i := range sizes {
			sizes[i] = rng.IntN(60_000)
		}
		mu.Unlock()
		for _, size := range sizes {
			p.commit(size)
		}
		s.caughtUp(p)
		sameLog(t, p, s)
	})
}
