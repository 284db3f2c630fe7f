package replica

import (
	"context"
	"errors"

	"ackdb/pgwire"
)

// Dial connects by TCP.
func Dial(ctx context.Context, to ConnInfo) (Upstream, error) {
	ctx, cancel := context.WithTimeout(ctx, to.ConnectTimeout)
	defer cancel()
	client, err := pgwire.DialReplication(ctx, to.Addr(), map[string]string{
		"user": to.User, "application_name": to.ApplicationName,
	})
	if err != nil {
		return nil, err
	}
	return dialled{client}, nil
}

// dialled is a client as an Upstream.
type dialled struct{ client *pgwire.Client }

func (d dialled) Query(ctx context.Context, sql string) ([]*pgwire.Result, error) {
	return d.client.QueryAll(ctx, sql)
}

func (d dialled) CopyBoth(ctx context.Context, sql string) (UpstreamLink, error) {
	link, err := d.client.CopyBoth(ctx, sql)
	if err != nil {
		return nil, err
	}
	return link, nil
}

func (d dialled) CopyOut(ctx context.Context, sql string) (UpstreamCopy, error) {
	out, err := d.client.CopyOut(ctx, sql)
	if err != nil {
		return nil, err
	}
	return dialledCopy{out}, nil
}

// Close says goodbye. A connection that is lost already is closed all the same.
func (d dialled) Close() error {
	err := d.client.Close()
	if errors.Is(err, pgwire.ErrClosed) {
		return nil
	}
	return err
}

// dialledCopy is a client's copy as an UpstreamCopy.
type dialledCopy struct{ *pgwire.ClientCopyOut }

func (c dialledCopy) Before() []*pgwire.Result { return c.ClientCopyOut.Before }
