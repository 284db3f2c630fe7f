package server

import (
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/pgcatalog"
	"ackdb/server/sql/plan"
)

// Definitions implements pgcatalog.Host: it prints objects as the session's search path finds them.
func (s *session) Definitions() *pgcatalog.Definitions {
	s.refreshText()
	return s.text.definitions
}

// deparsing is what definitions are printed for: the names and settings of the session.
func (s *session) deparsing() plan.Env {
	t := &s.text
	return plan.Env{Catalog: t.snapshot, SearchPath: t.path, Types: &t.env}
}

// DeparseView implements pgcatalog.Deparser.
func (s *session) DeparseView(v *catalog.View, pretty bool, wrap int) (string, bool) {
	text, err := plan.ViewText(s.deparsing(), v, plan.Layout{Pretty: pretty, Wrap: wrap})
	return text, err == nil
}

// DeparseExpression implements pgcatalog.Deparser.
func (s *session) DeparseExpression(t *catalog.Table, kept string, pretty bool) (string, bool) {
	text, err := plan.ExprText(s.deparsing(), t, kept, plan.Layout{Pretty: pretty})
	return text, err == nil
}
