package server

import "math"

// settingID is a setting's place in the registry. The named ones are read by code.
type settingID int

var settingIDs = make(map[string]settingID)

// Categories, as pg_settings shows them.
const (
	catClient   = "Client Connection Defaults / Statement Behavior"
	catLocale   = "Client Connection Defaults / Locale and Formatting"
	catPreset   = "Preset Options"
	catWAL      = "Write-Ahead Log / Settings"
	catCheck    = "Write-Ahead Log / Checkpoints"
	catResource = "Resource Usage / Memory"
	catConn     = "Connections and Authentication / Connection Settings"
	catFiles    = "File Locations"
	catLog      = "Reporting and Logging / What to Log"
	catPlanner  = "Query Tuning / Planner Method Configuration"
	catCompat   = "Version and Platform Compatibility / Previous PostgreSQL Versions"
	catReplica  = "Replication / Primary Server"
	catReceipts = "Write-Ahead Log / Receipts"
)

const maxInt32 = math.MaxInt32

var isolationLevels = []string{isolationSerializable, "repeatable read", "read committed",
	"read uncommitted"}

// The spellings of a boolean that an enum with on and off takes too.
var boolSpellings = map[string]string{"true": "on", "yes": "on", "1": "on", "t": "on", "y": "on",
	"false": "off", "no": "off", "0": "off", "f": "off", "n": "off"}

var messageLevels = []string{"debug5", "debug4", "debug3", "debug2", "debug1", "log", "notice",
	"warning", "error"}

