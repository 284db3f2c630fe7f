package engine

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

func newTestRequest(size int) *commitRequest {
	return &commitRequest{kind: wal.TypeCommit, size: size, wake: make(chan signal, 1)}
}

// A pipeline whose runs a test can hold open, one at a time.
type heldPipeline struct {
	pipeline
	entered chan []*commitRequest
	proceed chan struct{}
}

func newHeldPipeline() *heldPipeline {
	p := &heldPipeline{entered: make(chan []*commitRequest), proceed: make(chan struct{})}
	p.init(func(group []*commitRequest) {
		p.entered <- append([]*commitRequest(nil), group...)
		<-p.proceed
	})
	return p
}

func (p *heldPipeline) queued() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for req := p.head; req != nil; req = req.next {
		n++
	}
	return n
}

// start submits requests from a goroutine each, in order.
func (p *heldPipeline) start(t *testing.T, wg *sync.WaitGroup, reqs ...*commitRequest) {
	for _, req := range reqs {
		before := p.queued()
		wg.Go(func() { require.True(t, p.submit(req)) })
		require.Eventually(t, func() bool { return p.queued() > before },
			testWait, testTick, "request not queued")
	}
}

func TestPipelineGroupsWhatQueuesUpBehindALeader(t *testing.T) {
	p := newHeldPipeline()
	var wg sync.WaitGroup
	first := newTestRequest(1)
	wg.Go(func() { p.submit(first) })
	require.Equal(t, []*commitRequest{first}, <-p.entered)

	large := newTestRequest(1)
	large.firstData = 7
	a, b, c, d := newTestRequest(1), newTestRequest(1), newTestRequest(1), newTestRequest(1)
	p.start(t, &wg, a, b, large, c, d)

	p.proceed <- struct{}{}
	require.Equal(t, []*commitRequest{a, b}, <-p.entered, "what waited goes together")
	p.proceed <- struct{}{}
	require.Equal(t, []*commitRequest{large}, <-p.entered, "a large transaction goes alone")
	p.proceed <- struct{}{}
	require.Equal(t, []*commitRequest{c, d}, <-p.entered)
	p.proceed <- struct{}{}
	wg.Wait()
	require.False(t, p.leading)
}

func TestPipelineBoundsAGroup(t *testing.T) {
	for _, tc := range []struct {
		size, members int
	}{
		{size: 1, members: groupMembersMax},
		{size: groupBytesMax / 4, members: 4},
		{size: groupBytesMax + 1, members: 1},
	} {
		t.Run(fmt.Sprintf("size=%d", tc.size), func(t *testing.T) {
			var p pipeline
			p.init(nil)
			for range 2 * groupMembersMax {
				p.push(newTestRequest(tc.size))
			}
			p.take()
			require.Len(t, p.group, tc.members)
			require.NotNil(t, p.head)
		})
	}
}

func TestPipelineCloseAwaitsWhatItTook(t *testing.T) {
	p := newHeldPipeline()
	var wg sync.WaitGroup
	wg.Go(func() { require.True(t, p.submit(newTestRequest(1))) })
	<-p.entered
	p.start(t, &wg, newTestRequest(1))

	closed := make(chan struct{})
	go func() { p.close(); close(closed) }()
	require.Eventually(t, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.closed
	}, testWait, testTick)
	require.False(t, p.submit(newTestRequest(1)), "taken after close")
	select {
	case <-closed:
		require.Fail(t, "closed with requests inside")
	default:
	}
	p.proceed <- struct{}{}
	<-p.entered
	p.proceed <- struct{}{}
	<-closed
	wg.Wait()
}

// Every request is run once, in one group at a time, whoever leads.
func TestPipelineRunsEachRequestOnce(t *testing.T) {
	var p pipeline
	var running, runs atomic.Int64
	p.init(func(group []*commitRequest) {
		require.EqualValues(t, 1, running.Add(1))
		for _, req := range group {
			req.opCount++
			runs.Add(1)
		}
		running.Add(-1)
	})
	const clients, each = 16, 500
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			req := newTestRequest(100)
			for i := range each {
				require.True(t, p.submit(req))
				require.Equal(t, i+1, req.opCount)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, clients*each, runs.Load())
	require.False(t, p.leading)
	require.Nil(t, p.head)
}

// A leader yields for as long as there was company, and a client left alone stops doing so.
func TestPipelineForgetsItsCrowd(t *testing.T) {
	p := newHeldPipeline()
	var wg sync.WaitGroup
	wg.Go(func() { p.submit(newTestRequest(1)) })
	<-p.entered
	p.start(t, &wg, newTestRequest(1))
	p.proceed <- struct{}{}
	<-p.entered
	p.proceed <- struct{}{}
	wg.Wait()
	require.Positive(t, p.crowd)

	p.run = func([]*commitRequest) {}
	for range crowdMemory {
		require.True(t, p.submit(newTestRequest(1)))
	}
	require.Zero(t, p.crowd)
}
