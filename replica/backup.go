package replica

import (
	"archive/tar"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"ackdb/wal"
)

// backupChunkSize is how much of an archive goes into one message, and all that a backup holds of
// it in memory.
const backupChunkSize = 64 << 10

// Snapshot is a copy of the store that stays as it is, and keeps the log from Redo on, until its
// owner closes it.
type Snapshot interface {
	Dir() string
	Redo() wal.LSN    // the log that makes it whole begins here
	Applied() wal.LSN // it holds what lies below
}

// BackupWriter sends a backup in the form of the wire.
type BackupWriter interface {
	// Begin says where the log of the backup begins and how large it will be, and begins the copy.
	Begin(start wal.LSN, timeline uint32, sizeKB int64) error
	// Data sends one message of the copy, made of the parts.
	Data(parts ...[]byte) error
	// End ends the copy and says where the log of the backup ends.
	End(end wal.LSN, timeline uint32) error
}

// BackupProgress is one row of pg_stat_progress_basebackup.
type BackupProgress struct {
	Peer  Peer
	Phase string
	Total int64 // bytes, estimated
	Done  int64
}

// The phases of a backup, in Postgres' words where it has them.
const (
	phaseStore = "streaming database files"
	phaseLog   = "transferring wal files"
)

// backup is one base backup under way.
type backup struct {
	hub  *Hub
	req  BaseBackup
	peer Peer
	snap Snapshot
	out  BackupWriter
	rate throttle

	archive  *tar.Writer
	chunk    []byte
	manifest manifest

	progress BackupProgress // guarded by hub.mu
}

// Backup sends a copy of the database as a tar archive: the store as the snapshot has it, the log
// from its redo to where it is flushed when the store is through, and last, so that a copy cut
// short is never taken for a whole one, the control file that demands exactly that log.
func (h *Hub) Backup(
	ctx context.Context, req BaseBackup, peer Peer, snap Snapshot, out BackupWriter,
) error {
	b := &backup{
		hub: h, req: req, peer: peer, snap: snap, out: out,
		rate:  newThrottle(h.clock, int64(req.MaxRate)<<10),
		chunk: make([]byte, 1, 1+backupChunkSize),
	}
	b.chunk[0] = 'd'
	b.archive = tar.NewWriter(&archiveStream{ctx: ctx, backup: b})
	if err := b.enter(); err != nil {
		return err
	}
	defer b.exit()
	if err := b.send(ctx); err != nil {
		return fmt.Errorf("replica: base backup: %w", err)
	}
	return nil
}

func (b *backup) enter() error {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	if b.hub.closed {
		return ErrHubClosed
	}
	b.progress = BackupProgress{Peer: b.peer, Phase: phaseStore}
	b.hub.backups = append(b.hub.backups, b)
	return nil
}

func (b *backup) exit() {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	b.hub.backups = slices.DeleteFunc(b.hub.backups, func(o *backup) bool { return o == b })
}

// Backups is every backup under way.
func (h *Hub) Backups() []BackupProgress {
	h.mu.Lock()
	defer h.mu.Unlock()
	rows := make([]BackupProgress, len(h.backups))
	for i, b := range h.backups {
		rows[i] = b.progress
	}
	return rows
}

// advance notes what has been sent, and says how much that is in all.
func (b *backup) advance(n int) int64 {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	b.progress.Done += int64(n)
	return b.progress.Done
}

func (b *backup) send(ctx context.Context) error {
	log := b.hub.opts.Log
	files, size, err := listStore(b.snap.Dir())
	if err != nil {
		return err
	}
	start := b.snap.Redo()
	size += int64(log.Flushed()-segmentOf(log, start)) + log.SegmentSize()
	b.hub.mu.Lock()
	b.progress.Total = size
	b.hub.mu.Unlock()
	if err := b.begin(start, size); err != nil {
		return err
	}
	if err := b.out.Data([]byte("nbase.tar\x00\x00")); err != nil {
		return err
	}
	if err := b.sendStore(files); err != nil {
		return err
	}
	// What the store holds is flushed (E3), so the log up to here makes it whole.
	history, end := stableEnd(log)
	if applied := b.snap.Applied(); end < applied {
		return fmt.Errorf("the snapshot holds %s, flushed is %s", applied, end)
	}
	if err := b.sendLog(history, start, end); err != nil {
		return err
	}
	if err := b.sendState(start, end); err != nil {
		return err
	}
	if err := b.archive.Close(); err != nil {
		return err
	}
	if err := b.flush(ctx); err != nil {
		return err
	}
	if b.req.Manifest {
		if err := b.sendManifest(ctx, timelineAt(history, end), start, end); err != nil {
			return err
		}
	}
	return b.out.End(end, timelineAt(history, end))
}

// begin tells the peer where the log begins. An idle server right behind a switched segment has
// none: pg_basebackup, streaming the log beside the copy, dies when it gets not one byte of it. So
// it is told to begin with the end of the segment before, which is kept for the chain's sake.
func (b *backup) begin(start wal.LSN, size int64) error {
	log := b.hub.opts.Log
	if start == segmentOf(log, start) && start == log.Flushed() && log.Oldest() < start {
		start -= 8
	}
	history, _ := stableEnd(log)
	return b.out.Begin(start, timelineAt(history, start), size>>10)
}

