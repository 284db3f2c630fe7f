package server

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSettingValues: how values are read and shown.
func TestSettingValues(t *testing.T) {
	for _, test := range []struct{ name, text, shown string }{
		{"statement_timeout", "0", "0"},
		{"statement_timeout", "1500", "1500ms"},
		{"statement_timeout", "2min", "2min"},
		{"statement_timeout", " 1.5 s ", "1500ms"},
		{"statement_timeout", "60000", "1min"},
		{"work_mem", "64", "64kB"},
		{"work_mem", "1GB", "1GB"},
		{"max_wal_size", "0.5GB", "512MB"},
		{"wal_segment_size", "16MB", "16MB"},
		{"shared_buffers", "128MB", "128MB"},
		{"log_min_duration_statement", "-1", "-1"},
		{"jit", "t", "on"}, {"jit", "YES", "on"}, {"jit", "of", "off"}, {"jit", "0", "off"},
		{"synchronous_commit", "TRUE", "on"}, {"synchronous_commit", "no", "off"},
		{"synchronous_commit", "1", "on"}, {"synchronous_commit", "Remote_Write", "remote_write"},
		{"client_min_messages", "debug", "debug2"},
		{"DateStyle", "ISO", "ISO, MDY"}, {"datestyle", "european, iso", "ISO, DMY"},
		{"client_encoding", "'utf-8'", "UTF8"},
		{"TIMEZONE", "Europe/Berlin", "Europe/Berlin"}, {"timezone", "-7", "<-07>+07"},
		{"timezone", "<-07>+07", "<-07>+07"}, {"timezone", "5:30", "<+05:30>-05:30"},
		{"application_name", "a\x01ü", "a??"},
		{"random_page_cost", "1.1", "1.1"},
		{"search_path", `"A b", public`, `"A b", public`},
	} {
		def, err := findSetting(test.name)
		require.NoError(t, err)
		v, bad := def.parse(test.text)
		require.Nil(t, bad, test.text)
		require.Equal(t, test.shown, def.show(v), "%s = %s", test.name, test.text)
		again, bad := def.parse(def.show(v))
		require.Nil(t, bad)
		require.Equal(t, v.text, again.text, "what is shown reads back as itself")
	}
}

// TestSettingRefusals: the words of Postgres, and ours where it has none.
func TestSettingRefusals(t *testing.T) {
	for _, test := range []struct{ name, text, code, message, hint string }{
		{"jit", "maybe", "22023", `parameter "jit" requires a Boolean value`, ""},
		{"jit", "o", "22023", `parameter "jit" requires a Boolean value`, ""},
		{"statement_timeout", "soon", "22023",
			`invalid value for parameter "statement_timeout": "soon"`, ""},
		{"statement_timeout", "1 week", "22023",
			`invalid value for parameter "statement_timeout": "1 week"`,
			`Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".`},
		{"statement_timeout", "-1", "22023", `-1 ms is outside the valid range for parameter ` +
			`"statement_timeout" (0 .. 2147483647)`, ""},
		{"max_connections", "0", "22023",
			`0 is outside the valid range for parameter "max_connections" (1 .. 10000)`, ""},
		{"synchronous_commit", "sometimes", "22023",
			`invalid value for parameter "synchronous_commit": "sometimes"`,
			"Available values: local, remote_write, remote_apply, on, off."},
		{"fsync", "off", "0A000", "fsync = off is not supported",
			"synchronous_commit = off gives the speed: commits wait for no flush."},
		{"array_nulls", "off", "0A000", "array_nulls = off is not supported", ""},
		{"quote_all_identifiers", "on", "0A000", "quote_all_identifiers = on is not supported", ""},
		{"transform_null_equals", "on", "0A000", "transform_null_equals = on is not supported", ""},
		{"timezone", "Mars/Olympus", "22023",
			`invalid value for parameter "TimeZone": "Mars/Olympus"`, ""},
		{"client_encoding", "LATIN1", "0A000", "conversion between LATIN1 and UTF8 is not supported",
			"The server speaks UTF8 only."},
		{"search_path", "a,,b", "22023", `invalid value for parameter "search_path": "a,,b"`, ""},
		{"synchronous_standby_names", "ANY 0 (a)", "22023",
			`invalid value for parameter "synchronous_standby_names": "ANY 0 (a)"`, ""},
		{"synchronous_standby_names", "FIRST 1 (a", "42601",
			`invalid value for parameter "synchronous_standby_names": "FIRST 1 (a"`, ""},
		{"primary_conninfo", "host=a nonsense=b", "22023",
			`invalid value for parameter "primary_conninfo"`, ""},
		{"primary_slot_name", "Big", "42602",
			`replication slot name "Big" contains invalid character`,
			"Replication slot names may only contain lower case letters, numbers, and the " +
				"underscore character."},
		{"hot_standby", "off", "0A000", "hot_standby = off is not supported", ""},
	} {
		def, err := findSetting(test.name)
		require.NoError(t, err)
		_, bad := def.parse(test.text)
		require.NotNil(t, bad, test.text)
		require.Equal(t, test.code, bad.Code)
		require.Equal(t, test.message, bad.Message)
		require.Equal(t, test.hint, bad.Hint)
	}
	_, err := findSetting("ack.no_such")
	require.ErrorContains(t, err, "42602")
	_, err = findSetting("no_such")
	require.ErrorContains(t, err, `unrecognized configuration parameter "no_such"`)
}

