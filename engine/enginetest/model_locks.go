package enginetest

import "fmt"

// Postgres' table of lock conflicts as its documentation prints it, ACCESS SHARE first.
var conflictPicture = [8]string{
	".......X",
	"......XX",
	"....XXXX",
	"...XXXXX",
	"..XX.XXX",
	"..XXXXXX",
	".XXXXXXX",
	"XXXXXXXX",
}

const (
	modeRowShareTable     = 2
	modeRowExclusiveTable = 3
	modeExclusiveTable    = 7
	modeAccessExclusive   = 8

	modesOfTables   = 8 // those above are of rows
	modeKeyShare    = 1 + modesOfTables
	modeNoKeyUpdate = 3 + modesOfTables
	modeUpdate      = 4 + modesOfTables
)

// Postgres' table of conflicts of row locks, FOR KEY SHARE first.
var rowConflictPicture = [4]string{
	"...X",
	"..XX",
	".XXX",
	"XXXX",
}

func conflicting(a, b int) bool {
	if a > modesOfTables {
		return rowConflictPicture[a-modeKeyShare][b-modeKeyShare] == 'X'
	}
	return conflictPicture[a-1][b-1] == 'X'
}

// modelLocks knows who holds what. Nobody queues: one goroutine drives every transaction.
type modelLocks struct {
	held map[string]map[*modelTxn]map[int]bool
}

type modelLock struct {
	target string
	mode   int
}

func tableTarget(table int) string { return fmt.Sprintf("%d", table) }

// try takes a lock or says that it is not available.
func (l *modelLocks) try(t *modelTxn, target string, mode int) bool {
	mine := l.held[target][t]
	for m := mode; m == mode || mode > modesOfTables && m <= modeUpdate; m++ {
		if mine[m] {
			return true // this one, or of a row one that keeps out more
		}
	}
	for other, modes := range l.held[target] {
		for m := range modes {
			if other != t && conflicting(mode, m) {
				return false
			}
		}
	}
	if l.held[target] == nil {
		l.held[target] = map[*modelTxn]map[int]bool{}
	}
	if mine == nil {
		mine = map[int]bool{}
		l.held[target][t] = mine
	}
	mine[mode] = true
	t.journal = append(t.journal, modelLock{target, mode})
	return true
}

// covers says whether what t holds on a table keeps out everything that mode would.
func (l *modelLocks) covers(t *modelTxn, table, mode int) bool {
	for other := 1; other <= 8; other++ {
		kept := !conflicting(mode, other)
		for m := range l.held[tableTarget(table)][t] {
			kept = kept || conflicting(m, other)
		}
		if !kept {
			return false
		}
	}
	return true
}

// tryRow takes a row lock, and first the table lock that goes with it.
func (l *modelLocks) tryRow(t *modelTxn, table int, key string, rowMode int) bool {
	if !l.covers(t, table, modeRowShareTable) &&
		!l.try(t, tableTarget(table), modeRowShareTable) {
		return false
	}
	mine := l.held[tableTarget(table)][t]
	if mine[modeExclusiveTable] || mine[modeAccessExclusive] {
		return true
	}
	return l.try(t, rowKey(table, key), rowMode+modesOfTables)
}

func (l *modelLocks) releaseTo(t *modelTxn, n int) {
	for _, lock := range t.journal[n:] {
		delete(l.held[lock.target][t], lock.mode)
		if len(l.held[lock.target][t]) == 0 {
			delete(l.held[lock.target], t)
		}
	}
	t.journal = t.journal[:n]
}
