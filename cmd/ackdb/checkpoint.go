package main

import "fmt"

type checkpointCommand struct {
	connection
}

// Run asks the server for a flush of its store and waits for it.
func (c *checkpointCommand) Run() error {
	results, err := c.ask("CHECKPOINT")
	if err != nil {
		return err
	}
	fmt.Println(results[0].Tag)
	return nil
}
