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
SET client_min_messages = warning;
DROP SCHEMA fk CASCADE;
