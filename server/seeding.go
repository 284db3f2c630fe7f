package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"ackdb/replica"
	"ackdb/wal"
)

// ErrReseed says that the server has to be shut down, its directory given up with Reseed, and
// started again: it then seeds itself.
var ErrReseed = errors.New("server: this standby must be seeded again")

// reseedFile says whom a directory that is being seeded follows. It is there before the first byte
// is wiped and until the last one is in place, so that every start between can go on.
const reseedFile = "reseed"

// Reseed gives up what the directory of a standby holds. The server that ran in it has been shut
// down; the next start seeds it. Settings, slots and lost/ stay.
func (srv *Server) Reseed() error {
	if role := srv.db.Log().Control().Role; role != wal.RoleStandby {
		// Promoted in the moment its receiver gave up: it may be the only one that has its commits.
		return fmt.Errorf("server: a %s keeps its directory, though as a standby it was to end: %w",
			role, srv.Reason())
	}
	u := &srv.upstream
	u.mu.Lock()
	conn, slot := u.connInfo, u.slot
	u.mu.Unlock()
	if err := writeReseed(srv.opts.Dir, conn, slot); err != nil {
		return err
	}
	return replica.MarkSeeding(srv.disk(), srv.opts.Dir, srv.Reason().Error())
}

func writeReseed(dir, conn, slot string) error {
	return writeConfig(filepath.Join(dir, reseedFile),
		map[string]string{"primary_conninfo": conn, "primary_slot_name": slot})
}

// disk is where log and seed are written.
func (srv *Server) disk() wal.Disk {
	if srv.opts.Disk != nil {
		return srv.opts.Disk
	}
	return wal.OSDisk()
}

// seed fills the directory from the primary if it has to be filled.
func (srv *Server) seed(ctx context.Context) error {
	if err := srv.resumeReseed(); err != nil {
		return err
	}
	u := &srv.upstream
	if srv.opts.ReplicaOf == "" && !exists(filepath.Join(srv.opts.Dir, reseedFile)) {
		return nil
	}
	needed, err := replica.NeedsSeed(srv.disk(), srv.opts.Dir)
	if err != nil || !needed {
		return errors.Join(err, srv.seeded())
	}
	info, err := connInfoOf(u.connInfo, u.slot)
	if err != nil {
		return err
	}
	if err := srv.writeReseed(u.connInfo, u.slot); err != nil {
		return err
	}
	brought := !exists(filepath.Join(srv.opts.Dir, configAutoFile))
	srv.log.Info("seeding from the primary", "primary", info.String(), "slot", u.slot)
	began := time.Now()
	err = replica.Seed(ctx, replica.SeedOptions{
		ConnInfo: info, Dir: srv.opts.Dir, Slot: u.slot, Disk: srv.opts.Disk,
		Progress: srv.seedProgress,
		Retrying: func(err error, retry time.Duration) {
			srv.log.Warn("seeding failed; it begins again", "err", err, "retry", retry)
		},
	})
	if err != nil {
		return fmt.Errorf("server: seed from %s: %w", info.Addr(), err)
	}
	srv.log.Info("seeded", "took", time.Since(began).Round(time.Millisecond))
	if brought {
		if err := forgetUpstream(srv.opts.Dir); err != nil {
			return err
		}
	}
	return srv.seeded()
}

// resumeReseed takes from a seed that was cut short whom it followed, unless the command line says
// otherwise.
func (srv *Server) resumeReseed() error {
	lines, err := readConfig(filepath.Join(srv.opts.Dir, reseedFile))
	if err != nil {
		return err
	}
	u := &srv.upstream
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, l := range lines {
		switch {
		case l.name == "primary_conninfo" && srv.opts.ReplicaOf == "":
			u.connInfo = l.text
		case l.name == "primary_slot_name" && srv.opts.Slot == "" && srv.opts.ReplicaOf == "":
			u.slot = l.text
		}
	}
	return nil
}

func (srv *Server) writeReseed(conn, slot string) error {
	if err := os.MkdirAll(srv.opts.Dir, 0o700); err != nil {
		return fmt.Errorf("server: make the data directory: %w", err)
	}
	return writeReseed(srv.opts.Dir, conn, slot)
}

// seeded ends a seeding: the directory's own control says from now on whom it follows, and the
// settings that came with the backup hold.
func (srv *Server) seeded() error {
	path := filepath.Join(srv.opts.Dir, reseedFile)
	if !exists(path) {
		return nil
	}
	srv.opts.ReplicaOf = srv.upstream.connInfo
	next, err := loadSettings(srv.opts.Dir, srv.opts.Settings, srv.internal)
	if err != nil {
		return err
	}
	srv.settings.current.Store(next)
	return nil
}

// endSeed takes the marker away once control says what it said.
func (srv *Server) endSeed() error {
	path := filepath.Join(srv.opts.Dir, reseedFile)
	if err := os.Remove(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("server: end the seeding: %w", err)
	}
	return syncDir(srv.opts.Dir)
}

// forgetUpstream takes out of settings that came with a backup whom the source follows: we follow
// the source, or whom the command line says.
func forgetUpstream(dir string) error {
	path := filepath.Join(dir, configAutoFile)
	lines, err := readConfig(path)
	if err != nil || len(lines) == 0 {
		return err
	}
	kept := make(map[string]string)
	for _, l := range lines {
		if l.name != "primary_conninfo" && l.name != "primary_slot_name" {
			kept[l.name] = l.text
		}
	}
	if len(kept) == len(lines) {
		return nil
	}
	return writeConfig(path, kept)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func (srv *Server) seedProgress(p replica.SeedProgress) {
	srv.log.Info("seeding", "progress", p.String())
}
