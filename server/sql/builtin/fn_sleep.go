package builtin

import (
	"context"
	"time"

	"ackdb/server/sql/types"
)

func evalSleep(c *Context, a []Datum) (Datum, error) {
	seconds := a[0].Float()
	if !(seconds > 0) {
		return types.NewString(types.Void, ""), nil
	}
	return sleep(c, time.Duration(min(seconds, maxSleep.Seconds())*float64(time.Second)))
}

// maxSleep keeps a sleep within what a Duration can hold.
const maxSleep = 100 * 365 * 24 * time.Hour

func evalSleepFor(c *Context, a []Datum) (Datum, error) {
	s := a[0].Span()
	days := int64(s.Months)*30 + int64(s.Days)
	seconds := float64(days)*86400 + float64(s.Micros)/1e6
	return evalSleep(c, []Datum{types.NewFloat8(seconds)})
}

func sleep(c *Context, d time.Duration) (Datum, error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	ctx := c.context()
	select {
	case <-timer.C:
		return types.NewString(types.Void, ""), nil
	case <-ctx.Done():
		return types.Null, context.Cause(ctx)
	}
}
