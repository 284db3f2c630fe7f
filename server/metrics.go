package server

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"ackdb/replica"
	"ackdb/wal"
)

// metrics are counted as things happen and read when somebody asks. Nothing decides by them.
type metrics struct {
	commits, rollbacks, deadlocks, sessions atomic.Int64
	promotions                              atomic.Int64
	promotionTook                           atomic.Int64 // nanoseconds, of the last one
	byMode                                  [wal.LevelRemoteApply + 1]modeMetrics

	registry *prometheus.Registry
}

// modeMetrics are of the commits that wrote, by what they waited for.
type modeMetrics struct {
	latency prometheus.Observer
	failed  prometheus.Counter
}

const metricsNamespace = "ackdb"

// latencyBuckets run from a commit that waits for nothing to a disk that has stalled.
var latencyBuckets = []float64{5e-6, 10e-6, 20e-6, 50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 2e-3, 5e-3,
	10e-3, 20e-3, 50e-3, 0.1, 0.2, 0.5, 1, 2, 5, 10}

func newMetrics(srv *Server) *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	latency := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: metricsNamespace, Name: "commit_seconds", Buckets: latencyBuckets,
		Help: "Time of commits that wrote, by what they waited for.",
	}, []string{"mode"})
	failed := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: metricsNamespace, Name: "commits_failed_total",
		Help: "Commits that were refused, by what they would have waited for.",
	}, []string{"mode"})
	for level := range m.byMode {
		mode := wal.Level(level).String()
		m.byMode[level] = modeMetrics{latency: latency.WithLabelValues(mode),
			failed: failed.WithLabelValues(mode)}
	}
	m.registry.MustRegister(latency, failed, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &floorCollector{srv: srv})
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// ended counts a transaction.
func (m *metrics) ended(committed bool) {
	if committed {
		m.commits.Add(1)
	} else {
		m.rollbacks.Add(1)
	}
}

// committed counts the commit of one that wrote.
func (m *metrics) committed(level wal.Level, ok bool, took time.Duration) {
	if !ok {
		m.byMode[level].failed.Inc()
		return
	}
	m.byMode[level].latency.Observe(took.Seconds())
}

// promoted counts a promotion.
func (m *metrics) promoted(took time.Duration) {
	m.promotions.Add(1)
	m.promotionTook.Store(int64(took))
}

// floorCollector reads the floors below at the moment of the scrape.
type floorCollector struct{ srv *Server }

// Describe implements prometheus.Collector; the collector is unchecked, as its metrics are made at
// the scrape.
func (c *floorCollector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c *floorCollector) Collect(out chan<- prometheus.Metric) {
	c.collectLog(out)
	c.collectEngine(out)
	c.collectReceipts(out)
	c.collectStandby(out)
	c.collectReplicas(out)
	c.collectStore(out)
}

func emit(
	out chan<- prometheus.Metric, kind prometheus.ValueType, name, help string, v float64,
) {
	desc := prometheus.NewDesc(metricsNamespace+"_"+name, help, nil, nil)
	out <- prometheus.MustNewConstMetric(desc, kind, v)
}

func gauge(out chan<- prometheus.Metric, name, help string, v float64) {
	emit(out, prometheus.GaugeValue, name, help, v)
}

func counter(out chan<- prometheus.Metric, name, help string, v float64) {
	emit(out, prometheus.CounterValue, name, help, v)
}

func (c *floorCollector) collectLog(out chan<- prometheus.Metric) {
	log := c.srv.db.Log()
	gauge(out, "wal_inserted_lsn", "End of the last record given a position.",
		float64(log.Inserted()))
	gauge(out, "wal_written_lsn", "End of the last record in the page cache.",
		float64(log.Written()))
	gauge(out, "wal_flushed_lsn", "End of the last record on disk.", float64(log.Flushed()))
	s := log.Stats()
	counter(out, "wal_records_total", "Records appended.", float64(s.Records))
	counter(out, "wal_bytes_total", "Bytes of records appended.", float64(s.Bytes))
	counter(out, "wal_writes_total", "Groups written.", float64(s.Groups))
	counter(out, "wal_flushes_total", "Fsync rounds.", float64(s.Flushes))
	counter(out, "wal_segments_recycled_total", "Segments recycled.", float64(s.Recycled))
	powersOfTwo(out, "wal_group_records", "Records in a group.", &s.GroupSize, 1)
	powersOfTwo(out, "wal_flush_bytes", "Bytes an fsync round made durable.", &s.FlushedBytes, 1)
	desc := prometheus.NewDesc(metricsNamespace+"_wal_sync_method_info",
		"Which sync backend runs, and why.", []string{"method", "reason"}, nil)
	out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, 1, s.SyncMethod, s.SyncReason)
}

