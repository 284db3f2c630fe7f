package plan

// Pinned finds a column that the table can look rows up by and whose value the filter fixes before
// the scan, with that value; nil when there is none. The filter still decides.
func (v *VirtualScan) Pinned() (column int, value Expr) {
	if v.Filter == nil || len(v.Table.Keys) == 0 {
		return 0, nil
	}
	for _, term := range conjuncts(v.Filter, nil) {
		for _, key := range v.Table.Keys {
			part := KeyPart{Column: key, NotNull: true, Type: v.Table.Columns[key].Type.OID}
			if value := part.pinned(term); value != nil {
				return key, value
			}
		}
	}
	return 0, nil
}
