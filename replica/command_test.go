package replica

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

// The exact texts that pg_receivewal and pg_basebackup 15 send.
var toolCommands = map[string]Command{
	`IDENTIFY_SYSTEM`:                        IdentifySystem{},
	`CREATE_REPLICATION_SLOT "s1" PHYSICAL`:  CreateSlot{Name: "s1"},
	`READ_REPLICATION_SLOT s1`:               ReadSlot{Name: "s1"},
	`DROP_REPLICATION_SLOT "s"`:              DropSlot{Name: "s"},
	`TIMELINE_HISTORY 2`:                     TimelineHistory{Timeline: 2},
	`START_REPLICATION 0/1000000 TIMELINE 1`: StartReplication{From: 0x1000000, Timeline: 1},
	`START_REPLICATION SLOT "s1" 2/A000000 TIMELINE 3`: StartReplication{
		Slot: "s1", From: 0x20a000000, Timeline: 3,
	},
	`CREATE_REPLICATION_SLOT "pg_basebackup_815" TEMPORARY PHYSICAL ( RESERVE_WAL)`: CreateSlot{
		Name: "pg_basebackup_815", Temporary: true, Reserve: true,
	},
	`BASE_BACKUP ( LABEL 'pg_basebackup base backup',  PROGRESS,  TARGET 'client')`: BaseBackup{
		Label: "pg_basebackup base backup", Progress: true, Wait: true,
	},
	`BASE_BACKUP ( LABEL 'pg_basebackup base backup',  PROGRESS,  CHECKPOINT 'fast',  WAL,  ` +
		`WAIT 0,  MAX_RATE 1024,  TABLESPACE_MAP,  MANIFEST 'yes',  TARGET 'client')`: BaseBackup{
		Label: "pg_basebackup base backup", Progress: true, Fast: true, WAL: true, MaxRate: 1024,
		Manifest: true,
	},
}

func TestParseCommandsOfTheTools(t *testing.T) {
	for text, want := range toolCommands {
		got, err := ParseCommand(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

var handshakeExample = Handshake{
	Version: 1, Node: 0x0123456789abcdef, System: 7300000000000000001, CRC: 0xdeadbeef,
	Position: wal.Token{EpochID: wal.EpochID{Timeline: 2, Epoch: 0x2a9f31c07b}, LSN: 0x16B3748},
}

func TestParseCommandVariants(t *testing.T) {
	for text, want := range map[string]Command{
		" identify_system ; ": IdentifySystem{},
		`CREATE_REPLICATION_SLOT s1 TEMPORARY PHYSICAL RESERVE_WAL`: CreateSlot{
			Name: "s1", Temporary: true, Reserve: true,
		},
		`CREATE_REPLICATION_SLOT S1 PHYSICAL (RESERVE_WAL false)`: CreateSlot{Name: "s1"},
		`DROP_REPLICATION_SLOT s WAIT;`:                           DropSlot{Name: "s", Wait: true},
		`START_REPLICATION PHYSICAL 0/1`:                          StartReplication{From: 1},
		`BASE_BACKUP`: BaseBackup{
			Label: "base backup", Wait: true,
		},
		`BASE_BACKUP LABEL 'it''s' PROGRESS FAST WAL NOWAIT MAX_RATE 32 TABLESPACE_MAP ` +
			`NOVERIFY_CHECKSUMS MANIFEST 'no'`: BaseBackup{
			Label: "it's", Progress: true, Fast: true, WAL: true, MaxRate: 32,
		},
		`BASE_BACKUP ( LABEL 'ackdb seed', PROGRESS, CHECKPOINT 'fast', WAIT 0 )`: BaseBackup{
			Label: "ackdb seed", Progress: true, Fast: true,
		},
		handshakeExample.String(): handshakeExample,
	} {
		got, err := ParseCommand(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

func TestParseCommandRefuses(t *testing.T) {
	for text, code := range map[string]string{
		`CREATE_REPLICATION_SLOT`:                                  codeSyntax,
		`CREATE_REPLICATION_SLOT s`:                                codeSyntax,
		`CREATE_REPLICATION_SLOT s LOGICAL pgoutput`:               codeNotSupported,
		`CREATE_REPLICATION_SLOT s PHYSICAL (TWO_PHASE)`:           codeSyntax,
		`CREATE_REPLICATION_SLOT s PHYSICAL (RESERVE_WAL maybe)`:   codeSyntax,
		`CREATE_REPLICATION_SLOT "s PHYSICAL`:                      codeSyntax,
		`START_REPLICATION SLOT s LOGICAL 0/0`:                     codeNotSupported,
		`START_REPLICATION 17`:                                     codeSyntax,
		`START_REPLICATION 0/1 TIMELINE 0`:                         codeSyntax,
		`START_REPLICATION 0/1 TIMELINE`:                           codeSyntax,
		`START_REPLICATION 0/1 TIMELINE 1 2`:                       codeSyntax,
		`TIMELINE_HISTORY x`:                                       codeSyntax,
		`IDENTIFY_SYSTEM now`:                                      codeSyntax,
		`BASE_BACKUP (`:                                            codeSyntax,
		`BASE_BACKUP (LABEL 'x'`:                                   codeSyntax,
		`BASE_BACKUP (LABEL 'x', LABEL 'y')`:                       codeSyntax,
		`BASE_BACKUP (MAX_RATE 31)`:                                codeOutOfRange,
		`BASE_BACKUP (MAX_RATE)`:                                   codeOutOfRange,
		`BASE_BACKUP (TARGET 'server', TARGET_DETAIL '/x')`:        codeNotSupported,
		`BASE_BACKUP (COMPRESSION 'gzip')`:                         codeNotSupported,
		`BASE_BACKUP (CHECKPOINT 'soon')`:                          codeSyntax,
		`BASE_BACKUP (FLUX)`:                                       codeSyntax,
		`ACK_HANDSHAKE VERSION 1`:                                  codeSyntax,
		`ACK_HANDSHAKE VERSION 1 NODE x SYSTEM 1 POSITION 1 CRC 0`: codeSyntax,
	} {
		_, err := ParseCommand(text)
		var told *Error
		require.ErrorAs(t, err, &told, text)
		require.Equal(t, code, told.Code, text)
	}
	for _, text := range []string{
		"", ";", "SHOW wal_segment_size", "select 1", "'x'", `"IDENTIFY_SYSTEM"`,
	} {
		_, err := ParseCommand(text)
		require.ErrorIs(t, err, ErrNotCommand, text)
	}
	_, err := ParseCommand("IDENTIFY_SYSTEM" + string(make([]byte, MaxCommandSize)))
	require.ErrorIs(t, err, ErrNotCommand)
}

func FuzzParseCommand(f *testing.F) {
	for text := range toolCommands {
		f.Add(text)
	}
	f.Add(handshakeExample.String())
	f.Add(`BASE_BACKUP LABEL 'it''s' FAST MAX_RATE 32`)
	f.Add(`START_REPLICATION SLOT "a""b" PHYSICAL FFFFFFFF/FFFFFFFF TIMELINE 4294967295;;`)
	f.Fuzz(func(t *testing.T, text string) {
		command, err := ParseCommand(text)
		if err != nil {
			return
		}
		require.NotEmpty(t, command.Tag())
		if h, ok := command.(Handshake); ok {
			again, err := ParseCommand(h.String())
			require.NoError(t, err)
			require.Equal(t, h, again)
		}
	})
}
