package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	jepsenlite "ackdb/jepsen-lite"
)

type killCmd struct {
	Bin      string `help:"ackdb binary." default:"bin/ackdb" type:"existingfile"`
	Kills    int    `help:"How many kills." default:"30"`
	Sessions int    `help:"Client sessions; modes go round among them." default:"10"`
	Seed     uint64 `help:"Seed of the load; 0 draws one and prints it."`
	Dir      string `help:"Where data and history go; default a temporary directory, kept on failure."`
}

func (c *killCmd) Run(ctx context.Context) error {
	if c.Seed == 0 {
		c.Seed = uint64(time.Now().UnixNano())
	}
	dir, err := c.dir()
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "history.jsonl")
	history, err := os.Create(path)
	if err != nil {
		return err
	}
	defer history.Close()
	fmt.Printf("jepsen-lite: %d kills, seed %d, history %s\n", c.Kills, c.Seed, path)
	bin, err := filepath.Abs(c.Bin)
	if err != nil {
		return err
	}
	run := &jepsenlite.CrashRun{
		Node: &jepsenlite.Node{Bin: bin, Dir: filepath.Join(dir, "data"), Args: []string{
			"-c", "wal_segment_size=1MB", "-c", "max_wal_size=8MB", "-c", "wal_keep_size=0"}},
		Sessions: c.Sessions, Crashes: c.Kills, Seed: c.Seed,
		Journal: jepsenlite.NewJournal(history), Progress: c.progress(),
	}
	if err := run.Run(ctx); err != nil {
		return fmt.Errorf("seed %d: %w", c.Seed, err)
	}
	return judge(path)
}

func (c *killCmd) dir() (string, error) {
	if c.Dir == "" {
		return os.MkdirTemp("", "jepsen-lite-")
	}
	return c.Dir, os.MkdirAll(c.Dir, 0o755)
}

// progress prints at most a line a second.
func (c *killCmd) progress() func(int, *jepsenlite.Seen) {
	start, last := time.Now(), time.Time{}
	return func(round int, seen *jepsenlite.Seen) {
		if time.Since(last) < time.Second && round < c.Kills {
			return
		}
		last = time.Now()
		left := time.Since(start) / time.Duration(round) * time.Duration(c.Kills-round)
		fmt.Printf("  %d/%d kills, %d ticks, log ends at %s, about %v left\n",
			round, c.Kills, len(seen.Ticks), seen.LSN, left.Round(time.Second))
	}
}
