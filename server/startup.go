package server

import (
	"sort"
	"strings"

	"ackdb/pgwire"
)

// applyStartup takes the start-up parameters. A parameter that is no setting is ignored: poolers
// that refused what they did not know have cost their users years. A wrong value of one we know is
// refused, as Postgres does.
func (s *session) applyStartup(params map[string]string) *pgwire.Error {
	if s.user != superuser {
		return pgwire.Fatalf(pgwire.CodeInvalidAuthorizationSpec,
			"role \"%s\" does not exist", s.user)
	}
	// Tools that stream the log name a database of theirs, or none.
	physical := s.conn.Replication() == pgwire.PhysicalReplication
	if db := params["database"]; db != "" && db != databaseName && !physical {
		return pgwire.Fatalf(pgwire.CodeInvalidCatalogName, "database \"%s\" does not exist", db)
	}
	names := make([]string, 0, len(params))
	for name := range params {
		names = append(names, name)
	}
	// Errors must not depend on the order of a map. What stands by itself wins over the options.
	sort.Strings(names)
	if err := s.applyOptions(params["options"]); err != nil {
		return err
	}
	for _, name := range names {
		switch name {
		case "user", "database", "replication", "options":
			continue
		}
		if err := s.setSetting(name, params[name], scopeStartup); err != nil {
			return fatal(err)
		}
	}
	return nil
}

// applyOptions reads PGOPTIONS: -c name=value and --name=value.
func (s *session) applyOptions(text string) *pgwire.Error {
	words := splitOptions(text)
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch {
		case word == "-c" && i+1 < len(words):
			i++
			word = words[i]
		case strings.HasPrefix(word, "-c"):
			word = word[2:]
		case strings.HasPrefix(word, "--"):
			word = word[2:]
		default:
			return pgwire.Fatalf(pgwire.CodeSyntaxError,
				"invalid command-line argument for server process: %s", word)
		}
		name, value, ok := strings.Cut(word, "=")
		if !ok {
			return pgwire.Fatalf(pgwire.CodeSyntaxError, "-c %s requires a value", word)
		}
		// As on Postgres' command line, where a hyphen is typed for an underscore.
		err := s.setSetting(strings.ReplaceAll(name, "-", "_"), value, scopeStartup)
		if err != nil {
			return fatal(err)
		}
	}
	return nil
}

// splitOptions cuts at white space; a backslash keeps the character behind it.
func splitOptions(text string) (words []string) {
	var word strings.Builder
	inWord := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			word.WriteByte(text[i])
			inWord = true
		case strings.IndexByte(" \t\n\r\v\f", c) >= 0:
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words
}

func fatal(err error) *pgwire.Error {
	e := *wireError(err)
	e.Severity = pgwire.SeverityFatal
	return &e
}
