package plan

// missingTypes are the types of PostgreSQL that are not here: they are refused by name, as every
// missing feature is, rather than denied.
var missingTypes = map[string]bool{
	"money": true, "cidr": true, "macaddr": true, "macaddr8": true, "xml": true,
	"timetz": true, "bit": true, "varbit": true,
	"point": true, "line": true, "lseg": true, "box": true, "path": true, "polygon": true,
	"circle":    true,
	"int4range": true, "int8range": true, "numrange": true, "tsrange": true, "tstzrange": true,
	"daterange": true, "int4multirange": true, "int8multirange": true, "nummultirange": true,
	"tsmultirange": true, "tstzmultirange": true, "datemultirange": true,
	"tsvector": true, "tsquery": true, "jsonpath": true, "tid": true, "refcursor": true,
	"pg_snapshot": true, "txid_snapshot": true, "regoper": true, "regoperator": true,
	"regcollation": true, "regconfig": true, "regdictionary": true,
}
