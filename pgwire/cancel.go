package pgwire

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
)

// Lengths of a cancel key. The longer came with protocol 3.2.
const (
	secretBytes     = 4
	secretBytesLong = 32
)

// register gives the connection a process id, unique among the living and not guessable from
// another, and a secret.
func (e *Endpoint) register(c *Conn, minor int) error {
	size := secretBytes
	if minor >= 2 {
		size = secretBytesLong
	}
	c.secret = make([]byte, size)
	if _, err := rand.Read(c.secret); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closing {
		return Fatalf(CodeCannotConnectNow, "the database system is shutting down")
	}
	if err := e.admit(c.kind); err != nil {
		return err
	}
	for {
		var raw [4]byte
		if _, err := rand.Read(raw[:]); err != nil {
			return err
		}
		pid := int32(binary.BigEndian.Uint32(raw[:]) & 0x7FFFFFFF)
		if pid != 0 && e.conns[pid] == nil {
			c.pid = pid
			e.conns[pid] = c
			if c.kind != NoReplication {
				e.senders++
			}
			return nil
		}
	}
}

// admit bounds sessions of either kind apart, so that clients cannot keep a replica out. Mu is
// held.
func (e *Endpoint) admit(kind Replication) error {
	sender := kind != NoReplication
	switch {
	case !sender && len(e.conns)-e.senders >= e.opts.MaxConnections:
		return Fatalf(CodeTooManyConnections, "sorry, too many clients already")
	case sender && e.senders >= e.opts.MaxSenders:
		return Fatalf(CodeTooManyConnections,
			"number of requested standby connections exceeds max_wal_senders (currently %d)",
			e.opts.MaxSenders)
	}
	return nil
}

func (w *Writer) backendKeyData(pid int32, secret []byte) {
	start := w.begin('K')
	w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(pid))
	w.buf = append(w.buf, secret...)
	w.finish(start)
}

// cancelRequest is answered with nothing, whether it struck or not: a reply breaks libpq, and would
// tell a stranger which process ids live.
func (e *Endpoint) cancelRequest(rest []byte) {
	if len(rest) < 4+secretBytes {
		return
	}
	c := e.Find(int32(binary.BigEndian.Uint32(rest)))
	if c == nil || subtle.ConstantTimeCompare(rest[4:], c.secret) != 1 {
		return
	}
	c.Cancel(0, Errorf(CodeQueryCanceled, "canceling statement due to user request"))
}
