package wal

import (
	"time"
)

// controlIntervalMin is the least time between two rewrites of control while the log moves.
const controlIntervalMin = time.Second

// keeper is the goroutine that keeps control from lagging: it rewrites it after a flush, but not
// more than once a second, so control catches up within a second of the flusher going idle. It is
// not the flusher's work, for a rewrite costs an fsync that commits would wait behind.
type keeper struct {
	log  *Log
	kick chan struct{} // capacity 1
	stop chan struct{}
	done chan struct{}
}

func startKeeper(l *Log) *keeper {
	k := &keeper{
		log:  l,
		kick: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	go k.run()
	return k
}

func (k *keeper) close() {
	close(k.stop)
	<-k.done
}

func (k *keeper) poke() {
	select {
	case k.kick <- struct{}{}:
	default:
	}
}

func (k *keeper) run() {
	defer close(k.done)
	for {
		select {
		case <-k.kick:
		case <-k.stop:
			return
		}
		if k.log.err() != nil {
			return // closing, which has its own last word in control, or poisoned (W4)
		}
		if err := k.log.saveControl(false); err != nil {
			k.log.poison(err)
			return
		}
		if !k.rest() {
			return
		}
	}
}

// rest waits for the least interval. False means: end.
func (k *keeper) rest() bool {
	fired, stop := k.log.opts.Clock.Timer(controlIntervalMin)
	defer stop()
	select {
	case <-fired:
		return true
	case <-k.stop:
		return false
	}
}
