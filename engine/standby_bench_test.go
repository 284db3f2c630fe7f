package engine

import (
	"context"
	"os"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ackdb/wal"
)

// BenchmarkStandbyApply is how fast a standby applies small commits that are in its log already: it
// has to be well above what a primary can commit, or the lag grows for as long as there is load.
func BenchmarkStandbyApply(b *testing.B) {
	ctx := context.Background()
	primary := mustOpen(b, Options{Dir: b.TempDir()})
	dir := b.TempDir()
	mustClose(b, primary)
	if err := os.RemoveAll(dir); err != nil {
		b.Fatal(err)
	}
	if _, err := vfs.Clone(vfs.Default, vfs.Default, primary.opts.Dir, dir); err != nil {
		b.Fatal(err)
	}
	standby := mustOpen(b, Options{Dir: dir, ReplicaOf: testConnInfo})
	defer mustClose(b, standby)
	primary = mustOpen(b, Options{Dir: primary.opts.Dir})
	defer mustClose(b, primary)
	commitLoop(b, primary, 1, b.N, wal.LevelOff, nil)
	if err := standby.PauseReplay(); err != nil {
		b.Fatal(err)
	}
	f := &feeder{from: primary, to: standby, chunk: func() int { return 1 << 20 }}
	if err := primary.log.WaitFlushed(ctx, primary.log.Inserted()); err != nil {
		b.Fatal(err)
	}
	if err := f.all(); err != nil {
		b.Fatal(err)
	}
	end := standby.log.Tail().End
	if err := standby.log.WaitFlushed(ctx, end); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(end-standby.Applied()) / int64(b.N))
	b.ResetTimer()
	if err := standby.ResumeReplay(); err != nil {
		b.Fatal(err)
	}
	if err := standby.AwaitApplied(ctx, end); err != nil {
		b.Fatal(err)
	}
}
