package engine

import (
	"errors"
	"io"

	"github.com/cockroachdb/pebble/v2"

	"ackdb/wal"
)

// pointRead is the state of a statement that touches one key and reads it from the newest state.
type pointRead struct {
	active bool
	read   bool
	lsn    wal.LSN // of the row read, 0 if there was none
}

// StartStatement begins a statement: in READ COMMITTED it will see every commit published before
// its first read. At the other levels the transaction keeps the snapshot of its first read.
func (t *Txn) StartStatement() {
	if t.txnState == nil || t.opts.Isolation != ReadCommitted {
		return
	}
	t.dropView()
	t.point = pointRead{}
}

// StartPointStatement begins a statement that reads and writes one key only. In READ COMMITTED
// the newest state of one key is a snapshot by itself, so none is taken. A second key read by
// such a statement may be newer than the first.
func (t *Txn) StartPointStatement() {
	t.StartStatement()
	// In a plain statement of ReadFlushed the newest state is just what must not be read.
	if t.txnState != nil && t.opts.Isolation == ReadCommitted && !t.durable.plain {
		t.point.active = true
	}
}

// SnapshotLSN returns the position of what the transaction sees: every commit ending at or below
// it and none beyond. It takes the snapshot if the transaction has none yet; 0 if that fails.
func (t *Txn) SnapshotLSN() wal.LSN {
	if t.txnState == nil || t.needView() != nil {
		return 0
	}
	return t.view.lsn
}

// needView takes the snapshot of the statement or transaction unless there is one.
func (s *txnState) needView() error {
	if s.view != nil {
		return nil
	}
	if err := s.db.closing(); err != nil {
		return err
	}
	if s.opts.Isolation == Serializable && !s.opts.ReadOnly && s.reads == nil {
		// Before the view is taken: whatever is committed after this is kept in the window.
		s.reads = s.db.conflicts.register()
	}
	v, err := s.takeView()
	if err != nil {
		return err
	}
	s.view = v
	if s.reads != nil {
		s.db.conflicts.setSnapshot(s.reads, v.lsn)
	}
	return nil
}

func (s *txnState) dropView() {
	if s.view != nil {
		s.view.close()
		s.view = nil
	}
}

// committed is a committed row as a reader found it.
type committed struct {
	value  []byte // in valueBuf
	lsn    wal.LSN
	exists bool
}

// readCommitted copies a committed row into the transaction's buffer. A copy lets go of the
// store's block at once; held until the next call, it would pin it in an idle session. A closed
// store panics, so that is asked first: sessions have to be gone by then, and one that is late
// gets an error.
func (s *txnState) readCommitted(
	get func(key []byte) ([]byte, io.Closer, error), key []byte,
) (committed, error) {
	if err := s.db.closing(); err != nil {
		return committed{}, err
	}
	raw, closer, err := get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return committed{}, nil
	}
	if err != nil {
		return committed{}, err
	}
	lsn, value, err := splitValue(raw)
	if err == nil {
		s.valueBuf = append(s.valueBuf[:0], value...)
	}
	if closeErr := closer.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return committed{}, err
	}
	return committed{value: s.valueBuf, lsn: lsn, exists: true}, nil
}
