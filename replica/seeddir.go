package replica

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"ackdb/wal"
)

// The names in a data directory that a seed deals with.
const (
	lockFile    = "lock"
	seedingFile = "seeding" // the marker: this directory is being filled
	controlFile = "control"
	epochsFile  = "epochs"
	storeDir    = "store"
	walDir      = "wal"

	tempSuffix = ".new" // of a file that gets its name once it is whole
)

// own are the names that a base backup replaces: what a node is, its log and its store. Settings,
// slots and what lost/ keeps belong to the node, whatever it is seeded from.
var own = []string{controlFile, epochsFile, storeDir, walDir, "checkpoints"}

// kept are the other names that may stand in a directory that is to be seeded.
var kept = []string{
	lockFile, seedingFile, "reseed", "lost", "slots", "ackdb.conf", "ackdb.auto.conf",
	"lost+found", // of a file system whose top the directory is
}

// seedDir is a directory being seeded.
type seedDir struct {
	disk wal.Disk
	path string
}

// NeedsSeed says whether a directory is to be filled by a base backup: it is not there, or empty but
// for settings, or a seed of it was cut short. What is neither that nor a database is ErrDirInUse.
func NeedsSeed(disk wal.Disk, dir string) (bool, error) {
	names, err := disk.List(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("replica: look at %s: %w", dir, err)
	}
	if slices.Contains(names, seedingFile) {
		return true, nil
	}
	if slices.Contains(names, controlFile) {
		return false, nil
	}
	for _, name := range names {
		if slices.Contains(kept, name) {
			continue
		}
		// A start that was cut short leaves the directory of the log, empty.
		inside, err := disk.List(filepath.Join(dir, name))
		if name == walDir && err == nil && len(inside) == 0 {
			continue
		}
		return false, fmt.Errorf("%w: %s holds %s", ErrDirInUse, dir, name)
	}
	return true, nil
}

// MarkSeeding decides that a directory is filled anew: from when it returns on, every start finds it
// half seeded. The server must not be running in it.
func MarkSeeding(disk wal.Disk, dir, why string) error {
	d := seedDir{disk: disk, path: filepath.Clean(dir)}
	return d.mark(why)
}

// make makes the directory, and those above it, with names that a power cut cannot take.
func (d *seedDir) make() error {
	// Its own name always, for a seed that was cut short may have made it; further up only what is
	// made now.
	parents := []string{filepath.Dir(d.path)}
	for up := filepath.Dir(d.path); up != filepath.Dir(up); up = filepath.Dir(up) {
		if _, err := d.disk.List(up); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		parents = append(parents, filepath.Dir(up))
	}
	if err := d.disk.MkdirAll(d.path); err != nil {
		return &SeedError{Name: d.path, Err: err}
	}
	for _, parent := range parents {
		if err := d.disk.SyncDir(parent); err != nil {
			return &SeedError{Name: d.path, Err: err}
		}
	}
	return nil
}

// mark writes the marker, unless it is there.
func (d *seedDir) mark(why string) error {
	path := filepath.Join(d.path, seedingFile)
	err := d.write(path, []byte(firstLine(why)+"\n"))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return &SeedError{Name: seedingFile, Err: err}
	}
	if err := d.disk.SyncDir(d.path); err != nil {
		return &SeedError{Name: seedingFile, Err: err}
	}
	return nil
}

// write makes a file and what is in it durable; its name is not yet.
func (d *seedDir) write(path string, content []byte) error {
	file, err := d.disk.Create(path)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(content, 0)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// wipe takes away what is ours. The marker is durable: a start in the midst of it begins anew.
func (d *seedDir) wipe() error {
	for _, name := range own {
		if err := d.remove(filepath.Join(d.path, name)); err != nil {
			return &SeedError{Name: name, Err: err}
		}
	}
	return nil
}

// remove takes away a file, or a directory with everything in it.
func (d *seedDir) remove(path string) error {
	// A Disk does not tell files from directories; listing a file fails.
	if names, err := d.disk.List(path); err == nil {
		for _, name := range names {
			if err := d.remove(filepath.Join(path, name)); err != nil {
				return err
			}
		}
		// It is empty. Should it stay, as on a disk that removes files only, it harms nobody.
		_ = d.disk.Remove(path)
		return nil
	}
	if err := d.disk.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// complete makes the directory a database: control last, then the marker goes.
func (d *seedDir) complete(control []byte) error {
	path := filepath.Join(d.path, controlFile)
	temp := path + tempSuffix
	steps := []func() error{
		func() error { return d.disk.SyncDir(d.path) },
		func() error { return d.remove(temp) },
		func() error { return d.write(temp, control) },
		func() error { return d.disk.Rename(temp, path) },
		func() error { return d.disk.SyncDir(d.path) },
		func() error { return d.remove(filepath.Join(d.path, seedingFile)) },
		func() error { return d.disk.SyncDir(d.path) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return &SeedError{Name: controlFile, Err: err}
		}
	}
	return nil
}
