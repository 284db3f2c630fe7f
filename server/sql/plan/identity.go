package plan

import (
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// overridden finds out which columns take their default whatever an INSERT gives for them, and
// refuses values for identity columns that are always generated.
func overridden(t *catalog.Table, targets []int, n *parse.InsertStmt) ([]bool, error) {
	ignore := make([]bool, len(t.Columns))
	if n.Query == nil {
		return ignore, nil
	}
	for j, column := range targets {
		c := &t.Columns[column]
		switch {
		case c.Identity == "" || n.Overriding == parse.OverridingSystem:
		case n.Overriding == parse.OverridingUser:
			ignore[column] = true
		case c.Identity == catalog.IdentityAlways && gives(n.Query, j):
			return nil, types.Errorf(CodeGeneratedAlways,
				"cannot insert a non-DEFAULT value into column \"%s\"", c.Name).
				WithDetail(alwaysDetail, c.Name).
				WithHint("Use OVERRIDING SYSTEM VALUE to override.")
		}
	}
	return ignore, nil
}

const alwaysDetail = "Column \"%s\" is an identity column defined as GENERATED ALWAYS."

// gives says whether the source of an INSERT has anything but DEFAULT in its jth column. A shorter
// one leaves the column to its default.
func gives(q *parse.SelectStmt, j int) bool {
	if !isPlainValues(q) {
		return q.Values != nil || j < len(q.Targets)
	}
	for _, row := range q.Values {
		if j >= len(row) {
			continue
		}
		if _, isDefault := row[j].(*parse.SetToDefault); !isDefault {
			return true
		}
	}
	return false
}

// checkAlways refuses to set an identity column that is always generated.
func checkAlways(c *catalog.Column, value parse.Expr) error {
	if c.Identity != catalog.IdentityAlways {
		return nil
	}
	if _, isDefault := value.(*parse.SetToDefault); isDefault {
		return nil
	}
	return types.Errorf(CodeGeneratedAlways,
		"column \"%s\" can only be updated to DEFAULT", c.Name).WithDetail(alwaysDetail, c.Name)
}
