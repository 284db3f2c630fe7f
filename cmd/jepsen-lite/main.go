// Command jepsen-lite breaks running ackdb servers on purpose and judges what is left.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

var cli struct {
	Kill      killCmd      `cmd:"" help:"Kill -9 a loaded server again and again, then judge the history."`
	Cut       cutCmd       `cmd:"" help:"Cut the power under a loaded server again and again, then judge the history. Needs root."`
	Replicate replicateCmd `cmd:"" help:"Strike a primary and its replica again and again: logs and tables must stay the same, and no promise be broken."`
	Check     checkCmd     `cmd:"" help:"Judge a stored history again."`
}

const description = `Drives real ackdb servers through their sockets, breaks them, and judges from
the clients' own journals whether docs/DURABILITY.md and docs/REPLICATION.md were kept.

Exit codes: 0 nothing was broken; 1 a promise was broken, or the run failed; 2 usage.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	app := kong.Parse(&cli, kong.Name("jepsen-lite"), kong.Description(description),
		kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)))
	if err := app.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "jepsen-lite:", err)
		os.Exit(1)
	}
}
