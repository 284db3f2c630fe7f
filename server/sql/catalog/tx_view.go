package catalog

import "context"

// PutView creates or replaces a view. The caller holds its name.
func (x *Tx) PutView(ctx context.Context, v *View) error {
	value, err := encodeDescriptor(v)
	if err != nil {
		return err
	}
	if err := x.put(descriptorTable, descriptorKey(kindView, v.OID), value); err != nil {
		return err
	}
	if old := x.Snapshot().ViewByOID(v.OID); old != nil && old.Name != v.Name {
		if err := x.remove(nameTable, nameKey(old.SchemaOID, old.Name)); err != nil {
			return err
		}
	}
	if err := x.putName(v.SchemaOID, v.Name, v.OID); err != nil {
		return err
	}
	x.note(v.OID, func(s *Snapshot) { s.putView(v) })
	for i := range v.Refs {
		// Whoever alters one of these has to know of the view, and so waits for this commit (C3).
		x.note(v.Refs[i].OID, func(*Snapshot) {})
	}
	return ctx.Err()
}

// DropView removes a view.
func (x *Tx) DropView(ctx context.Context, v *View) error {
	if err := x.remove(descriptorTable, descriptorKey(kindView, v.OID)); err != nil {
		return err
	}
	if err := x.remove(nameTable, nameKey(v.SchemaOID, v.Name)); err != nil {
		return err
	}
	x.note(v.OID, func(s *Snapshot) { s.dropView(v) })
	return ctx.Err()
}
