package parse

import (
	"fmt"
	"runtime"
	"syscall"
)

const (
	// MaxStatementBytes bounds the text of a query.
	MaxStatementBytes = 16 << 20

	// MaxNesting bounds what guard counts, if the stack is large enough for it.
	MaxNesting = 4000

	// stackBytesPerToken is twice what the densest nesting takes of the C stack for each token
	// that guard counts. docs/decisions/0011-parser-guard.md has the measurements.
	stackBytesPerToken = 700

	// setOperationCost is what UNION, INTERSECT and EXCEPT count beyond their own token.
	setOperationCost = 2
)

// nestingLimit is MaxNesting, or less where threads have small stacks.
var nestingLimit = int32(min(MaxNesting, threadStackBytes()/stackBytesPerToken))

// threadStackBytes is the stack of the threads that run the grammar. The C library gives a new
// thread what the stack limit says, and 2 MiB when there is none.
func threadStackBytes() uint64 {
	const unlimited, elsewhere = 2 << 20, 512 << 10
	var limit syscall.Rlimit
	if runtime.GOOS != "linux" || syscall.Getrlimit(syscall.RLIMIT_STACK, &limit) != nil {
		return elsewhere
	}
	if limit.Cur > 1<<40 {
		return unlimited
	}
	return limit.Cur
}

// guard bounds the depth of the tree that the C parser could build of the tokens so far. That
// parser's tree walkers recurse on the C stack without a check.
//
// Depth is bounded by tokens: a level of the tree takes at least one. What stands side by side
// does not nest, and only commas are known to stand between such things, so each open bracket
// counts its tokens since its last comma, and a closed bracket weighs what its heaviest element
// weighed. (Letting a closed bracket weigh nothing would be wrong: in ((a+b)+c)+d the deepest
// operand comes first.) Set operations nest to the left across commas; they are counted apart.
type guard struct {
	outer int32 // the cost of all open brackets but the innermost
	top   frame
	stack []frame
}

// frame is one open bracket, or the statement itself.
type frame struct {
	chain   int32 // set operations, which no comma resets
	element int32 // since the last comma
	widest  int32 // the costliest element before it
}

func (f frame) cost() int32 { return f.chain + max(f.element, f.widest) }

func (g *guard) reset() {
	g.outer = 0
	g.top = frame{}
	g.stack = g.stack[:0]
}

// token counts one token and reports whether the statement is still shallow enough.
func (g *guard) token() bool {
	g.top.element++
	return g.outer+g.top.chain+g.top.element <= nestingLimit
}

func (g *guard) comma() {
	g.top.widest = max(g.top.widest, g.top.element)
	g.top.element = 0
}

func (g *guard) setOperation() bool {
	g.top.chain += setOperationCost
	return g.outer+g.top.cost() <= nestingLimit
}

func (g *guard) open() {
	g.outer += g.top.chain + g.top.element
	g.stack = append(g.stack, g.top)
	g.top = frame{}
}

// close ends a bracket. One too many is the grammar's to refuse.
func (g *guard) close() bool {
	last := len(g.stack) - 1
	if last < 0 {
		return true
	}
	inner := g.top.cost()
	g.top = g.stack[last]
	g.stack = g.stack[:last]
	g.outer -= g.top.chain + g.top.element
	g.top.element += inner
	return g.outer+g.top.cost() <= nestingLimit
}

func (t *Tokens) tooDeep(offset int) error {
	return &SyntaxError{
		SQLSTATE: CodeTooComplex,
		Message:  "statement is nested too deeply",
		Hint: fmt.Sprintf("At most %d tokens may follow one another without a comma between them, "+
			"counted over all open brackets.", nestingLimit),
		Position: charPosition(t.sql, offset),
	}
}

func tooLarge(size int) error {
	return &SyntaxError{
		SQLSTATE: CodeTooLarge,
		Message:  fmt.Sprintf("query of %d bytes is too large", size),
		Hint:     fmt.Sprintf("At most %d bytes are read as one query.", MaxStatementBytes),
	}
}
