// Command ackdb is the server and the tools that go with it.
//
// Exit codes: 0 all is well; 1 the command failed; 2 a check found damage (wal verify); 70 the log
// or the store failed while serving and nothing was acknowledged afterwards; 80 the command line
// was wrong.
package main

import (
	"errors"
	"fmt"
	"os"
	_ "time/tzdata" // containers often have no zone files, and clients set zones

	"github.com/alecthomas/kong"

	"ackdb/server"
)

// commandLine is every command; each has a file of its own.
type commandLine struct {
	Start      startCommand      `cmd:"" help:"Serve a data directory, creating it when it is empty."`
	Status     statusCommand     `cmd:"" help:"Show what a running server does."`
	Promote    promoteCommand    `cmd:"" help:"Make a running standby a primary."`
	Checkpoint checkpointCommand `cmd:"" help:"Make a running server flush its store."`
	Dump       dumpCommand       `cmd:"" help:"Write a running server's database as SQL, for psql."`
	WAL        walCommand        `cmd:"" name:"wal" help:"Look into a log, without a server."`
	Version    versionCommand    `cmd:"" help:"Show the version and how this binary syncs."`
}

const description = `A key/value database that speaks the Postgres protocol.

A commit returns as soon as its record is in the write-ahead log (synchronous_commit = off, the
default); a background flusher makes batches durable. Connect with psql or any Postgres driver as
user postgres, database postgres.

Exit codes:
  0   all is well
  1   the command failed
  2   wal verify: the log is damaged
  70  the log or the store failed while serving; nothing was acknowledged afterwards
  80  the command line was wrong`

// Exit codes beside those of server.ExitCode.
const (
	exitDamaged = 2
)

// damageError makes a command exit with exitDamaged.
type damageError struct{ err error }

func (e *damageError) Error() string { return e.err.Error() }
func (e *damageError) Unwrap() error { return e.err }

func main() {
	var cli commandLine
	ctx := kong.Parse(&cli, kong.Name("ackdb"), kong.Description(description),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	spreadOverThreads()
	err := ctx.Run()
	if err == nil {
		return
	}
	fmt.Fprintf(os.Stderr, "ackdb: %v\n", err)
	var damage *damageError
	if errors.As(err, &damage) {
		os.Exit(exitDamaged)
	}
	os.Exit(server.ExitCode(err))
}
