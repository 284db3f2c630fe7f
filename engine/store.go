package engine

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
)

// storeFormat is the version of the store's files. It is named, not "newest", so that an upgrade
// of the library changes no file before somebody has decided it.
const storeFormat = pebble.FormatTableFormatV6

// storeOptions are tuned for two cores and little memory: at most four memtables beside the block
// cache, one compaction at a time, so that a commit always finds a core.
func storeOptions(o Options, gate *interlock, cache *pebble.Cache, jobs storeJobs) *pebble.Options {
	opts := &pebble.Options{
		FS:                          &interlockFS{FS: o.FS, gate: gate},
		DisableWAL:                  true,
		FormatMajorVersion:          storeFormat,
		Cache:                       cache,
		MemTableSize:                o.MemTableSize,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       20,
		LBaseMaxBytes:               64 << 20,
		MaxOpenFiles:                500,
		BytesPerSync:                512 << 10,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 1 },
		Logger:                      storeLogger{fatal: o.Fatal},
		EventListener:               storeEvents(o.Events, jobs),
	}
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	opts.ApplyCompressionSettings(func() pebble.DBCompressionSettings {
		return pebble.DBCompressionFastest
	})
	return opts
}

// storeJobs is who must know what the store does in the background.
type storeJobs struct {
	begin, end func() // of a flush or a compaction
	flushed    func() // behind the end of a flush
}

// storeEvents passes on what the store reports. Its callbacks run under the store's own lock, so
// they poke and return.
func storeEvents(e Events, jobs storeJobs) *pebble.EventListener {
	listener := &pebble.EventListener{
		FlushBegin:      func(pebble.FlushInfo) { jobs.begin() },
		CompactionBegin: func(pebble.CompactionInfo) { jobs.begin() },
		CompactionEnd:   func(pebble.CompactionInfo) { jobs.end() },
		FlushEnd: func(pebble.FlushInfo) {
			jobs.end()
			jobs.flushed()
		},
		BackgroundError: func(err error) {
			if e.StoreError != nil {
				e.StoreError(err)
			}
		},
		WriteStallBegin: func(info pebble.WriteStallBeginInfo) {
			if e.WriteStall != nil {
				e.WriteStall(info.Reason)
			}
		},
		WriteStallEnd: func() {
			if e.WriteStall != nil {
				e.WriteStall("")
			}
		},
	}
	return listener
}

// storeLogger keeps the store quiet but for what it cannot survive.
type storeLogger struct{ fatal func(error) }

func (storeLogger) Infof(string, ...any)  {}
func (storeLogger) Errorf(string, ...any) {}

// Fatalf ends the process. The store calls it after a failed write to its MANIFEST, with its state
// undefined, so it must not return whatever fatal does.
func (l storeLogger) Fatalf(format string, args ...any) {
	l.fatal(fmt.Errorf("engine: store: "+format, args...))
	select {}
}

// openStore opens the store and reads the marker it holds durably. With no log of its own all
// that a freshly opened store shows is durable.
func openStore(o Options, gate *interlock, jobs storeJobs) (*pebble.DB, marker, error) {
	cache := pebble.NewCache(o.CacheSize)
	defer cache.Unref()
	dir := o.storeDir()
	store, err := pebble.Open(dir, storeOptions(o, gate, cache, jobs))
	if err != nil {
		return nil, marker{}, fmt.Errorf("engine: open store %s: %w", dir, err)
	}
	m, err := durableMarker(store)
	if err != nil {
		return nil, marker{}, errors.Join(err, store.Close())
	}
	return store, m, nil
}

// durableMarker reads the marker a crash at this moment would leave. A store without one is empty.
func durableMarker(store *pebble.DB) (marker, error) {
	iter, err := store.NewIter(&pebble.IterOptions{
		OnlyReadGuaranteedDurable: true,
		LowerBound:                markerKey,
	})
	if err != nil {
		return marker{}, fmt.Errorf("engine: read the durable marker: %w", err)
	}
	var m marker
	if iter.First() && string(iter.Key()) == string(markerKey) {
		m, err = decodeMarker(iter.Value())
	}
	return m, errors.Join(err, iter.Close())
}
