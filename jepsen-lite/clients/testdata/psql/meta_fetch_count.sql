-- FETCH_COUNT: psql declares a cursor for every query and fetches a few rows at a time.
CREATE SCHEMA fetched;
SET search_path = fetched;
CREATE TABLE grid (r text, c text, n int, PRIMARY KEY (r, c));
INSERT INTO grid VALUES ('a', 'x', 1), ('a', 'y', 2), ('b', 'x', 3), ('c', 'z', 4);
\set FETCH_COUNT 2
SELECT * FROM grid ORDER BY n;
SELECT generate_series(1, 7) AS n;
SELECT * FROM grid WHERE n > 100;
SELECT 1 / (1 - n) FROM grid ORDER BY n;
VALUES (1), (2), (3);
BEGIN;
SELECT n FROM grid ORDER BY n;
COMMIT;
INSERT INTO grid VALUES ('e', 'x', 6) RETURNING *;
\set FETCH_COUNT 0
SET client_min_messages = warning;
DROP SCHEMA fetched CASCADE;
