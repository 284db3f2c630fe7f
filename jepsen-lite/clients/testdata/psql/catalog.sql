-- The rows that pg_catalog has of a user's objects, and of types and functions.
CREATE SCHEMA cat;
SET search_path = cat, public;
CREATE TABLE plain (a text, "B c" int[]) WITH (fillfactor = 70);
CREATE UNLOGGED TABLE keyed (id serial, k varchar(10) NOT NULL DEFAULT 'x', n numeric(6,2),
  t timestamptz(3) DEFAULT now(), g int GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (k, id),
  CONSTRAINT positive CHECK (id > 0 AND (k <> '' OR id < 100)));
ALTER TABLE keyed ADD gone int;
ALTER TABLE keyed DROP gone;
ALTER TABLE keyed ADD late text NOT NULL DEFAULT 'z';
CREATE SEQUENCE loose AS smallint START 5 INCREMENT -2 MINVALUE -100 MAXVALUE 10 CYCLE;

SELECT relname, relnamespace::regnamespace, pg_get_userbyid(relowner), relam, relhasindex,
  relisshared, relpersistence, relkind, relnatts, relchecks, relhasrules, relhastriggers,
  relrowsecurity, relispopulated, relreplident, relispartition, relacl, reloptions, relpartbound
  FROM pg_class WHERE relnamespace = 'cat'::regnamespace ORDER BY relname;
SELECT attrelid::regclass, attname, atttypid::regtype, attstattarget, attlen, attnum, attndims,
  atttypmod, attbyval, attalign, attstorage, attcompression, attnotnull, atthasdef, atthasmissing,
  attidentity, attgenerated, attisdropped, attislocal, attinhcount, attcollation, attmissingval
  FROM pg_attribute WHERE attnum > 0 AND attrelid IN (SELECT oid FROM pg_class
    WHERE relnamespace = 'cat'::regnamespace)
  ORDER BY attrelid::regclass::text, attnum;
SELECT adrelid::regclass, adnum, pg_get_expr(adbin, adrelid) FROM pg_attrdef
  WHERE adrelid IN ('keyed'::regclass, 'plain'::regclass) ORDER BY adnum;
SELECT indexrelid::regclass, indrelid::regclass, indnatts, indnkeyatts, indisunique,
  indnullsnotdistinct, indisprimary, indisexclusion, indimmediate, indisclustered, indisvalid,
  indcheckxmin, indisready, indislive, indisreplident, indkey, indcollation, indclass, indoption,
  indexprs, indpred FROM pg_index WHERE indrelid = 'keyed'::regclass;
SELECT conname, contype, condeferrable, convalidated, conrelid::regclass, conindid::regclass,
  confupdtype, confmatchtype, conislocal, coninhcount, connoinherit, conkey, confkey,
  pg_get_constraintdef(oid), pg_get_constraintdef(oid, true)
  FROM pg_constraint WHERE conrelid = 'keyed'::regclass ORDER BY conname;
SELECT seqrelid::regclass, seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcache,
  seqcycle FROM pg_sequence
  WHERE seqrelid::regclass::text IN ('loose', 'keyed_id_seq', 'keyed_g_seq') ORDER BY seqstart, seqtypid;
SELECT d.objid::regclass, d.refobjid::regclass, refobjsubid, deptype FROM pg_depend d
  WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass
  AND d.refobjid = 'keyed'::regclass AND refobjsubid > 0 ORDER BY refobjsubid;
SELECT schemaname, tablename, tableowner, tablespace, hasindexes, hasrules, hastriggers, rowsecurity
  FROM pg_tables WHERE schemaname = 'cat' ORDER BY tablename;
SELECT * FROM pg_indexes WHERE schemaname = 'cat';
SELECT schemaname, sequencename, data_type, start_value, min_value, max_value, increment_by, cycle,
  cache_size FROM pg_sequences WHERE schemaname = 'cat' ORDER BY 2;
SELECT nspname, pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname IN ('cat', 'public',
  'pg_catalog', 'information_schema') ORDER BY 1;

SELECT pg_get_indexdef('keyed_pkey'::regclass), pg_get_indexdef('keyed_pkey'::regclass, 0, true),
  pg_get_indexdef('keyed_pkey'::regclass, 2, true), pg_get_indexdef('keyed_pkey'::regclass, 3, true);
SELECT pg_get_serial_sequence('keyed', 'id'), pg_get_serial_sequence('cat.keyed', 'g'),
  pg_get_serial_sequence('keyed', 'k');
SELECT pg_table_is_visible('keyed'::regclass), pg_table_is_visible('keyed_pkey'::regclass),
  pg_table_is_visible(1), pg_type_is_visible(25), pg_function_is_visible(65);
