package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"ackdb/wal"
)

// DB is one open data directory: the log, the store that is fed from it, and the transactions
// that run on both.
type DB struct {
	// immutable after Open
	opts           Options
	log            *wal.Log
	store          *pebble.DB
	gate           *interlock
	applier        *applier
	epoch          wal.EpochID // set before role becomes RolePrimary
	opsInRecordMax int
	checkpoints    *checkpointer
	sweeper        *sweeper
	lender         *lender
	standby        *standby    // of a node opened as one, also after its promotion
	failWith       func(error) // Options.Fatal

	// of transactions
	locks     *lockTable
	conflicts *conflictWindow
	txns      txnPool

	visible  visibility
	flushed  flushedViews
	applied  appliedPosition
	durable  durablePosition
	metrics  metrics
	pipeline pipeline
	orphans  orphanAborts
	holds    holds

	role          atomic.Uint32 // a wal.Role, 0 before Open is done
	promoting     sync.Mutex    // one promotion at a time, and none beside Close
	systemVersion atomic.Uint64 // a position

	// leader only
	group        commitGroup
	largeRunning bool

	closed atomic.Bool
	ending chan struct{} // closed once closed is set

	failOnce sync.Once
	dead     chan struct{} // closed once failed is set
	failed   error         // why; read only after dead is closed
}

// Report tells what Open found.
type Report struct {
	Log wal.RecoveryReport

	// Applied and Redo are what the store held durably.
	Applied, Redo wal.LSN

	// Records is what was replayed or looked at from Redo on, Commits what was applied.
	Records, Commits int64

	// Took is the time from the call of Open to the database being ready.
	Took time.Duration
}

// Open opens a data directory, creating it when empty, and recovers it: the log is made whole
// first, the store brought up to its end, and then, on a primary, a new epoch begun. Nothing is
// served before all of that is on disk.
func Open(ctx context.Context, opts Options) (*DB, Report, error) {
	began := time.Now()
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, Report{}, err
	}
	db := newDB(opts)
	report, err := db.open(ctx)
	if err != nil {
		return nil, report, err
	}
	report.Took = time.Since(began)
	return db, report, nil
}

func newDB(opts Options) *DB {
	db := &DB{
		opts: opts, checkpoints: newCheckpointer(), dead: make(chan struct{}),
		ending: make(chan struct{}),
		gate:   &interlock{hooks: opts.hooks}, failWith: opts.Fatal,
	}
	db.sweeper = newSweeper(opts.hooks)
	db.lender = newLender(&db.opts)
	db.opts.Fatal = db.fail
	db.opts.Log.Fatal = db.fail
	db.holds.also = db.opts.Log.Hold
	if !opts.hooks.recycleHeld {
		db.opts.Log.Hold = db.holds.lowest
	}
	db.pipeline.init(db.commitGroup)
	return db
}

// open runs the steps of a recovery in the order of design section 6. On an error it closes what
// it has opened.
func (db *DB) open(ctx context.Context) (report Report, err error) {
	dir, err := wal.OpenDir(db.opts.Log)
	if err != nil {
		return report, err
	}
	if err := removeSnapshots(db.opts); err != nil {
		return report, errors.Join(err, dir.Close())
	}
	store, at, err := openStore(db.opts, db.gate, storeJobs{
		begin: db.sweeper.jobBegins, end: db.sweeper.jobEnds, flushed: db.checkpoints.flushEnd,
	})
	if err != nil {
		return report, errors.Join(err, dir.Close())
	}
	report.Applied, report.Redo = at.applied, at.redo
	log, logReport, err := dir.OpenLog(ctx, wal.Start{Applied: at.applied, Redo: at.redo})
	report.Log = logReport
	if err != nil {
		return report, errors.Join(err, store.Close(), dir.Close())
	}
	db.log, db.store = log, store
	db.lender.log = log
	db.gate.log.Store(log)
	replayed, err := db.recover(ctx, at, &report)
	if err == nil {
		err = db.takeRole(ctx, dir, replayed)
	}
	if err != nil {
		return report, errors.Join(err, db.abandon())
	}
	db.serve()
	return report, nil
}

