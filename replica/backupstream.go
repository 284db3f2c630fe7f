package replica

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"ackdb/pgwire"
)

// The messages of a base backup, by their first byte: 'n' a new archive {name, tablespace}, 'd' bytes
// of it, 'p' how many bytes have been sent, 'm' the manifest, which we do not ask for.
const (
	backupArchive  = 'n'
	backupData     = 'd'
	backupProgress = 'p'
)

// progressInterval is the least between two reports of progress.
const progressInterval = time.Second

// SeedProgress is how far a base backup has come.
type SeedProgress struct {
	Bytes  int64         // received
	Total  int64         // as upstream estimated before it began; 0: it did not
	Rate   float64       // bytes a second since the beginning
	ETA    time.Duration // at that rate; 0 when it cannot be told
	Active time.Duration // since the beginning
	Done   bool
}

// Percent is how much of the backup has come, at most 100; 0 when the total is not known.
func (p SeedProgress) Percent() float64 {
	if p.Total <= 0 {
		return 0
	}
	return min(100*float64(p.Bytes)/float64(p.Total), 100)
}

func (p SeedProgress) String() string {
	const mib = 1 << 20
	s := fmt.Sprintf("%.1f MB", float64(p.Bytes)/mib)
	if p.Total > 0 {
		s = fmt.Sprintf("%.0f%%, %.1f of %.1f MB", p.Percent(), float64(p.Bytes)/mib,
			float64(p.Total)/mib)
	}
	s += fmt.Sprintf(", %.1f MB/s", p.Rate/mib)
	if p.ETA > 0 {
		s += ", " + p.ETA.Round(time.Second).String() + " left"
	}
	return s
}

// backupStream is the archive of a base backup as a stream of bytes, and counts them.
type backupStream struct {
	copy     UpstreamCopy
	opts     *SeedOptions
	archives int
	rest     []byte // of the current message
	total    int64
	bytes    int64
	began    time.Time
	told     time.Time
}

func newBackupStream(c UpstreamCopy, opts SeedOptions) *backupStream {
	now := opts.Clock.Now()
	return &backupStream{copy: c, opts: &opts, total: backupSize(c.Before()), began: now, told: now}
}

// backupSize is what the second result set says: kilobytes, of one tablespace.
func backupSize(before []*pgwire.Result) int64 {
	kilobytes, err := strconv.ParseInt(text(firstRow(before), 2), 10, 64)
	if err != nil || kilobytes < 0 || kilobytes > 1<<50 {
		return 0 // shown only
	}
	return kilobytes << 10
}

// Read gives the bytes of the archive; io.EOF when the copy has ended.
func (s *backupStream) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		if err := s.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *backupStream) next() error {
	// The deadline is a matter of the network's time, whatever clock measures the progress.
	if err := s.copy.SetDeadline(time.Now().Add(s.opts.Timeout)); err != nil {
		return fmt.Errorf("replica: seed: %w", err)
	}
	msg, err := s.copy.Next()
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	if err != nil {
		return fmt.Errorf("replica: seed: receive: %w", err)
	}
	if err := s.message(msg); err != nil {
		return err
	}
	s.progress(false)
	return nil
}

func (s *backupStream) message(msg []byte) error {
	if len(msg) == 0 {
		return protocolError("an empty message in a base backup")
	}
	switch msg[0] {
	case backupArchive:
		if s.archives++; s.archives > 1 {
			return protocolError("a second archive in a base backup")
		}
	case backupData:
		if s.archives == 0 {
			return protocolError("bytes of a base backup before its archive")
		}
		s.rest = msg[1:]
		s.bytes += int64(len(s.rest))
	case backupProgress:
		if len(msg) != 1+8 || int64(binary.BigEndian.Uint64(msg[1:])) < 0 {
			return protocolError("progress of %d bytes in a base backup", len(msg))
		}
	default:
		return protocolError("message %q in a base backup", msg[0])
	}
	return nil
}

// finish reads what is left behind the archive, and upstream's word that the backup is whole.
func (s *backupStream) finish() error {
	for {
		err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	results, err := s.copy.Finish()
	if err != nil {
		return fmt.Errorf("replica: seed: end of backup: %w", err)
	}
	if firstRow(results) == nil {
		return protocolError("a base backup without its end")
	}
	return nil
}

// progress tells how far the backup is, if that is due.
func (s *backupStream) progress(done bool) {
	now := s.opts.Clock.Now()
	if !done && now.Sub(s.told) < progressInterval {
		return
	}
	s.told = now
	if done {
		s.total = s.bytes // it was an estimate
	}
	p := SeedProgress{Bytes: s.bytes, Total: s.total, Active: now.Sub(s.began), Done: done}
	if seconds := p.Active.Seconds(); seconds > 0 {
		p.Rate = float64(s.bytes) / seconds
	}
	if left := s.total - s.bytes; left > 0 && p.Rate > 0 && !done {
		p.ETA = time.Duration(float64(left) / p.Rate * float64(time.Second))
	}
	s.opts.Progress(p)
}
