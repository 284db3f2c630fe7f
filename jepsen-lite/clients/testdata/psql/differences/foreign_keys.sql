-- What of foreign keys is refused by name.
CREATE SCHEMA fkd;
SET search_path = fkd;
CREATE TABLE p (k int PRIMARY KEY);
CREATE TABLE g (k int REFERENCES p DEFERRABLE INITIALLY DEFERRED);
SET client_min_messages = warning;
DROP SCHEMA fkd CASCADE;
