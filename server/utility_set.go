package server

import (
	"strconv"
	"strings"

	"ackdb/pgwire"
	"ackdb/server/sql/parse"
)

// setStmt runs SET and RESET.
func (s *session) setStmt(n *parse.VariableSetStmt) (string, error) {
	switch n.Kind {
	case parse.SetResetAll:
		s.enter()
		s.settings.resetAll()
		return "RESET", nil
	case parse.SetReset:
		return "RESET", s.resetSetting(n.Name, scopeSession)
	case parse.SetTransaction:
		return "SET", s.setTransaction(n)
	}
	at := scopeSession
	if n.Local {
		at = scopeLocal
		s.warnOutsideBlock("SET LOCAL")
	}
	if n.Kind != parse.SetValue {
		return "SET", s.resetSetting(n.Name, at)
	}
	text, err := setArguments(n)
	if err != nil {
		return "", err
	}
	return "SET", s.setSetting(n.Name, text, at)
}

func (s *session) warnOutsideBlock(what string) {
	if s.txn.block == blockNone {
		s.notice(warning(pgwire.CodeNoActiveSQLTransaction,
			"%s can only be used in transaction blocks", what))
	}
}

// setTransaction runs SET TRANSACTION, for this one, and SESSION CHARACTERISTICS, for those to
// come.
func (s *session) setTransaction(n *parse.VariableSetStmt) error {
	if n.Snapshot != "" {
		return errUnsupported("SET TRANSACTION SNAPSHOT")
	}
	if !n.Session {
		s.warnOutsideBlock("SET TRANSACTION")
		s.enter()
		return s.setModes(n.Modes)
	}
	if n.Modes.Isolation != "" {
		err := s.setSetting("default_transaction_isolation", n.Modes.Isolation, scopeSession)
		if err != nil {
			return err
		}
	}
	for name, flag := range map[string]*bool{
		"default_transaction_read_only":  n.Modes.ReadOnly,
		"default_transaction_deferrable": n.Modes.Deferrable,
	} {
		if flag == nil {
			continue
		}
		if err := s.setSetting(name, boolValue(*flag).text, scopeSession); err != nil {
			return err
		}
	}
	return nil
}

// setSetting changes a setting of this session.
func (s *session) setSetting(name, text string, at scope) error {
	if at != scopeStartup {
		s.enter()
	}
	def, err := findSetting(name)
	if err != nil {
		if isCustomName(name) {
			return s.settings.setCustom(name, text, at)
		}
		return err
	}
	if handled, err := s.setLive(def, text); handled {
		return err
	}
	if def.context == contextSighup {
		// A value that nobody may give is refused for what it is: fsync = off says why.
		if _, bad := def.parse(text); bad != nil {
			return bad
		}
	}
	if err := changeable(def, at); err != nil {
		return err
	}
	if def.id == idMaxAsyncLoss {
		if err := s.refuseLooserLimit(text); err != nil {
			return err
		}
	}
	if err := s.settings.set(def, text, at); err != nil {
		return err
	}
	if def.id == idTransactionTimeout && !s.txn.started.IsZero() {
		// It holds for the transaction that sets it, as in Postgres 17.
		s.timers.stopTransaction()
		s.timers.startTransaction()
	}
	return nil
}

// setLive sets what is a property of the transaction rather than of the session.
func (s *session) setLive(def *setting, text string) (handled bool, err error) {
	var m parse.TransactionModes
	switch def.id {
	case idTxnIsolation:
		v, bad := def.parse(text)
		if bad != nil {
			return true, bad
		}
		m.Isolation = v.text
	case idTxnReadOnly, idTxnDeferrable:
		v, bad := def.parse(text)
		if bad != nil {
			return true, bad
		}
		on := v.number != 0
		if def.id == idTxnReadOnly {
			m.ReadOnly = &on
		} else {
			m.Deferrable = &on
		}
	default:
		return false, nil
	}
	s.enter()
	return true, s.setModes(m)
}

// changeable tells whether a session may change the setting.
func changeable(def *setting, at scope) error {
	refuse := func(format string) error {
		return pgwire.Errorf(pgwire.CodeCantChangeRuntimeParam, format, def.name)
	}
	switch def.context {
	case contextInternal, contextInit:
		return refuse("parameter \"%s\" cannot be changed")
	case contextPostmaster:
		return refuse("parameter \"%s\" cannot be changed without restarting the server")
	case contextSighup:
		return refuse("parameter \"%s\" cannot be changed now")
	case contextBackend:
		if at != scopeStartup {
			return refuse("parameter \"%s\" cannot be set after connection start")
		}
	}
	return nil
}

