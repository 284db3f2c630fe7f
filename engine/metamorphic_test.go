package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/engine/enginetest"
	"ackdb/wal"
)

// The metamorphic test runs one list of operations, drawn from a seed, in every configuration and
// holds every answer against the model's. What the disk is, how it is synced, how large segments
// are and whether the database was closed, or lost its power, in between must not show.

// driver runs ops on a real database.
type driver struct {
	db     *DB
	reopen func(*DB) (*DB, error) // what a restart does
	txns   [enginetest.Slots]*driven

	// sabotage, when set, breaks a transaction before each op: what the negative controls do.
	sabotage func(*Txn)
}

type driven struct {
	*Txn
	savepoints []SavepointID
}

const driverTable = FirstUserTable

func (d *driver) run(op enginetest.Op) (string, error) {
	if op.Kind == enginetest.OpRestart {
		for i := range d.txns {
			d.end(i)
		}
		db, err := d.reopen(d.db)
		d.db = db
		return enginetest.AnswerOK, err
	}
	if op.Kind == enginetest.OpBegin {
		d.end(op.Txn)
	}
	if d.txns[op.Txn] == nil {
		d.txns[op.Txn] = &driven{Txn: d.db.Begin(TxnOptions{
			Isolation: Isolation(op.Level), ReadOnly: op.ReadOnly, LockTimeout: time.Microsecond,
		})}
	}
	t := d.txns[op.Txn]
	if d.sabotage != nil {
		d.sabotage(t.Txn)
	}
	switch op.Kind {
	case enginetest.OpBegin:
		return enginetest.AnswerOK, nil
	case enginetest.OpRollback:
		d.end(op.Txn)
		return enginetest.AnswerOK, nil
	case enginetest.OpCommit:
		d.txns[op.Txn] = nil
		return d.commit(t, op)
	}
	return t.run(op)
}

func (d *driver) end(slot int) {
	if t := d.txns[slot]; t != nil {
		t.Rollback()
		d.txns[slot] = nil
	}
}

func (d *driver) commit(t *driven, op enginetest.Op) (string, error) {
	level := wal.LevelOff
	if op.Reverse {
		level = wal.LevelLocal
	}
	result, err := t.Commit(context.Background(), CommitOptions{Level: level, User: "postgres"})
	if result.ReadOnly {
		return enginetest.AnswerNothing, err
	}
	return answer(enginetest.AnswerOK, err)
}

// answer turns the errors that the model knows into its words; any other ends the run.
func answer(s string, err error) (string, error) {
	var serialization *SerializationError
	switch {
	case err == nil:
		return s, nil
	case errors.As(err, &serialization):
		return map[SerializationReason]string{
			ConcurrentUpdate:    enginetest.AnswerConcurrentWrite,
			ConcurrentDelete:    enginetest.AnswerConcurrentGone,
			ReadWriteDependency: enginetest.AnswerReadWrite,
		}[serialization.Reason], nil
	case errors.Is(err, ErrLockNotAvailable):
		return enginetest.AnswerLocked, nil
	case errors.Is(err, ErrReadOnly):
		return enginetest.AnswerReadOnly, nil
	case errors.Is(err, ErrNoSavepoint):
		return enginetest.AnswerNoSavepoint, nil
	}
	return "", err
}

func (t *driven) run(op enginetest.Op) (string, error) {
	ctx, table, key := context.Background(), driverTable+TableID(op.Table), []byte(op.Key)
	switch op.Kind {
	case enginetest.OpStatement:
		t.StartStatement()
		return enginetest.AnswerOK, nil
	case enginetest.OpPointStatement:
		t.StartPointStatement()
		return enginetest.AnswerOK, nil
	case enginetest.OpGet:
		value, found, err := t.Get(ctx, table, key)
		return answer(enginetest.Found(string(value), found), err)
	case enginetest.OpScan:
		return t.scan(table, op)
	case enginetest.OpLock:
		policy, mode := NoWait, LockMode(op.RowMode)
		if op.Skip {
			policy = SkipLocked
		}
		return t.lock(table, key, mode, policy)
	case enginetest.OpLockTable:
		return answer(enginetest.AnswerOK, t.LockTable(ctx, table, TableLockMode(op.Mode), NoWait))
	case enginetest.OpSavepoint, enginetest.OpRollbackTo, enginetest.OpRelease:
		return t.savepoint(op)
	}
	return t.write(op)
}

func (t *driven) scan(table TableID, op enginetest.Op) (string, error) {
	hi := []byte(op.Hi)
	if op.Hi == "" {
		hi = nil
	}
	it := t.Scan(table, []byte(op.Key), hi, op.Reverse)
	rows, exhausted := []string{}, false
	for len(rows) != op.Limit && !exhausted {
		if exhausted = !it.Next(); !exhausted {
			rows = append(rows, string(it.Key())+"="+string(it.Value()))
		}
	}
	return answer(enginetest.Scanned(rows, exhausted), it.Close())
}

