-- Commands of psql that send statements their own way: \gdesc, \gexec, \gx, \crosstabview.
CREATE SCHEMA outp;
SET search_path = outp;
CREATE TABLE grid (r text, c text, n int, PRIMARY KEY (r, c));
INSERT INTO grid VALUES ('a', 'x', 1), ('a', 'y', 2), ('b', 'x', 3), ('c', 'z', 4);
SELECT r, c, n, n::numeric(10, 2) AS price, n::varchar(7), now() AS at, ARRAY[n] FROM grid \gdesc
SELECT $1::int \gdesc
SELECT FROM grid \gdesc
INSERT INTO grid VALUES ('d', 'x', 5) RETURNING n + 1 AS next, r \gdesc
SELEC \gdesc
SELECT nope FROM grid \gdesc
SELECT count(*) FROM grid;
SELECT r, c, n FROM grid ORDER BY r, c \crosstabview
SELECT r, c, n FROM grid ORDER BY r, c \crosstabview c r n
SELECT r, n FROM grid ORDER BY r, c \gx
SELECT format('SELECT %L AS made;', r) FROM grid ORDER BY r, c \gexec
SELECT max(n) AS top, min(n) AS low FROM grid \gset
\echo :top :low
SELECT r FROM grid WHERE n = :top;
SELECT r FROM grid WHERE r = :'low';
\set col n
SELECT :"col" FROM grid ORDER BY 1;
\x on
SELECT * FROM grid WHERE n < 3 ORDER BY n;
\x off
\a
SELECT * FROM grid WHERE n < 3 ORDER BY n;
\t
SELECT * FROM grid WHERE n < 3 ORDER BY n;
\a
\t
\pset format csv
SELECT r, c, NULL AS nothing, 'a,b' AS comma FROM grid ORDER BY n;
\pset format aligned
\pset null '(null)'
SELECT NULL AS nothing;
\pset null ''
SELECT 1 AS one \; SELECT 2 AS two;
SELECT 1 AS one \; SELECT 1/0 \; SELECT 2 AS two;
SELECT n FROM grid WHERE n = 1 \g
\p
\r
\errverbose
SET client_min_messages = warning;
DROP SCHEMA outp CASCADE;
