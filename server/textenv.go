package server

import (
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/pgcatalog"
	"ackdb/server/sql/types"
)

// textEnv is what the settings make of the text form of values and of names, kept until a setting
// changes: it is needed for every statement and every row.
type textEnv struct {
	env  types.Env
	path []string

	implicit int // how many of path are searched unasked

	version  uint64 // of the layers it was made of
	defaults *defaults
	snapshot *catalog.Snapshot

	definitions *pgcatalog.Definitions // of what snapshot and path show
}

// refreshText brings the session's textEnv up to date.
func (s *session) refreshText() {
	t := &s.text
	now := s.server.settings.current.Load()
	if t.defaults != now || t.version != s.settings.version || t.path == nil {
		t.defaults, t.version = now, s.settings.version
		s.rebuildText()
		t.snapshot = nil
	}
	if snapshot := s.snapshot(); t.snapshot != snapshot {
		t.snapshot = snapshot
		t.definitions = &pgcatalog.Definitions{Snapshot: snapshot, Path: t.path, Deparser: s}
		t.env.Names = catalog.Names{Snapshot: snapshot, Path: t.path,
			Next: pgcatalog.Names{Site: site}}
	}
}

func (s *session) rebuildText() {
	t := &s.text
	_, location, err := parseTimeZone(s.settings.get(idTimeZone).text)
	if err == nil {
		t.env.Location = location
	}
	t.env.DateOrder = types.MDY
	switch s.settings.get(idDateStyle).text {
	case "ISO, DMY":
		t.env.DateOrder = types.DMY
	case "ISO, YMD":
		t.env.DateOrder = types.YMD
	}
	t.env.ByteaEscape = s.settings.get(idByteaOutput).text == "escape"
	t.env.FloatDigits = types.ExtraFloatDigits(int(s.settings.number(idExtraFloatDigits)))
	t.path, t.implicit = s.withTemp(s.searchPath())
}

// searchPath is search_path as schema names. "$user" is the schema of the user's name, if there is
// one.
func (s *session) searchPath() []string {
	names, _ := splitIdentifiers(s.settings.get(idSearchPath).text)
	path := make([]string, 0, len(names))
	for _, name := range names {
		if name == "$user" {
			name = s.user
			if s.snapshot().Schema(name) == nil {
				continue
			}
		}
		if name != "" {
			path = append(path, name)
		}
	}
	return path
}

// reported remembers what the client was told by ParameterStatus.
type reported struct {
	version  uint64
	defaults *defaults
	texts    map[settingID]string
}
