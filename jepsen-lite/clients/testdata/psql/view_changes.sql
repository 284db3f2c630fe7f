-- What is renamed in a view, and what a view keeps from being changed.
CREATE SCHEMA vc;
SET search_path = vc;
CREATE TABLE t (a int PRIMARY KEY, b text, xx int);
CREATE TABLE u (a bigint, c text, xx int);
INSERT INTO t VALUES (1, 'one', 10);
INSERT INTO u VALUES (1, 'eins', 20);
CREATE VIEW v AS SELECT a, b, c FROM t JOIN u USING (a);
CREATE VIEW onv AS SELECT v.a, upper(b) AS up FROM v;
COMMENT ON COLUMN v.b IS 'the name';
ALTER VIEW v RENAME COLUMN b TO name;
ALTER TABLE v RENAME COLUMN c TO other;
\d+ v
\d+ onv
TABLE v;
TABLE onv;
ALTER VIEW v RENAME COLUMN nope TO x;
ALTER VIEW v RENAME COLUMN a TO other;
ALTER VIEW nothere RENAME COLUMN a TO b;
ALTER VIEW t RENAME COLUMN b TO bb;
ALTER TABLE v RENAME TO w;
\d onv
CREATE OR REPLACE VIEW w AS SELECT a, b, c FROM t JOIN u USING (a);
CREATE OR REPLACE VIEW w AS SELECT a, b AS name, c AS other, t.xx FROM t JOIN u USING (a);
CREATE OR REPLACE VIEW w AS SELECT a FROM t;
CREATE OR REPLACE VIEW w AS SELECT a::int, b AS name, c AS other, t.xx::text FROM t JOIN u USING (a);
ALTER TABLE u DROP COLUMN xx;
ALTER TABLE t DROP COLUMN xx;
ALTER TABLE t ALTER COLUMN b TYPE varchar(10);
ALTER TABLE u ALTER COLUMN a TYPE int;
ALTER TABLE t DROP COLUMN xx CASCADE;
\d
CREATE VIEW merged AS SELECT i FROM (SELECT 1 AS i) x JOIN (SELECT 1.50 AS i) y USING (i);
TABLE merged;
CREATE TABLE k (id int PRIMARY KEY, n int, s text);
CREATE VIEW grouped AS SELECT id, n, count(*) AS c FROM k GROUP BY id;
CREATE VIEW ongrouped AS SELECT max(c) FROM grouped;
ALTER TABLE k DROP CONSTRAINT k_pkey;
CREATE VIEW agg AS SELECT count(*) AS n FROM k;
CREATE VIEW win AS SELECT id, row_number() OVER () AS r FROM k;
CREATE VIEW srf AS SELECT id, generate_series(1, 2) AS g FROM k;
CREATE VIEW none AS SELECT id + 1 AS next FROM k;
CREATE VIEW two AS SELECT k.id FROM k, t;
CREATE VIEW distincts AS SELECT DISTINCT n FROM k;
CREATE VIEW onagg AS SELECT n FROM agg;
CREATE VIEW vals AS VALUES (1);
INSERT INTO agg VALUES (1);
UPDATE win SET id = 1;
DELETE FROM srf;
INSERT INTO none VALUES (1);
UPDATE none SET next = 1;
UPDATE two SET id = 1;
DELETE FROM distincts;
UPDATE onagg SET n = 1;
DELETE FROM vals;
DELETE FROM grouped;
CREATE VIEW barrier WITH (security_barrier, security_invoker = false) AS SELECT id FROM k;
CREATE VIEW bad WITH (security_barrier = 100) AS SELECT 1;
CREATE VIEW bad WITH (nope = 1) AS SELECT 1;
\d+ barrier
SELECT relname, reloptions FROM pg_class WHERE oid = 'barrier'::regclass;
CREATE OR REPLACE VIEW barrier AS SELECT id FROM k;
SELECT relname, reloptions FROM pg_class WHERE oid = 'barrier'::regclass;
ALTER TABLE k DROP CONSTRAINT k_pkey CASCADE;
SET client_min_messages = warning;
DROP SCHEMA vc CASCADE;
