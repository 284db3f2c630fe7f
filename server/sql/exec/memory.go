package exec

// hold accounts for what one operator keeps, until the operator is closed.
type hold struct {
	run   *run
	bytes int
}

func (h *hold) keep(bytes int) error {
	h.bytes += bytes
	return h.run.memory.Keep(bytes)
}

func (h *hold) drop(bytes int) {
	h.bytes -= bytes
	h.run.memory.Drop(bytes)
}

func (h *hold) release() { h.drop(h.bytes) }