func (t *driven) lock(table TableID, key []byte, m LockMode, p WaitPolicy) (string, error) {
	row, err := t.LockRow(context.Background(), table, key, m, p)
	if row.Skipped {
		return enginetest.AnswerSkipped, err
	}
	return answer(enginetest.Locked(string(row.Value), row.Exists, row.Changed), err)
}

func (t *driven) savepoint(op enginetest.Op) (string, error) {
	if op.Kind == enginetest.OpSavepoint {
		t.savepoints = append(t.savepoints, t.Savepoint())
		return enginetest.AnswerOK, nil
	}
	id := SavepointID(1 << 30)
	if op.Savepoint < len(t.savepoints) {
		id = t.savepoints[op.Savepoint]
	}
	if op.Kind == enginetest.OpRelease {
		err := t.Release(id)
		if err == nil {
			t.savepoints = t.savepoints[:op.Savepoint]
		}
		return answer(enginetest.AnswerOK, err)
	}
	err := t.RollbackTo(id)
	if err == nil {
		t.savepoints = t.savepoints[:op.Savepoint+1]
	}
	return answer(enginetest.AnswerOK, err)
}

func (t *driven) write(op enginetest.Op) (string, error) {
	ctx, table, key := context.Background(), driverTable+TableID(op.Table), []byte(op.Key)
	mode := RowExclusiveLock
	if op.Kind == enginetest.OpDeleteRange || op.Kind == enginetest.OpBulk {
		mode = ExclusiveLock
	}
	if err := t.LockTable(ctx, table, mode, NoWait); err != nil {
		return answer("", err)
	}
	switch op.Kind {
	case enginetest.OpBulk:
		value := []byte(enginetest.BulkValue(op.Value))
		for i := range enginetest.BulkRows {
			if err := t.Put(table, []byte(enginetest.BulkKey(i)), value); err != nil {
				return answer("", err)
			}
		}
		return enginetest.AnswerOK, nil
	case enginetest.OpDeleteRange:
		hi := []byte(op.Hi)
		if op.Hi == "" {
			hi = nil
		}
		return answer(enginetest.AnswerOK, t.DeleteRange(table, key, hi))
	case enginetest.OpUpsert:
		return answer(enginetest.AnswerOK, t.Upsert(ctx, table, key, []byte(op.Value)))
	}
	s, err := t.lock(table, key, RowUpdate, NoWait)
	if err != nil || !strings.HasPrefix(s, "=") && !strings.HasPrefix(s, enginetest.AnswerAbsent) {
		return s, err
	}
	if op.Kind == enginetest.OpDelete {
		return answer(s, t.Delete(table, key))
	}
	return answer(s, t.Put(table, key, []byte(op.Value)))
}

// rows reads the committed rows as the model prints them.
func (d *driver) rows() ([]string, error) {
	stored, err := storedRows(d.db)
	lines := make([]string, len(stored))
	for i, r := range stored {
		lines[i] = fmt.Sprintf("%d/%s=%s", r.table-driverTable, r.key, r.value)
	}
	return lines, err
}

// play runs the ops on both and returns the first difference.
func (d *driver) play(ops []enginetest.Op) error {
	model := enginetest.NewModel()
	defer func() {
		for i := range d.txns {
			d.end(i)
		}
	}()
	for i, op := range ops {
		want := model.Run(op)
		got, err := d.run(op)
		if err != nil {
			return fmt.Errorf("op %d: %v: %w", i, op, err)
		}
		if got != want {
			return fmt.Errorf("op %d: %v: answered %q, should be %q", i, op, clip(got), clip(want))
		}
	}
	got, err := d.rows()
	if err != nil {
		return err
	}
	want := model.Rows()
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			return fmt.Errorf("at the end: row %q, should be %q", clip(got[i]), clip(want[i]))
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("at the end: %d rows, should be %d", len(got), len(want))
	}
	return nil
}

func clip(s string) string { return s[:min(len(s), 300)] }

// restartKind is what a restart op does in a configuration.
type restartKind string

const (
	restartNot   restartKind = "none"  // the open transactions end, nothing else
	restartClean restartKind = "close" // Close and Open
	restartCrash restartKind = "crash" // all commits are flushed, then the power goes
)

// metaConfig is one configuration of the metamorphic test.
type metaConfig struct {
	disk    string // "crash" or "real"
	method  string // wal_sync_method; "" on the crash disk
	segment int64
	restart restartKind
	seeds   int
}

func (c metaConfig) String() string {
	return fmt.Sprintf("disk=%s,sync=%s,segment=%d,restart=%s",
		c.disk, c.method, c.segment, c.restart)
}

const metaOps = 600

func metaConfigs() []metaConfig {
	var configs []metaConfig
	add := func(seeds int, disk, method string, segment int64, restarts ...restartKind) {
		for _, r := range restarts {
			configs = append(configs, metaConfig{disk, method, segment, r, seeds})
		}
	}
	small, normal := int64(wal.SegmentSizeMin), int64(wal.SegmentSizeDefault)
	add(40, "crash", "", small, restartNot, restartClean, restartCrash)
	add(4, "crash", "", normal, restartClean, restartCrash)
	for _, method := range []string{wal.MethodFdatasync, wal.MethodIOUring} {
		add(4, "real", method, small, restartNot, restartClean)
		add(1, "real", method, normal, restartClean)
	}
	return configs
}