// settings is the registry. A setting that is accepted and does nothing here says so: it is there
// because clients set it.
var settings = []setting{
	{name: "application_name", kind: kindString, context: contextUser, report: true,
		category: catLog, check: checkApplicationName,
		short: "Sets the application name to be reported in statistics and logs."},
	{name: "authentication_timeout", kind: kindInteger, context: contextPostmaster,
		unit: unitSecond, min: 1, max: 600, boot: "60", category: catConn,
		short: "Sets the maximum allowed time to complete client authentication."},
	{name: "bytea_output", kind: kindEnum, context: contextUser, enum: []string{"escape", "hex"},
		boot: "hex", category: catClient, short: "Sets the output format for bytea."},
	{name: "checkpoint_timeout", kind: kindInteger, context: contextSighup, unit: unitSecond,
		min: 1, max: 86400, boot: "300", category: catCheck,
		short: "Sets the maximum time between automatic flushes of the store."},
	{name: "client_encoding", kind: kindString, context: contextUser, boot: "UTF8", report: true,
		category: catLocale, check: checkEncoding,
		short: "Sets the client's character set encoding; UTF8 only."},
	{name: "client_min_messages", kind: kindEnum, context: contextUser, enum: messageLevels,
		hidden: map[string]string{"info": "notice", "debug": "debug2"}, boot: "notice",
		category: catClient, short: "Sets the message levels that are sent to the client."},
	{name: "config_file", kind: kindString, context: contextInternal, category: catFiles,
		short: "Shows the server's main configuration file."},
	{name: "data_directory", kind: kindString, context: contextInternal, category: catFiles,
		short: "Shows the server's data directory."},
	{name: "data_directory_mode", kind: kindString, context: contextInternal, boot: "0700",
		category: catPreset, short: "Shows the mode of the data directory."},
	{name: "DateStyle", kind: kindString, context: contextUser, boot: "ISO, MDY", report: true,
		category: catLocale, check: checkDateStyle,
		short: "Sets the display format for date and time values."},
	{name: "default_transaction_deferrable", kind: kindBool, context: contextUser, boot: "off",
		category: catClient, short: "Sets the default deferrable status of new transactions."},
	{name: "default_transaction_isolation", kind: kindEnum, context: contextUser,
		enum: isolationLevels, boot: "read committed", category: catClient,
		short: "Sets the transaction isolation level of each new transaction."},
	{name: "default_transaction_read_only", kind: kindBool, context: contextUser, boot: "off",
		report: true, category: catClient,
		short: "Sets the default read-only status of new transactions."},
	{name: "extra_float_digits", kind: kindInteger, context: contextUser, min: -15, max: 3,
		boot: "1", category: catLocale,
		short: "Sets the number of digits displayed for floating-point values."},
	{name: "fsync", kind: kindBool, context: contextSighup, boot: "on", category: catWAL,
		check: checkFsync, short: "Forces synchronization of updates to disk; cannot be off."},
	{name: "full_page_writes", kind: kindBool, context: contextSighup, boot: "on",
		category: catWAL, short: "Accepted; the store writes no page twice, so none can be torn."},
	{name: "idle_in_transaction_session_timeout", kind: kindInteger, context: contextUser,
		unit: unitMillisecond, max: maxInt32, boot: "0", category: catClient,
		short: "Sets the maximum allowed idle time between queries, when in a transaction."},
	{name: "idle_session_timeout", kind: kindInteger, context: contextUser, unit: unitMillisecond,
		max: maxInt32, boot: "0", category: catClient,
		short: "Sets the maximum allowed idle time between queries, when not in a transaction."},
	{name: "in_hot_standby", kind: kindBool, context: contextInternal, boot: "off", report: true,
		category: catPreset, short: "Shows whether hot standby is currently active."},
	{name: "integer_datetimes", kind: kindBool, context: contextInternal, boot: "on", report: true,
		category: catPreset, short: "Shows whether datetimes are integer based."},
	{name: "IntervalStyle", kind: kindEnum, context: contextUser,
		enum: []string{"postgres"}, boot: "postgres", report: true, category: catLocale,
		short: "Sets the display format for interval values."},
	{name: "is_superuser", kind: kindBool, context: contextInternal, boot: "on", report: true,
		category: catPreset, short: "Shows whether the current user is a superuser."},
	{name: "lc_collate", kind: kindString, context: contextInternal, boot: "C",
		category: catPreset, short: "Shows the collation order locale."},
	{name: "lc_ctype", kind: kindString, context: contextInternal, boot: "C",
		category: catPreset, short: "Shows the character classification locale."},
	{name: "listen_addresses", kind: kindString, context: contextPostmaster, category: catConn,
		short: "Sets the address to listen on, HOST:PORT."},
	{name: "lock_timeout", kind: kindInteger, context: contextUser, unit: unitMillisecond,
		max: maxInt32, boot: "0", category: catClient,
		short: "Sets the maximum allowed duration of any wait for a lock."},
	{name: "log_min_duration_statement", kind: kindInteger, context: contextUser,
		unit: unitMillisecond, min: -1, max: maxInt32, boot: "-1", category: catLog,
		short: "Sets the minimum execution time above which statements are logged."},
	{name: "log_statement", kind: kindEnum, context: contextUser, enum: []string{"none", "all"},
		hidden: map[string]string{"ddl": "none", "mod": "none"}, boot: "none", category: catLog,
		short: "Sets the type of statements logged."},
	{name: "max_connections", kind: kindInteger, context: contextPostmaster, min: 1, max: 10000,
		boot: "500", category: catConn, short: "Sets the maximum number of concurrent connections."},
	{name: "max_identifier_length", kind: kindInteger, context: contextInternal, max: maxInt32,
		boot: "63", category: catPreset, short: "Shows the maximum identifier length."},
	{name: "max_index_keys", kind: kindInteger, context: contextInternal, max: maxInt32, boot: "32",
		category: catPreset, short: "Shows the maximum number of index keys."},
	{name: "max_prepared_transactions", kind: kindInteger, context: contextInternal, max: maxInt32,
		boot: "0", category: catResource,
		short: "Shows the maximum number of simultaneously prepared transactions."},
	{name: "max_transaction_size", kind: kindInteger, context: contextSighup, unit: unitMegabyte,
		min: 1, max: 1 << 20, boot: "1024", category: catResource,
		short: "Sets the maximum size of a transaction's keys and values."},
	{name: "max_wal_size", kind: kindInteger, context: contextSighup, unit: unitMegabyte, min: 8,
		max: maxInt32, boot: "1024", category: catCheck,
		short: "Sets the log size beyond which the store is flushed and the log recycled."},
	{name: "password_encryption", kind: kindEnum, context: contextUser,
		enum: []string{"scram-sha-256"}, boot: "scram-sha-256", category: catConn,
		short: "Chooses the algorithm for encrypting passwords."},
	{name: "port", kind: kindInteger, context: contextInternal, max: 65535, boot: "5433",
		category: catConn, short: "Shows the TCP port the server listens on."},
	{name: "role", kind: kindString, context: contextUser, boot: "none", category: catClient,
		check: checkRole, short: "Sets the current role."},
	{name: "search_path", kind: kindString, context: contextUser, boot: `"$user", public`,
		category: catClient, check: checkSearchPath,
		short: "Sets the schema search order for names that are not schema-qualified."},
	{name: "server_encoding", kind: kindString, context: contextInternal, boot: "UTF8",
		report: true, category: catPreset, short: "Shows the server character set encoding."},
	{name: "server_version", kind: kindString, context: contextInternal, boot: serverVersion,
		report: true, category: catPreset, short: "Shows the server version."},
	{name: "server_version_num", kind: kindInteger, context: contextInternal, max: maxInt32,
		boot: serverVersionNum, category: catPreset,
		short: "Shows the server version as an integer."},
	{name: "session_authorization", kind: kindString, context: contextInternal, report: true,
		category: catPreset, live: func(s *session) string { return s.user },
		short: "Shows the session user name."},
	{name: "shared_buffers", kind: kindInteger, context: contextPostmaster, unit: unitBlock,
		min: 128, max: maxInt32, boot: "16384", category: catResource,
		short: "Sets the size of the store's block cache."},
	{name: "standard_conforming_strings", kind: kindBool, context: contextUser, boot: "on",
		report: true, category: catCompat, check: onlyOn("standard_conforming_strings"),
		short: "Causes '...' strings to treat backslashes literally; cannot be off."},
	{name: "statement_timeout", kind: kindInteger, context: contextUser, unit: unitMillisecond,
		max: maxInt32, boot: "0", category: catClient,
		short: "Sets the maximum allowed duration of any statement."},
	{name: "synchronous_commit", kind: kindEnum, context: contextUser,
		enum:   []string{"local", "remote_write", "remote_apply", "on", "off"},
		hidden: boolSpellings, boot: "off", category: catWAL,
		short: "Sets what a commit waits for."},
	{name: "TimeZone", kind: kindString, context: contextUser, boot: "Etc/UTC", report: true,
		category: catLocale, check: checkTimeZone,
		short: "Sets the time zone for displaying and interpreting time stamps."},
	{name: "transaction_deferrable", kind: kindBool, context: contextUser, boot: "off",
		category: catClient, live: (*session).showDeferrable,
		short: "Shows whether a read-only serializable transaction is deferred."},
	{name: "transaction_isolation", kind: kindEnum, context: contextUser, enum: isolationLevels,
		boot: "read committed", category: catClient, live: (*session).showIsolation,
		short: "Sets the current transaction's isolation level."},
	{name: "transaction_read_only", kind: kindBool, context: contextUser, boot: "off",
		category: catClient, live: (*session).showReadOnly,
		short: "Sets the current transaction's read-only status."},
	{name: "transaction_timeout", kind: kindInteger, context: contextUser, unit: unitMillisecond,
		max: maxInt32, boot: "0", category: catClient,
		short: "Sets the maximum allowed duration of any transaction."},
	{name: "wal_keep_size", kind: kindInteger, context: contextSighup, unit: unitMegabyte,
		max: maxInt32, boot: "256", category: catReplica,
		short: "Sets the size of log kept behind its flushed end."},
	{name: "wal_level", kind: kindEnum, context: contextInternal,
		enum: []string{"minimal", "replica", "logical"}, boot: "replica", category: catWAL,
		short: "Shows the level of information written to the log."},
	{name: "wal_segment_size", kind: kindInteger, context: contextInit, unit: unitByte,
		min: 1 << 20, max: 1 << 30, boot: "16777216", category: catPreset,
		short: "Shows the size of log segments; chosen when the directory is created."},
	{name: "wal_sync_method", kind: kindEnum, context: contextPostmaster,
		enum: []string{"auto", "io_uring", "fdatasync"}, boot: "auto", category: catWAL,
		short: "Selects the method used for forcing log updates to disk."},
	{name: "wal_writer_delay", kind: kindInteger, context: contextSighup, unit: unitMillisecond,
		min: 1, max: 10000, boot: "10", category: catWAL,
		short: "Time from an unflushed commit to the flush nobody waits for."},
	{name: "wal_writer_flush_after", kind: kindInteger, context: contextSighup, unit: unitBlock,
		max: maxInt32, boot: "128", category: catWAL,
		short: "Amount of unflushed log that triggers a flush."},
	{name: "work_mem", kind: kindInteger, context: contextUser, unit: unitKilobyte, min: 64,
		max: maxInt32, boot: "4096", category: catResource, short: accepted},
}

