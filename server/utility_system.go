package server

import (
	"ackdb/pgwire"
	"ackdb/server/sql/parse"
)

// alterSystem is ALTER SYSTEM SET and RESET: it checks the value now, so that the next start does
// not fail on it.
func (s *session) alterSystem(n *parse.VariableSetStmt) error {
	if err := s.forbidBlock("ALTER SYSTEM"); err != nil {
		return err
	}
	if n.Kind == parse.SetResetAll {
		return s.server.alterSystem("all", nil)
	}
	def, err := findSetting(n.Name)
	if err != nil && !isCustomName(n.Name) {
		return err
	}
	if def != nil && (def.context <= contextInit || def.live != nil) {
		return pgwire.Errorf(pgwire.CodeCantChangeRuntimeParam,
			"parameter \"%s\" cannot be changed", def.name)
	}
	if n.Kind != parse.SetValue {
		return s.server.alterSystem(n.Name, nil)
	}
	text, err := setArguments(n)
	if err != nil {
		return err
	}
	if def != nil {
		if _, bad := def.parse(text); bad != nil {
			return bad
		}
	}
	return s.server.alterSystem(n.Name, &text)
}
