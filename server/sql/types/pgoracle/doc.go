// Package pgoracle runs golden files of SQL expressions whose expected results come from
// PostgreSQL.
//
// A file has one expression a line and below it what PostgreSQL 15 answers:
//
//	'1'::int4 + '2'::int4
//	=> integer | "3" | 00000003
//	'x'::int4
//	=> ERROR 22P02 | invalid input syntax for type integer: "x"
//
// Lines beginning with # are comments; @name value changes a setting for what follows. With -update
// the results are asked of a PostgreSQL 15 again, which is started for that in a temporary
// directory; without it no PostgreSQL is needed.
package pgoracle
