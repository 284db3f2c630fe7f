package engine

import (
	"slices"

	"ackdb/wal"
)

// groupArenaKept is the largest arena kept for the next group: one large row must not pin its
// size for ever.
const groupArenaKept = 4 << 20

// commitGroup is the leader's working memory, reused from group to group. Leader only.
type commitGroup struct {
	time    int64
	members []*commitRequest // those admitted
	aborts  []wal.LSN        // left over by committers that could not append them
	entries []wal.Entry      // one a member, in order, then one an abort
	arena   []byte           // payloads of the commits
	size    int64            // bytes of log the group takes, about
}

func (g *commitGroup) reset(now int64) {
	clear(g.members)
	clear(g.entries)
	g.time = now
	g.members, g.aborts, g.entries = g.members[:0], nil, g.entries[:0]
	g.size = 0
	if cap(g.arena) > groupArenaKept {
		g.arena = nil
	}
	g.arena = g.arena[:0]
}

// add encodes a request's record behind the others.
func (g *commitGroup) add(req *commitRequest) {
	payload := req.payload
	if req.kind == wal.TypeCommit {
		payload = g.encodeCommit(req)
	}
	g.members = append(g.members, req)
	g.append(req.kind, payload)
}

// encodeCommit encodes into the arena. When the arena has to grow, payloads encoded before stay
// where they are, in the old one.
func (g *commitGroup) encodeCommit(req *commitRequest) []byte {
	header := wal.CommitHeader{
		Time: g.time, Level: req.opts.Level, FirstData: req.firstData,
		OpCount: uint32(req.opCount), User: req.opts.User, App: req.opts.App,
	}
	start := len(g.arena)
	g.arena = wal.AppendCommit(g.arena, &header, nil)
	ops := len(g.arena)
	if req.firstData == 0 {
		g.arena = req.txn.writes.AppendOps(g.arena)
	}
	end := len(g.arena)
	req.ops = g.arena[ops:end:end]
	return g.arena[start:end:end]
}

func (g *commitGroup) addAborts(firsts []wal.LSN) {
	g.aborts = firsts
	for _, first := range firsts {
		g.append(wal.TypeAbort, wal.AppendAbort(nil, first))
	}
}

func (g *commitGroup) append(kind wal.RecordType, payload []byte) {
	g.entries = append(g.entries, wal.Entry{Type: kind, Payload: payload})
	g.size += int64(wal.RecordSize(len(payload)))
}

// setResults tells the members where their records stand.
func (g *commitGroup) setResults(epoch wal.EpochID) {
	for i, req := range g.members {
		req.result = CommitResult{
			LSN: g.entries[i].LSN, End: g.entries[i].End, EpochID: epoch,
		}
	}
}

func (g *commitGroup) setError(err error) {
	for _, req := range g.members {
		req.result, req.err = CommitResult{}, err
	}
}

// lends says whether a commit is answered as soon as it is applied, if the limit allows it. One
// with a deadline, and one above off, wait for their flush first.
func (r *commitRequest) lends() bool {
	return r.kind == wal.TypeCommit && r.opts.Level == wal.LevelOff && r.opts.Wait <= 0
}

// lends says whether any member does.
func (g *commitGroup) lends() bool {
	return slices.ContainsFunc(g.members, (*commitRequest).lends)
}