// TestSettingsTable: what the registry promises about itself.
func TestSettingsTable(t *testing.T) {
	seen := make(map[string]bool)
	for i := range settings {
		def := &settings[i]
		require.Equal(t, settingID(i), def.id)
		require.False(t, seen[def.name], def.name)
		seen[def.name] = true
		require.NotEmpty(t, def.short, def.name)
		require.NotEmpty(t, def.category, def.name)
		_, bad := def.parse(def.boot)
		require.Nil(t, bad, def.name)
	}
}

// TestConfigFile: the form of a line, and where an error is said to be.
func TestConfigFile(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, configFile), []byte(text), 0o600))
	}
	write("# comment\n\nwork_mem = 8MB # more\nstatement_timeout '2s'\n" +
		"application_name='it''s \\'me\\''\nmy.own = x\nwork_mem = 16MB\n")
	d, err := loadSettings(dir, []string{"statement_timeout=3s"}, nil)
	require.NoError(t, err)
	require.Equal(t, "16384", d.values[settingIDs["work_mem"]].text)
	require.Equal(t, sourceFile, d.values[settingIDs["work_mem"]].source)
	require.Equal(t, "3000", d.values[idStatementTimeout].text)
	require.Equal(t, sourceFlag, d.values[idStatementTimeout].source)
	require.Equal(t, "it's 'me'", d.values[idApplicationName].text)
	require.Equal(t, "x", d.custom["my.own"])

	for _, bad := range []string{"work_mem", "work_mem =", "work_mem = 'x", "work_mem = 1 2",
		"no_such = 1", "fsync = off", "server_version = 1"} {
		write("# one\n" + bad + "\n")
		_, err := loadSettings(dir, nil, nil)
		var at *ConfigError
		require.ErrorAs(t, err, &at, bad)
		require.Equal(t, 2, at.Line, bad)
	}
}

// TestWriteConfig: what ALTER SYSTEM writes reads back, whatever the value.
func TestWriteConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), configAutoFile)
	want := map[string]string{"a.b": `it's a \ backslash`, "work_mem": "1MB", "c.d": ""}
	require.NoError(t, writeConfig(path, want))
	lines, err := readConfig(path)
	require.NoError(t, err)
	got := make(map[string]string)
	for _, l := range lines {
		got[l.name] = l.text
	}
	require.Equal(t, want, got)
}

func TestSplitOptions(t *testing.T) {
	require.Equal(t, []string{"-c", "a=b c", "--d=e"}, splitOptions(`  -c a=b\ c   --d=e `))
	require.Empty(t, splitOptions(""))
}