// stableEnd is how far the log is flushed, with the history up to there: a promotion in between
// would give the end of one and the history of the other. A standby lists a timeline before its
// first record is flushed; that one is not in the log yet, and a segment in its name would be taken
// for one that leads nowhere.
func stableEnd(log *wal.Log) ([]wal.Timeline, wal.LSN) {
	for {
		history, end := log.Timelines(), log.Flushed()
		if len(log.Timelines()) == len(history) {
			return slices.DeleteFunc(history, func(t wal.Timeline) bool { return t.Fork >= end }), end
		}
	}
}

// storeFile is a file of the snapshot, or a directory, by its name in the archive.
type storeFile struct {
	name string
	path string
	info fs.FileInfo
}

// listStore lists the snapshot, directories before what is in them.
func listStore(dir string) (files []storeFile, size int64, err error) {
	err = filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		files = append(files, storeFile{path.Join("store", filepath.ToSlash(name)), file, info})
		if !info.IsDir() {
			size += info.Size()
		}
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list the snapshot: %w", err)
	}
	return files, size, nil
}

func (b *backup) sendStore(files []storeFile) error {
	for _, f := range files {
		send := b.storeFile
		if f.info.IsDir() {
			send = func(f storeFile) error { return b.directory(f.name) }
		}
		if err := send(f); err != nil {
			return err
		}
	}
	return nil
}

func (b *backup) storeFile(f storeFile) (err error) {
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return b.file(f.name, f.info.Size(), f.info.ModTime(), func(w io.Writer) error {
		// As many bytes as were announced, whatever the file is now: the rest of the archive would
		// be read from the wrong place.
		_, err := io.CopyN(w, file, f.info.Size())
		return err
	})
}

// sendState sends the small files, and control behind all else.
func (b *backup) sendState(start, end wal.LSN) error {
	log := b.hub.opts.Log
	for _, name := range []string{"pg_wal", "pg_tblspc"} {
		// Nothing is in them: pg_basebackup fsyncs both when it is through.
		if err := b.directory(name); err != nil {
			return err
		}
	}
	for _, name := range []string{"ackdb.conf", "ackdb.auto.conf"} {
		content, err := os.ReadFile(filepath.Join(b.hub.opts.Dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = b.content(name, content)
		}
		if err != nil {
			return err
		}
	}
	var epochs wal.EpochList
	for _, e := range log.Epochs() {
		if e.Begin < end {
			epochs = append(epochs, e)
		}
	}
	if err := b.content("epochs", wal.EncodeEpochs(epochs)); err != nil {
		return err
	}
	return b.content("control", wal.EncodeBackupControl(log.Control(), start, end))
}

func (b *backup) content(name string, content []byte) error {
	return b.file(name, int64(len(content)), b.hub.clock.Now(), func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// tarNameMax is the longest name pg_basebackup takes: a longer one it writes wrongly and says
// nothing.
const tarNameMax = 99

func (b *backup) header(h tar.Header) error {
	if len(h.Name) > tarNameMax {
		return fmt.Errorf("name is too long for the archive: %q", h.Name)
	}
	h.Format = tar.FormatUSTAR
	h.ModTime = h.ModTime.Truncate(time.Second)
	return b.archive.WriteHeader(&h)
}

func (b *backup) directory(name string) error {
	return b.header(tar.Header{
		Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o700, ModTime: b.hub.clock.Now(),
	})
}

// file sends one file, whose content is written by write.
func (b *backup) file(name string, size int64, at time.Time, write func(io.Writer) error) error {
	err := b.header(tar.Header{
		Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: at,
	})
	if err != nil {
		return err
	}
	sum := b.manifest.begin()
	if err := write(io.MultiWriter(b.archive, sum)); err != nil {
		return fmt.Errorf("send %s: %w", name, err)
	}
	if b.req.Manifest {
		b.manifest.add(name, size, at, sum.Sum32())
	}
	return b.archive.Flush()
}

// archiveStream takes the archive's bytes and sends them in messages.
type archiveStream struct {
	ctx    context.Context
	backup *backup
}

func (w *archiveStream) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		b := w.backup
		n := copy(b.chunk[len(b.chunk):cap(b.chunk)], rest)
		b.chunk, rest = b.chunk[:len(b.chunk)+n], rest[n:]
		if len(b.chunk) == cap(b.chunk) {
			if err := b.flush(w.ctx); err != nil {
				return 0, err
			}
		}
	}
	return len(p), nil
}

// flush sends what has gathered.
func (b *backup) flush(ctx context.Context) error {
	n := len(b.chunk) - 1
	if n == 0 {
		return nil
	}
	if err := b.rate.wait(ctx, b.hub.stopping, n); err != nil {
		return err
	}
	if err := b.out.Data(b.chunk); err != nil {
		return err
	}
	b.chunk = b.chunk[:1]
	done := b.advance(n)
	if !b.req.Progress {
		return nil
	}
	return b.out.Data(binary.BigEndian.AppendUint64([]byte{'p'}, uint64(done)))
}
