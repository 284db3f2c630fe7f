package wal

// ChangeControl rewrites control as no code does yet that is here: a node that follows, or one
// whose directory was copied.
func (d *Dir) ChangeControl(change func(*Control)) error { return d.control.update(change) }
