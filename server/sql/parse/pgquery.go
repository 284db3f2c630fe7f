package parse

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"

	pg_query "github.com/pganalyze/pg_query_go/v6"
	pgparser "github.com/pganalyze/pg_query_go/v6/parser"
)

// maxGrammarThreads bounds the threads that ever enter the C parser.
const maxGrammarThreads = 4

// grammarJob is one text on its way through the C parser.
type grammarJob struct {
	sql  string
	tree *pg_query.ParseResult
	err  error
	done chan struct{}
}

// grammar starts the threads on first use. They live as long as the process and hold nothing that
// ending them would save, so nobody stops them.
//
// They are few and fixed because pg_query allots a memory context and a pthread key to each thread
// it meets, of which a process has 1024, and gives neither back in a way that lets threads come and
// go. They are goroutines locked to their threads, so that what the C side hangs on a thread is
// met again by the same goroutine.
var grammar = sync.OnceValue(func() chan<- *grammarJob {
	jobs := make(chan *grammarJob)
	for range min(maxGrammarThreads, runtime.GOMAXPROCS(0)) {
		go func() {
			runtime.LockOSThread()
			for job := range jobs {
				job.tree, job.err = pg_query.Parse(job.sql)
				close(job.done)
			}
		}()
	}
	return jobs
})

// runGrammar parses sql, which Lex has passed (P1). It waits for a thread when all are busy; the
// wait is bounded by the parses before it, which the guard bounds.
func runGrammar(sql string) (*pg_query.ParseResult, error) {
	job := &grammarJob{sql: sql, done: make(chan struct{})}
	grammar() <- job
	<-job.done
	if job.err != nil {
		return nil, grammarError(sql, job.err)
	}
	return job.tree, nil
}

// grammarError words an error of the C parser. Its positions are characters already. It loses the
// SQLSTATE; the messages that do not mean a syntax error are few.
func grammarError(sql string, err error) error {
	var e *pgparser.Error
	if !errors.As(err, &e) {
		// Go's protobuf reader has a depth limit of its own, beyond what guard admits, and refuses
		// strings that an escape made invalid.
		if strings.Contains(err.Error(), "recursion depth") {
			return &SyntaxError{SQLSTATE: CodeTooComplex, Message: "statement is nested too deeply"}
		}
		if strings.Contains(err.Error(), "UTF-8") {
			return &SyntaxError{
				SQLSTATE: CodeInvalidEncoding,
				Message:  `invalid byte sequence for encoding "UTF8" in an escaped string`,
			}
		}
		return fmt.Errorf("parse: read the grammar's tree: %w", err)
	}
	return &SyntaxError{
		SQLSTATE: grammarState(e.Message),
		Message:  e.Message,
		Position: max(e.Cursorpos, 0),
	}
}

func grammarState(message string) string {
	switch {
	case strings.HasPrefix(message, "invalid byte sequence for encoding"):
		return CodeInvalidEncoding
	case strings.HasPrefix(message, "memory exhausted"):
		return CodeTooComplex
	case strings.HasPrefix(message, "invalid Unicode escape"),
		strings.HasPrefix(message, "invalid escape"):
		return CodeInvalidEscape
	case strings.HasPrefix(message, "unsafe use of"):
		return "22P06"
	case strings.Contains(message, "is not yet implemented"),
		strings.Contains(message, "not supported"),
		strings.Contains(message, "is not implemented"):
		return CodeFeature
	case strings.HasPrefix(message, "frame start"), strings.HasPrefix(message, "frame end"):
		return CodeWindowing
	case strings.HasPrefix(message, "role name") && strings.Contains(message, "reserved"):
		return CodeReservedName
	}
	return CodeSyntaxError
}
