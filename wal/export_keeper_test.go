package wal

// ControlIntervalMin is how long the keeper rests.
const ControlIntervalMin = controlIntervalMin

// PokeKeeper does what a flush does.
func PokeKeeper(l *Log) { l.keeper.poke() }