// resetSetting is RESET and SET ... TO DEFAULT.
func (s *session) resetSetting(name string, at scope) error {
	s.enter()
	def, err := findSetting(name)
	if err != nil {
		if isCustomName(name) {
			if o := s.settings.custom[strings.ToLower(name)]; o != nil {
				s.settings.change(o, nil, at)
			}
			return nil
		}
		return err
	}
	if def.live != nil {
		return s.resetLive(def)
	}
	if err := changeable(def, at); err != nil {
		return err
	}
	if at == scopeLocal {
		v := s.settings.resetValue(def.id)
		s.settings.change(&s.settings.own[def.id], &v, scopeLocal)
		return nil
	}
	s.settings.change(&s.settings.own[def.id], nil, at)
	return nil
}

func (s *session) resetLive(def *setting) error {
	defaults := map[settingID]settingID{idTxnIsolation: idDefaultIsolation,
		idTxnReadOnly: idDefaultReadOnly, idTxnDeferrable: idDefaultDeferrable}
	if id, ok := defaults[def.id]; ok {
		_, err := s.setLive(def, s.settings.get(id).text)
		return err
	}
	// RESET SESSION AUTHORIZATION: it has never changed.
	return nil
}

// listSettings take several arguments; those that are names have them quoted where needed.
var listSettings = map[string]bool{"search_path": true, "temp_tablespaces": true,
	"datestyle": false, "synchronous_standby_names": false, "listen_addresses": false}

// setArguments gives the text of SET's arguments.
func setArguments(n *parse.VariableSetStmt) (string, error) {
	quote, list := listSettings[strings.ToLower(n.Name)]
	if len(n.Args) > 1 && !list {
		return "", pgwire.Errorf(pgwire.CodeInvalidParameterValue,
			"SET %s takes only one argument", n.Name)
	}
	var parts []string
	for _, arg := range n.Args {
		text, isName, err := setArgument(arg)
		if err != nil {
			return "", err
		}
		if quote && isName {
			text = quoteIdentifier(text)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", "), nil
}

func setArgument(arg parse.Expr) (text string, isString bool, err error) {
	switch n := arg.(type) {
	case *parse.Const:
		switch n.Kind {
		case parse.ConstInt4, parse.ConstInt8:
			return strconv.FormatInt(n.Int, 10), false, nil
		case parse.ConstBool:
			return boolValue(n.Int != 0).text, false, nil
		case parse.ConstNumeric:
			return n.Str, false, nil
		case parse.ConstString:
			return n.Str, true, nil
		}
	case *parse.CastExpr:
		// SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE
		return setArgument(n.Arg)
	}
	return "", false, errUnsupported("this argument of SET")
}

// showColumns describes the rows of SHOW.
func showColumns(name string) ([]pgwire.Column, error) {
	if strings.EqualFold(name, "all") {
		return []pgwire.Column{textColumn("name"), textColumn("setting"),
			textColumn("description")}, nil
	}
	def, err := findSetting(name)
	if err == nil {
		return []pgwire.Column{textColumn(def.name)}, nil
	}
	if isCustomName(name) {
		return []pgwire.Column{textColumn(name)}, nil
	}
	return nil, err
}

func (s *session) show(w *pgwire.Writer, name string) error {
	if strings.EqualFold(name, "all") {
		for i := range settings {
			def := &settings[i]
			if err := writeTexts(w, def.name, s.showSetting(def), def.short); err != nil {
				return err
			}
		}
		return nil
	}
	text, ok := s.lookupSetting(name)
	if !ok {
		_, err := findSetting(name)
		return err
	}
	return writeTexts(w, text)
}

// lookupSetting is SHOW and current_setting.
func (s *session) lookupSetting(name string) (string, bool) {
	if def, err := findSetting(name); err == nil {
		return s.showSetting(def), true
	}
	return s.settings.customText(name)
}

// writeTexts writes a row of texts. Text and binary formats are the same for them.
func writeTexts(w *pgwire.Writer, values ...string) error {
	w.BeginRow(len(values))
	for _, v := range values {
		w.EndValue(append(w.BeginValue(), v...))
	}
	return w.EndRow()
}
