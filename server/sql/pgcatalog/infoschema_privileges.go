package pgcatalog

// The views of information_schema about privileges: the superuser has given itself every one.

var (
	tablePrivileges = []string{"INSERT", "SELECT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES",
		"TRIGGER"}
	columnPrivileges = []string{"INSERT", "SELECT", "UPDATE", "REFERENCES"}
)

// schemaTablePrivileges is table_privileges and role_table_grants.
func schemaTablePrivileges(e *env, w *writer) error {
	for _, h := range e.accessible() {
		for _, privilege := range tablePrivileges {
			err := w.add(e.site.Superuser, e.site.Superuser, e.site.Database, h.schema, h.name,
				privilege, "YES", yesNo(privilege == "SELECT"))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func schemaColumnPrivileges(e *env, w *writer) error {
	for _, h := range e.accessible() {
		for i := range h.columns {
			for _, privilege := range columnPrivileges {
				err := w.add(e.site.Superuser, e.site.Superuser, e.site.Database, h.schema, h.name,
					h.columns[i].Name, privilege, "YES")
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}