// powersOfTwo turns the log's histogram, whose bucket i counts values below 1<<i, into one of
// Prometheus.
func powersOfTwo(
	out chan<- prometheus.Metric, name, help string, h *wal.Histogram, unit float64,
) {
	buckets := make(map[float64]uint64)
	seen := uint64(0)
	for i, n := range h.Buckets {
		seen += n
		if n == 0 && seen != h.Count {
			continue
		}
		buckets[float64(uint64(1)<<i)*unit] = seen
		if seen == h.Count {
			break
		}
	}
	desc := prometheus.NewDesc(metricsNamespace+"_"+name, help, nil, nil)
	out <- prometheus.MustNewConstHistogram(desc, h.Count, float64(h.Sum)*unit, buckets)
}

func (c *floorCollector) collectEngine(out chan<- prometheus.Metric) {
	s := c.srv.db.Stats()
	gauge(out, "applied_lsn", "End of the last commit that is visible.", float64(s.Applied))
	gauge(out, "store_durable_lsn", "What the store would still hold after a power cut.",
		float64(s.DurableApplied))
	gauge(out, "redo_lsn", "Where recovery would start to read the log.", float64(s.DurableRedo))
	counter(out, "commits_total", "Commit records appended.", float64(s.Commits))
	counter(out, "large_commits_total", "Commits larger than a record.", float64(s.LargeCommits))
	counter(out, "commit_groups_total", "Groups of commits.", float64(s.Groups))
	counter(out, "commit_space_waits_total", "Groups that waited for max_wal_size.",
		float64(s.SpaceWaits))
	counter(out, "commit_waits_cancelled_total", "Commits whose waiting was cancelled.",
		float64(s.WaitsCancelled))
	counter(out, "checkpoints_total", "Flushes of the store.", float64(s.Checkpoints))
	desc := prometheus.NewDesc(metricsNamespace+"_commit_group_members",
		"Groups by their number of members, up to the label.", []string{"le"}, nil)
	for i, n := range s.GroupSizes {
		label := strconv.Itoa(1 << i)
		if i == len(s.GroupSizes)-1 {
			label = "+Inf"
		}
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), label)
	}
	gauge(out, "sessions", "Clients past start-up.", float64(c.srv.endpoint.Connections()))
	counter(out, "sessions_total", "Sessions started.", float64(c.srv.metrics.sessions.Load()))
	counter(out, "rollbacks_total", "Transactions rolled back.",
		float64(c.srv.metrics.rollbacks.Load()))
	counter(out, "deadlocks_total", "Deadlocks found.", float64(c.srv.metrics.deadlocks.Load()))
}

// collectReceipts is the gauge of what a power cut would take, and what keeps it small.
func (c *floorCollector) collectReceipts(out chan<- prometheus.Metric) {
	w := c.srv.db.LossWindow()
	gauge(out, "loss_window_commits", "Commits acknowledged and not on disk.", float64(w.Commits))
	gauge(out, "loss_window_bytes", "Log from its flushed end to the newest of those commits.",
		float64(w.Bytes))
	gauge(out, "loss_window_age_seconds", "Time since the oldest of those commits was answered.",
		w.Age.Seconds())
	gauge(out, "loss_window_age_max_seconds", "The largest age since the start.",
		w.MaxAge.Seconds())
	gauge(out, "loss_window_bytes_max", "The most bytes since the start.", float64(w.MaxBytes))
	limit := c.srv.db.LossLimit()
	gauge(out, "loss_limit_age_seconds", "ack.max_async_loss: time; 0 is none.",
		limit.Age.Seconds())
	gauge(out, "loss_limit_bytes", "ack.max_async_loss: log; 0 is none.", float64(limit.Bytes))
	s := c.srv.db.Stats()
	counter(out, "loss_limit_waits_total", "Commits that waited for a flush at the limit.",
		float64(s.LossDelays))
	counter(out, "loss_limit_rejects_total", "Commits refused at the limit.",
		float64(s.LossRejects))
	counter(out, "loss_limit_violations_total",
		"Acknowledgements that broke the limit. Anything but 0 is a bug.",
		float64(s.LossViolations))
	latencies(out, "time_to_durable_seconds", "Time from a commit's answer to its being on disk.",
		&s.TimeToDurable)
	log := c.srv.db.Log().Stats()
	latencies(out, "wal_fsync_seconds", "Time of an fsync.", &log.Sync.Latency)
	gauge(out, "wal_fsync_floor_seconds", "The least an fsync took when the server started.",
		log.Sync.Floor.Seconds())
}

