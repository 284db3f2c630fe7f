package replica

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"ackdb/wal"
)

// The bounds of an archive.
const (
	archiveNameMax   = 255
	archiveDepthMax  = 4
	archiveFilesMax  = 1 << 20
	archiveCopyBytes = 1 << 20

	controlBytesMax = 64 << 10
)

// archiveDirs and archiveFiles are what an archive may hold at its top; anything else is refused:
// what a server does not know it can neither need nor be trusted to place on our disk.
var (
	archiveDirs  = []string{storeDir, walDir, "pg_wal", "pg_tblspc"}
	archiveFiles = []string{controlFile, epochsFile, "ackdb.conf", "ackdb.auto.conf"}
)

// errName: an archive holds a name that it may not.
var errName = errors.New("not a name for a file of a base backup")

// untar is an archive being extracted.
type untar struct {
	dir     *seedDir
	archive *tar.Reader
	seen    map[string]bool // names so far; true: a directory
	dirs    []string        // those made, to be fsynced
	buf     []byte
	control []byte
}

// extract writes an archive to the directory, every file and directory of it fsynced, and returns
// its control, which is not written.
func (d *seedDir) extract(in io.Reader) (control []byte, err error) {
	u := &untar{
		dir: d, archive: tar.NewReader(in), seen: make(map[string]bool),
		buf: make([]byte, archiveCopyBytes),
	}
	for {
		header, err := u.archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, archiveError("archive", err)
		}
		if err := u.entry(header); err != nil {
			return nil, err
		}
	}
	if u.control == nil {
		return nil, protocolError("the archive of a base backup ends before %s", controlFile)
	}
	return u.control, u.syncDirs()
}

// archiveError tells what is wrong with an archive from what is wrong with the link it came over.
func archiveError(name string, err error) error {
	if errors.Is(err, tar.ErrHeader) {
		return &SeedError{Name: name, Err: err}
	}
	return fmt.Errorf("replica: seed: %s: %w", name, err)
}

func (u *untar) entry(h *tar.Header) error {
	isDir := h.Typeflag == tar.TypeDir
	name, err := u.admit(h, isDir)
	if err != nil {
		return &SeedError{Name: h.Name, Err: err}
	}
	u.seen[name] = isDir
	path := filepath.Join(u.dir.path, filepath.FromSlash(name))
	switch {
	case strings.HasPrefix(name, "pg_"):
		return nil // there for pg_basebackup only
	case isDir:
		if err := u.dir.disk.MkdirAll(path); err != nil {
			return &SeedError{Name: name, Err: err}
		}
		u.dirs = append(u.dirs, path)
		return nil
	case name == controlFile:
		return u.keepControl(h)
	case !strings.Contains(name, "/") && name != epochsFile:
		return u.setting(h, path)
	}
	return u.file(h, path)
}

// admit checks an entry and gives its name without the slash of a directory.
func (u *untar) admit(h *tar.Header, isDir bool) (string, error) {
	name := h.Name
	if isDir {
		name = strings.TrimSuffix(name, "/")
	}
	top, inside, deep := strings.Cut(name, "/")
	tops := archiveFiles
	if isDir || deep {
		tops = archiveDirs
	}
	_, repeated := u.seen[name]
	switch {
	case u.control != nil:
		return "", fmt.Errorf("it comes behind %s, which must be the last", controlFile)
	case !isDir && h.Typeflag != tar.TypeReg:
		return "", fmt.Errorf("type %q is neither a file nor a directory", h.Typeflag)
	case !plainName(name) || !slices.Contains(tops, top):
		return "", errName
	case repeated:
		return "", errors.New("it comes twice")
	case len(u.seen) >= archiveFilesMax:
		return "", fmt.Errorf("more than %d files", archiveFilesMax)
	case h.Size < 0 || isDir && h.Size != 0:
		return "", fmt.Errorf("size %d", h.Size)
	case deep && !u.seen[name[:strings.LastIndexByte(name, '/')]]:
		return "", errors.New("its directory did not come before it")
	case top == walDir && deep && !walName(inside):
		return "", errName
	}
	return name, nil
}

// plainName says whether a name leads nowhere but down, in no roundabout way.
func plainName(name string) bool {
	if len(name) > archiveNameMax || strings.ContainsAny(name, "\\\x00") {
		return false
	}
	parts := strings.Split(name, "/")
	bad := func(part string) bool { return part == "" || part == "." || part == ".." }
	return len(parts) <= archiveDepthMax && !slices.ContainsFunc(parts, bad)
}

// walName says whether a file may stand in the directory of the log.
func walName(name string) bool {
	digits, isHistory := strings.CutSuffix(name, ".history")
	want := 24
	if isHistory {
		want = 8
	}
	return len(digits) == want && strings.Trim(digits, "0123456789ABCDEF") == ""
}

// keepControl reads control into memory: it is written when all else is durable.
func (u *untar) keepControl(h *tar.Header) error {
	if h.Size == 0 || h.Size > controlBytesMax {
		return &SeedError{Name: h.Name, Err: fmt.Errorf("size %d", h.Size)}
	}
	b, err := io.ReadAll(u.archive)
	if err != nil {
		return archiveError(h.Name, err)
	}
	u.control = b
	return nil
}

// setting writes a file of settings, unless the node has its own. It gets its name once it is whole:
// the half of one that a cut left would pass for the node's own ever after.
func (u *untar) setting(h *tar.Header, path string) error {
	file, err := u.dir.disk.OpenRead(path)
	if err == nil {
		return file.Close()
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return &SeedError{Name: h.Name, Err: err}
	}
	temp := path + tempSuffix
	if err := u.dir.remove(temp); err != nil {
		return &SeedError{Name: h.Name, Err: err}
	}
	if err := u.file(h, temp); err != nil {
		return err
	}
	if err := u.dir.disk.Rename(temp, path); err != nil {
		return &SeedError{Name: h.Name, Err: err}
	}
	return nil
}

func (u *untar) file(h *tar.Header, path string) error {
	file, err := u.dir.disk.Create(path)
	if err != nil {
		return &SeedError{Name: h.Name, Err: err}
	}
	if err := u.copyTo(h, file); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return &SeedError{Name: h.Name, Err: err}
	}
	return nil
}

func (u *untar) copyTo(h *tar.Header, file wal.File) error {
	for at := int64(0); at < h.Size; {
		n, err := io.ReadFull(u.archive, u.buf[:min(h.Size-at, archiveCopyBytes)])
		if err != nil {
			return archiveError(h.Name, err)
		}
		if _, err := file.WriteAt(u.buf[:n], at); err != nil {
			return &SeedError{Name: h.Name, Err: err}
		}
		at += int64(n)
	}
	return nil
}

// syncDirs makes the names in every directory durable. The directory itself is left to complete.
func (u *untar) syncDirs() error {
	for _, path := range u.dirs {
		if err := u.dir.disk.SyncDir(path); err != nil {
			return &SeedError{Name: filepath.Base(path), Err: err}
		}
	}
	return nil
}