func TestMetamorphic(t *testing.T) {
	for _, c := range metaConfigs() {
		t.Run(c.String(), func(t *testing.T) {
			if c.method == wal.MethodIOUring {
				requireIOUring(t)
			}
			eachSeed(t, c.seeds, func(seed uint64) error { return runMetamorphic(t, c, seed, nil) })
		})
	}
}

// requireIOUring skips where the build or the kernel has none, saying why.
func requireIOUring(t *testing.T) {
	t.Helper()
	opts := realOptions(t.TempDir(), metaConfig{method: wal.MethodIOUring, segment: testSegmentSize})
	db, _, err := Open(context.Background(), opts)
	var refused *wal.SyncMethodError
	if errors.As(err, &refused) {
		t.Skipf("no io_uring here: %s", refused.Reason)
	}
	require.NoError(t, err)
	mustClose(t, db)
}

func runMetamorphic(t *testing.T, c metaConfig, seed uint64, sabotage func(*Txn)) error {
	ops := enginetest.Generate(rand.New(rand.NewPCG(seed, 1)), metaOps)
	d := &driver{sabotage: sabotage}
	var opts Options
	if c.disk == "crash" {
		fs := enginetest.New()
		opts = crashOptions(fs)
		opts.Log.SegmentSize = c.segment
		d.reopen = crashReopen(&opts, &fs, seed)
	} else {
		dir, err := os.MkdirTemp(t.TempDir(), "data")
		if err != nil {
			return err
		}
		opts = realOptions(dir, c)
	}
	switch c.restart {
	case restartNot:
		d.reopen = func(db *DB) (*DB, error) { return db, nil }
	case restartClean:
		d.reopen = func(db *DB) (*DB, error) {
			if err := db.Close(context.Background()); err != nil {
				return nil, err
			}
			db, _, err := Open(context.Background(), opts)
			return db, err
		}
	}
	db, _, err := Open(context.Background(), opts)
	if err != nil {
		return err
	}
	d.db = db
	err = d.play(ops)
	if d.db != nil {
		err = errors.Join(err, d.db.Close(context.Background()))
	}
	return err
}

func realOptions(dir string, c metaConfig) Options {
	return Options{
		Dir:          dir,
		Log:          wal.Options{SegmentSize: c.segment, SyncMethod: c.method},
		MaxWALSize:   func() int64 { return 12 * c.segment },
		MemTableSize: 64 << 10,
		CacheSize:    1 << 20,
		Fatal:        func(err error) { panic(err) },
	}
}

// crashReopen flushes the log, so that no commit may be missing, and cuts the power. The database
// that lost it is closed afterwards, on its own file system.
func crashReopen(opts *Options, fs **enginetest.CrashFS, seed uint64) func(*DB) (*DB, error) {
	return func(db *DB) (*DB, error) {
		ctx := context.Background()
		if err := db.log.WaitFlushed(ctx, db.log.Written()); err != nil {
			return nil, err
		}
		seed++
		*fs = (*fs).Crash(seed, int(seed%3)*50)
		if err := db.Close(ctx); err != nil {
			return nil, err
		}
		segment := opts.Log.SegmentSize
		*opts = crashOptions(*fs)
		opts.Log.SegmentSize = segment
		db, _, err := Open(ctx, *opts)
		return db, err
	}
}

// Each control breaks one check of the engine. The test has to notice, or its silence about the
// real thing is worth nothing.
func TestMetamorphicNoticesBrokenChecks(t *testing.T) {
	controls := map[string]func(*Txn){
		"reads are not validated": func(t *Txn) {
			if t.reads != nil {
				t.reads.points, t.reads.spans = nil, nil
			}
		},
		"locks are lost":                    func(t *Txn) { t.db.locks.releaseTo(t.owner, 0) },
		"range deletes are forgotten":       func(t *Txn) { t.writes.ranges = nil },
		"savepoints do not freeze versions": func(t *Txn) { t.writes.frozen = 0 },
		"a statement keeps the last snapshot": func(t *Txn) {
			if t.view != nil {
				t.view.acquire()
				t.opts.Isolation = max(t.opts.Isolation, RepeatableRead)
			}
		},
		"the first updater is not looked for": func(t *Txn) {
			if t.view != nil {
				t.view.lsn = 1 << 62
			}
		},
	}
	config := metaConfig{disk: "crash", segment: testSegmentSize, restart: restartNot}
	for name, sabotage := range controls {
		t.Run(name, func(t *testing.T) {
			for seed := uint64(1); seed <= 20; seed++ {
				if runMetamorphic(t, config, seed, sabotage) != nil {
					return
				}
			}
			require.Fail(t, "nothing was noticed")
		})
	}
}
