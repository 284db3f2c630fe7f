// Package pgcatalog makes pg_catalog and information_schema: virtual tables whose rows are made of
// a catalog.Snapshot, of the registry of functions and types, and of facts about PostgreSQL 15.
//
// What there is:
//
//   - Tables gives every table, to be registered with the catalog once. Site says what they cannot
//     know by themselves: the names of database and superuser.
//   - facts/ holds names, numbers and columns of PostgreSQL's own objects, written by TestFacts
//     with -update and read at the first use.
//   - Definitions prints indexes, constraints and the like, as pg_get_indexdef and its kin do.
//   - Names knows functions and roles by name and number, for regproc and regrole.
//
// Invariants, cited by number in code and tests:
//
//   - G1: a table has the columns of PostgreSQL 15, in order, with their types; a column of a
//     domain has the type below it.
//   - G2: an object that PostgreSQL has too bears its oid there. Oids of our own are below those of
//     users' objects, or, for what has none in the descriptors (a default), derived from the oid of
//     what it belongs to.
//   - G3: a row says what is so. A catalog of a kind of object that is not there is empty; a column
//     about a thing that is not there has the value PostgreSQL gives an object without it.
//   - G4: two catalogs that name one object agree: what a row refers to has a row itself.
package pgcatalog
