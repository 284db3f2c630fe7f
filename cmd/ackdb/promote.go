package main

import (
	"errors"
	"fmt"
	"time"
)

type promoteCommand struct {
	connection
	Wait time.Duration `default:"1m" help:"How long to wait until it accepts writes (default ${default}); 0 does not wait."`
}

var errNotPromoted = errors.New("the server has not promoted yet; its log says why")

// Run promotes a standby and says where its timeline begins.
func (c *promoteCommand) Run() error {
	call := "SELECT pg_promote(false)"
	if c.Wait > 0 {
		call = fmt.Sprintf("SELECT pg_promote(true, %d)", max(1, int(c.Wait.Seconds())))
	}
	results, err := c.ask(call)
	if err != nil {
		return err
	}
	if answer := text(results[0].Rows[0][0]); answer != "t" {
		return errNotPromoted
	}
	if c.Wait == 0 {
		fmt.Println("promotion begun")
		return nil
	}
	results, err = c.ask("SELECT timeline, begin_lsn FROM ack_epochs WHERE current")
	if err != nil {
		return err
	}
	row := results[0].Rows[0]
	fmt.Printf("promoted: timeline %s begins at %s\n", text(row[0]), text(row[1]))
	return nil
}
