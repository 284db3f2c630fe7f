package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ackdb/engine"
	"ackdb/pgwire"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/exec"
	"ackdb/server/sql/plan"
	"ackdb/wal"
)

// Options of a Server.
type Options struct {
	// Dir is the data directory. Required.
	Dir string
	// Listen is HOST:PORT; empty means DefaultListen.
	Listen string
	// HTTP is where metrics are served; empty means nowhere.
	HTTP string
	// Insecure allows addresses that other machines can reach.
	Insecure bool
	// Settings are name=value, over those of the files.
	Settings []string
	// Log is where the server writes its log; nil means slog's default.
	Log *slog.Logger
	// Disk is where the log lives; nil is the operating system's.
	Disk wal.Disk
	// Fatal is called when the log has failed; nil prints and exits with wal.ExitPoisoned.
	Fatal func(error)

	// ReplicaOf makes the node a standby of that primary: HOST:PORT, keywords and values, or a
	// postgres:// address. An empty directory is seeded from it. A directory that is a standby's
	// already stays one without.
	ReplicaOf string
	// Slot is the replication slot to use there; it is made when it does not exist.
	Slot string
}

// DefaultListen is where a server listens unless told otherwise.
const DefaultListen = "127.0.0.1:5433"

// shutdownPatience is how long sessions may take to end before their sockets are closed.
const shutdownPatience = 10 * time.Second

// Server owns a data directory and serves it.
type Server struct {
	// Immutable after Open.
	opts     Options
	log      *slog.Logger
	listener net.Listener
	http     *httpServer
	endpoint *pgwire.Endpoint
	internal map[string]string
	started  time.Time
	life     context.Context // ends when the server shuts down
	endLife  context.CancelFunc

	// Set once by recover, read by sessions, which exist only afterwards.
	db       *engine.DB
	catalog  *catalog.Catalog
	planner  *plan.Planner
	executor *exec.Executor
	metrics  *metrics
	exchange *exchange
	ready    atomic.Bool

	role

	settings     serverSettings
	configLoaded atomic.Pointer[time.Time]
	configMu     sync.Mutex // one reload or ALTER SYSTEM at a time

	txnNumbers atomic.Uint64 // txid_current

	served chan struct{} // closed when the accept loop has ended

	temps tempNumbers

	mu sync.Mutex
	// Guarded by mu.
	sessions map[int32]*session
}

// Report tells what Start found, for the ready line.
type Report struct {
	Role       wal.Role
	Addr       net.Addr
	HTTPAddr   net.Addr // nil without
	Dir        string
	Recovery   engine.Report
	SyncMethod string
	SyncReason string
}

// Start opens the data directory and serves it. It listens first, so that while the log is replayed
// clients are told 57P03 and pg_isready says that the server is starting.
func Start(ctx context.Context, opts Options) (*Server, Report, error) {
	srv, err := newServer(opts)
	if err != nil {
		return nil, Report{}, err
	}
	if err := srv.listen(); err != nil {
		return nil, Report{}, err
	}
	report, err := srv.recover(ctx)
	if err != nil {
		srv.endpoint.Shutdown(ctx, errShuttingDown)
		<-srv.served
		srv.http.close(ctx)
		return nil, report, err
	}
	srv.ready.Store(true)
	return srv, report, nil
}

func newServer(opts Options) (*Server, error) {
	if opts.Listen == "" {
		opts.Listen = DefaultListen
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("server: data directory: %w", err)
	}
	opts.Dir = dir
	srv := &Server{opts: opts, log: opts.Log, started: time.Now(), served: make(chan struct{}),
		sessions: make(map[int32]*session)}
	srv.life, srv.endLife = context.WithCancel(context.Background())
	srv.role.init()
	srv.internal = map[string]string{"data_directory": dir,
		"config_file": filepath.Join(dir, configFile)}
	srv.configLoaded.Store(timeNow())
	initial, err := loadSettings(dir, opts.Settings, srv.internal)
	if err != nil {
		return nil, err
	}
	srv.settings.current.Store(initial)
	srv.readUpstream()
	return srv, nil
}

