package server

import (
	"strings"
	"sync/atomic"

	"ackdb/pgwire"
)

// Sources, as pg_settings.source.
const (
	sourceDefault = "default"
	sourceFile    = "configuration file"
	sourceFlag    = "command line"
	sourceClient  = "client"
	sourceSession = "session"
)

// defaults are what every session starts from: boot values, files and flags. Immutable; a reload
// makes new ones.
type defaults struct {
	values []value
	custom map[string]string
}

// serverSettings holds the defaults of the moment.
type serverSettings struct{ current atomic.Pointer[defaults] }

func (s *serverSettings) number(id settingID) int64 { return s.current.Load().values[id].number }

// layers are a session's settings: each layer that has a value hides those below it. Connection
// goroutine only.
type layers struct {
	server *serverSettings
	own    []ownValue // by settingID
	custom map[string]*ownValue
	// journal undoes what the open transaction has set (S3).
	journal []journalEntry
	// version grows with every change, for who keeps something derived.
	version uint64
}

// ownValue is a setting's value in one session, from the top layer down.
type ownValue struct {
	local   *value // SET LOCAL
	session *value // SET
	startup *value // the start-up packet
}

func (o *ownValue) top() *value {
	switch {
	case o.local != nil:
		return o.local
	case o.session != nil:
		return o.session
	}
	return o.startup
}

// journalEntry is a setting as it was before the transaction changed it.
type journalEntry struct {
	target *ownValue
	before ownValue
}

func newLayers(server *serverSettings) layers {
	return layers{server: server, own: make([]ownValue, len(settings))}
}

func (l *layers) get(id settingID) value {
	if v := l.own[id].top(); v != nil {
		return *v
	}
	return l.server.current.Load().values[id]
}

func (l *layers) number(id settingID) int64 { return l.get(id).number }

// resetValue is what RESET goes back to.
func (l *layers) resetValue(id settingID) value {
	if v := l.own[id].startup; v != nil {
		return *v
	}
	return l.server.current.Load().values[id]
}

// customText is the value of a custom setting.
func (l *layers) customText(name string) (string, bool) {
	name = strings.ToLower(name)
	if o := l.custom[name]; o != nil {
		if v := o.top(); v != nil {
			return v.text, true
		}
	}
	text, ok := l.server.current.Load().custom[name]
	return text, ok
}

// scope is where a change goes.
type scope uint8

const (
	scopeSession scope = iota
	scopeLocal
	scopeStartup
)

// change puts v (nil for RESET) at a scope, and remembers what was there.
func (l *layers) change(o *ownValue, v *value, at scope) {
	l.version++
	if at == scopeStartup {
		o.startup = v
		return
	}
	l.journal = append(l.journal, journalEntry{target: o, before: *o})
	if at == scopeLocal {
		o.local = v
		return
	}
	o.local, o.session = nil, v
}

// set checks and stores a setting of the registry.
func (l *layers) set(s *setting, text string, at scope) error {
	v, bad := s.parse(text)
	if bad != nil {
		return bad
	}
	v.source = sourceSession
	if at == scopeStartup {
		v.source = sourceClient
	}
	l.change(&l.own[s.id], &v, at)
	return nil
}

// customMax bounds the custom settings of a session.
const customMax = 1000

func (l *layers) setCustom(name, text string, at scope) error {
	name = strings.ToLower(name)
	if l.custom == nil {
		l.custom = make(map[string]*ownValue)
	}
	o := l.custom[name]
	if o == nil {
		if len(l.custom) >= customMax {
			return pgwire.Errorf(pgwire.CodeConfigurationLimitExceeded,
				"too many custom settings: a session may have %d", customMax)
		}
		o = new(ownValue)
		l.custom[name] = o
	}
	l.change(o, &value{text: text, source: sourceSession}, at)
	return nil
}

// resetAll is RESET ALL.
func (l *layers) resetAll() {
	for i := range l.own {
		if l.own[i].session != nil || l.own[i].local != nil {
			l.change(&l.own[i], nil, scopeSession)
		}
	}
	for _, o := range l.custom {
		l.change(o, nil, scopeSession)
	}
}

// mark is a point to roll back to.
func (l *layers) mark() int { return len(l.journal) }

func (l *layers) rollbackTo(mark int) {
	if len(l.journal) == mark {
		return
	}
	l.version++
	for i := len(l.journal) - 1; i >= mark; i-- {
		*l.journal[i].target = l.journal[i].before
	}
	l.journal = l.journal[:mark]
}

// commit keeps what SET has set and drops what SET LOCAL has.
func (l *layers) commit() {
	if len(l.journal) == 0 {
		return
	}
	l.version++
	for _, e := range l.journal {
		e.target.local = nil
	}
	l.journal = l.journal[:0]
}
