package server

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ackdb/engine"
	"ackdb/pgwire"
)

// receiptSettings are those of receipts and of the limit of what may be acknowledged unflushed.
var receiptSettings = []setting{
	{name: "ack.commit_wait", kind: kindReal, context: contextUser, unit: unitMillisecond,
		max: maxInt32, boot: "0", category: catReceipts,
		short: "Sets how long an asynchronous commit waits to be flushed before it is answered."},
	{name: "ack.loss_window", kind: kindString, context: contextInternal, category: catReceipts,
		live:  (*session).showLossWindow,
		short: "Shows what a power cut now would take of acknowledged commits."},
	{name: "ack.max_async_loss", kind: kindString, context: contextUser, boot: "100ms, 16MB",
		category: catReceipts, check: checkLossLimit,
		short: "Limits the time and log by which acknowledged commits may be ahead of the disk."},
	{name: "ack.on_loss_limit", kind: kindEnum, context: contextUser,
		enum: []string{"delay", "reject"}, boot: "delay", category: catReceipts,
		short: "Sets what becomes of a commit over ack.max_async_loss."},
	{name: "ack.read_durability", kind: kindEnum, context: contextUser,
		enum: []string{"visible", "flushed"}, boot: "visible", category: catReceipts,
		short: "Sets whether what a power cut could take back is shown."},
	{name: "ack.report_commit", kind: kindBool, context: contextUser, boot: "off",
		category: catReceipts,
		short:    "Reports each commit's token and level as ParameterStatus."},
}

// noLossLimit is the text of a limit that bounds nothing.
const noLossLimit = "off"

// parseLossLimit reads a time, a size, or both with a comma between; what is missing is not
// bounded.
func parseLossLimit(text string) (limit engine.LossLimit, ok bool) {
	if strings.EqualFold(strings.TrimSpace(text), noLossLimit) {
		return engine.LossLimit{}, true
	}
	for _, part := range strings.Split(text, ",") {
		part = strings.TrimSpace(part)
		end := strings.LastIndexAny(part, "0123456789.") + 1
		number, err := strconv.ParseFloat(part[:end], 64)
		if err != nil {
			return limit, false
		}
		given := strings.TrimSpace(part[end:])
		if factor, found := findSuffix(timeSuffixes, given); found && limit.Age == 0 {
			limit.Age = time.Duration(withinLossMax(number*factor)) * time.Microsecond
		} else if factor, found := findSuffix(sizeSuffixes, given); found && limit.Bytes == 0 {
			limit.Bytes = withinLossMax(number * factor)
		} else {
			return limit, false
		}
		if limit.Age == 0 && limit.Bytes == 0 {
			return limit, false
		}
	}
	return limit, true
}

// lossLimitMax is the most microseconds or bytes a limit may have: more is no limit at all.
const lossLimitMax = 1 << 50

// withinLossMax is a number as a limit has it; 0 when none can.
func withinLossMax(n float64) int64 {
	if !(n >= 1 && n <= lossLimitMax) {
		return 0
	}
	return int64(n)
}

func findSuffix(list []suffix, name string) (factor float64, found bool) {
	for _, s := range list {
		if s.name == name {
			return s.factor, true
		}
	}
	return 0, false
}

// formatLossLimit prints a limit as SHOW does.
func formatLossLimit(limit engine.LossLimit) string {
	var parts []string
	if limit.Age > 0 {
		parts = append(parts, formatUnits(timeSuffixes, limit.Age.Microseconds()))
	}
	if limit.Bytes > 0 {
		parts = append(parts, formatUnits(sizeSuffixes, limit.Bytes))
	}
	if parts == nil {
		return noLossLimit
	}
	return strings.Join(parts, ", ")
}

// formatUnits prints a number in the largest unit that divides it.
func formatUnits(suffixes []suffix, n int64) string {
	for i := len(suffixes) - 1; i > 0; i-- {
		if factor := int64(suffixes[i].factor); n >= factor && n%factor == 0 {
			return fmt.Sprintf("%d%s", n/factor, suffixes[i].name)
		}
	}
	return fmt.Sprintf("%d%s", n, suffixes[0].name)
}

func checkLossLimit(text string) (string, *pgwire.Error) {
	limit, ok := parseLossLimit(text)
	if ok {
		return formatLossLimit(limit), nil
	}
	e := pgwire.Errorf(pgwire.CodeInvalidParameterValue,
		"invalid value for parameter \"ack.max_async_loss\": \"%s\"", text)
	e.Hint = "A time, a size, or both, with their units: \"100ms, 16MB\"; \"off\" for no limit."
	return "", e
}

// serverLossLimit is the limit of all sessions.
func (srv *Server) serverLossLimit() engine.LossLimit {
	text := srv.settings.current.Load().values[idMaxAsyncLoss].text
	limit, _ := parseLossLimit(text)
	return limit
}

// refuseLooserLimit: a session may only tighten what the server promises to all.
func (s *session) refuseLooserLimit(text string) error {
	limit, ok := parseLossLimit(text)
	if !ok {
		return nil // refused by checkLossLimit, with better words
	}
	server := s.server.serverLossLimit()
	looser := limit == engine.LossLimit{} && server != engine.LossLimit{} ||
		server.Age > 0 && limit.Age > server.Age ||
		server.Bytes > 0 && limit.Bytes > server.Bytes
	if looser {
		e := pgwire.Errorf(pgwire.CodeInvalidParameterValue,
			"ack.max_async_loss of a session can only be tighter than the server's, which is %s",
			formatLossLimit(server))
		e.Hint = "ALTER SYSTEM SET ack.max_async_loss and a reload change it for all."
		return e
	}
	return nil
}

// lossLimit is the session's own limit; zero when it has none.
func (s *session) lossLimit() engine.LossLimit {
	own := s.settings.own[idMaxAsyncLoss].top()
	if own == nil {
		return engine.LossLimit{}
	}
	if s.receipts.limitText != own.text {
		s.receipts.limitText = own.text
		s.receipts.limit, _ = parseLossLimit(own.text)
	}
	return s.receipts.limit
}