func timeNow() *time.Time {
	now := time.Now()
	return &now
}

// listen opens the sockets and starts to accept.
func (srv *Server) listen() error {
	for _, addr := range []string{srv.opts.Listen, srv.opts.HTTP} {
		if err := srv.checkAddress(addr); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", srv.opts.Listen)
	if err != nil {
		return fmt.Errorf("server: listen: %w", err)
	}
	srv.listener = listener
	if srv.http, err = listenHTTP(srv); err != nil {
		return errors.Join(err, listener.Close())
	}
	srv.setInternal(map[string]string{
		"listen_addresses": listener.Addr().String(),
		"port":             strconv.Itoa(listener.Addr().(*net.TCPAddr).Port),
	})
	current := srv.settings.current.Load()
	srv.endpoint = pgwire.NewEndpoint(srv, pgwire.Options{
		MaxConnections: int(current.values[settingIDs["max_connections"]].number),
		MaxSenders:     maxSenders(current.values[idMaxWALSenders].number),
		AuthenticationTimeout: time.Duration(
			current.values[settingIDs["authentication_timeout"]].number) * time.Second,
		MaxBufferedBytes: srv.messageMemory(),
		Events:           srv.wireEvents(),
	})
	go func() {
		defer close(srv.served)
		if err := srv.endpoint.Serve(listener); err != nil {
			srv.log.Error("accept loop ended", "err", err)
		}
	}()
	return nil
}

// checkAddress refuses what other machines can reach: there are no passwords yet.
func (srv *Server) checkAddress(addr string) error {
	if addr == "" || srv.opts.Insecure {
		return nil
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("server: address %q: %w", addr, err)
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() || host == "localhost" {
		return nil
	}
	return fmt.Errorf("server: refusing to listen on %s: this version has no authentication, so "+
		"everybody who reaches it is superuser; --insecure overrides", addr)
}

// setInternal records what only the server knows, now and for every reload to come.
func (srv *Server) setInternal(texts map[string]string) {
	srv.configMu.Lock()
	defer srv.configMu.Unlock()
	next := *srv.settings.current.Load()
	next.values = append([]value(nil), next.values...)
	for name, text := range texts {
		srv.internal[name] = text
		next.putInternal(name, text)
	}
	srv.settings.current.Store(&next)
}

// recover opens engine and catalog.
func (srv *Server) recover(ctx context.Context) (Report, error) {
	report := Report{Addr: srv.listener.Addr(), Dir: srv.opts.Dir, HTTPAddr: srv.http.addr()}
	if err := srv.prepare(ctx); err != nil {
		return report, err
	}
	opts, err := srv.engineOptions()
	if err != nil {
		return report, err
	}
	db, recovery, err := engine.Open(ctx, opts)
	report.Recovery = recovery
	if err != nil {
		return report, err
	}
	srv.db = db
	report.Role = db.Role()
	if err := srv.begin(ctx); err != nil {
		return report, errors.Join(err, srv.abandon(ctx))
	}
	stats := db.Stats().Log
	report.SyncMethod, report.SyncReason = stats.SyncMethod, stats.SyncReason
	srv.setInternal(map[string]string{
		"wal_sync_method":  stats.SyncMethod,
		"wal_segment_size": strconv.FormatInt(db.Log().SegmentSize(), 10),
	})
	return report, srv.writeDefaultConfig()
}

// prepare makes the directory ready to be opened: seeded, and with its slots.
func (srv *Server) prepare(ctx context.Context) error {
	if err := srv.seed(ctx); err != nil {
		return err
	}
	return srv.openSlots()
}

// begin starts what stands on the database, the receiver last: it feeds all of it.
func (srv *Server) begin(ctx context.Context) error {
	if err := srv.endSeed(); err != nil {
		return err
	}
	if err := srv.openCatalog(ctx); err != nil {
		return err
	}
	if err := srv.openHub(); err != nil {
		return err
	}
	return srv.beginRole()
}

// abandon ends what a begin that failed has started.
func (srv *Server) abandon(ctx context.Context) error {
	srv.upstream.close()
	var err error
	if srv.hub != nil {
		err = errors.Join(srv.hub.Close(ctx), srv.slots.Close())
	}
	if srv.exchange != nil {
		srv.exchange.close()
	}
	return errors.Join(err, srv.db.Close(ctx))
}

func (srv *Server) openCatalog(ctx context.Context) error {
	var err error
	if srv.catalog, err = catalog.Open(ctx, srv.db); err != nil {
		return err
	}
	srv.planner = plan.New(srv.catalog, plan.Options{})
	srv.executor = exec.New(srv.db, srv.catalog, srv.planner)
	srv.boundMemory()
	srv.executor.OnIndexBuild(srv.logIndexBuild)
	for _, v := range append(srv.virtualTables(), srv.replicationTables()...) {
		srv.catalog.Register(v)
	}
	srv.metrics = newMetrics(srv)
	srv.exchange = newExchange(srv.db.Log())
	return nil
}

// engineOptions turns settings into the engine's options. Those that may change while it runs are
// functions.
func (srv *Server) engineOptions() (engine.Options, error) {
	current := srv.settings.current.Load()
	number := func(name string) int64 { return current.values[settingIDs[name]].number }
	method := current.values[settingIDs["wal_sync_method"]].text
	if method == "auto" {
		method = ""
	}
	opts := engine.Options{
		Dir:       srv.opts.Dir,
		CacheSize: number("shared_buffers") * 8 << 10,
		Fatal:     srv.opts.Fatal,
		MaxWALSize: func() int64 {
			return srv.settings.number(idMaxWALSize) << 20
		},
		MaxTransactionSize: func() int64 {
			return srv.settings.number(idMaxTransactionSize) << 20
		},
		CheckpointTimeout: func() time.Duration {
			return time.Duration(srv.settings.number(idCheckpointTimeout)) * time.Second
		},
		ReplicaOf: srv.opts.ReplicaOf,
		MayFollow: srv.mayFollow,
		Quorum:    &srv.quorum,
		Events:    srv.engineEvents(),
	}
	size := current.values[settingIDs["wal_segment_size"]]
	if size.source != sourceDefault {
		opts.Log.SegmentSize = size.number
		if size.number&(size.number-1) != 0 {
			return opts, fmt.Errorf("server: wal_segment_size %d is not a power of two", size.number)
		}
	}
	opts.Log.SyncMethod = method
	opts.Log.WriterDelay = func() time.Duration {
		return milliseconds(srv.settings.number(idWALWriterDelay))
	}
	opts.Log.FlushAfter = func() int64 {
		return srv.settings.number(idWALWriterFlushAfter) * 8 << 10
	}
	opts.Log.KeepSize = func() int64 { return srv.settings.number(idWALKeepSize) << 20 }
	opts.Log.Events = srv.walEvents()
	opts.Log.Disk = srv.opts.Disk
	opts.Log.Hold = srv.slots.Hold
	opts.Log.FloorSamples = wal.FloorSamplesDefault
	opts.Log.Unresolved = srv.tellUnresolved
	limit := srv.serverLossLimit()
	opts.LossLimit = &limit
	return opts, nil
}

var errShuttingDown = pgwire.Fatalf(pgwire.CodeAdminShutdown,
	"terminating connection due to administrator command")

// Connect implements pgwire.Server.
func (srv *Server) Connect(
	_ context.Context, info *pgwire.StartupInfo, conn *pgwire.Conn,
) (pgwire.Backend, error) {
	if !srv.ready.Load() {
		return nil, pgwire.Fatalf(pgwire.CodeCannotConnectNow, "the database system is starting up")
	}
	s, refused := newSession(srv, info, conn)
	if refused != nil {
		return nil, refused
	}
	srv.mu.Lock()
	srv.sessions[info.PID] = s
	srv.mu.Unlock()
	srv.metrics.sessions.Add(1)
	return backendFor(s), nil
}

func (srv *Server) forget(s *session) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	delete(srv.sessions, s.conn.PID())
}

// eachSession visits the sessions of the moment, without the lock.
func (srv *Server) eachSession(visit func(*session)) {
	srv.mu.Lock()
	list := make([]*session, 0, len(srv.sessions))
	for _, s := range srv.sessions {
		list = append(list, s)
	}
	srv.mu.Unlock()
	for _, s := range list {
		visit(s)
	}
}

// Reload reads the configuration files again, for SIGHUP.
func (srv *Server) Reload() error { return srv.reload() }

// Shutdown ends the sessions with 57P01, flushes log and store, and closes the directory. Replicas
// are sent what is flushed before their senders go. An error means that the next start has to
// recover.
func (srv *Server) Shutdown(ctx context.Context) error {
	srv.log.Info("shutting down")
	sessions, cancel := context.WithTimeout(ctx, shutdownPatience)
	defer cancel()
	srv.endLife()
	srv.promotion.close()
	srv.upstream.close()
	srv.endpoint.Drain(sessions, errShuttingDown)
	srv.closeSenders(sessions)
	srv.endpoint.Shutdown(sessions, errShuttingDown)
	<-srv.served
	srv.http.close(ctx)
	srv.exchange.close()
	return errors.Join(srv.slots.Close(), srv.db.Close(ctx))
}

// defaultConfig is what a new directory's ackdb.conf says.
const defaultConfig = `# Settings of this ackdb server, one a line: name = value.
#
# Read at start and at reload (SIGHUP, SELECT pg_reload_conf()). What ackdb.auto.conf (ALTER SYSTEM)
# and the flags of ackdb start (-c name=value) say goes over what stands here.
# SELECT name, setting, unit, context, short_desc FROM pg_settings  shows all there are.

#synchronous_commit = off        # off, local, remote_write, on, remote_apply
#max_wal_size = 1GB
#checkpoint_timeout = 5min
#wal_keep_size = 256MB
#max_slot_wal_keep_size = 4GB
#synchronous_standby_names = ''  # FIRST 1 (a, b), ANY 2 (a, b, c), *
#wal_writer_delay = 10ms
#shared_buffers = 128MB          # block cache of the store
#ack.statement_memory = 256MB    # what one statement may hold; ack.server_memory is for all
#max_connections = 500
#statement_timeout = 0
#idle_in_transaction_session_timeout = 0
`

// writeDefaultConfig gives a new directory its ackdb.conf, whole or not at all: a power cut that left
// it with a size and without its bytes would keep the server from starting.
func (srv *Server) writeDefaultConfig() error {
	path := filepath.Join(srv.opts.Dir, configFile)
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return replaceFile(path, []byte(defaultConfig))
}

// ReadyLine says in one line what a server that is ready found and runs on.
func (r Report) ReadyLine() string {
	var b strings.Builder
	fmt.Fprintf(&b, "ackdb %s ready: %s, listening on %s", Version, r.Role, r.Addr)
	if r.HTTPAddr != nil {
		fmt.Fprintf(&b, ", metrics on http://%s/metrics", r.HTTPAddr)
	}
	fmt.Fprintf(&b, ", data directory %s, %s, wal_sync_method %s (%s)", r.Dir,
		recoveryText(r.Recovery), r.SyncMethod, r.SyncReason)
	return b.String()
}

func recoveryText(r engine.Report) string {
	log := r.Log
	switch {
	case log.Clean && r.Commits == 0:
		return fmt.Sprintf("log clean to %s", log.End)
	case log.Torn:
		return fmt.Sprintf("recovered to %s in %s (%d commits replayed; torn tail cut: %s)",
			log.End, r.Took.Round(time.Millisecond), r.Commits, log.Stop)
	}
	return fmt.Sprintf("recovered to %s in %s (%d commits replayed)",
		log.End, r.Took.Round(time.Millisecond), r.Commits)
}

// ExitCode is what a process that could not start, or had to stop, exits with.
func ExitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, wal.ErrPoisoned):
		return wal.ExitPoisoned
	}
	return 1
}