// accepted is the description of settings that clients set and nothing here looks at.
const accepted = "Accepted, and without effect."

// ignoredSettings are accepted and do nothing.
var ignoredSettings = []setting{
	{name: "array_nulls", kind: kindBool, boot: "on", check: onlyBoot("array_nulls", "on")},
	{name: "backslash_quote", kind: kindEnum, enum: []string{"safe_encoding", "on", "off"},
		hidden: boolSpellings, boot: "safe_encoding"},
	{name: "check_function_bodies", kind: kindBool, boot: "on"},
	{name: "constraint_exclusion", kind: kindEnum, enum: []string{"partition", "on", "off"},
		hidden: boolSpellings, boot: "partition"},
	{name: "cursor_tuple_fraction", kind: kindReal, max: 1, boot: "0.1"},
	{name: "default_statistics_target", kind: kindInteger, min: 1, max: 10000, boot: "100"},
	{name: "default_table_access_method", kind: kindString, boot: "heap"},
	{name: "default_tablespace", kind: kindString},
	{name: "default_toast_compression", kind: kindString, boot: "pglz"},
	{name: "effective_cache_size", kind: kindInteger, unit: unitBlock, min: 1, max: maxInt32,
		boot: "524288"},
	{name: "enable_bitmapscan", kind: kindBool, boot: "on"},
	{name: "enable_hashagg", kind: kindBool, boot: "on"},
	{name: "enable_hashjoin", kind: kindBool, boot: "on"},
	{name: "enable_indexonlyscan", kind: kindBool, boot: "on"},
	{name: "enable_indexscan", kind: kindBool, boot: "on"},
	{name: "enable_material", kind: kindBool, boot: "on"},
	{name: "enable_mergejoin", kind: kindBool, boot: "on"},
	{name: "enable_nestloop", kind: kindBool, boot: "on"},
	{name: "enable_seqscan", kind: kindBool, boot: "on"},
	{name: "enable_sort", kind: kindBool, boot: "on"},
	{name: "escape_string_warning", kind: kindBool, boot: "on"},
	{name: "force_parallel_mode", kind: kindEnum, enum: []string{"off", "on", "regress"},
		hidden: boolSpellings, boot: "off"},
	{name: "from_collapse_limit", kind: kindInteger, min: 1, max: maxInt32, boot: "8"},
	{name: "geqo", kind: kindBool, boot: "on"},
	{name: "gin_fuzzy_search_limit", kind: kindInteger, max: maxInt32, boot: "0"},
	{name: "jit", kind: kindBool, boot: "off"},
	{name: "join_collapse_limit", kind: kindInteger, min: 1, max: maxInt32, boot: "8"},
	{name: "lc_messages", kind: kindString, boot: "C"},
	{name: "lc_monetary", kind: kindString, boot: "C"},
	{name: "lc_numeric", kind: kindString, boot: "C"},
	{name: "lc_time", kind: kindString, boot: "C"},
	{name: "log_min_error_statement", kind: kindString, boot: "error"},
	{name: "log_min_messages", kind: kindString, boot: "warning"},
	{name: "maintenance_work_mem", kind: kindInteger, unit: unitKilobyte, min: 1024, max: maxInt32,
		boot: "65536"},
	{name: "max_parallel_maintenance_workers", kind: kindInteger, max: 1024, boot: "0"},
	{name: "max_parallel_workers", kind: kindInteger, max: 1024, boot: "0"},
	{name: "max_parallel_workers_per_gather", kind: kindInteger, max: 1024, boot: "0"},
	{name: "parallel_setup_cost", kind: kindReal, max: math.MaxFloat64, boot: "1000"},
	{name: "parallel_tuple_cost", kind: kindReal, max: math.MaxFloat64, boot: "0.1"},
	{name: "plan_cache_mode", kind: kindEnum, boot: "auto",
		enum: []string{"auto", "force_generic_plan", "force_custom_plan"}},
	{name: "quote_all_identifiers", kind: kindBool, boot: "off",
		check: onlyBoot("quote_all_identifiers", "off")},
	{name: "random_page_cost", kind: kindReal, max: math.MaxFloat64, boot: "4"},
	{name: "row_security", kind: kindBool, boot: "on"},
	{name: "seq_page_cost", kind: kindReal, max: math.MaxFloat64, boot: "1"},
	{name: "session_replication_role", kind: kindEnum, boot: "origin",
		enum: []string{"origin", "replica", "local"}},
	{name: "synchronize_seqscans", kind: kindBool, boot: "on"},
	{name: "tcp_keepalives_idle", kind: kindInteger, unit: unitSecond, max: maxInt32, boot: "0"},
	{name: "tcp_keepalives_interval", kind: kindInteger, unit: unitSecond, max: maxInt32,
		boot: "0"},
	{name: "tcp_keepalives_count", kind: kindInteger, max: maxInt32, boot: "0"},
	{name: "temp_buffers", kind: kindInteger, unit: unitBlock, min: 100, max: maxInt32,
		boot: "1024"},
	{name: "temp_tablespaces", kind: kindString},
	{name: "timezone_abbreviations", kind: kindString, boot: "Default"},
	{name: "track_activities", kind: kindBool, boot: "on"},
	{name: "transform_null_equals", kind: kindBool, boot: "off",
		check: onlyBoot("transform_null_equals", "off")},
	{name: "vacuum_cost_delay", kind: kindReal, unit: unitMillisecond, max: 100, boot: "0"},
	{name: "xmlbinary", kind: kindEnum, enum: []string{"base64", "hex"}, boot: "base64"},
	{name: "xmloption", kind: kindEnum, enum: []string{"content", "document"}, boot: "content"},
}

