-- Everything a dump has to carry: names that need quotes, every type, identity and serial columns,
-- defaults, constraints, indexes, views over views, rows with every character that COPY escapes.
CREATE SCHEMA "Odd Name";
CREATE TABLE author (
    id int GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT 3) PRIMARY KEY,
    name varchar(40) NOT NULL,
    born date DEFAULT '1970-01-01',
    ratio numeric(6, 2) DEFAULT 1.5,
    tags text[],
    CONSTRAINT named CHECK (length(name) > 0)
);
INSERT INTO author (name, tags) VALUES
    ('a', '{x,"y z"}'), (E'tab\there\\ \n\r\v', NULL), (E'é''"\b\f', '{}'), ('\.', '{NULL}'), ('\N', NULL);
CREATE TABLE "Odd Name"."Order" (
    "Select" int PRIMARY KEY, "b""q" bytea, at timestamptz, i interval, f float8, j jsonb, u uuid,
    n numeric, r real, plain timestamp, tim time, doc json, yes bool, small smallint, c char(3)
);
INSERT INTO "Odd Name"."Order" VALUES
    (1, '\x00ff5c', '2024-02-29 12:00:00.123456+00', '1 year 2 mons 3 days 04:05:06.7', 0.1,
    '{"a": [1, null]}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 123456789012345678901234567890.5,
    1.5, '2000-01-01 00:00:00', '23:59:59.5', ' {"x" : 1} ', true, -32768, 'ab'),
    (2, '', 'infinity', NULL, 'NaN', NULL, NULL, 'NaN', '-Infinity', '-infinity', NULL, NULL, false,
    NULL, NULL);
CREATE TABLE ser (k bigserial PRIMARY KEY, v text COLLATE "C" DEFAULT 'q''uote');
INSERT INTO ser (v) SELECT 'v' || g FROM generate_series(1, 20) g;
CREATE TABLE nokey (a int, b text, UNIQUE (a, b));
CREATE INDEX ON nokey (b DESC NULLS LAST);
CREATE UNIQUE INDEX "ser V" ON ser (v, k DESC);
INSERT INTO nokey VALUES (1, 'x'), (NULL, NULL), (NULL, NULL), (NULL, '');
CREATE TABLE pair (b int, a int, v text, PRIMARY KEY (a, b));
INSERT INTO pair VALUES (1, 2, 'x'), (2, 1, 'y');
CREATE SEQUENCE "Odd Name".s AS smallint START 5 INCREMENT -2 MINVALUE -10 MAXVALUE 7 CYCLE;
SELECT nextval('"Odd Name".s');
CREATE SEQUENCE fresh START 42;
CREATE VIEW names AS SELECT id, name FROM author WHERE ratio > 0;
CREATE VIEW "Odd Name".sums (one, "Two") AS SELECT count(*), max(name) FROM public.names;
CREATE TABLE "a child" (k int PRIMARY KEY, author int REFERENCES author ON DELETE RESTRICT,
    a int, b int, up int REFERENCES "a child", FOREIGN KEY (a, b) REFERENCES pair (a, b));
INSERT INTO "a child" VALUES (1, 5, 2, 1, 2), (2, NULL, NULL, 9, NULL);
COMMENT ON TABLE author IS 'who wrote ''it''';
COMMENT ON COLUMN author.name IS E'as on\nthe cover';
COMMENT ON SCHEMA "Odd Name" IS 'quoted';
COMMENT ON CONSTRAINT named ON author IS 'not empty';
COMMENT ON VIEW names IS 'some';
COMMENT ON INDEX "ser V" IS 'both';
COMMENT ON SEQUENCE fresh IS 'not used';
CREATE TABLE hollow ();
INSERT INTO hollow DEFAULT VALUES;
INSERT INTO hollow DEFAULT VALUES;
CREATE VIEW early AS SELECT 1 AS x;
CREATE VIEW late AS SELECT 1 AS x;
CREATE OR REPLACE VIEW early AS SELECT x FROM LATE;
CREATE TABLE "Odd Name".part (a int, b text);
INSERT INTO "Odd Name".part VALUES (1, 'x'), (2, 'y');
SET search_path = "Odd Name";
CREATE VIEW rolled AS SELECT p.a, count(*) AS n, array_agg(p.b ORDER BY p.b) FROM part p GROUP BY ROLLUP (p.a);
RESET search_path;