// collectStandby is what this node knows of its primary.
func (c *floorCollector) collectStandby(out chan<- prometheus.Metric) {
	standby := 0.0
	if c.srv.inRecovery() {
		standby = 1
	}
	gauge(out, "standby", "1 on a standby, 0 on a primary.", standby)
	counter(out, "promotions_total", "Promotions since the start.",
		float64(c.srv.metrics.promotions.Load()))
	gauge(out, "promotion_seconds", "Time the last promotion took until writes were accepted.",
		time.Duration(c.srv.metrics.promotionTook.Load()).Seconds())
	if standby == 0 {
		return
	}
	gauge(out, "standby_staleness_seconds", "How old what this standby shows may be.",
		c.srv.staleness().Seconds())
	status, _ := c.srv.receiverStatus()
	streaming := 0.0
	if status.State == replica.ReceiverStreaming {
		streaming = 1
	}
	gauge(out, "standby_streaming", "1 while log is received.", streaming)
	counter(out, "standby_connections_total", "Links made to the primary.",
		float64(status.Connections))
	gauge(out, "standby_behind_bytes", "Log the primary had and this standby has not applied.",
		max(0, float64(status.LatestEnd)-float64(c.srv.db.Applied())))
}

// collectReplicas is what this node knows of those it streams to.
func (c *floorCollector) collectReplicas(out chan<- prometheus.Metric) {
	flushed := c.srv.db.Log().Flushed()
	labels := []string{"application_name", "pid", "position"}
	lag := prometheus.NewDesc(metricsNamespace+"_replica_lag_bytes",
		"Log that a replica lacks, by what it has done with the rest.", labels, nil)
	for _, s := range c.srv.hub.Standbys() {
		// Two may have one name: the connection tells them apart.
		conn := strconv.Itoa(int(s.Peer.Conn))
		for position, at := range map[string]wal.LSN{
			"write": s.Write, "flush": s.Flush, "replay": s.Replay,
		} {
			behind := max(0, float64(flushed)-float64(at))
			out <- prometheus.MustNewConstMetric(lag, prometheus.GaugeValue, behind, s.Peer.App,
				conn, position)
		}
	}
}

// latencies turns a histogram of the floors below into one of Prometheus.
func latencies(out chan<- prometheus.Metric, name, help string, h *wal.LatencyStats) {
	buckets := make(map[float64]uint64)
	h.Each(func(upper time.Duration, count uint64) { buckets[upper.Seconds()] = count })
	desc := prometheus.NewDesc(metricsNamespace+"_"+name, help, nil, nil)
	out <- prometheus.MustNewConstHistogram(desc, h.Count, h.Sum.Seconds(), buckets)
}

func (c *floorCollector) collectStore(out chan<- prometheus.Metric) {
	s := c.srv.db.StoreStats()
	gauge(out, "store_memtable_bytes", "Size of the memtables.", float64(s.MemTableBytes))
	gauge(out, "store_memtables", "Number of memtables.", float64(s.MemTableCount))
	gauge(out, "store_table_bytes", "Size of the tables on disk.", float64(s.TableBytes))
	gauge(out, "store_tables", "Number of tables on disk.", float64(s.TableCount))
	gauge(out, "store_cache_bytes", "Size of the block cache.", float64(s.CacheBytes))
	counter(out, "store_cache_hits_total", "Block cache hits.", float64(s.CacheHits))
	counter(out, "store_cache_misses_total", "Block cache misses.", float64(s.CacheMisses))
	counter(out, "store_flushes_total", "Memtable flushes.", float64(s.Flushes))
	counter(out, "store_compactions_total", "Compactions.", float64(s.Compactions))
	gauge(out, "store_compaction_debt_bytes", "What compactions have to catch up with.",
		float64(s.CompactionDebtBytes))
	gauge(out, "store_read_amplification", "Levels a read may touch.",
		float64(s.ReadAmplification))
	gauge(out, "store_snapshots", "Open snapshots.", float64(s.OpenSnapshots))
}
