package replica

import (
	"strconv"
	"strings"
)

// The bounds of BASE_BACKUP's options, as Postgres has them.
const (
	maxBackupLabel = 1024
	minBackupRate  = 32      // kB a second
	maxBackupRate  = 1 << 20 // kB a second
)

// BaseBackup asks for a copy of the database as a tar archive.
type BaseBackup struct {
	Label    string
	Progress bool // send how far it is
	Fast     bool // flush the store at full speed; ours always does
	Wait     bool // asked of Postgres: until the log is archived; nothing to wait for here
	WAL      bool // put the log into the archive; ours always does
	MaxRate  int  // kB a second, 0: no limit
	Manifest bool
}

// parseBaseBackup takes the options in brackets and, as older clients send them, bare.
func parseBaseBackup(t *commandText) (Command, error) {
	b := BaseBackup{Label: "base backup", Wait: true}
	seen := map[string]bool{}
	take := func(name string, value optionValue) error {
		if seen[name] {
			return errorf(codeSyntax, "duplicate option %q", strings.ToLower(name))
		}
		seen[name] = true
		return b.set(name, value)
	}
	if err := t.options(take); err != nil {
		return nil, err
	}
	for t.kind == tokenWord {
		if err := t.bareBackupOption(take); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// bareOptionsWithValue are the options of the older grammar that have a value behind them.
var bareOptionsWithValue = map[string]bool{
	"LABEL": true, "MAX_RATE": true, "MANIFEST": true, "MANIFEST_CHECKSUMS": true,
}

// bareBackupOption takes one option of the older grammar.
func (t *commandText) bareBackupOption(take func(string, optionValue) error) error {
	name := strings.ToUpper(t.text)
	if err := t.advance(); err != nil {
		return err
	}
	switch name {
	case "FAST":
		return take("CHECKPOINT", optionValue{text: "fast", given: true})
	case "NOWAIT":
		return take("WAIT", optionValue{text: "false", given: true})
	case "NOVERIFY_CHECKSUMS":
		return take("VERIFY_CHECKSUMS", optionValue{text: "false", given: true})
	}
	if !bareOptionsWithValue[name] {
		return take(name, optionValue{})
	}
	value, err := t.optionValue()
	if err != nil {
		return err
	}
	return take(name, value)
}

func (b *BaseBackup) set(name string, value optionValue) (err error) {
	switch name {
	case "LABEL":
		if b.Label = value.text; len(b.Label) > maxBackupLabel {
			return errorf(codeInvalidParameter, "backup label too long (max %d bytes)", maxBackupLabel)
		}
	case "PROGRESS":
		b.Progress, err = value.bool(name)
	case "CHECKPOINT":
		switch strings.ToLower(value.text) {
		case "fast":
			b.Fast = true
		case "spread":
		default:
			return errorf(codeSyntax, "unrecognized checkpoint type: %q", value.text)
		}
	case "WAIT":
		b.Wait, err = value.bool(name)
	case "WAL":
		b.WAL, err = value.bool(name)
	case "MAX_RATE":
		b.MaxRate, err = strconv.Atoi(value.text)
		if err != nil || b.MaxRate < minBackupRate || b.MaxRate > maxBackupRate {
			return errorf(codeOutOfRange,
				"%s is outside the valid range for parameter \"MAX_RATE\" (%d .. %d)",
				value.text, minBackupRate, maxBackupRate)
		}
	case "MANIFEST":
		return b.setManifest(value)
	case "TABLESPACE_MAP", "VERIFY_CHECKSUMS":
		_, err = value.bool(name) // there are no tablespaces, and the store checks what it reads
	case "MANIFEST_CHECKSUMS":
		return onlyOption(name, value, "crc32c")
	case "TARGET":
		return onlyOption(name, value, "client")
	case "COMPRESSION":
		return onlyOption(name, value, "none")
	default:
		return errorf(codeSyntax, "unrecognized base backup option: %q", strings.ToLower(name))
	}
	return err
}

func (b *BaseBackup) setManifest(value optionValue) (err error) {
	// force-encode asks for every name in hex; ours are ASCII, and readers take either.
	if strings.EqualFold(value.text, "force-encode") || strings.EqualFold(value.text, "yes") {
		b.Manifest = true
		return nil
	}
	if strings.EqualFold(value.text, "no") {
		return nil
	}
	b.Manifest, err = value.bool("MANIFEST")
	return err
}

// onlyOption refuses every value but the one that is served.
func onlyOption(name string, value optionValue, only string) error {
	if strings.EqualFold(value.text, only) {
		return nil
	}
	e := errorf(codeNotSupported, "%s %q is not supported", strings.ToLower(name), value.text)
	e.Hint = "Only \"" + only + "\" is."
	return e
}
