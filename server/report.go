package server

import "ackdb/pgwire"

// reportSettings tells the client of each reported setting that is not what it was told last. The
// version makes it cheap when nothing was set.
func (s *session) reportSettings(w *pgwire.Writer) {
	r := &s.reported
	now := s.server.settings.current.Load()
	if r.texts != nil && r.version == s.settings.version && r.defaults == now {
		return
	}
	if r.texts == nil {
		r.texts = make(map[settingID]string)
	}
	r.version, r.defaults = s.settings.version, now
	for i := range settings {
		def := &settings[i]
		if !def.report {
			continue
		}
		text := s.showSetting(def)
		if last, ok := r.texts[def.id]; !ok || last != text {
			r.texts[def.id] = text
			w.ParameterStatus(def.name, text)
		}
	}
	s.mu.Lock()
	s.activity.app = s.appName()
	s.mu.Unlock()
}

// showSetting is SHOW.
func (s *session) showSetting(def *setting) string {
	if def.live != nil {
		return def.live(s)
	}
	return def.show(s.settings.get(def.id))
}
