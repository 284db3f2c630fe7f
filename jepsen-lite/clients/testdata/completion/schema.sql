CREATE SCHEMA completed;
SET search_path = completed;
CREATE TABLE book (k int PRIMARY KEY, title text, UNIQUE (title));
CREATE VIEW titles AS SELECT title FROM book;
CREATE SEQUENCE counter;
CREATE INDEX book_title ON book (title);
PREPARE stored AS SELECT 1;
LISTEN channel;
