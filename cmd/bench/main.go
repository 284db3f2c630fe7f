// Command bench prints ackdb's speed beside PostgreSQL 15's and beside a server that answers canned
// bytes through our own wire floor, which is the ceiling of what this machine and its client can do.
//
// Machines differ and are shared, so a figure alone says little: the three are measured in turn,
// round after round in one run, and the medians are given with their ratios.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

var cli struct {
	Run      runCmd      `cmd:"" default:"withargs" help:"Measure and print the tables."`
	Replicas replicasCmd `cmd:"" help:"Measure replication beside PostgreSQL 15's and print the tables."`
	Canned   cannedCmd   `cmd:"" help:"Serve canned answers on loopback; the run starts this by itself."`
}

type runCmd struct {
	Bin      string        `help:"ackdb binary." default:"bin/ackdb" type:"existingfile"`
	Rounds   int           `help:"Rounds; medians are over them." default:"5"`
	Time     time.Duration `help:"Length of one measurement, in whole seconds." default:"3s"`
	Clients  []int         `help:"Numbers of clients." default:"1,16,64"`
	Rows     int           `help:"Rows of the table." default:"100000"`
	Receipts bool          `help:"Also measure what receipts, watermarks and a stalled disk cost." default:"true" negatable:""`
	Greedy   bool          `help:"Also measure commits beside a greedy statement." default:"true" negatable:""`
	Memory   bool          `help:"Also load a million rows of 100 bytes and print the server's memory." default:"true" negatable:""`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	app := kong.Parse(&cli, kong.Name("bench"), kong.UsageOnError(),
		kong.Description("Measures ackdb beside PostgreSQL 15 and a canned server, interleaved."),
		kong.BindTo(ctx, (*context.Context)(nil)))
	if err := app.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
