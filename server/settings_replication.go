package server

import (
	"errors"
	"strings"

	"ackdb/pgwire"
	"ackdb/replica"
)

const catStandby = "Replication / Standby Servers"

// replicationSettings are those of a node that streams its log, or follows another's.
var replicationSettings = []setting{
	{name: "ack.max_staleness", kind: kindInteger, context: contextUser, unit: unitMillisecond,
		max: maxInt32, boot: "0", category: catStandby,
		short: "Sets how far behind its primary a standby may be and still be read; 0 is any."},
	{name: "ack.staleness", kind: kindString, context: contextInternal, category: catStandby,
		live:  (*session).showStaleness,
		short: "Shows how old what this standby shows may be; 0 ms on a primary."},
	{name: "hot_standby", kind: kindBool, context: contextPostmaster, boot: "on",
		category: catStandby, check: onlyOn("hot_standby"),
		short: "Allows connections and queries during recovery; cannot be off."},
	{name: "hot_standby_feedback", kind: kindBool, context: contextSighup, boot: "off",
		category: catStandby,
		short:    "Accepted, and without effect: no query is ever cancelled by replay."},
	{name: "max_replication_slots", kind: kindInteger, context: contextPostmaster, max: 1000,
		boot: "10", category: catReplica,
		short: "Sets the maximum number of replication slots."},
	{name: "max_slot_wal_keep_size", kind: kindInteger, context: contextSighup, unit: unitMegabyte,
		min: -1, max: maxInt32, boot: "4096", category: catReplica,
		short: "Sets the most log that a slot may keep; a slot further behind is lost."},
	{name: "max_wal_senders", kind: kindInteger, context: contextPostmaster, max: 1000, boot: "10",
		category: catReplica, short: "Sets the maximum number of simultaneously streaming standbys."},
	{name: "primary_conninfo", kind: kindString, context: contextSighup, category: catStandby,
		check: checkConnInfo,
		short: "Sets the connection string to be used to connect to the sending server."},
	{name: "primary_slot_name", kind: kindString, context: contextSighup, category: catStandby,
		check: checkSlotName,
		short: "Sets the name of the replication slot to use on the sending server."},
	{name: "synchronous_standby_names", kind: kindString, context: contextSighup,
		category: catReplica, check: checkStandbyNames,
		short: "Number of synchronous standbys and list of names of potential ones."},
	{name: "wal_receiver_status_interval", kind: kindInteger, context: contextSighup,
		unit: unitSecond, max: maxInt32 / 1000, boot: "10", category: catStandby,
		short: "Sets the maximum interval between status reports to the sending server."},
	{name: "wal_receiver_timeout", kind: kindInteger, context: contextSighup, unit: unitMillisecond,
		max: maxInt32, boot: "60000", category: catStandby,
		short: "Sets the maximum wait time to receive data from the sending server."},
	{name: "wal_sender_timeout", kind: kindInteger, context: contextUser, unit: unitMillisecond,
		max: maxInt32, boot: "60000", category: catReplica,
		short: "Sets the maximum time to wait for a standby to answer."},
}

// The replication settings that code reads.
var (
	idMaxReplicationSlots       settingID
	idMaxSlotWALKeepSize        settingID
	idMaxStaleness              settingID
	idMaxWALSenders             settingID
	idPrimaryConnInfo           settingID
	idPrimarySlotName           settingID
	idSynchronousStandbyNames   settingID
	idWALReceiverStatusInterval settingID
	idWALReceiverTimeout        settingID
	idWALSenderTimeout          settingID
)

var replicationIDs = map[string]*settingID{
	"ack.max_staleness":            &idMaxStaleness,
	"max_replication_slots":        &idMaxReplicationSlots,
	"max_slot_wal_keep_size":       &idMaxSlotWALKeepSize,
	"max_wal_senders":              &idMaxWALSenders,
	"primary_conninfo":             &idPrimaryConnInfo,
	"primary_slot_name":            &idPrimarySlotName,
	"synchronous_standby_names":    &idSynchronousStandbyNames,
	"wal_receiver_status_interval": &idWALReceiverStatusInterval,
	"wal_receiver_timeout":         &idWALReceiverTimeout,
	"wal_sender_timeout":           &idWALSenderTimeout,
}

// slotNameBytes is the most of a slot's name, as in Postgres.
const slotNameBytes = 63

func checkSlotName(text string) (string, *pgwire.Error) {
	bad := func(format, hint string) (string, *pgwire.Error) {
		e := pgwire.Errorf(codeInvalidName, format, text)
		e.Hint = hint
		return "", e
	}
	if len(text) > slotNameBytes {
		return bad("replication slot name \"%s\" is too long", "")
	}
	for _, r := range text {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789_", r) {
			return bad("replication slot name \"%s\" contains invalid character",
				"Replication slot names may only contain lower case letters, numbers, and the "+
					"underscore character.")
		}
	}
	return text, nil
}

// checkStandbyNames takes what Postgres' grammar takes.
func checkStandbyNames(text string) (string, *pgwire.Error) {
	if _, err := replica.ParseStandbyNames(text); err != nil {
		e := pgwire.Errorf(pgwire.CodeInvalidParameterValue,
			"invalid value for parameter \"synchronous_standby_names\": \"%s\"", text)
		var said *replica.Error
		if errors.As(err, &said) {
			e.Code, e.Detail = said.Code, said.Message
		}
		return "", e
	}
	return text, nil
}

// checkConnInfo refuses what names no primary, so that a reload cannot take a standby's away by a
// slip of the pen.
func checkConnInfo(text string) (string, *pgwire.Error) {
	if strings.TrimSpace(text) == "" {
		return "", nil
	}
	if _, err := replica.ParseConnInfo(text); err != nil {
		e := pgwire.Errorf(pgwire.CodeInvalidParameterValue,
			"invalid value for parameter \"primary_conninfo\"")
		e.Detail = err.Error()
		return "", e
	}
	return text, nil
}
