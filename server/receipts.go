package server

import (
	"fmt"
	"strconv"
	"strings"

	"ackdb/engine"
	"ackdb/pgwire"
	"ackdb/server/sql/types"
	"ackdb/wal"
)

// Names under which receipts are reported.
const (
	paramCommitLSN   = "ack.commit_lsn"
	paramCommitLevel = "ack.commit_level"
)

// receipts is what a session knows of its own commits. Connection goroutine only.
type receipts struct {
	last    wal.Token // of the newest commit that wrote; zero before the first
	reached engine.Reached
	// due: the newest is owed to the client as ParameterStatus.
	due  bool
	text []byte // reused

	// The session's loss limit, read once for each text.
	limitText string
	limit     engine.LossLimit
}

// noteCommit keeps the receipt of a transaction. The settings are still the transaction's, so that
// SET LOCAL ack.report_commit holds for the commit that ends it.
func (s *session) noteCommit(result engine.CommitResult) {
	if result.ReadOnly || result.End == 0 {
		return
	}
	r := &s.receipts
	r.last = wal.Token{EpochID: result.EpochID, LSN: result.End}
	r.reached = result.Reached
	s.durable.own, s.durable.committed = result.End, true
	r.due = s.settings.number(idReportCommit) != 0
}

// reportCommit sends the receipt that is owed, if one is: the token, then the level.
func (s *session) reportCommit(w *pgwire.Writer) {
	r := &s.receipts
	if !r.due {
		return
	}
	r.due = false
	r.text = appendToken(r.text[:0], r.last)
	w.ParameterStatus(paramCommitLSN, bytesAsString(r.text))
	w.ParameterStatus(paramCommitLevel, r.reached.String())
}

// appendToken appends a token as wal.Token.String prints it, without allocating.
func appendToken(dst []byte, t wal.Token) []byte {
	dst = strconv.AppendUint(dst, uint64(t.Timeline), 10)
	dst = append(dst, '.')
	dst = strconv.AppendUint(dst, t.Epoch, 16)
	dst = append(dst, '/')
	return appendLSN(dst, t.LSN)
}

func appendLSN(dst []byte, lsn wal.LSN) []byte {
	start := len(dst)
	dst = strconv.AppendUint(dst, uint64(lsn)>>32, 16)
	dst = append(dst, '/')
	dst = strconv.AppendUint(dst, uint64(lsn)&0xffffffff, 16)
	for i := start; i < len(dst); i++ {
		if dst[i] >= 'a' {
			dst[i] -= 'a' - 'A'
		}
	}
	return dst
}

// receiptText is a token as a client gives it. A bare position says nothing of the history it was
// given in: it is compared by number only, and can lie.
type receiptText struct {
	wal.Token
	bare bool
}

func parseReceipt(text string) (receiptText, error) {
	if !strings.ContainsRune(text, '.') {
		lsn, err := wal.ParseLSN(text)
		if err != nil {
			return receiptText{}, types.Errorf(types.CodeInvalidText,
				"invalid input syntax for type pg_lsn: \"%s\"", text)
		}
		return receiptText{Token: wal.Token{LSN: lsn}, bare: true}, nil
	}
	token, err := wal.ParseToken(text)
	if err != nil {
		return receiptText{}, types.Errorf(types.CodeInvalidText,
			"invalid commit token: \"%s\"", text).
			WithHint("A token is timeline.epoch/X/X, as ack_last_commit() gives it.")
	}
	return receiptText{Token: token}, nil
}

// judge says what became of a commit, in the history of this node.
func (srv *Server) judge(r receiptText) wal.Status {
	log := srv.db.Log()
	flushed := log.Flushed()
	if !r.bare {
		return log.Epochs().Judge(r.Token, flushed)
	}
	if r.LSN <= flushed {
		return wal.StatusDurable
	}
	return wal.StatusUnknown
}

// epochAt is the epoch of the record that ends at lsn, or before it.
func epochAt(list wal.EpochList, lsn wal.LSN) wal.EpochID {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Begin < lsn {
			return list[i].EpochID
		}
	}
	return wal.EpochID{}
}

// LastCommit implements builtin.Receipts.
func (h *host) LastCommit() (string, bool) {
	last := h.receipts.last
	return last.String(), last.LSN != 0
}

// CommitStatus implements builtin.Receipts.
func (h *host) CommitStatus(text string) (string, error) {
	r, err := parseReceipt(text)
	if err != nil {
		return "", err
	}
	return h.server.judge(r).String(), nil
}

var epochColumns = columnsOf("timeline", types.Int8, "epoch", types.Text, "begin_lsn", types.PgLSN,
	"end_lsn", types.PgLSN, "node", types.Text, "current", types.Bool)

// epochRows shows every epoch of this node's history. The one that writes has no end yet.
func (srv *Server) epochRows(_ *viewEnv, yield func([]types.Datum) error) error {
	list := srv.db.Log().Epochs()
	for i, e := range list {
		end := types.Null
		if i+1 < len(list) {
			end = types.NewInt(types.PgLSN, int64(list[i+1].Begin))
		}
		row := []types.Datum{types.NewInt8(int64(e.Timeline)),
			types.NewText(strconv.FormatUint(e.Epoch, 16)),
			types.NewInt(types.PgLSN, int64(e.Begin)), end,
			types.NewText(fmt.Sprintf("%016x", e.Node)), types.NewBool(i+1 == len(list))}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}
