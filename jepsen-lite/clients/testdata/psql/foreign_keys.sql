-- Foreign keys: enforced both ways, with their actions, or refused by name.
CREATE SCHEMA fk;
SET search_path = fk;
CREATE TABLE p (a int, b text, PRIMARY KEY (a, b));
CREATE TABLE s (id int PRIMARY KEY, up int REFERENCES s);
CREATE TABLE c (id int PRIMARY KEY, a int, b text, FOREIGN KEY (a, b) REFERENCES p);
INSERT INTO p VALUES (1, 'x'), (2, 'y');
INSERT INTO c VALUES (1, 1, 'x'), (2, NULL, 'zz'), (3, 2, 'y');
INSERT INTO c VALUES (4, 1, 'y');
UPDATE c SET b = 'q' WHERE id = 1;
DELETE FROM p WHERE a = 1;
UPDATE p SET a = 5 WHERE a = 1;
DELETE FROM c WHERE id = 1;
DELETE FROM p WHERE a = 1;
INSERT INTO s VALUES (1, 1), (2, 1), (3, 4), (4, NULL);
INSERT INTO s VALUES (5, 9);
DELETE FROM s WHERE id = 1;
\d p
\d c
\d+ s
DROP TABLE p;
TRUNCATE p;
CREATE TABLE bad (x int REFERENCES nothere);
CREATE TABLE bad (x text REFERENCES s);
CREATE TABLE bad (x int, FOREIGN KEY (y) REFERENCES s);
CREATE TABLE bad (x int, FOREIGN KEY (x) REFERENCES p (a));
ALTER TABLE c DROP CONSTRAINT c_a_b_fkey;
DELETE FROM p;
ALTER TABLE c ADD FOREIGN KEY (a, b) REFERENCES p;
DELETE FROM c WHERE id = 3;
ALTER TABLE c ADD CONSTRAINT again FOREIGN KEY (a, b) REFERENCES p (a, b);
INSERT INTO c VALUES (7, 7, 'x');
CREATE TABLE orders (id int PRIMARY KEY, no text NOT NULL UNIQUE, a int, b int, UNIQUE (a, b));
CREATE TABLE lines (
    id int PRIMARY KEY,
    no text REFERENCES orders (no) ON UPDATE CASCADE ON DELETE CASCADE,
    owner int DEFAULT 0 CONSTRAINT own REFERENCES orders ON DELETE SET DEFAULT,
    a int, b int,
    FOREIGN KEY (a, b) REFERENCES orders (a, b) MATCH FULL ON UPDATE RESTRICT ON DELETE SET NULL
);
CREATE TABLE notes (line int PRIMARY KEY REFERENCES lines ON DELETE CASCADE, text text);
INSERT INTO orders VALUES (0, 'zero', NULL, NULL), (1, 'one', 1, 1), (2, 'two', 2, 2);
INSERT INTO lines VALUES (10, 'one', 2, 2, 2), (11, 'one', 1, NULL, NULL), (20, 'two', 0, 1, 1);
INSERT INTO notes VALUES (10, 'ten'), (20, 'twenty');
\d lines
\d+ orders
UPDATE orders SET no = 'ONE' WHERE id = 1;
UPDATE orders SET a = 3 WHERE id = 1;
DELETE FROM orders WHERE id = 2;
TABLE lines ORDER BY id;
DELETE FROM orders WHERE id = 1 RETURNING no;
TABLE lines;
TABLE notes;
INSERT INTO lines (id, a) VALUES (12, 1);
ALTER TABLE orders DROP CONSTRAINT orders_no_key;
ALTER TABLE orders DROP COLUMN a CASCADE;
ALTER TABLE orders DROP CONSTRAINT orders_no_key CASCADE;
\d lines
CREATE TABLE bad (x int REFERENCES orders ON DELETE SET NULL (y));
CREATE TABLE bad (x int, y int, FOREIGN KEY (x) REFERENCES orders ON DELETE SET NULL (y));
SET client_min_messages = warning;
DROP SCHEMA fk CASCADE;
