-- Statements that real clients send, one a line. Lines that begin with two dashes are comments.
select 1
SELECT 1;
select version()
select pg_catalog.version()
select current_schema()
show transaction isolation level
show standard_conforming_strings
show transaction_read_only
select pg_is_in_recovery()
SHOW wal_segment_size
SHOW data_directory_mode
set client_encoding to 'UTF8'
SET extra_float_digits = 3
SET application_name = 'PostgreSQL JDBC Driver'
SET SESSION search_path TO 'public'
SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY
SET default_transaction_isolation TO DEFAULT
SET default_transaction_read_only TO 'off'
SET LOCAL synchronous_commit = remote_apply
SET synchronous_commit TO off
SET TIME ZONE 'UTC'
SET TIME ZONE INTERVAL '1' HOUR
SET TIME ZONE LOCAL
SET x.y = 1
SET datestyle TO iso, mdy
SET NAMES 'utf8'
SET ROLE joe
RESET ALL
RESET search_path
SHOW ALL
ALTER SYSTEM SET synchronous_commit = 'local'
ALTER SYSTEM RESET ALL
begin
BEGIN
BEGIN READ WRITE
begin isolation level serializable
begin isolation level repeatable read read only
begin isolation level serializable read only deferrable
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY
START TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE, NOT DEFERRABLE
begin transaction
commit
END
rollback
ABORT WORK
COMMIT AND CHAIN
savepoint sp_1
release savepoint sp_2
rollback to savepoint sp_1
SAVEPOINT pg_psql_temporary_savepoint
RELEASE pg_psql_temporary_savepoint
ROLLBACK TO pg_psql_temporary_savepoint
SAVEPOINT "_pg3_1"
PREPARE TRANSACTION 'x'
DECLARE _psql_cursor NO SCROLL CURSOR FOR select * from kv
DECLARE "named" CURSOR WITHOUT HOLD FOR SELECT 1
DECLARE c BINARY INSENSITIVE SCROLL CURSOR WITH HOLD FOR VALUES (1)
FETCH FORWARD 10 FROM _psql_cursor
FETCH FORWARD 2 FROM "named"
FETCH ALL IN c
FETCH BACKWARD ALL FROM c
MOVE ABSOLUTE -1 FROM c
CLOSE _psql_cursor
CLOSE ALL
UNLISTEN *
LISTEN "ch"
NOTIFY ch, 'payload'
SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;
DISCARD ALL
DISCARD PLANS
DEALLOCATE ALL
DEALLOCATE _pg3_1
PREPARE p (int, text) AS SELECT $1, $2
EXECUTE p (1, 'a')
EXECUTE p
COPY kv TO STDOUT csv header
COPY ( select * from kv ) TO STDOUT with (format binary)
COPY kv FROM STDIN csv header
COPY kv ( k,v,n ) FROM STDIN binary
copy pgbench_accounts from stdin with (freeze on)
copy "kv" ( "k", "v", "n" ) from stdin binary;
COPY "kv" ("k","v","n") FROM STDIN
copy kv(k,n) from stdin with (format csv)
COPY "kv"("k", "v") FROM STDIN (FORMAT binary)
COPY t FROM STDIN WITH (FORMAT csv, HEADER match, DELIMITER ';', NULL '', QUOTE '"', ESCAPE '\', FORCE_NOT_NULL (a, b), FORCE_QUOTE *)
COPY public.kv (k, v) FROM stdin;
COPY t TO '/tmp/file' DELIMITER AS '|' NULL AS 'x'
SELECT name AS "Column", pg_catalog.format_type(tp, tpm) AS "Type" FROM (VALUES ('k','25'::pg_catalog.oid,-1),('v','25'::pg_catalog.oid,-1)) s(name,tp,tpm)
SELECT c.relname, NULL::pg_catalog.text FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'S', 'v') AND (c.relname) LIKE 'k%' AND pg_catalog.pg_table_is_visible(c.oid) AND c.relnamespace <> (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname='pg_catalog') UNION ALL SELECT NULL::pg_catalog.text, n.nspname FROM pg_catalog.pg_namespace n WHERE n.nspname LIKE 'k%' AND n.nspname NOT LIKE E'pg\\_%' LIMIT 1000
SELECT pg_catalog.lower(name) FROM pg_catalog.pg_settings WHERE context IN ('user', 'superuser') AND pg_catalog.lower(name) LIKE pg_catalog.lower('%') LIMIT 1000
SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relname OPERATOR(pg_catalog.~) '^(kv)$' COLLATE pg_catalog.default AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 2, 3
SELECT c.relchecks, c.relkind, '', CASE WHEN c.reloftype = 0 THEN '' ELSE c.reloftype::pg_catalog.regtype::pg_catalog.text END, c.relpersistence, am.amname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_class tc ON (c.reltoastrelid = tc.oid) LEFT JOIN pg_catalog.pg_am am ON (c.relam = am.oid) WHERE c.oid = '16384'
SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef), a.attnotnull, (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type t WHERE c.oid = a.attcollation AND t.oid = a.atttypid AND a.attcollation <> t.typcollation) AS attcollation, a.attidentity, a.attgenerated FROM pg_catalog.pg_attribute a WHERE a.attrelid = '16384' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
SELECT c2.relname, i.indisprimary, i.indisunique, pg_catalog.pg_get_indexdef(i.indexrelid, 0, true), contype FROM pg_catalog.pg_class c, pg_catalog.pg_class c2, pg_catalog.pg_index i LEFT JOIN pg_catalog.pg_constraint con ON (conrelid = i.indrelid AND conindid = i.indexrelid AND contype IN ('p','u','x')) WHERE c.oid = '16384' AND c.oid = i.indrelid AND i.indexrelid = c2.oid ORDER BY i.indisprimary DESC, c2.relname
SELECT pol.polname, CASE WHEN pol.polroles = '{0}' THEN NULL ELSE pg_catalog.array_to_string(array(select rolname from pg_catalog.pg_roles where oid = any (pol.polroles) order by 1),',') END FROM pg_catalog.pg_policy pol WHERE pol.polrelid = '16384' ORDER BY 1
SELECT oid, stxrelid::pg_catalog.regclass, stxnamespace::pg_catalog.regnamespace::pg_catalog.text AS nsp, 'd' = any(stxkind) AS ndist_enabled FROM pg_catalog.pg_statistic_ext WHERE stxrelid = '16384' ORDER BY nsp, stxname
SELECT pubname, NULL, NULL FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_namespace pn ON p.oid = pn.pnpubid JOIN pg_catalog.pg_class pc ON pc.relnamespace = pn.pnnspid WHERE pc.oid ='16384' and pg_catalog.pg_relation_is_publishable('16384') UNION SELECT pubname, pg_get_expr(pr.prqual, c.oid), (CASE WHEN pr.prattrs IS NOT NULL THEN (SELECT string_agg(attname, ', ') FROM pg_catalog.generate_series(0, pg_catalog.array_upper(pr.prattrs::pg_catalog.int2[], 1)) s, pg_catalog.pg_attribute WHERE attrelid = pr.prrelid AND attnum = prattrs[s]) ELSE NULL END) FROM pg_catalog.pg_publication p ORDER BY 1
SELECT d.datname as "Name", pg_catalog.pg_get_userbyid(d.datdba) as "Owner", pg_catalog.array_to_string(d.datacl, E'\n') AS "Access privileges" FROM pg_catalog.pg_database d ORDER BY 1
SELECT r.rolname, ARRAY(SELECT b.rolname FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles b ON (m.roleid = b.oid) WHERE m.member = r.oid) as memberof FROM pg_catalog.pg_roles r WHERE r.rolname !~ '^pg_' ORDER BY 1
SELECT s.name AS "Parameter", pg_catalog.current_setting(s.name) AS "Value" FROM pg_catalog.pg_settings s WHERE s.source <> 'default' AND s.setting IS DISTINCT FROM s.boot_val ORDER BY 1
select o.n, p.partstrat, pg_catalog.count(i.inhparent) from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on (n.oid = c.relnamespace) cross join lateral (select pg_catalog.array_position(pg_catalog.current_schemas(true), n.nspname)) as o(n) left join pg_catalog.pg_partitioned_table as p on (p.partrelid = c.oid) left join pg_catalog.pg_inherits as i on (c.oid = i.inhparent) where c.relname = 'pgbench_accounts' and o.n is not null group by 1, 2 order by 1 asc limit 1
drop table if exists pgbench_accounts, pgbench_branches, pgbench_history, pgbench_tellers
create table pgbench_history(tid int,bid int,aid int,delta int,mtime timestamp,filler char(22))
create table pgbench_accounts(aid int not null,bid int,abalance int,filler char(84)) with (fillfactor=100)
create unlogged table t (a int) tablespace "pg_default"
create table m (a int) partition by range (aid)
truncate table pgbench_accounts, pgbench_branches, pgbench_history, pgbench_tellers
insert into pgbench_branches(bid,bbalance) values(1,0)
vacuum analyze pgbench_branches
alter table pgbench_branches add primary key (bid)
alter table pgbench_tellers add constraint fk foreign key (bid) references pgbench_branches
insert into pgbench_accounts(aid,bid,abalance,filler) select aid, (aid - 1) / 100000 + 1, 0, '' from generate_series(1, 100000) as aid
select count(*) from pgbench_branches
vacuum pgbench_branches; vacuum pgbench_tellers; truncate pgbench_history
UPDATE pgbench_accounts SET abalance = abalance + -3288 WHERE aid = 51;
UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2;
SELECT abalance FROM pgbench_accounts WHERE aid = $1;
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES ($1, $2, $3, $4, CURRENT_TIMESTAMP);
BEGIN;
END;
CREATE TABLE sbtest1( id SERIAL, k INTEGER DEFAULT '0' NOT NULL, c CHAR(120) DEFAULT '' NOT NULL, pad CHAR(60) DEFAULT '' NOT NULL, PRIMARY KEY (id) )
INSERT INTO sbtest1(k, c, pad) VALUES(5015, '6848771', '2204'),(5014, '133', '9')
CREATE INDEX k_1 ON sbtest1(k)
SELECT c FROM sbtest1 WHERE id BETWEEN $1 AND $2
SELECT SUM(k) FROM sbtest1 WHERE id BETWEEN 5 AND 104
SELECT DISTINCT c FROM sbtest1 WHERE id BETWEEN 5 AND 104 ORDER BY c
UPDATE sbtest1 SET k=k+1 WHERE id=4976
SELECT id, k, c, pad FROM sbtest1 WHERE k IN ($1,$2,$3)
SELECT count(k) FROM sbtest1 WHERE k BETWEEN 1 AND 2 OR k BETWEEN 5 AND 6
DROP TABLE IF EXISTS usertable
CREATE TABLE IF NOT EXISTS usertable (YCSB_KEY VARCHAR(64) PRIMARY KEY, FIELD0 VARCHAR(100), FIELD1 VARCHAR(100));
INSERT INTO usertable (YCSB_KEY ,FIELD0 ,FIELD1) VALUES ($1 ,$2 ,$3) ON CONFLICT DO NOTHING
SELECT * FROM usertable WHERE YCSB_KEY = $1
SELECT * FROM usertable WHERE YCSB_KEY >= $1 LIMIT $2
UPDATE usertable SET FIELD0 = $1 WHERE YCSB_KEY = $2
DELETE FROM usertable WHERE YCSB_KEY = $1
-- ping
;
select "k", "v", "n" from "kv"
select $1::text::regtype::oid;
select typtype::text, typbasetype from pg_type where oid=$1
SELECT t.oid, typarray FROM pg_type t JOIN pg_namespace ns ON typnamespace = ns.oid WHERE typname = 'hstore'
INSERT INTO kv VALUES ('a', 'b') ON CONFLICT (k) DO UPDATE SET v = excluded.v WHERE kv.n < excluded.n RETURNING *, k AS "Key"
INSERT INTO kv (k) VALUES ('\x0001'::bytea) ON CONFLICT ON CONSTRAINT kv_pkey DO NOTHING
INSERT INTO kv DEFAULT VALUES
INSERT INTO t (a[1], b.c) VALUES (DEFAULT, 2)
UPDATE t SET (a, b) = (1, DEFAULT), (c, d) = (SELECT 1, 2), e = DEFAULT FROM u WHERE t.id = u.id RETURNING t.*
DELETE FROM ONLY t USING u WHERE t.id = u.id
UPDATE t SET a = 1 WHERE CURRENT OF c
WITH x AS (SELECT 1), y (a) AS MATERIALIZED (INSERT INTO t VALUES (1) RETURNING a) SELECT * FROM x, y
WITH RECURSIVE r(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 5) TABLE r
SELECT a.b.c, a.*, *, (a).b, (a).*, a[1], a[1:2], a[:], (f(x)).y FROM s.a
SELECT 1 + 2 * -3 % 4 ^ 5 || 'x' || $1
SELECT - 5, -(5), - - 5, -2147483648, -9223372036854775808, 2147483648, 1.5e10, .5, 0x1F, 0b11, 0o17, 1_000
SELECT 'it''s', E'a\tb', U&'d\0061t', $$dollar$$, $x$a $$ b$x$, B'101', X'1F', N'n', 'a' 
SELECT TRUE, false, NULL, DATE '2020-01-01', interval '1' year, interval(3) '1 day', timestamp(3) '2020-01-01', CAST(1 AS numeric(10,2)), '1'::varchar(5)[]
SELECT a = ANY ($1), a <> ALL (ARRAY[1,2]), a IN (1,2), a NOT IN (SELECT 1), a LIKE 'x%', a NOT ILIKE 'x' ESCAPE '!', a SIMILAR TO 'x', a BETWEEN 1 AND 2, a NOT BETWEEN SYMMETRIC 2 AND 1
SELECT a IS NULL, a IS NOT NULL, a ISNULL, a IS TRUE, a IS NOT UNKNOWN, a IS DISTINCT FROM b, a IS NOT DISTINCT FROM b, NOT a, a AND b OR c
SELECT CASE a WHEN 1 THEN 'x' ELSE 'y' END, CASE WHEN a THEN 1 END, COALESCE(a, 1), NULLIF(a, 1), GREATEST(1, 2), LEAST(1, 2), ROW(1, 2), (1, 2)
SELECT count(*), count(DISTINCT a), sum(a) FILTER (WHERE a > 1), string_agg(a, ',' ORDER BY a DESC NULLS LAST), percentile_cont(0.5) WITHIN GROUP (ORDER BY a), f(VARIADIC a), f(a => 1)
SELECT row_number() OVER (PARTITION BY a ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), rank() OVER w FROM t WINDOW w AS (ORDER BY a)
SELECT EXTRACT(year FROM a), SUBSTRING(a FROM 1 FOR 2), TRIM(BOTH 'x' FROM a), POSITION('a' IN b), a AT TIME ZONE 'UTC', OVERLAY(a PLACING b FROM 1)
SELECT CURRENT_DATE, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP(3), LOCALTIME, CURRENT_USER, SESSION_USER, CURRENT_SCHEMA, CURRENT_CATALOG
SELECT * FROM a NATURAL LEFT JOIN b, c FULL JOIN d USING (x, y) AS j, (SELECT 1) s(a), LATERAL f(1) WITH ORDINALITY AS g(a, b), ROWS FROM (f(1), g(2)), unnest($1::int[]) u
SELECT DISTINCT ON (a) a FROM t GROUP BY a, ROLLUP (b), CUBE (c), GROUPING SETS ((a), ()) HAVING count(*) > 1 ORDER BY a USING <, b NULLS FIRST LIMIT ALL OFFSET 1
SELECT a FROM t ORDER BY 1 FETCH FIRST 5 ROWS ONLY FOR UPDATE OF t NOWAIT
SELECT a FROM t FOR SHARE SKIP LOCKED
SELECT EXISTS (SELECT 1), ARRAY(SELECT 1), (SELECT 1), a > ALL (SELECT 1), a = ANY (SELECT 1) FROM t
(SELECT 1 UNION ALL SELECT 2) EXCEPT SELECT 3 INTERSECT SELECT 4 ORDER BY 1 LIMIT 1
VALUES (1, 'a'), (2, 'b')
TABLE kv
SELECT name, value, key, type, "user" FROM t
EXPLAIN SELECT 1
EXPLAIN (ANALYZE, FORMAT json, COSTS off) SELECT 1
EXPLAIN ANALYZE VERBOSE UPDATE t SET a = 1
CREATE TABLE s.t (a int PRIMARY KEY, b text COLLATE "C" NOT NULL DEFAULT 'x', c bigint GENERATED ALWAYS AS IDENTITY, d int GENERATED ALWAYS AS (a + 1) STORED, e int UNIQUE REFERENCES u (x) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, CONSTRAINT k CHECK (a > 0), UNIQUE (a, b) INCLUDE (c), FOREIGN KEY (a, b) REFERENCES u, EXCLUDE USING gist (a WITH =), LIKE x INCLUDING ALL)
CREATE TEMP TABLE t (a int[], b varchar(10)[][], c numeric(10,2)) ON COMMIT DROP
CREATE TABLE t AS SELECT 1
CREATE TABLE t AS SELECT 1 WITH NO DATA
SELECT 1 INTO t
CREATE SCHEMA IF NOT EXISTS s AUTHORIZATION joe
DROP SCHEMA s CASCADE
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t USING btree (a DESC NULLS LAST, lower(b) COLLATE "C" text_pattern_ops) INCLUDE (c) WITH (fillfactor = 70) WHERE a > 0
DROP INDEX CONCURRENTLY IF EXISTS i
ALTER TABLE ONLY public.kv ADD CONSTRAINT kv_pkey PRIMARY KEY (k)
ALTER TABLE t OWNER TO postgres
ALTER TABLE IF EXISTS t ADD COLUMN IF NOT EXISTS a int DEFAULT 1, DROP COLUMN b CASCADE, ALTER COLUMN c SET DEFAULT 2, ALTER d DROP DEFAULT, ALTER e SET NOT NULL, ALTER f DROP NOT NULL, ALTER g TYPE text USING g::text
ALTER TABLE t DROP CONSTRAINT IF EXISTS k, VALIDATE CONSTRAINT l, SET (fillfactor = 70), RESET (fillfactor), SET UNLOGGED, DISABLE TRIGGER ALL
ALTER TABLE t RENAME TO u
ALTER TABLE t RENAME COLUMN a TO b
ALTER TABLE t RENAME CONSTRAINT a TO b
ALTER TABLE t SET SCHEMA s
ALTER INDEX i RENAME TO j
CREATE SEQUENCE IF NOT EXISTS s AS int INCREMENT BY -2 MINVALUE -9223372036854775808 NO MAXVALUE START 5 CACHE 1 CYCLE OWNED BY t.a
ALTER SEQUENCE s RESTART WITH 10 OWNED BY NONE
DROP SEQUENCE s
CREATE OR REPLACE VIEW v (a, b) AS SELECT 1, 2 WITH CHECK OPTION
DROP VIEW IF EXISTS v
COMMENT ON TABLE t IS 'x'
COMMENT ON COLUMN s.t.a IS NULL
GRANT SELECT (a, b), INSERT ON TABLE t TO joe, PUBLIC WITH GRANT OPTION
GRANT ALL ON ALL TABLES IN SCHEMA public TO joe
REVOKE ALL PRIVILEGES ON DATABASE postgres FROM CURRENT_USER CASCADE
GRANT a TO b WITH ADMIN OPTION
CREATE USER joe WITH LOGIN PASSWORD 'secret' VALID UNTIL '2030-01-01' CONNECTION LIMIT 5 IN ROLE a, b
CREATE ROLE r SUPERUSER NOINHERIT
ALTER ROLE joe WITH PASSWORD NULL
ALTER ROLE joe SET search_path TO a, b
ALTER ROLE ALL RESET ALL
ALTER DATABASE postgres SET timezone TO 'UTC'
ALTER USER joe IN DATABASE postgres SET x.y TO 1
DROP ROLE IF EXISTS joe, bob
DROP USER joe
CREATE DATABASE d WITH OWNER joe ENCODING 'UTF8'
DROP DATABASE IF EXISTS d WITH (FORCE)
CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA public
VACUUM
VACUUM (FULL, ANALYZE) t (a, b), u
ANALYZE VERBOSE t
CHECKPOINT
REINDEX TABLE t
CLUSTER t USING i
LOCK TABLE t, u IN ACCESS EXCLUSIVE MODE NOWAIT
LOCK t
SET CONSTRAINTS ALL DEFERRED
CALL p(1, 2)
SELECT pg_catalog.set_config('search_path','',false)
SELECT (v).x::int[] FROM t WHERE a @> '{}' AND NOT b ->> 'x' = 'y' AND c #>> ARRAY['a'] IS NULL
SELECT t.typname FROM pg_type t WHERE t.oid = 'int4'::regtype AND "char" <> '"char"'::"char"
MERGE INTO t USING u ON a = b WHEN MATCHED THEN DELETE
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1'
CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END
DO $$ begin end $$
CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()
CREATE TYPE e AS ENUM ('a')
CREATE PUBLICATION p FOR ALL TABLES
SELECT * FROM t TABLESAMPLE system (1)
SELECT xmlelement(name a), JSON_OBJECT('a': 1), x IS JSON
SECURITY LABEL ON TABLE t IS 'x'
