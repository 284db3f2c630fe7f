package replica

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"ackdb/wal"
)

const maxSlotName = 63

// SlotLimits bound what slots may cost.
type SlotLimits struct {
	Max int // of them

	// MaxKeep is how many bytes of log a slot may hold behind flushed before it is lost; below 0 is
	// no bound. KeepSize is held whoever needs it, so no slot is lost within it.
	MaxKeep  int64
	KeepSize int64
	MaxWAL   int64 // max_wal_size: within it a slot is `reserved`, beyond `extended`
}

// SlotEvents are told what becomes of slots, by whoever finds out; they must not block. Any may be
// nil.
type SlotEvents struct {
	// NearLimit: a slot holds more than three quarters of what it may, and nobody may notice before
	// it is lost. Told once, and again only after it has been below half of it.
	NearLimit func(slot SlotInfo, held, limit int64)
	// Lost: the log a slot held is given up.
	Lost func(slot SlotInfo, held, limit int64)
	// SaveFailed: the slots could not be written; log is held for what the file says.
	SaveFailed func(error)
}

// SlotsOptions say where slots are kept.
type SlotsOptions struct {
	Dir    string // required: the data directory
	Disk   wal.Disk
	Limits func() SlotLimits
	Events SlotEvents
}

// slot is one replication slot, guarded by Slots.mu. It keeps the log from restart on for a standby
// that may be away.
type slot struct {
	name    string
	restart wal.LSN // the log from here on is needed; 0: nothing yet
	saved   wal.LSN // restart as on disk
	lost    bool    // the log it needs may be gone: it serves nobody any more

	temporary bool  // never on disk, and gone with its owner
	owner     int32 // of a temporary one: its session
	active    int32 // the session that uses it, 0: none
	warned    bool

	ended chan struct{} // of the use under way: closed when the slot is lost under it
	freed chan struct{} // of the use under way: closed when it ends
}

// Slots are a node's replication slots. Their order of locks: saving, then mu; the log's recycling
// lock comes before both, so neither is held where Log.Reserve is called.
type Slots struct {
	opts SlotsOptions

	saving sync.Mutex // held over the writing of file
	file   slotFile   // guarded by saving

	mu    sync.Mutex
	slots map[string]*slot
	log   *wal.Log // nil before attach
	dirty bool     // something differs from what the file says
}

// OpenSlots reads the slots of a data directory. It comes before the log is opened, whose recycling
// asks for Hold.
func OpenSlots(opts SlotsOptions) (*Slots, error) {
	if opts.Disk == nil {
		opts.Disk = wal.OSDisk()
	}
	s := &Slots{
		opts: opts, file: slotFile{disk: opts.Disk, dir: opts.Dir}, slots: make(map[string]*slot),
	}
	list, err := s.file.read()
	if err != nil {
		return nil, err
	}
	for _, stored := range list {
		s.slots[stored.name] = &slot{
			name: stored.name, restart: stored.restart, saved: stored.restart, lost: stored.lost,
		}
	}
	return s, nil
}

// attach tells the slots whose log they hold. Those that point at log which is gone are lost from
// the start.
func (s *Slots) attach(log *wal.Log) {
	s.mu.Lock()
	s.log = log
	s.mu.Unlock()
	s.check(false)
}

func checkSlotName(name string) error {
	switch {
	case name == "":
		return errorf(codeInvalidName, "replication slot name \"\" is too short")
	case len(name) > maxSlotName:
		return errorf(codeNameTooLong, "replication slot name %q is too long", name)
	}
	bad := func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' }
	if strings.ContainsFunc(name, bad) {
		e := errorf(codeInvalidName, "replication slot name %q contains invalid character", name)
		e.Hint = "Replication slot names may only contain lower case letters, numbers, and the " +
			"underscore character."
		return e
	}
	return nil
}

func noSuchSlot(name string) error {
	return errorf(codeUndefinedObject, "replication slot %q does not exist", name)
}

// Create makes a slot, durable when it returns. owner is the session a temporary one goes with.
// With Reserve the log is held from where a standby that begins now would have to begin.
func (s *Slots) Create(c CreateSlot, owner int32) (wal.LSN, error) {
	if err := checkSlotName(c.Name); err != nil {
		return 0, err
	}
	s.mu.Lock()
	log := s.log
	s.mu.Unlock()
	made := &slot{name: c.Name, temporary: c.Temporary}
	if c.Temporary {
		made.owner = owner
	}
	var err error
	add := func(oldest wal.LSN) {
		if c.Reserve {
			made.restart = max(oldest, log.Control().Redo)
		}
		err = s.add(made)
	}
	// Between finding out what there is and holding it nothing may be recycled.
	log.Reserve(add)
	if err != nil || c.Temporary {
		return made.restart, err
	}
	if err := s.save(); err != nil {
		s.remove(made)
		return 0, err
	}
	return made.restart, nil
}

