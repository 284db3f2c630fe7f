-- Definitions of views, checks and defaults: as they are printed, and as they follow what is renamed.
CREATE SCHEMA shown;
SET search_path = shown;
CREATE TABLE t (a int PRIMARY KEY, b text, v varchar(10), d date);
CREATE TABLE u (a int, x bigint, y text);
INSERT INTO t VALUES (1, 'one', 'v1', '2020-01-01'), (2, 'two', 'v2', '2020-01-02');
INSERT INTO u VALUES (1, 100, 'y1'), (2, 200, 'y2'), (3, 300, NULL);
CREATE VIEW joined AS SELECT a, b, y FROM t JOIN u USING (a) WHERE v IN ('v1', 'v2') AND d BETWEEN '2020-01-01' AND current_date;
CREATE VIEW whole AS SELECT * FROM t FULL JOIN u USING (a);
CREATE VIEW nested AS SELECT a FROM joined UNION SELECT x FROM u ORDER BY 1;
CREATE VIEW constants AS SELECT 't'::regclass AS r, '2020-01-01 12:00+02'::timestamptz AS z, 'x'::"char" AS c;
CREATE VIEW within AS SELECT t.a, q.a AS b FROM t, (SELECT u.a FROM u) q WHERE EXISTS (SELECT 1 FROM t WHERE t.a = q.a);
\d+ joined
\sv joined
\sv+ nested
SELECT pg_get_viewdef('whole'::regclass), pg_get_viewdef('whole'::regclass, true), pg_get_viewdef('whole'::regclass, 60);
ALTER TABLE t RENAME COLUMN a TO aa;
ALTER TABLE t RENAME TO tt;
ALTER TABLE u RENAME COLUMN y TO why;
ALTER TABLE u ADD COLUMN late int;
\d+ joined
\d+ whole
\d+ nested
\d+ constants
\d+ within
TABLE joined;
TABLE nested;
SELECT r FROM constants;
ALTER VIEW joined RENAME TO renamed;
\d+ nested
TABLE nested;
SELECT viewname, definition FROM pg_views WHERE schemaname = 'shown' ORDER BY 1;
SELECT view_definition FROM information_schema.views WHERE table_name = 'nested';
SET search_path = public;
SELECT pg_get_viewdef('shown.renamed'::regclass, true);
SET search_path = shown;
CREATE TABLE ck (n numeric CHECK (n > 0), a int DEFAULT 1 + 1, b text DEFAULT 'x' || 'y',
    c date DEFAULT current_date, d timestamp DEFAULT now(), e varchar(5) DEFAULT 'abc',
    f int CHECK (f IN (1, 2, 3)), g text CHECK (g LIKE 'a%' AND length(g) < 10 OR g IS NULL),
    h numeric DEFAULT 0, i bool DEFAULT (NOT true), j int[] DEFAULT '{}', k text DEFAULT current_user,
    l timestamptz DEFAULT current_timestamp(3), m int DEFAULT -1,
    o text CHECK (CASE WHEN o IS NULL THEN true ELSE o <> '' END), p bigint DEFAULT 5,
    q double precision DEFAULT 1.5, s varchar(3) CHECK (s IN ('a', 'b')),
    t int CHECK (t NOT BETWEEN 1 AND 5), u date DEFAULT '2020-01-02',
    CONSTRAINT y CHECK (n BETWEEN 1 AND f AND NOT (f > 3 OR g = 'z')),
    CONSTRAINT z CHECK (a = ANY (ARRAY[1, 2]) AND (a, b) > (1, 'x') AND coalesce(a, 0) + 1 > 2));
\d ck
SELECT conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true) FROM pg_constraint WHERE conrelid = 'ck'::regclass ORDER BY 1;
SELECT adnum, pg_get_expr(adbin, adrelid), pg_get_expr(adbin, adrelid, true) FROM pg_attrdef WHERE adrelid = 'ck'::regclass ORDER BY 1;
ALTER TABLE ck RENAME COLUMN f TO eff;
ALTER TABLE ck ALTER COLUMN h TYPE int;
\d ck
SELECT check_clause FROM information_schema.check_constraints WHERE constraint_schema = 'shown' AND constraint_name !~ 'not_null' ORDER BY 1;
SELECT column_name, column_default FROM information_schema.columns WHERE table_name = 'ck' ORDER BY 1;
INSERT INTO ck (n, eff, a, d, l) VALUES (1, 3, 3, NULL, NULL) RETURNING n, a, b, e, h, i, j, k, m, p, q, u;
CREATE TABLE sq (a serial);
CREATE TABLE drawn (b int DEFAULT nextval('sq_a_seq'));
ALTER SEQUENCE sq_a_seq RENAME TO other;
\d sq
\d drawn
INSERT INTO sq DEFAULT VALUES RETURNING *;
INSERT INTO drawn DEFAULT VALUES RETURNING *;
SELECT 'today'::date = current_date AS today, 'now'::timestamptz <= now() AS now, pg_typeof('v'::"char"), pg_typeof(nullif('v'::varchar, 'w'));
CREATE VIEW pseudo AS SELECT row(1, 2) AS r;
SET client_min_messages = warning;
DROP SCHEMA shown CASCADE;
