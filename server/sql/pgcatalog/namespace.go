package pgcatalog

import (
	"ackdb/server/sql/catalog"
)

// namespaceRows is pg_namespace.
func namespaceRows(e *env, w *writer) error {
	for _, s := range e.Snapshot.Schemas() {
		if err := w.add(s.OID, s.Name, schemaOwner(s), nil); err != nil {
			return err
		}
	}
	return nil
}

// schemaOwner: public belongs to whoever owns the database, by a role made for that.
func schemaOwner(s *catalog.Schema) uint32 {
	if s.OID == catalog.PublicOID {
		return databaseOwnerRole
	}
	return catalog.BootstrapRoleOID
}

// databaseRows is pg_database. There is no other database, and none to make one of.
func databaseRows(e *env, w *writer) error {
	return w.add(e.site.DatabaseOID, e.site.Database, catalog.BootstrapRoleOID, encodingUTF8, 'c',
		false, true, -1, 0, 0, defaultSpace, "C", "C", nil, nil, nil)
}

// encodingUTF8 is PG_UTF8.
const encodingUTF8 = 6

// role is a row of the views of roles.
type role struct {
	oid   uint32
	name  string
	super bool
}

// roles lists the superuser and the one predefined role that owns something.
func (e *env) roles() []role {
	return []role{{oid: catalog.BootstrapRoleOID, name: e.site.Superuser, super: true},
		{oid: databaseOwnerRole, name: databaseOwner}}
}

// RoleName is the name of a role.
func (s *Site) RoleName(oid uint32) (string, bool) {
	switch oid {
	case catalog.BootstrapRoleOID:
		return s.Superuser, true
	case databaseOwnerRole:
		return databaseOwner, true
	}
	return "", false
}

func authidRows(e *env, w *writer) error {
	for _, r := range e.roles() {
		err := w.add(r.oid, r.name, r.super, true, r.super, r.super, r.super, r.super, r.super, -1,
			nil, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// rolesRows is pg_roles: no password is ever shown.
func rolesRows(e *env, w *writer) error {
	for _, r := range e.roles() {
		err := w.add(r.name, r.super, true, r.super, r.super, r.super, r.super, -1, "********", nil,
			r.super, nil, r.oid)
		if err != nil {
			return err
		}
	}
	return nil
}

// userRows is pg_user and pg_shadow: the roles that may log in.
func userRows(e *env, w *writer) error {
	var password any
	if w.relation.name == "pg_user" {
		password = "********"
	}
	return w.add(e.site.Superuser, catalog.BootstrapRoleOID, true, true, true, true, password, nil,
		nil)
}
