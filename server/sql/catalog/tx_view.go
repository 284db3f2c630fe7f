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
	old := x.Snapshot().ViewByOID(v.OID)
	if old != nil && (old.Name != v.Name || old.SchemaOID != v.SchemaOID) {
		if err := x.remove(nameTable, nameKey(old.SchemaOID, old.Name)); err != nil {
			return err
		}
	}
	if err := x.putName(v.SchemaOID, v.Name, v.OID); err != nil {
		return err
	}
	x.note(v.OID, func(s *Snapshot) { s.putView(v) }, v.restsOn()...).temp =
		IsTemp(v.Schema)
	return ctx.Err()
}

// restsOn lists what cannot go while the view is there: whoever takes one of these away has to know
// of the view.
func (v *View) restsOn() []uint32 {
	oids := []uint32{v.SchemaOID}
	for i := range v.Refs {
		oids = append(oids, v.Refs[i].OID)
	}
	return oids
}

// DropView removes a view.
func (x *Tx) DropView(ctx context.Context, v *View) error {
	if err := x.remove(descriptorTable, descriptorKey(kindView, v.OID)); err != nil {
		return err
	}
	if err := x.remove(nameTable, nameKey(v.SchemaOID, v.Name)); err != nil {
		return err
	}
	x.note(v.OID, func(s *Snapshot) { s.dropView(v) }, v.restsOn()...).temp =
		IsTemp(v.Schema)
	return ctx.Err()
}
