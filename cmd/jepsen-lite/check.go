package main

import (
	"fmt"
	"os"

	jepsenlite "ackdb/jepsen-lite"
)

type checkCmd struct {
	History string `arg:"" help:"File of JSON lines, as a run wrote it." type:"existingfile"`
}

func (c *checkCmd) Run() error { return judge(c.History) }

func judge(path string) error {
	history, err := os.Open(path)
	if err != nil {
		return err
	}
	defer history.Close()
	verdict, err := jepsenlite.Judge(history)
	if err != nil {
		return err
	}
	fmt.Println("jepsen-lite:", verdict)
	for _, breach := range verdict.Breaches {
		fmt.Println("  BROKEN", breach)
	}
	if n := len(verdict.Breaches); n > 0 {
		return fmt.Errorf("%d promises broken", n)
	}
	return nil
}