// recover brings the store up to the log's end.
func (db *DB) recover(ctx context.Context, at marker, report *Report) (*replay, error) {
	end := db.log.Flushed()
	if at.applied > end {
		return nil, fmt.Errorf("%w: marker at %s, log ends at %s", wal.ErrStoreAhead, at.applied, end)
	}
	if at.applied == 0 {
		at = marker{applied: report.Log.From, redo: report.Log.From} // an empty store
	}
	db.applier = newApplier(db.store, db.gate, at)
	db.setDurableAtOpen(at)
	r := &recovery{
		replay: replay{log: db.log, applier: db.applier, from: at, part: db.applier.part},
		end:    end, events: db.opts.Events, began: time.Now(),
	}
	err := r.run(ctx)
	report.Records, report.Commits = r.records, r.commits
	return &r.replay, err
}

func (db *DB) setDurableAtOpen(at marker) {
	db.durable.applied.Store(uint64(at.applied))
	db.durable.redo.Store(uint64(at.redo))
}

// serve starts what runs beside transactions.
func (db *DB) serve() {
	db.opsInRecordMax = db.log.MaxPayload() - commitHeaderRoom
	db.pipeline.bytesMax = min(groupBytesMax, db.log.MaxGroup()-orphanAbortsRoom)
	db.locks = newLockTable()
	db.conflicts = newConflictWindow()
	db.log.OnFlushed(db.lender.onFlushed)
	go db.runCheckpoints()
	go db.sweeper.run()
	if db.standby != nil {
		db.standby.start()
	}
}

// Close ends the database in the order of design section 6: the last commits, the log's last
// flush, the store's, then control and log. On a failed log it gives up the files as they are: the
// store's flush would wait for a log that is flushed no more.
func (db *DB) Close(ctx context.Context) error {
	if db.closed.Swap(true) {
		return ErrClosed
	}
	close(db.ending)
	db.promoting.Lock() // a promotion under way has what it needs: the log is not closed
	defer db.promoting.Unlock()
	db.pipeline.close()
	db.flushed.close()
	var err error
	if db.isStandby() {
		err = db.standby.close()
	}
	if err := db.failure(); err != nil {
		return err
	}
	if err == nil {
		err = db.log.WaitFlushed(ctx, db.log.Inserted())
	}
	if err == nil {
		err = db.flushStore(ctx)
	}
	db.checkpoints.close()
	db.sweeper.close()
	return errors.Join(err, db.release(err == nil))
}

// flushStore makes the store durable up to the log's end, so that the next start replays nothing.
func (db *DB) flushStore(ctx context.Context) error {
	flushed, _, err := db.startFlush()
	if err != nil {
		return err
	}
	select {
	case <-flushed:
		return db.readDurable()
	case <-ctx.Done():
		return ctx.Err()
	case <-db.dead:
		return db.failure()
	}
}

// release closes store and log. clean says that the log's end is flushed and in the store.
func (db *DB) release(clean bool) error {
	var err error
	if db.applier != nil { // nil when Open refused before there was anything to apply
		err = db.applier.close()
	}
	return errors.Join(err, db.store.Close(), db.log.Close(clean))
}

// abandon closes what a failed Open has opened. The log's end is as valid as it was found.
func (db *DB) abandon() error {
	if db.failure() != nil {
		return nil
	}
	return db.release(false)
}

// fail is called with the first error after which log or store may not be used: it wakes who
// waits for either and ends the process.
func (db *DB) fail(err error) {
	db.failOnce.Do(func() {
		db.failed = err
		close(db.dead)
		db.failWith(err)
	})
}

// failure returns why the database has failed, or nil.
func (db *DB) failure() error {
	select {
	case <-db.dead:
		return db.failed
	default:
		return nil
	}
}

// closing returns an error once no new transaction may begin.
func (db *DB) closing() error {
	if db.closed.Load() {
		return db.closedError()
	}
	return db.failure()
}

func (db *DB) closedError() error {
	if err := db.failure(); err != nil {
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
	return ErrClosed
}

// Log gives access to positions, waits and cursors of the log.
func (db *DB) Log() *wal.Log { return db.log }
