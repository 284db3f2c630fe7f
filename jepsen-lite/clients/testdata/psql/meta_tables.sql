-- psql's \d on tables, indexes, sequences, views and constraints: its own queries, executed.
CREATE SCHEMA meta;
SET search_path = meta;
CREATE TABLE author (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name varchar(40) NOT NULL,
    born date DEFAULT '1970-01-01',
    ratio numeric(6, 2) DEFAULT 1.5 CHECK (ratio > 0.5),
    tags text[],
    CONSTRAINT named CHECK (name <> '' AND id < 1000)
);
CREATE TABLE book (
    isbn char(13) PRIMARY KEY,
    serial_no serial,
    author_id int,
    title text NOT NULL,
    printed timestamptz DEFAULT now(),
    price float8 DEFAULT 0,
    open bool DEFAULT true,
    note json,
    more jsonb DEFAULT '{}',
    UNIQUE (author_id, title)
);
CREATE TABLE pair (a int, b bigint, c uuid, PRIMARY KEY (b, a));
CREATE TABLE bare (x smallint, y interval, z bytea, t time, f real);
CREATE INDEX book_title ON book (title);
CREATE UNIQUE INDEX book_serial ON book (serial_no DESC);
CREATE INDEX ON book (printed, price DESC NULLS LAST);
CREATE SEQUENCE counter START 5 INCREMENT 2 MAXVALUE 100 CYCLE;
CREATE VIEW titles AS SELECT b.title, a.name FROM book b JOIN author a ON a.id = b.author_id;
\d
\d author
\d+ author
\d book
\d+ book
\d pair
\d+ pair
\d bare
\d+ bare
\d titles
\d counter
\d+ counter
\d book_pkey
\d book_serial
\d+ book_title
\d book_printed_price_idx
\d author_id_seq
\d+ author_id_seq
\d nothing
\d meta.pair
\d meta.*
\d b*
\d ?air
\d "pair"
\d PAIR
\d "PAIR"
\dt
\dt b*
\dt meta.*
\dt nothing
\di
\di *title*
\dv
\ds
\dm
\dE
\dtvs
\dtS pg_class
\dp
\dp author
\z book
\dd
\ev nothing
SET client_min_messages = warning;
DROP SCHEMA meta CASCADE;
\d