// The settings that code reads.
var (
	idApplicationName     settingID
	idByteaOutput         settingID
	idCommitWait          settingID
	idCheckpointTimeout   settingID
	idClientMinMessages   settingID
	idDateStyle           settingID
	idDefaultDeferrable   settingID
	idDefaultIsolation    settingID
	idDefaultReadOnly     settingID
	idExtraFloatDigits    settingID
	idIdleInTxnTimeout    settingID
	idIdleSessionTimeout  settingID
	idLockTimeout         settingID
	idLogMinDuration      settingID
	idLogStatement        settingID
	idMaxAsyncLoss        settingID
	idMaxTransactionSize  settingID
	idMaxWALSize          settingID
	idOnLossLimit         settingID
	idReadDurability      settingID
	idReportCommit        settingID
	idSearchPath          settingID
	idStatementTimeout    settingID
	idSynchronousCommit   settingID
	idTimeZone            settingID
	idTxnDeferrable       settingID
	idTxnIsolation        settingID
	idTxnReadOnly         settingID
	idTransactionTimeout  settingID
	idWALKeepSize         settingID
	idWALWriterDelay      settingID
	idWALWriterFlushAfter settingID
)

func init() {
	settings = append(settings, receiptSettings...)
	settings = append(settings, replicationSettings...)
	settings = append(settings, memorySettings...)
	for _, s := range ignoredSettings {
		s.context, s.short = contextUser, accepted
		s.category = catCompat
		settings = append(settings, s)
	}
	numberSettings()
	for name, id := range map[string]*settingID{
		"ack.commit_wait":                     &idCommitWait,
		"ack.max_async_loss":                  &idMaxAsyncLoss,
		"ack.on_loss_limit":                   &idOnLossLimit,
		"ack.read_durability":                 &idReadDurability,
		"ack.report_commit":                   &idReportCommit,
		"application_name":                    &idApplicationName,
		"bytea_output":                        &idByteaOutput,
		"checkpoint_timeout":                  &idCheckpointTimeout,
		"client_min_messages":                 &idClientMinMessages,
		"datestyle":                           &idDateStyle,
		"default_transaction_deferrable":      &idDefaultDeferrable,
		"default_transaction_isolation":       &idDefaultIsolation,
		"default_transaction_read_only":       &idDefaultReadOnly,
		"extra_float_digits":                  &idExtraFloatDigits,
		"idle_in_transaction_session_timeout": &idIdleInTxnTimeout,
		"idle_session_timeout":                &idIdleSessionTimeout,
		"lock_timeout":                        &idLockTimeout,
		"log_min_duration_statement":          &idLogMinDuration,
		"log_statement":                       &idLogStatement,
		"max_transaction_size":                &idMaxTransactionSize,
		"max_wal_size":                        &idMaxWALSize,
		"search_path":                         &idSearchPath,
		"statement_timeout":                   &idStatementTimeout,
		"synchronous_commit":                  &idSynchronousCommit,
		"timezone":                            &idTimeZone,
		"transaction_deferrable":              &idTxnDeferrable,
		"transaction_isolation":               &idTxnIsolation,
		"transaction_read_only":               &idTxnReadOnly,
		"transaction_timeout":                 &idTransactionTimeout,
		"wal_keep_size":                       &idWALKeepSize,
		"wal_writer_delay":                    &idWALWriterDelay,
		"wal_writer_flush_after":              &idWALWriterFlushAfter,
	} {
		*id = settingIDs[name]
	}
	for name, id := range replicationIDs {
		*id = settingIDs[name]
	}
	for name, id := range memoryIDs {
		*id = settingIDs[name]
	}
}
