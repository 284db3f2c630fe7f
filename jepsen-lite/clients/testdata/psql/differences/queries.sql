-- Queries that are refused by name, or that answer where PostgreSQL refuses.
CREATE SCHEMA differ;
SET search_path = differ;
CREATE TABLE a (id int PRIMARY KEY, name text, boss int);
CREATE TABLE b (id int, n int, v text, PRIMARY KEY (id, n));
CREATE TABLE t (k int PRIMARY KEY, g text, n int);
INSERT INTO a VALUES (1, 'one', NULL), (2, 'two', 1);
INSERT INTO b VALUES (1, 1, 'x'), (2, 1, NULL);
INSERT INTO t VALUES (1, 'a', 10), (2, 'a', 20);
SELECT b.*, a FROM a JOIN b USING (id) ORDER BY id, n;
SELECT * FROM a FULL JOIN b ON a.id < b.id;
SELECT k FROM t WHERE (g, n) = (SELECT 'a', 20);
SELECT * FROM (SELECT 1);
WITH gone AS (DELETE FROM t WHERE k = 5 RETURNING *) INSERT INTO t SELECT k + 10, g, n FROM gone RETURNING *;
SELECT k FROM t UNION SELECT n FROM t ORDER BY n + 1;
SELECT k, row_number() OVER w, sum(n) OVER w, lag(n) OVER w FROM t WINDOW w AS (PARTITION BY g ORDER BY k) ORDER BY k;
SELECT * FROM unnest(ARRAY['a', 'b'], ARRAY[1, 2, 3]) WITH ORDINALITY AS u(x, y, n);
SET client_min_messages = warning;
DROP SCHEMA differ CASCADE;
