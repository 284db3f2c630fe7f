package server

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"ackdb/pgwire"
)

// The files settings are read from, in this order. The second is ALTER SYSTEM's: it rewrites it
// whole, which a file with somebody's comments in it would not survive.
const (
	configFile     = "ackdb.conf"
	configAutoFile = "ackdb.auto.conf"
)

// configLine is a setting in a file.
type configLine struct {
	name, text string
	file       string
	line       int
}

// ConfigError is a file that cannot be taken.
type ConfigError struct {
	File string
	Line int
	Err  error
}

func (e *ConfigError) Error() string {
	return fmt.Sprintf("%s, line %d: %v", e.File, e.Line, e.Err)
}

func (e *ConfigError) Unwrap() error { return e.Err }

// readConfig reads a file; one that is not there is empty.
func readConfig(path string) ([]configLine, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("server: read configuration: %w", err)
	}
	defer func() { _ = f.Close() }()
	var lines []configLine
	scanner := bufio.NewScanner(f)
	for n := 1; scanner.Scan(); n++ {
		name, text, err := parseConfigLine(scanner.Text())
		if err != nil {
			return nil, &ConfigError{File: path, Line: n, Err: err}
		}
		if name != "" {
			lines = append(lines, configLine{name: name, text: text, file: path, line: n})
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("server: read configuration %s: %w", path, err)
	}
	return lines, nil
}

// parseConfigLine reads `name = value`, the sign optional, the value quoted or one word, and a
// comment. An empty name means that the line says nothing.
func parseConfigLine(line string) (name, text string, err error) {
	rest := strings.TrimSpace(line)
	if rest == "" || rest[0] == '#' {
		return "", "", nil
	}
	end := strings.IndexAny(rest, " \t=")
	if end <= 0 {
		return "", "", fmt.Errorf("no value for %q", rest)
	}
	name, rest = rest[:end], strings.TrimSpace(rest[end:])
	rest = strings.TrimSpace(strings.TrimPrefix(rest, "="))
	if strings.HasPrefix(rest, "'") {
		text, rest, err = cutConfigString(rest)
		if err != nil {
			return "", "", err
		}
	} else {
		end := strings.IndexAny(rest, " \t#")
		if end < 0 {
			end = len(rest)
		}
		text, rest = rest[:end], rest[end:]
		if text == "" {
			return "", "", fmt.Errorf("no value for %q", name)
		}
	}
	if rest = strings.TrimSpace(rest); rest != "" && rest[0] != '#' {
		return "", "", fmt.Errorf("syntax error near %q", rest)
	}
	return name, text, nil
}

// cutConfigString reads a quoted value, in which a doubled quote, or one behind a backslash, stands
// for one.
func cutConfigString(text string) (value, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		case text[i] != '\'':
			b.WriteByte(text[i])
		case i+1 < len(text) && text[i+1] == '\'':
			i++
			b.WriteByte('\'')
		default:
			return b.String(), text[i+1:], nil
		}
	}
	return "", "", errors.New("unterminated quoted string")
}

// configLines reads both files.
func configLines(dir string) (all []configLine, err error) {
	for _, file := range []string{configFile, configAutoFile} {
		lines, err := readConfig(filepath.Join(dir, file))
		if err != nil {
			return nil, err
		}
		all = append(all, lines...)
	}
	return all, nil
}

// loadSettings makes the defaults from boot values, files and flags, each over the one before.
func loadSettings(dir string, flags []string, internal map[string]string) (*defaults, error) {
	d := &defaults{values: make([]value, len(settings)), custom: make(map[string]string)}
	for i := range settings {
		v, bad := settings[i].parse(settings[i].boot)
		if bad != nil {
			panic("server: boot value of " + settings[i].name + ": " + bad.Message)
		}
		v.source = sourceDefault
		d.values[i] = v
	}
	lines, err := configLines(dir)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		if err := d.put(l.name, l.text, sourceFile); err != nil {
			return nil, &ConfigError{File: l.file, Line: l.line, Err: err}
		}
	}
	for _, flag := range flags {
		name, text, ok := strings.Cut(flag, "=")
		if !ok {
			return nil, fmt.Errorf("server: -c %s: want name=value", flag)
		}
		if err := d.put(strings.TrimSpace(name), text, sourceFlag); err != nil {
			return nil, fmt.Errorf("server: -c %s: %w", flag, err)
		}
	}
	for name, text := range internal {
		d.putInternal(name, text)
	}
	return d, nil
}

