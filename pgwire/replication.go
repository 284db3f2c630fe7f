package pgwire

import "strings"

// Replication tells which kind of session a client asked for.
type Replication int

const (
	// NoReplication is an ordinary session.
	NoReplication Replication = iota
	// PhysicalReplication takes replication commands and SHOW only.
	PhysicalReplication
	// DatabaseReplication takes SQL besides.
	DatabaseReplication
)

// Replication reads the start-up parameter of that name. The Endpoint has checked it.
func (i *StartupInfo) Replication() Replication {
	kind, _ := parseReplication(i.Params["replication"])
	return kind
}

func (i *StartupInfo) replication() (Replication, error) {
	value, ok := i.Params["replication"]
	if !ok {
		return NoReplication, nil
	}
	kind, ok := parseReplication(value)
	if !ok {
		err := Fatalf(CodeInvalidParameterValue,
			"invalid value for parameter \"replication\": \"%s\"", value)
		err.Hint = "Valid values are: \"false\", 0, \"true\", 1, \"database\"."
		return NoReplication, err
	}
	return kind, nil
}

// parseReplication: any spelling of a Boolean, abbreviated too, or "database" in exactly this one.
func parseReplication(value string) (Replication, bool) {
	if value == "database" {
		return DatabaseReplication, true
	}
	v := strings.ToLower(value)
	begins := func(word string, least int) bool {
		return len(v) >= least && strings.HasPrefix(word, v)
	}
	switch {
	case begins("true", 1), begins("yes", 1), begins("on", 2), v == "1":
		return PhysicalReplication, true
	case begins("false", 1), begins("no", 1), begins("off", 2), v == "0":
		return NoReplication, true
	}
	return NoReplication, false
}
