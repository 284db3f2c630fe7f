package pgwire

// Results may depend on what is not safe yet. A Backend that promises not to show such holds them
// here, in the buffer they pass through anyhow, so that a pipeline waits once and not at each
// statement. The buffer stays as small as ever: where it would be written because it is full, the
// gate is asked, and waits, in the middle of the results.

// Hold keeps everything written from now on from leaving until gate returns nil, or Release is
// called. Gate may be asked several times, each time about what was written so far. Its error ends
// the message being handled, or the connection when none is. A second Hold changes nothing.
func (w *Writer) Hold(gate func() error) {
	if w.gate == nil {
		w.gate, w.held = gate, len(w.buf)
	}
}

// Holding tells whether Hold is in force.
func (w *Writer) Holding() bool { return w.gate != nil }

// Full tells that the buffer is due to be written. A Backend that holds waits then itself, while its
// message can still be cancelled.
func (w *Writer) Full() bool { return len(w.buf) >= flushBytes }

// Release lets go of what is held.
func (w *Writer) Release() { w.gate = nil }

// DropHeld takes back what is held and was not written, so that an error can stand in its place.
func (w *Writer) DropHeld() {
	if w.gate == nil {
		return
	}
	w.buf = w.buf[:w.held]
	w.rowStart = -1
	w.gate = nil
}
