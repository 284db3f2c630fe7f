package replica

import (
	"strconv"
	"strings"

	"ackdb/wal"
)

// MaxCommandSize bounds the text of a replication command.
const MaxCommandSize = 16 << 10

// Command is a replication command: what a client may send, besides SHOW, on a connection that
// began with replication=true.
type Command interface {
	// Tag is what CommandComplete says behind it.
	Tag() string
}

// IdentifySystem asks who this node is and how far its log is flushed.
type IdentifySystem struct{}

// CreateSlot makes a physical slot.
type CreateSlot struct {
	Name      string
	Temporary bool // it goes with the session
	Reserve   bool // log is kept for it from now on, not only from its first use
}

// ReadSlot asks where a slot stands.
type ReadSlot struct{ Name string }

// DropSlot removes a slot.
type DropSlot struct {
	Name string
	Wait bool // until whoever uses it has stopped
}

// StartReplication asks for the log of a timeline from a position on.
type StartReplication struct {
	Slot     string // "": none
	From     wal.LSN
	Timeline uint32 // 0: the current one
}

// TimelineHistory asks for a timeline's history file.
type TimelineHistory struct{ Timeline uint32 }

// Tags as Postgres has them.
func (IdentifySystem) Tag() string   { return "IDENTIFY_SYSTEM" }
func (CreateSlot) Tag() string       { return "CREATE_REPLICATION_SLOT" }
func (ReadSlot) Tag() string         { return "READ_REPLICATION_SLOT" }
func (DropSlot) Tag() string         { return "DROP_REPLICATION_SLOT" }
func (StartReplication) Tag() string { return "START_REPLICATION" }
func (TimelineHistory) Tag() string  { return "TIMELINE_HISTORY" }
func (BaseBackup) Tag() string       { return "BASE_BACKUP" }
func (Handshake) Tag() string        { return "ACK_HANDSHAKE" }

var commandParsers = map[string]func(*commandText) (Command, error){
	"IDENTIFY_SYSTEM":         parseIdentifySystem,
	"CREATE_REPLICATION_SLOT": parseCreateSlot,
	"READ_REPLICATION_SLOT":   parseReadSlot,
	"DROP_REPLICATION_SLOT":   parseDropSlot,
	"START_REPLICATION":       parseStartReplication,
	"TIMELINE_HISTORY":        parseTimelineHistory,
	"BASE_BACKUP":             parseBaseBackup,
	"ACK_HANDSHAKE":           parseHandshake,
}

// ParseCommand reads one command. A text that does not begin as one is ErrNotCommand; one that does
// and goes on wrongly is an *Error. Keywords may be in any case.
func ParseCommand(text string) (Command, error) {
	if len(text) > MaxCommandSize {
		return nil, ErrNotCommand
	}
	t := &commandText{rest: text}
	if err := t.advance(); err != nil || t.kind != tokenWord {
		return nil, ErrNotCommand
	}
	parse, ok := commandParsers[strings.ToUpper(t.text)]
	if !ok {
		return nil, ErrNotCommand
	}
	if err := t.advance(); err != nil {
		return nil, err
	}
	command, err := parse(t)
	if err != nil {
		return nil, err
	}
	for t.kind == tokenMark && t.text == ";" {
		if err := t.advance(); err != nil {
			return nil, err
		}
	}
	if t.kind != tokenEnd {
		return nil, t.unexpected()
	}
	return command, nil
}

func parseIdentifySystem(*commandText) (Command, error) { return IdentifySystem{}, nil }

func parseCreateSlot(t *commandText) (Command, error) {
	var c CreateSlot
	var err error
	if c.Name, err = t.slotName(); err != nil {
		return nil, err
	}
	if c.Temporary, err = t.keyword("TEMPORARY"); err != nil {
		return nil, err
	}
	if err := t.physical(true); err != nil {
		return nil, err
	}
	// The older grammar has the option bare, the newer in brackets.
	if c.Reserve, err = t.keyword("RESERVE_WAL"); err != nil || c.Reserve {
		return c, err
	}
	err = t.options(func(name string, value optionValue) (err error) {
		if name != "RESERVE_WAL" {
			return errorf(codeSyntax, "unrecognized option: %s", strings.ToLower(name))
		}
		c.Reserve, err = value.bool(name)
		return err
	})
	return c, err
}

func parseReadSlot(t *commandText) (Command, error) {
	name, err := t.slotName()
	return ReadSlot{Name: name}, err
}

func parseDropSlot(t *commandText) (Command, error) {
	name, err := t.slotName()
	if err != nil {
		return nil, err
	}
	wait, err := t.keyword("WAIT")
	return DropSlot{Name: name, Wait: wait}, err
}

func parseStartReplication(t *commandText) (Command, error) {
	var c StartReplication
	named, err := t.keyword("SLOT")
	if err != nil {
		return nil, err
	}
	if named {
		if c.Slot, err = t.slotName(); err != nil {
			return nil, err
		}
	}
	if err := t.physical(false); err != nil {
		return nil, err
	}
	from, err := t.word("a position")
	if err != nil {
		return nil, err
	}
	if c.From, err = wal.ParseLSN(from); err != nil {
		return nil, errorf(codeSyntax, "invalid streaming start location %q", from)
	}
	on, err := t.keyword("TIMELINE")
	if err != nil || !on {
		return c, err
	}
	c.Timeline, err = t.timeline()
	return c, err
}

func parseTimelineHistory(t *commandText) (Command, error) {
	timeline, err := t.timeline()
	return TimelineHistory{Timeline: timeline}, err
}

func parseHandshake(t *commandText) (Command, error) {
	var h Handshake
	fields := []struct {
		name string
		read func(text string) error
	}{
		{"VERSION", func(s string) (err error) { h.Version, err = strconv.Atoi(s); return }},
		{"NODE", func(s string) (err error) { h.Node, err = strconv.ParseUint(s, 16, 64); return }},
		{"SYSTEM", func(s string) (err error) { h.System, err = strconv.ParseUint(s, 10, 64); return }},
		{"POSITION", func(s string) (err error) { h.Position, err = wal.ParseToken(s); return }},
		{"CRC", func(s string) error {
			crc, err := strconv.ParseUint(s, 16, 32)
			h.CRC = uint32(crc)
			return err
		}},
	}
	for _, field := range fields {
		if found, err := t.keyword(field.name); err != nil || !found {
			return nil, t.unexpected()
		}
		text, err := t.word(field.name)
		if err != nil {
			return nil, err
		}
		if err := field.read(text); err != nil {
			return nil, errorf(codeSyntax, "invalid %s in handshake: %q", field.name, text)
		}
	}
	return h, nil
}

// physical takes PHYSICAL and refuses LOGICAL.
func (t *commandText) physical(required bool) error {
	logical, err := t.keyword("LOGICAL")
	if err != nil {
		return err
	}
	if logical {
		return errorf(codeNotSupported, "logical replication is not supported")
	}
	found, err := t.keyword("PHYSICAL")
	if err == nil && !found && required {
		return t.unexpected()
	}
	return err
}

func (t *commandText) timeline() (uint32, error) {
	text, err := t.word("a timeline")
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == 0 {
		return 0, errorf(codeSyntax, "invalid timeline %s", text)
	}
	return uint32(n), nil
}
