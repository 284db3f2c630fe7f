package engine

// byteArena stores byte strings that live as long as the arena. Its chunks double up to
// arenaChunkMax, so that a small transaction costs little and a large one has few chunks.
type byteArena struct {
	chunks [][]byte
}

// byteRef is a position in an arena: the chunk in the high half, the offset in the low.
type byteRef uint64

const (
	arenaChunkMin = 4 << 10
	arenaChunkMax = 1 << 20
)

// add copies b in.
func (a *byteArena) add(b []byte) byteRef {
	last := len(a.chunks) - 1
	if last < 0 || cap(a.chunks[last])-len(a.chunks[last]) < len(b) {
		a.grow(len(b))
		last++
	}
	ref := byteRef(last)<<32 | byteRef(len(a.chunks[last]))
	a.chunks[last] = append(a.chunks[last], b...)
	return ref
}

func (a *byteArena) grow(need int) {
	size := arenaChunkMin << min(len(a.chunks), 8)
	a.chunks = append(a.chunks, make([]byte, 0, max(min(size, arenaChunkMax), need)))
}

// at returns n bytes at a position.
func (a *byteArena) at(ref byteRef, n uint32) []byte {
	off := uint32(ref)
	return a.chunks[ref>>32][off : off+n : off+n]
}

// mark returns the position where the next string may go.
func (a *byteArena) mark() byteRef {
	last := len(a.chunks) - 1
	if last < 0 {
		return 0
	}
	return byteRef(last)<<32 | byteRef(len(a.chunks[last]))
}

// truncate forgets everything added since a mark.
func (a *byteArena) truncate(mark byteRef) {
	if len(a.chunks) == 0 {
		return
	}
	last := int(mark >> 32)
	clear(a.chunks[last+1:])
	a.chunks = a.chunks[:last+1]
	a.chunks[last] = a.chunks[last][:uint32(mark)]
}

// reset empties the arena and keeps its first chunk if that is small.
func (a *byteArena) reset() {
	if len(a.chunks) == 0 {
		return
	}
	a.truncate(0)
	if cap(a.chunks[0]) > arenaChunkMin {
		a.chunks = a.chunks[:0]
	}
}