SELECT to_regclass('cat.keyed'), to_regclass('nope'), to_regtype('int4'), to_regtype('nope'),
  to_regproc('now'), to_regproc('abs'), to_regnamespace('cat'), to_regrole('postgres'),
  to_regprocedure('now()');
SELECT has_table_privilege('keyed', 'SELECT, UPDATE'), has_table_privilege(1, 'SELECT'),
  has_schema_privilege('cat', 'usage'), has_column_privilege('keyed', 'k', 'SELECT');
SELECT has_table_privilege('keyed', 'nonsense');
SELECT has_table_privilege('nope', 'SELECT');
SELECT has_table_privilege('nobody', 'keyed', 'SELECT');

-- Indexes beside the primary key, and views.
CREATE TABLE many (a int, b text, c varchar(5), d timestamptz, e int UNIQUE,
  CONSTRAINT pair UNIQUE (b, c));
CREATE INDEX many_a ON many (a DESC, b);
CREATE UNIQUE INDEX many_u ON many (d NULLS FIRST, a DESC NULLS LAST) WITH (fillfactor = 70);
CREATE INDEX ON many (c);
CREATE VIEW seen AS SELECT a, b AS "B" FROM many WHERE a > 1;
\d many
\d+ many
\d many_u
\d seen
\di cat.*
\dv cat.*
SELECT * FROM pg_indexes WHERE tablename = 'many' ORDER BY indexname;
SELECT indexrelid::regclass, indkey, indoption, indclass, indcollation, indisunique, indisprimary
  FROM pg_index WHERE indrelid = 'many'::regclass ORDER BY indexrelid::regclass::text;
SELECT conname, contype, conkey, conindid::regclass, connoinherit, pg_get_constraintdef(oid)
  FROM pg_constraint WHERE conrelid = 'many'::regclass ORDER BY conname;
SELECT relname, relkind, relnatts, reloptions FROM pg_class WHERE relname ~ '^(many|pair)'
  AND relnamespace = 'cat'::regnamespace ORDER BY relname;
SELECT attrelid::regclass, attname, atttypid::regtype, attnum FROM pg_attribute
  WHERE attrelid IN ('many_u'::regclass, 'seen'::regclass) ORDER BY 1, attnum;
SELECT relname, relhasrules, relam, reltuples, relreplident FROM pg_class WHERE relname = 'seen';
SELECT schemaname, viewname, viewowner FROM pg_views WHERE schemaname = 'cat';
SELECT * FROM information_schema.view_table_usage WHERE view_schema = 'cat';
SELECT * FROM information_schema.view_column_usage WHERE view_schema = 'cat' ORDER BY column_name;
SELECT constraint_name, constraint_type, nulls_distinct FROM information_schema.table_constraints
  WHERE table_name = 'many' ORDER BY constraint_name;
SELECT constraint_name, column_name, ordinal_position, position_in_unique_constraint
  FROM information_schema.key_column_usage WHERE table_name = 'many' ORDER BY 1, 3;

-- Foreign keys.
CREATE TABLE target (code varchar(5), b bigint, PRIMARY KEY (b, code));
CREATE TABLE refers (id int, code text, b int,
  CONSTRAINT pairs FOREIGN KEY (b, code) REFERENCES target ON DELETE RESTRICT);
ALTER TABLE refers ADD CONSTRAINT late FOREIGN KEY (b, code) REFERENCES target NOT VALID;
\d target
\d refers
SELECT conname, contype, convalidated, conindid::regclass, confrelid::regclass, confupdtype,
  confdeltype, confmatchtype, connoinherit, conkey, confkey, conpfeqop, conppeqop, conffeqop,
  pg_get_constraintdef(oid), pg_get_constraintdef(oid, true) FROM pg_constraint
  WHERE conrelid = 'refers'::regclass ORDER BY 1;
SELECT * FROM information_schema.referential_constraints WHERE constraint_schema = 'cat' ORDER BY 3;
SELECT * FROM information_schema.key_column_usage WHERE table_name = 'refers' ORDER BY 3, 8;
SELECT * FROM information_schema.constraint_column_usage WHERE table_name = 'target' ORDER BY 7, 4;
SELECT relname, relhastriggers FROM pg_class WHERE relname IN ('target', 'refers') ORDER BY 1;

