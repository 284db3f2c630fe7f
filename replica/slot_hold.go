package replica

import (
	"maps"
	"slices"

	"ackdb/wal"
)

// SlotStatus says whether the log a slot needs is there, in Postgres' words.
type SlotStatus string

// The states of a slot. SlotNone is of one that nothing is held for yet.
const (
	SlotNone       SlotStatus = ""
	SlotReserved   SlotStatus = "reserved"   // within max_wal_size
	SlotExtended   SlotStatus = "extended"   // beyond it, but held
	SlotUnreserved SlotStatus = "unreserved" // there still, and given up at the next recycling
	SlotLost       SlotStatus = "lost"
)

// SlotInfo is what a slot looks like from outside.
type SlotInfo struct {
	Name      string
	Temporary bool
	Active    int32   // the session that uses it, 0: none
	Restart   wal.LSN // 0: nothing is held
	Timeline  uint32  // of Restart, 0: none
	Status    SlotStatus

	// SafeWALSize is how many bytes may be written before the slot may be lost; Limited says
	// whether there is such a bound.
	SafeWALSize int64
	Limited     bool
}

// Hold is from where on the log is kept for slots, 0 when it need not be. Recycling asks it, and
// gives up whatever is below, so a slot beyond its limit is lost here. What is held for a slot is
// what the file says of it: with the newer position in memory, a crash would leave a slot that
// points at log which is gone.
func (s *Slots) Hold() wal.LSN {
	s.check(true)
	if err := s.save(); err != nil && s.opts.Events.SaveFailed != nil {
		s.opts.Events.SaveFailed(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var hold wal.LSN
	for _, found := range s.slots {
		at := found.restart
		if found.saved != 0 && !found.temporary {
			at = found.saved
		}
		if found.lost || at == 0 {
			continue
		}
		if hold == 0 || at < hold {
			hold = at
		}
	}
	return hold
}

// slotEvent is something to tell once the lock is given back.
type slotEvent struct {
	tell  func(SlotInfo, int64, int64)
	slot  SlotInfo
	held  int64
	limit int64
}

// check looks at what every slot holds: it warns of those near their limit and, when log is about
// to be recycled, gives up those beyond it.
func (s *Slots) check(recycling bool) {
	limits := s.opts.Limits()
	s.mu.Lock()
	var events []slotEvent
	if s.log != nil {
		for _, found := range s.slots {
			events = append(events, s.checkLocked(found, limits, recycling)...)
		}
	}
	s.mu.Unlock()
	for _, e := range events {
		if e.tell != nil {
			e.tell(e.slot, e.held, e.limit)
		}
	}
}

// checkLocked looks at one slot. REQUIRES: mu.
func (s *Slots) checkLocked(found *slot, limits SlotLimits, recycling bool) []slotEvent {
	if found.restart == 0 || found.lost {
		return nil
	}
	limit, held := limits.limit(), int64(s.log.Flushed())-int64(found.restart)
	var events []slotEvent
	event := func(tell func(SlotInfo, int64, int64)) {
		events = append(events, slotEvent{tell, s.infoLocked(found, limits), held, limit})
	}
	switch {
	case limit < 0 || held < limit/2:
		found.warned = false
	case held > limit/4*3 && !found.warned:
		found.warned = true
		event(s.opts.Events.NearLimit)
	}
	// An older file of slots, put back by hand, may point at log that is gone.
	if recycling && limit >= 0 && held > limit || found.restart < s.log.Oldest() {
		s.loseLocked(found)
		event(s.opts.Events.Lost)
	}
	return events
}

// loseLocked gives a slot up. REQUIRES: mu.
func (s *Slots) loseLocked(found *slot) {
	found.lost = true
	s.dirty = s.dirty || !found.temporary
	if found.active != 0 {
		close(found.ended)
	}
}

// limit is how many bytes a slot may hold, below 0 any number.
func (l SlotLimits) limit() int64 {
	if l.MaxKeep < 0 {
		return -1
	}
	return max(l.MaxKeep, l.KeepSize)
}

// segmentOf is the first position of the segment that holds pos.
func segmentOf(log *wal.Log, pos wal.LSN) wal.LSN {
	return pos - pos%wal.LSN(log.SegmentSize())
}

// infoLocked is what a slot looks like now. REQUIRES: mu.
func (s *Slots) infoLocked(found *slot, limits SlotLimits) SlotInfo {
	info := SlotInfo{
		Name: found.name, Temporary: found.temporary, Active: found.active,
		Restart: found.restart,
	}
	if found.temporary && info.Active == 0 {
		info.Active = found.owner
	}
	if found.lost {
		info.Status, info.Restart = SlotLost, 0
		return info
	}
	if found.restart == 0 || s.log == nil {
		return info
	}
	info.Timeline = timelineAt(s.log.Timelines(), found.restart)
	flushed, limit := s.log.Flushed(), limits.limit()
	held := int64(flushed) - int64(found.restart)
	switch {
	case limit >= 0 && held > limit:
		info.Status = SlotUnreserved
	case held > limits.MaxWAL:
		info.Status = SlotExtended
	default:
		info.Status = SlotReserved
	}
	if limit >= 0 {
		info.Limited, info.SafeWALSize = true, limit-held
	}
	return info
}

// timelineAt is the timeline on which the log goes on at pos.
func timelineAt(list []wal.Timeline, pos wal.LSN) uint32 {
	for i := len(list) - 1; i > 0; i-- {
		if list[i].Fork <= pos {
			return list[i].ID
		}
	}
	if len(list) == 0 {
		return 0
	}
	return list[0].ID
}

// List is every slot, by name.
func (s *Slots) List() []SlotInfo {
	limits := s.opts.Limits()
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]SlotInfo, 0, len(s.slots))
	for _, name := range slices.Sorted(maps.Keys(s.slots)) {
		list = append(list, s.infoLocked(s.slots[name], limits))
	}
	return list
}

// Get is one slot.
func (s *Slots) Get(name string) (SlotInfo, bool) {
	limits := s.opts.Limits()
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.slots[name]
	if !ok {
		return SlotInfo{}, false
	}
	return s.infoLocked(found, limits), true
}
