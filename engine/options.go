package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ackdb/wal"
)

// Defaults of design section 12, and the bounds no setting passes.
const (
	DefaultMaxWALSize         = 1 << 30
	DefaultCheckpointTimeout  = 5 * time.Minute
	DefaultMaxTransactionSize = 1 << 30
	DefaultCacheSize          = 128 << 20
	DefaultMemTableSize       = 32 << 20

	// MaxRowSize bounds one key and value. A row is encoded whole in memory while its pieces
	// are written and while they are read back.
	MaxRowSize = 64 << 20

	// segmentsSpareCount is what max_wal_size gives to segments that hold no live log: two
	// prepared ahead, the one being filled and the partly live one at the tail.
	segmentsSpareCount = 4

	// exitCodeFatal is the exit code of a process whose log or store failed (W4).
	exitCodeFatal = 70
)

// Options configure a DB. The functions are asked each time, so a setting may change while the
// DB is open; nil means the default.
type Options struct {
	// Dir is the data directory. Required.
	Dir string

	// FS is the file system of the store; nil is the operating system's. The log's files go
	// through Log.Disk.
	FS vfs.FS

	// Log configures the log. Dir and Fatal are filled in by Open.
	Log wal.Options

	// ReplicaOf makes the node a standby of the node that this conninfo names, which is stored; it
	// stays one when it is opened without. Empty, the node is what it was.
	ReplicaOf string

	// MayFollow is asked before the directory of a primary becomes a standby's, with its log
	// recovered: by an error Open fails and the directory stays a primary's. nil always agrees.
	MayFollow func(ctx context.Context, log *wal.Log) error

	// Quorum is asked by commits above LevelLocal; nil requires no standby.
	Quorum Quorum

	MaxWALSize         func() int64
	CheckpointTimeout  func() time.Duration
	MaxTransactionSize func() int64

	// LossLimit is what may be acknowledged and not flushed, to begin with; SetLossLimit changes
	// it. nil is DefaultLossLimit.
	LossLimit *LossLimit

	// CacheSize is the store's block cache, MemTableSize one of its at most four memtables.
	CacheSize    int64
	MemTableSize uint64

	// Fatal is called with the first error after which neither log nor store may be used. It must
	// not return in production: the default prints the error and exits with 70.
	Fatal func(error)

	Events Events

	hooks hooks
}

// Events are told what happens; every field may be nil. They are called from goroutines of the
// engine and must neither block nor call back into it.
type Events struct {
	// RecoveryProgress is called once a second while Open replays the log.
	RecoveryProgress func(RecoveryProgress)

	// Checkpointed is called when the store has become durable up to a new position.
	Checkpointed func(CheckpointInfo)

	// StoreError reports a background error of the store that it will retry, ENOSPC above all.
	StoreError func(error)

	// WriteStall reports that the store holds back writes, with the reason, and "" at the end.
	WriteStall func(reason string)
}

// RecoveryProgress tells how far a replay is.
type RecoveryProgress struct {
	Applied, End wal.LSN
	Elapsed      time.Duration
}

// CheckpointInfo describes a durable position of the store.
type CheckpointInfo struct {
	Applied, Redo wal.LSN
}

// hooks are where tests of this package reach in. All nil in production.
type hooks struct {
	// gateBound replaces the figure the interlock waits for (E3's negative controls).
	gateBound func() wal.LSN

	// gateEntered runs when a write begins to wait at the interlock.
	gateEntered func()

	// applied runs between the store's Apply and the publishing of a group.
	applied func()

	// batchCommitted runs after each batch of a large apply but the last.
	batchCommitted func()

	// pieceAppended runs after each data record of a large transaction.
	pieceAppended func()

	// lendAlways answers every commit at once, whatever the limit says (negative control).
	lendAlways bool

	// readUnflushed shows plain statements of ReadFlushed the newest state (negative control).
	readUnflushed bool

	// showParts leaves readers on the store while a large transaction goes into it in parts
	// (negative control).
	showParts bool

	// closeInline has snapshots closed by their users at any time (negative control).
	closeInline bool

	// standbysFirst has a commit wait for standbys before its own disk (negative control).
	standbysFirst bool

	// keepOpen has transactions outlive the epoch they were written in (negative control).
	keepOpen bool

	// recycleHeld ignores that snapshots hold the log (negative control).
	recycleHeld bool

	// applyBatchSize replaces the constant of that name, so that small tests have large applies.
	applyBatchSize int
}

func (o Options) withDefaults() Options {
	if o.MaxWALSize == nil {
		o.MaxWALSize = func() int64 { return DefaultMaxWALSize }
	}
	if o.CheckpointTimeout == nil {
		o.CheckpointTimeout = func() time.Duration { return DefaultCheckpointTimeout }
	}
	if o.MaxTransactionSize == nil {
		o.MaxTransactionSize = func() int64 { return DefaultMaxTransactionSize }
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.CacheSize == 0 {
		o.CacheSize = DefaultCacheSize
	}
	if o.MemTableSize == 0 {
		o.MemTableSize = DefaultMemTableSize
	}
	if o.Fatal == nil {
		o.Fatal = exitFatal
	}
	if o.LossLimit == nil {
		limit := DefaultLossLimit()
		o.LossLimit = &limit
	}
	if o.Log.Clock == nil {
		o.Log.Clock = wal.SystemClock()
	}
	o.Log.Dir = o.Dir
	o.Log.Fatal = o.Fatal
	return o
}

func (o Options) validate() error {
	if o.Dir == "" {
		return errors.New("engine: no data directory given")
	}
	if o.CacheSize < 0 {
		return fmt.Errorf("engine: cache size %d is negative", o.CacheSize)
	}
	return nil
}

func (o Options) checkpointsDir() string { return filepath.Join(o.Dir, "checkpoints") }

func (o Options) storeDir() string { return filepath.Join(o.Dir, "store") }

func exitFatal(err error) {
	fmt.Fprintf(os.Stderr, "ackdb: fatal: %v\n", err)
	os.Exit(exitCodeFatal)
}
