-- Cursors: only SCROLL scrolls back, and nothing is changed through one.
CREATE TABLE cur (k int PRIMARY KEY, v text);
INSERT INTO cur SELECT i, 'v' || i FROM generate_series(1, 3) AS i;
BEGIN;
DECLARE c CURSOR FOR SELECT k FROM cur;
SELECT name, statement, is_scrollable FROM pg_cursors;
FETCH 2 FROM c;
SAVEPOINT a;
UPDATE cur SET v = 'x' WHERE CURRENT OF c;
ROLLBACK TO a;
DELETE FROM cur WHERE CURRENT OF c;
ROLLBACK TO a;
FETCH PRIOR FROM c;
ROLLBACK;
DROP TABLE cur;
