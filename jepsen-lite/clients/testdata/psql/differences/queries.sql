-- Queries that answer where PostgreSQL refuses, or refuse in other words.
CREATE SCHEMA differ;
SET search_path = differ;
CREATE TABLE a (id int PRIMARY KEY, name text, boss int);
CREATE TABLE b (id int, n int, v text, PRIMARY KEY (id, n));
CREATE TABLE t (k int PRIMARY KEY, g text, n int);
INSERT INTO a VALUES (1, 'one', NULL), (2, 'two', 1);
INSERT INTO b VALUES (1, 1, 'x'), (2, 1, NULL);
INSERT INTO t VALUES (1, 'a', 10), (2, 'a', 20);
SELECT * FROM a FULL JOIN b ON a.id < b.id;
SELECT * FROM (SELECT 1);
SELECT k FROM t UNION SELECT n FROM t ORDER BY n + 1;
SET client_min_messages = warning;
DROP SCHEMA differ CASCADE;
