package builtin

import "ackdb/server/sql/types"

// Receipts is a Host that can say what became of commits, and which channels the session hears.
type Receipts interface {
	// LastCommit is the token of the session's newest commit that wrote; false before the first.
	LastCommit() (token string, ok bool)
	// CommitStatus judges a token: durable, lost or unknown.
	CommitStatus(token string) (string, error)
	// Channels are those the session listens on.
	Channels() []string
	// NotificationQueueUsage is how full the queue of notifications is, from 0 to 1.
	NotificationQueueUsage() float64
}

func init() {
	register(
		fn("ack_last_commit", types.Text, evalLastCommit).volatile(),
		fn("ack_commit_status", types.Text, evalCommitStatus, types.Text).volatile(),
		setFn("pg_listening_channels", types.Text, evalChannels).stable(),
		fn("pg_notification_queue_usage", types.Float8, evalQueueUsage).volatile(),
	)
}

func (c *Context) receipts(function string) (Receipts, error) {
	h, err := c.host(function)
	if err != nil {
		return nil, err
	}
	if r, ok := h.(Receipts); ok {
		return r, nil
	}
	return nil, types.Errorf(types.CodeFeatureNotSupported, "%s is not supported here", function)
}

func evalLastCommit(c *Context, _ []Datum) (Datum, error) {
	r, err := c.receipts("ack_last_commit")
	if err != nil {
		return types.Null, err
	}
	token, ok := r.LastCommit()
	if !ok {
		return types.Null, nil
	}
	return types.NewText(token), nil
}

func evalCommitStatus(c *Context, a []Datum) (Datum, error) {
	r, err := c.receipts("ack_commit_status")
	if err != nil {
		return types.Null, err
	}
	status, err := r.CommitStatus(a[0].Str())
	if err != nil {
		return types.Null, err
	}
	return types.NewText(status), nil
}

func evalChannels(c *Context, _ []Datum, yield func(Datum) error) error {
	r, err := c.receipts("pg_listening_channels")
	if err != nil {
		return err
	}
	for _, channel := range r.Channels() {
		if err := yield(types.NewText(channel)); err != nil {
			return err
		}
	}
	return nil
}

func evalQueueUsage(c *Context, _ []Datum) (Datum, error) {
	r, err := c.receipts("pg_notification_queue_usage")
	if err != nil {
		return types.Null, err
	}
	return types.NewFloat8(r.NotificationQueueUsage()), nil
}