-- Comments.
COMMENT ON TABLE many IS 'a table';
COMMENT ON COLUMN many.b IS 'a column';
COMMENT ON INDEX many_a IS 'an index';
COMMENT ON VIEW seen IS 'a view';
COMMENT ON SEQUENCE loose IS 'a sequence';
COMMENT ON SCHEMA cat IS 'a schema';
COMMENT ON CONSTRAINT positive ON keyed IS 'a check';
\dd cat.*
\d+ many
\dt+ cat.nothing
\dn+ cat
SELECT c.relname, d.objsubid, d.description FROM pg_description d JOIN pg_class c ON c.oid = objoid
  WHERE classoid = 'pg_class'::regclass AND relnamespace = 'cat'::regnamespace ORDER BY 1, 2;
SELECT obj_description('many'::regclass, 'pg_class'), col_description('many'::regclass, 2),
  obj_description('many'::regclass, 'pg_type'), obj_description('many_a'::regclass),
  obj_description('cat'::regnamespace, 'pg_namespace'), shobj_description(5, 'pg_database');
RESET search_path;
SELECT 'cat.keyed'::regclass, pg_get_expr(adbin, adrelid) FROM pg_attrdef
  WHERE adrelid = 'cat.keyed'::regclass AND adnum = 1;
SELECT pg_table_is_visible('cat.keyed'::regclass);

-- What drivers ask about types.
SELECT * FROM pg_type WHERE typname IN ('bool', 'int4', 'text', 'varchar', 'numeric', 'timestamptz',
  '_int4', '_text', 'oid', 'name', 'jsonb', 'uuid', 'bytea', 'record', 'void') ORDER BY oid;
SELECT t.typname, t.typtype, t.typbasetype, t.typelem, t.typdelim, t.typrelid
  FROM pg_type t WHERE t.oid IN ('int4'::regtype, '_int4'::regtype, 'text'::regtype) ORDER BY 1;
SELECT t.oid, typarray FROM pg_type t JOIN pg_namespace ns ON typnamespace = ns.oid
  WHERE typname = 'hstore';
SELECT typinput, typoutput, typreceive, typsend, typmodin FROM pg_type WHERE oid = 1043;
SELECT format_type(oid, NULL), format_type(1043, 14), format_type(1700, 655366), format_type(23, -1),
  format_type(0, NULL), format_type(99999, NULL), format_type(1042, -1), format_type(2281, NULL)
  FROM pg_type WHERE oid = 1016;
SELECT oid, proname, prorettype::regtype, proargtypes, prokind, provolatile, proisstrict, proretset,
  pronargs, proargnames, proparallel, prosrc FROM pg_proc WHERE proname IN ('now', 'lower', 'count',
  'generate_series', 'pg_terminate_backend', 'row_number') AND prorettype <> 'anyelement'::regtype
  ORDER BY oid;
SELECT oid::regprocedure, pg_get_function_arguments(oid), pg_get_function_identity_arguments(oid),
  pg_get_function_result(oid) FROM pg_proc WHERE proname IN ('pg_terminate_backend', 'format',
  'string_agg', 'array_to_string') ORDER BY oid;
SELECT o.oid, oprname, oprleft::regtype, oprright::regtype, oprresult::regtype, oprcode, oprcom,
  oprnegate, oprcanhash FROM pg_operator o WHERE oprname IN ('=', '~') AND oprleft IN (23, 25)
  ORDER BY 1;
SELECT a.aggfnoid, aggkind, aggtranstype::regtype FROM pg_aggregate a
  WHERE aggfnoid::oid IN (SELECT oid FROM pg_proc WHERE proname = 'avg') ORDER BY aggfnoid::oid;
SELECT castsource::regtype, casttarget::regtype, castfunc, castcontext, castmethod FROM pg_cast
  WHERE castsource = 23 AND casttarget IN (16, 20, 21, 700, 1700) ORDER BY casttarget;
SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication,
  rolconnlimit, rolpassword, rolbypassrls, oid FROM pg_roles WHERE rolname = 'postgres';
SELECT usename, usesysid, usecreatedb, usesuper, passwd FROM pg_user;
SELECT spcname, oid FROM pg_tablespace ORDER BY oid;
SELECT collname, oid, collprovider, collencoding FROM pg_collation WHERE oid IN (100, 950, 951)
  ORDER BY oid;
SELECT amname, oid, amtype FROM pg_am WHERE oid IN (2, 403) ORDER BY oid;
SELECT relname, oid, relkind FROM pg_class WHERE relname IN ('pg_class', 'pg_type', 'pg_attribute',
  'pg_proc', 'pg_namespace', 'pg_index', 'pg_roles', 'pg_tables') AND oid < 12000 ORDER BY oid;
SELECT attname, atttypid::regtype, attnum, attnotnull FROM pg_attribute
  WHERE attrelid = 'pg_catalog.pg_class'::regclass AND attnum > 0 ORDER BY attnum;
SET client_min_messages = warning;
DROP SCHEMA cat CASCADE;
