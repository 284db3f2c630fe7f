-- Temporary tables, views and sequences: they are the session's own, found before all others, and
-- gone with it. ON COMMIT says what a transaction leaves of them.
\set ECHO all
CREATE TABLE seen (a int PRIMARY KEY);
INSERT INTO seen VALUES (1);
CREATE TEMP TABLE seen (a int PRIMARY KEY, b serial, c text UNIQUE CHECK (c <> ''));
INSERT INTO seen (a, c) VALUES (10, 'ten'), (20, 'twenty');
SELECT * FROM seen ORDER BY a;
SELECT * FROM public.seen;
SELECT * FROM pg_temp.seen ORDER BY a;
INSERT INTO seen (a, c) VALUES (10, 'again');
INSERT INTO seen (a, c) VALUES (30, '');
INSERT INTO seen (a, c) VALUES (30, 'ten') ON CONFLICT (c) DO UPDATE SET c = 'TEN' RETURNING *;
UPDATE seen SET c = 'thirty' WHERE a = 20;
CREATE INDEX ON seen (b);
SELECT indexname FROM pg_indexes WHERE schemaname LIKE 'pg\_temp\_%' ORDER BY 1;
ALTER TABLE seen ADD COLUMN d int DEFAULT 7;
SELECT * FROM seen ORDER BY a;
SELECT relname, relpersistence, relkind FROM pg_class
  WHERE relnamespace = pg_my_temp_schema() ORDER BY relname;
SELECT pg_my_temp_schema() <> 0, pg_is_other_temp_schema(pg_my_temp_schema());
SELECT table_schema, table_name, table_type FROM information_schema.tables
  WHERE table_schema = pg_my_temp_schema()::regnamespace::text;
SELECT current_schema(), array_length(current_schemas(true), 1), current_schemas(false);
SELECT 'seen'::regclass, 'pg_temp.seen'::regclass, 'public.seen'::regclass;
SELECT to_regclass('pg_temp.nothing');
-- a name at the right place of the path
SET search_path = public, pg_temp;
SELECT * FROM seen;
SET search_path = pg_temp, public;
CREATE TABLE found_there (a int);
RESET search_path;
SELECT relpersistence FROM pg_class WHERE oid = 'pg_temp.found_there'::regclass;
DROP TABLE seen;
SELECT * FROM seen;
DROP TABLE seen;
-- what ON COMMIT does
CREATE TEMP TABLE gone (a int) ON COMMIT DROP;
SELECT * FROM gone;
BEGIN;
CREATE TEMPORARY TABLE gone (a serial PRIMARY KEY) ON COMMIT DROP;
INSERT INTO gone DEFAULT VALUES;
CREATE TEMP VIEW over_gone AS SELECT a + 1 AS b FROM gone;
SELECT * FROM over_gone;
COMMIT;
SELECT * FROM gone;
SELECT * FROM over_gone;
BEGIN;
CREATE TEMP TABLE emptied (a int PRIMARY KEY, b int) ON COMMIT DELETE ROWS;
CREATE INDEX ON emptied (b);
INSERT INTO emptied SELECT n, n FROM generate_series(1, 5) AS n;
SELECT count(*) FROM emptied;
COMMIT;
SELECT count(*) FROM emptied;
INSERT INTO emptied VALUES (1, 1);
SELECT count(*) FROM emptied WHERE b = 1;
BEGIN;
INSERT INTO emptied VALUES (1, 1);
SAVEPOINT s;
INSERT INTO emptied VALUES (2, 2);
ROLLBACK TO s;
SELECT * FROM emptied;
COMMIT;
CREATE TEMP TABLE kept (a int) ON COMMIT PRESERVE ROWS;
INSERT INTO kept VALUES (1);
SELECT * FROM kept;
BEGIN;
CREATE TEMP TABLE undone (a int);
ROLLBACK;
SELECT * FROM undone;
-- sequences and views
CREATE TEMP SEQUENCE steps INCREMENT 5;
SELECT nextval('steps'), nextval('pg_temp.steps');
CREATE VIEW of_kept AS SELECT * FROM kept;
SELECT * FROM of_kept;
SELECT relpersistence FROM pg_class WHERE relname = 'of_kept';
CREATE TEMP VIEW public.of_kept AS SELECT * FROM kept;
-- copy, cursors, prepared statements
COPY kept FROM stdin;
2
3
\.
COPY kept TO stdout;
PREPARE count_kept AS SELECT count(*) FROM kept;
EXECUTE count_kept;
BEGIN;
DECLARE c CURSOR FOR SELECT a FROM kept ORDER BY a;
FETCH 2 FROM c;
COMMIT;
-- what is refused
CREATE TEMP TABLE public.no (a int);
CREATE TEMP TABLE pg_temp.yes (a int);
CREATE UNLOGGED TABLE pg_temp.no (a int);
CREATE TABLE no (a int) ON COMMIT DROP;
CREATE TABLE no (a int REFERENCES keyed);
CREATE TEMP TABLE keyed (a int PRIMARY KEY);
CREATE TABLE no (a int REFERENCES keyed);
CREATE TEMP TABLE child (a int REFERENCES public.seen);
CREATE TEMP TABLE child (a int REFERENCES keyed);
INSERT INTO child VALUES (1);
CREATE TEMP TABLE kept (a int);
CREATE TEMP TABLE IF NOT EXISTS kept (a int);
BEGIN READ ONLY;
CREATE TEMP TABLE no (a int);
ROLLBACK;
CREATE TEMP TABLE of_query ON COMMIT DROP AS SELECT 1 AS a;
SELECT * FROM of_query;
CREATE TEMP TABLE of_query AS SELECT a FROM generate_series(1, 3) AS a;
SELECT * FROM of_query;
SELECT a INTO TEMP into_temp FROM of_query WHERE a > 1;
SELECT * FROM pg_temp.into_temp ORDER BY a;
CREATE TEMP TABLE like_it (LIKE public.seen INCLUDING ALL);
INSERT INTO like_it VALUES (1), (1);
ALTER TABLE of_query SET SCHEMA public;
ALTER TABLE public.seen SET SCHEMA pg_temp;
-- the end
\d kept
DISCARD TEMP;
SELECT * FROM kept;
SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema();
CREATE TEMP TABLE kept (a int);
SELECT * FROM kept;
\c
SELECT * FROM kept;
DISCARD ALL;
DROP TABLE public.seen;
