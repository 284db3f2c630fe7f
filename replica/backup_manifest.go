package replica

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"
	"hash/crc32"
	"time"

	"ackdb/wal"
)

// manifest is the list of a backup's files, as pg_verifybackup reads it.
type manifest struct {
	text bytes.Buffer // a line a file: some hundred bytes for each some megabytes of archive
}

// begin gives the checksum of the next file.
func (m *manifest) begin() hash.Hash32 { return crc32.New(castagnoli) }

// add lists a file that has been sent.
func (m *manifest) add(name string, size int64, at time.Time, sum uint32) {
	quoted, _ := json.Marshal(name) // of a string: no error
	separator := ",\n"
	if m.text.Len() == 0 {
		separator = "\n"
	}
	// Postgres' tools expect the checksum in the byte order of the machine that made it.
	bytes := []byte{byte(sum), byte(sum >> 8), byte(sum >> 16), byte(sum >> 24)}
	fmt.Fprintf(&m.text, "%s{ \"Path\": %s, \"Size\": %d, \"Last-Modified\": %q, "+
		"\"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \"%x\" }",
		separator, quoted, size, at.UTC().Format("2006-01-02 15:04:05 GMT"), bytes)
}

// sendManifest sends the list behind the archive. Its last line is a checksum of all before it.
func (b *backup) sendManifest(ctx context.Context, timeline uint32, start, end wal.LSN) error {
	var text bytes.Buffer
	text.WriteString("{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [")
	text.Write(b.manifest.text.Bytes())
	fmt.Fprintf(&text, "],\n\"WAL-Ranges\": [\n{ \"Timeline\": %d, \"Start-LSN\": %q, "+
		"\"End-LSN\": %q }\n],\n", timeline, start, end)
	fmt.Fprintf(&text, "\"Manifest-Checksum\": \"%x\"}\n", sha256.Sum256(text.Bytes()))
	if err := b.out.Data([]byte{'m'}); err != nil {
		return err
	}
	for rest := text.Bytes(); len(rest) > 0; {
		n := min(len(rest), backupChunkSize)
		if err := b.rate.wait(ctx, b.hub.stopping, n); err != nil {
			return err
		}
		if err := b.out.Data([]byte{'d'}, rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}
