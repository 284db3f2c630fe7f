package replica

import (
	"context"
	"errors"
	"fmt"
)

// AwaitUpstream asks upstream whether a log may follow it, and asks again with the receiver's
// back-off until upstream answers. nil: it may. A verdict, behind which asking again is no use, is a
// *DivergedError, a *SystemError or ErrOlderTimeline.
//
// It is for a node that was a primary: its role is given up for an upstream that is there and has
// all of its log, and for nothing else. A standby need not ask: its receiver does, at every link.
func AwaitUpstream(ctx context.Context, opts ReceiverOptions) error {
	r := &Receiver{opts: opts.withDefaults()}
	for failures := 1; ; failures++ {
		err := r.ask(ctx)
		if err == nil || verdict(err) {
			return err
		}
		retry := backOff(failures, r.opts.Rand)
		if ctx.Err() == nil {
			r.opts.Events.Lost(err, retry)
		}
		if !pause(ctx, r.opts.Clock, retry) {
			return context.Cause(ctx)
		}
	}
}

// ask introduces us once.
func (r *Receiver) ask(ctx context.Context) error {
	up, err := r.opts.Dial(ctx, r.opts.ConnInfo)
	if err != nil {
		return fmt.Errorf("replica: connect to upstream: %w", err)
	}
	defer func() { _ = up.Close() }()
	err = r.introduce(ctx, up)
	if errors.Is(err, ErrMustReseed) {
		return nil // upstream has had all of our log, and has recycled it since
	}
	return err
}

func verdict(err error) bool {
	var diverged *DivergedError
	var system *SystemError
	return errors.As(err, &diverged) || errors.As(err, &system) || errors.Is(err, ErrOlderTimeline)
}