func (s *Slots) add(made *slot) error {
	limits := s.opts.Limits()
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.slots[made.name]; ok {
		return errorf(codeDuplicateObject, "replication slot %q already exists", made.name)
	}
	if len(s.slots) >= min(limits.Max, maxStoredSlots) {
		e := errorf(codeLimitExceeded, "all replication slots are in use")
		e.Hint = "Free one or increase max_replication_slots."
		return e
	}
	s.slots[made.name] = made
	s.dirty = s.dirty || !made.temporary
	return nil
}

func (s *Slots) remove(gone *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.slots[gone.name] == gone {
		delete(s.slots, gone.name)
		s.dirty = s.dirty || !gone.temporary
	}
}

// Drop removes a slot, durably. One in use is refused, or waited for.
func (s *Slots) Drop(ctx context.Context, name string, wait bool) error {
	for {
		gone, busy, err := s.take(name)
		switch {
		case err != nil && (busy == nil || !wait):
			return err
		case err == nil && gone.temporary:
			return nil
		case err == nil:
			return s.dropped(gone)
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// take takes a slot out of the list. busy is closed when one that is in use is free.
func (s *Slots) take(name string) (gone *slot, busy <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.slots[name]
	switch {
	case found == nil:
		return nil, nil, noSuchSlot(name)
	case found.active != 0:
		return nil, found.freed, slotInUse(found)
	}
	delete(s.slots, name)
	s.dirty = s.dirty || !found.temporary
	return found, nil, nil
}

// dropped makes a drop durable, or takes it back: a slot that a restart brings back holds log.
func (s *Slots) dropped(gone *slot) error {
	err := s.save()
	if err == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.slots[gone.name] == nil {
		s.slots[gone.name] = gone
		s.dirty = true
	}
	return err
}

func slotInUse(s *slot) error {
	return errorf(codeInUse, "replication slot %q is active for PID %d", s.name, s.active)
}

// ReleaseSession drops the temporary slots of a session that has ended.
func (s *Slots) ReleaseSession(owner int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, found := range s.slots {
		if found.temporary && found.owner == owner {
			delete(s.slots, name)
		}
	}
}

// slotUse is one session's use of a slot.
type slotUse struct {
	slots *Slots
	slot  *slot
	lost  <-chan struct{} // closed when the slot is lost
}

// acquire gives a session the use of a slot, which is nobody else's until release.
func (s *Slots) acquire(name string, session int32) (*slotUse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.slots[name]
	switch {
	case found == nil:
		return nil, noSuchSlot(name)
	case found.active != 0:
		return nil, slotInUse(found)
	case found.temporary && found.owner != session:
		return nil, errorf(codeInUse, "replication slot %q is active for PID %d", name, found.owner)
	case found.lost:
		return nil, slotLostError(name)
	}
	found.active = session
	found.ended, found.freed = make(chan struct{}), make(chan struct{})
	return &slotUse{slots: s, slot: found, lost: found.ended}, nil
}

func slotLostError(name string) error {
	e := errorf(codeFileGone, "cannot read from physical replication slot %q", name)
	e.Detail = "This slot has been invalidated because it exceeded the maximum reserved size."
	return e
}

// release ends the use.
func (u *slotUse) release() {
	u.slots.mu.Lock()
	defer u.slots.mu.Unlock()
	u.slot.active = 0
	close(u.slot.freed)
}

// advance says that the standby has flushed up to lsn and needs nothing before. It never goes back:
// a receiver that starts again says where it starts, which is lower.
func (u *slotUse) advance(lsn wal.LSN) {
	u.slots.mu.Lock()
	defer u.slots.mu.Unlock()
	if lsn <= u.slot.restart || u.slot.lost {
		return
	}
	u.slot.restart = lsn
	u.slots.dirty = u.slots.dirty || !u.slot.temporary
}

// save writes the slots if anything has changed.
func (s *Slots) save() error {
	s.saving.Lock()
	defer s.saving.Unlock()
	s.mu.Lock()
	if !s.dirty {
		s.mu.Unlock()
		return nil
	}
	var list []storedSlot
	var from []*slot
	for _, found := range s.slots {
		if !found.temporary {
			list = append(list, storedSlot{found.name, found.restart, found.lost})
			from = append(from, found)
		}
	}
	s.dirty = false
	s.mu.Unlock()

	slices.SortFunc(list, func(a, b storedSlot) int { return strings.Compare(a.name, b.name) })
	err := s.file.write(list)

	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.dirty = true
		return err
	}
	at := make(map[string]wal.LSN, len(list))
	for _, stored := range list {
		at[stored.name] = stored.restart
	}
	for _, found := range from {
		found.saved = at[found.name]
	}
	return nil
}

// Close makes the positions of the slots durable.
func (s *Slots) Close() error {
	if err := s.save(); err != nil && !errors.Is(err, wal.ErrClosed) {
		return fmt.Errorf("replica: close slots: %w", err)
	}
	return nil
}
