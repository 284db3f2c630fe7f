package plan

// CacheLen counts the plans kept by fingerprint.
func (pl *Planner) CacheLen() int {
	pl.cache.mu.RLock()
	defer pl.cache.mu.RUnlock()
	n := 0
	for _, list := range pl.cache.entries {
		n += len(list)
	}
	return n
}