// put sets a value for the whole server.
func (d *defaults) put(name, text, source string) error {
	def, err := findSetting(name)
	if err != nil {
		if isCustomName(name) {
			d.custom[strings.ToLower(name)] = text
			return nil
		}
		return err
	}
	if def.context == contextInternal || def.live != nil {
		return pgwire.Errorf(pgwire.CodeCantChangeRuntimeParam,
			"parameter \"%s\" cannot be changed", def.name)
	}
	v, bad := def.parse(text)
	if bad != nil {
		return bad
	}
	v.source = source
	d.values[def.id] = v
	return nil
}

// putInternal sets what the server knows and nobody else may say.
func (d *defaults) putInternal(name, text string) {
	def := &settings[settingIDs[name]]
	v, bad := def.parseKind(text)
	if bad != nil {
		// wal_sync_method shows what runs, also when that is no word of the enum.
		v = value{text: text}
	}
	v.source = d.values[def.id].source
	d.values[def.id] = v
}

// reload reads the files again. What only a start can change keeps its value, with a word in the
// log; a file that cannot be taken changes nothing.
func (srv *Server) reload() error {
	srv.configMu.Lock()
	defer srv.configMu.Unlock()
	next, err := loadSettings(srv.opts.Dir, srv.opts.Settings, srv.internal)
	if err != nil {
		return err
	}
	now := srv.settings.current.Load()
	for i := range settings {
		def := &settings[i]
		if def.context != contextPostmaster && def.context != contextInit ||
			next.values[i].text == now.values[i].text {
			continue
		}
		if _, known := srv.internal[strings.ToLower(def.name)]; !known {
			srv.log.Warn("setting needs a restart", "name", def.name, "now", now.values[i].text,
				"file", next.values[i].text)
		}
		next.values[i] = now.values[i]
	}
	srv.settings.current.Store(next)
	if srv.ready.Load() {
		srv.db.SetLossLimit(srv.serverLossLimit())
		srv.followSettings()
		srv.limitHeap()
	}
	srv.configLoaded.Store(timeNow())
	srv.eachSession(func(s *session) { s.conn.Wake() })
	return nil
}

// alterSystem is ALTER SYSTEM SET and RESET. S5: the file is on disk before it is answered. It
// takes effect at the next reload or start.
func (srv *Server) alterSystem(name string, text *string) error {
	srv.configMu.Lock()
	defer srv.configMu.Unlock()
	path := filepath.Join(srv.opts.Dir, configAutoFile)
	lines, err := readConfig(path)
	if err != nil {
		return err
	}
	kept := make(map[string]string)
	for _, l := range lines {
		kept[l.name] = l.text
	}
	switch {
	case text != nil:
		kept[strings.ToLower(name)] = *text
	case name == "all":
		clear(kept)
	default:
		delete(kept, strings.ToLower(name))
	}
	return writeConfig(path, kept)
}

// writeConfig replaces the file in one step that a power cut leaves done or not done.
func writeConfig(path string, lines map[string]string) error {
	names := make([]string, 0, len(lines))
	for name := range lines {
		names = append(names, name)
	}
	sort.Strings(names)
	var b strings.Builder
	b.WriteString("# Written by ALTER SYSTEM. Do not edit: it is overwritten.\n")
	for _, name := range names {
		quoted := strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(lines[name])
		fmt.Fprintf(&b, "%s = '%s'\n", name, quoted)
	}
	return replaceFile(path, []byte(b.String()))
}

func replaceFile(path string, content []byte) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("server: write %s: %w", path, err)
		}
	}()
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
