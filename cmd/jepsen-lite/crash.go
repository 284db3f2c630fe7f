package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	jepsenlite "ackdb/jepsen-lite"
)

// crashFlags are what kills and power cuts have in common.
type crashFlags struct {
	Bin      string `help:"ackdb binary." default:"bin/ackdb" type:"existingfile"`
	Sessions int    `help:"Client sessions; modes go round among them." default:"10"`
	Seed     uint64 `help:"Seed of the load; 0 draws one and prints it."`
	Dir      string `help:"Where data and history go; default a new temporary directory."`
}

type killCmd struct {
	crashFlags
	Kills int `help:"How many kills." default:"30"`
}

type cutCmd struct {
	crashFlags
	Cuts int    `help:"How many power cuts." default:"20"`
	Disk string `help:"ext4: a real one on a loop device. fuse: loses a random part of what was not synced." enum:"ext4,fuse" default:"ext4"`
}

func (c *killCmd) Run(ctx context.Context) error {
	dir, err := c.prepare()
	if err != nil {
		return err
	}
	return c.crash(ctx, dir, filepath.Join(dir, "data"), c.Kills, nil)
}

func (c *cutCmd) Run(ctx context.Context) error {
	dir, err := c.prepare()
	if err != nil {
		return err
	}
	disk, mount, err := c.disk(dir)
	if err != nil {
		return err
	}
	defer disk.Close()
	return c.crash(ctx, dir, filepath.Join(mount, "data"), c.Cuts, disk)
}

func (c *cutCmd) disk(dir string) (jepsenlite.PowerDisk, string, error) {
	if c.Disk == "fuse" {
		if missing := jepsenlite.FuseMissing(); missing != "" {
			return nil, "", fmt.Errorf("no FUSE disk: %s", missing)
		}
		d, err := jepsenlite.NewFuseDisk(filepath.Join(dir, "mnt"))
		if err != nil {
			return nil, "", err
		}
		return d, d.Dir, nil
	}
	if missing := jepsenlite.LoopMissing(); missing != "" {
		return nil, "", fmt.Errorf("no ext4 on a loop device: %s", missing)
	}
	// The kernel is kept from committing its journal on its own, so that a cut takes more.
	d, err := jepsenlite.NewLoopDisk(dir, "commit=1000")
	if err != nil {
		return nil, "", err
	}
	return d, d.Dir, nil
}

// prepare fills in what was not given and returns the directory of the run.
func (c *crashFlags) prepare() (dir string, err error) {
	if c.Seed == 0 {
		c.Seed = uint64(time.Now().UnixNano())
	}
	if c.Bin, err = filepath.Abs(c.Bin); err != nil {
		return "", err
	}
	if c.Dir == "" {
		return os.MkdirTemp("", "jepsen-lite-")
	}
	return c.Dir, os.MkdirAll(c.Dir, 0o755)
}

// crash makes the run and judges its history, which it leaves in dir.
func (c *crashFlags) crash(ctx context.Context, dir, data string, crashes int,
	disk jepsenlite.PowerDisk) error {
	path := filepath.Join(dir, "history.jsonl")
	history, err := os.Create(path)
	if err != nil {
		return err
	}
	defer history.Close()
	fmt.Printf("jepsen-lite: %d crashes, seed %d, history %s\n", crashes, c.Seed, path)
	run := &jepsenlite.CrashRun{
		Node: &jepsenlite.Node{Bin: c.Bin, Dir: data, Args: []string{
			"-c", "wal_segment_size=1MB", "-c", "max_wal_size=8MB", "-c", "wal_keep_size=0"}},
		Disk: disk, Sessions: c.Sessions, Crashes: crashes, Seed: c.Seed,
		Journal: jepsenlite.NewJournal(history), Progress: progress(crashes),
	}
	if err := run.Run(ctx); err != nil {
		return fmt.Errorf("seed %d: %w", c.Seed, err)
	}
	return judge(path)
}

// progress prints at most a line a second.
func progress(crashes int) func(int, *jepsenlite.Seen) {
	start, last := time.Now(), time.Time{}
	return func(round int, seen *jepsenlite.Seen) {
		if time.Since(last) < time.Second && round < crashes {
			return
		}
		last = time.Now()
		left := time.Since(start) / time.Duration(round) * time.Duration(crashes-round)
		fmt.Printf("  %d/%d crashes, %d ticks, log ends at %s, about %v left\n",
			round, crashes, len(seen.Ticks), seen.LSN, left.Round(time.Second))
	}
}
