package wal

import "errors"

// Receive takes raw bytes of the primary's log at pos.
func (l *Log) Receive(pos LSN, b []byte) error { return errors.New("wal: not yet: Receive") }

// ReceivePosition is the next byte wanted.
func (l *Log) ReceivePosition() LSN { return l.Written() }

// ResetReceive forgets what a dropped link left unfinished.
func (l *Log) ResetReceive() {}
