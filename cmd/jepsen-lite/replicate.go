package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	jepsenlite "ackdb/jepsen-lite"
)

type replicateCmd struct {
	crashFlags
	Strikes int    `help:"How many strikes, or failovers." default:"30"`
	What    string `help:"kill: either side, or both. ext4, fuse: cut the primary's power (needs root). failover: kill the primary for good and promote its standby. outage: the same, and cut the power of both (needs root)." enum:"kill,ext4,fuse,failover,outage" default:"kill"`
}

// Run strikes a pair of a primary and a replica, compares them after each strike, and judges what
// clients were promised.
func (c *replicateCmd) Run(ctx context.Context) error {
	dir, err := c.prepare()
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "history.jsonl")
	history, err := os.Create(path)
	if err != nil {
		return err
	}
	defer history.Close()
	fmt.Printf("jepsen-lite: %d strikes (%s), seed %d, history %s\n", c.Strikes, c.What, c.Seed, path)
	if err := c.strike(ctx, dir, jepsenlite.NewJournal(history)); err != nil {
		return fmt.Errorf("seed %d: %w", c.Seed, err)
	}
	return judge(path)
}

func (c *replicateCmd) strike(ctx context.Context, dir string, journal *jepsenlite.Journal) error {
	cluster := &jepsenlite.Cluster{Bin: c.Bin, Dir: dir, Args: []string{
		"-c", "wal_segment_size=1MB", "-c", "max_wal_size=8MB", "-c", "wal_keep_size=0",
		"-c", "wal_sender_timeout=2s", "-c", "wal_receiver_timeout=2s"}}
	defer cluster.Kill()
	if c.What == "failover" || c.What == "outage" {
		return c.failover(ctx, cluster, dir, journal)
	}
	a, err := cluster.Primary("a")
	if err != nil {
		return err
	}
	b, err := cluster.Replica("b", a.Addr)
	if err != nil {
		return err
	}
	run := &jepsenlite.FollowRun{Primary: a, Replica: b, Sessions: c.Sessions, Strikes: c.Strikes,
		Seed: c.Seed, Journal: journal, Progress: progress(c.Strikes)}
	if c.What != "kill" {
		disk, mount, err := (&cutCmd{Disk: c.What}).disk(dir)
		if err != nil {
			return err
		}
		defer disk.Close()
		defer cluster.Kill() // before its disk goes
		run.Disk, a.Dir = disk, filepath.Join(mount, "a")
	}
	return run.Run(ctx)
}

func (c *replicateCmd) failover(ctx context.Context, cluster *jepsenlite.Cluster, dir string,
	journal *jepsenlite.Journal) error {
	run := &jepsenlite.FailoverRun{Cluster: cluster, Sessions: c.Sessions, Failovers: c.Strikes,
		Seed: c.Seed, Journal: journal, Required: true, Progress: progress(c.Strikes)}
	if c.What == "outage" {
		disk, mount, err := (&cutCmd{Disk: "fuse"}).disk(dir)
		if err != nil {
			return err
		}
		defer disk.Close()
		defer cluster.Kill() // before its disk goes
		run.Disk, cluster.Dir = disk, mount
	}
	return run.Run(ctx)
}
