package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"ackdb/server"
)

type startCommand struct {
	Data      string   `required:"" placeholder:"DIR" help:"Data directory; created when it does not exist."`
	Listen    string   `default:"127.0.0.1:5433" placeholder:"HOST:PORT" help:"Address for clients (default ${default})."`
	ReplicaOf string   `placeholder:"HOST:PORT" help:"Follow this primary (also as keywords and values, or a postgres:// address). An empty directory is seeded from it; a standby's stays a standby's without the flag."`
	Slot      string   `placeholder:"NAME" help:"Replication slot to use there; made when it does not exist."`
	Setting   []string `short:"c" name:"set" sep:"none" placeholder:"NAME=VALUE" help:"A setting, over those of ackdb.conf; may be given again."`
	HTTP      string   `name:"http" placeholder:"HOST:PORT" help:"Address for metrics (/metrics) and readiness (/ready); none when not given. A port alone means 127.0.0.1."`
	Insecure  bool     `help:"Allow addresses that other machines can reach. There is no authentication yet: whoever connects is superuser."`
	LogFormat string   `enum:"text,json" default:"text" help:"text or json."`
	LogLevel  string   `enum:"debug,info,warn,error" default:"info" help:"debug, info, warn or error."`
}

// shutdownTimeout bounds an orderly stop: sessions, the last flush of log and store.
const shutdownTimeout = 5 * time.Minute

// Run serves until SIGTERM or SIGINT. SIGHUP reads the configuration again. A standby whose log is
// gone from its primary starts over in the same process, seeded again.
func (c *startCommand) Run() error {
	logger := slog.New(c.logHandler())
	// A write to a client that is gone is an error of that connection, not the end of the process.
	signal.Ignore(syscall.SIGPIPE)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	for {
		srv, report, err := c.start(signals, logger)
		if err != nil {
			return err
		}
		fmt.Fprintln(os.Stderr, report.ReadyLine())
		reason := serve(srv, signals, logger)
		if err := shutDown(srv); err != nil {
			return fmt.Errorf("stop: %w", err)
		}
		logger.Info("stopped")
		if !errors.Is(reason, server.ErrReseed) {
			return reason
		}
		if err := srv.Reseed(); err != nil {
			return err
		}
		// What clients were told must still be there when it is back.
		c.Listen = report.Addr.String()
	}
}

// serve returns when a signal asks for it, or with why the server cannot go on.
func serve(srv *server.Server, signals <-chan os.Signal, logger *slog.Logger) error {
	for {
		select {
		case received := <-signals:
			if received != syscall.SIGHUP {
				logger.Info("stopping", "signal", received.String())
				return nil
			}
			if err := srv.Reload(); err != nil {
				logger.Error("configuration not reloaded", "err", err)
				continue
			}
			logger.Info("configuration reloaded")
		case <-srv.Stopping():
			return srv.Reason()
		}
	}
}

func shutDown(srv *server.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	return srv.Shutdown(ctx)
}

// start opens the server; a signal meanwhile gives up the recovery, which the next start repeats.
func (c *startCommand) start(
	signals chan os.Signal, logger *slog.Logger,
) (*server.Server, server.Report, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	started := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case s := <-signals:
			cancel()
			// It is looked at again once the server is up, in case that came first.
			signals <- s
		case <-started:
		}
	}()
	srv, report, err := server.Start(ctx, server.Options{
		Dir: c.Data, Listen: withHost(c.Listen), HTTP: withHost(c.HTTP), Insecure: c.Insecure,
		Settings: c.Setting, Log: logger, ReplicaOf: c.ReplicaOf, Slot: c.Slot,
	})
	close(started)
	<-watched
	return srv, report, err
}

// withHost completes a bare port, with or without its colon, to a loopback address: an empty host
// would mean every interface.
func withHost(addr string) string {
	if addr == "" {
		return ""
	}
	if addr[0] == ':' {
		return "127.0.0.1" + addr
	}
	for _, r := range addr {
		if r < '0' || r > '9' {
			return addr
		}
	}
	return "127.0.0.1:" + addr
}

func (c *startCommand) logHandler() slog.Handler {
	var level slog.Level
	// The enum above holds nothing that does not parse.
	_ = level.UnmarshalText([]byte(c.LogLevel))
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.NewJSONHandler(os.Stderr, options)
	}
	return slog.NewTextHandler(os.Stderr, options)
}
