-- Every type of a column, in and out, with its limits and what is refused.
CREATE TABLE typed (
  id int PRIMARY KEY, t text, v varchar(5), c char(4), b bytea, i2 int2, i8 int8, bo bool,
  f4 float4, f8 float8, n numeric(10, 2), ts timestamp, tz timestamptz, d date, u uuid, j json, jb jsonb,
  ta text[], ia int[]);
INSERT INTO typed VALUES (1, 'text', 'abc', 'ab', '\x00ff', -32768, 9223372036854775807, true,
  1.5, 0.1, 12345.678, '2024-02-29 12:34:56.789', '2024-02-29 12:34:56+02', '2024-02-29',
  'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{"a": 1,  "b": [1, 2]}', '{"b": 1, "a": null}',
  '{a,"b c",NULL,"d\"e"}', '{1,2,3}');
INSERT INTO typed (id) VALUES (2);
SELECT id, t, v, c, b, i2, i8, bo, f4, f8, n FROM typed ORDER BY id;
SELECT ts, tz, d, u, j FROM typed ORDER BY id;
SELECT ta, ia, ta[2], ia[1] + ia[3] AS sum FROM typed WHERE id = 1;
SELECT length(c), c || '|', c = 'ab  ', v || '|' FROM typed WHERE id = 1;
\pset null '(null)'
SELECT * FROM typed WHERE id = 2;
INSERT INTO typed (id, v) VALUES (3, 'too long');
INSERT INTO typed (id, v) VALUES (3, 'abcde   ');
INSERT INTO typed (id, c) VALUES (4, 'abcde');
INSERT INTO typed (id, i2) VALUES (5, 32768);
INSERT INTO typed (id, n) VALUES (5, 123456789.0);
INSERT INTO typed (id, bo) VALUES (5, 'maybe');
INSERT INTO typed (id, d) VALUES (5, '2023-02-29');
INSERT INTO typed (id, u) VALUES (5, 'not-a-uuid');
INSERT INTO typed (id, j) VALUES (5, '{bad');
INSERT INTO typed (id, ia) VALUES (5, '{1,x}');
INSERT INTO typed (id) VALUES ('x');
INSERT INTO typed (id) VALUES (NULL);
INSERT INTO typed (id, i8) VALUES (5, 'text'::text);
SELECT 1.10::numeric + 2.205, 10::numeric / 3, round(2.5), round(-2.567, 2), 1e10::numeric, 'NaN'::numeric;
SELECT 1::float8 / 3, 1e300 * 10, 'Infinity'::float8, 0.1::float4, 100000000000000000000::float8;
SELECT 3.7::int, -3.5::int, 2.5::int, '12'::int + 1, 1::text || 'x', 1::bool, 'yes'::bool, 300::int2;
SELECT 70000::int2;
SELECT '2024-01-31'::date + 1, '2024-03-01'::date - '2024-02-01'::date, '2024-01-01 10:00'::timestamp + '1 day 2 hours'::interval;
SELECT timestamptz '2024-06-01 12:00:00+00', timestamp '2024-06-01 12:00:00.5', date '2024-06-01';
SET timezone = 'America/New_York';
SELECT tz FROM typed WHERE id = 1;
RESET timezone;
SELECT sum(i2), pg_typeof(sum(i2)), pg_typeof(sum(i8)), pg_typeof(avg(id)), pg_typeof(count(*)), avg(id) FROM typed;
DROP TABLE typed;
-- the digits of an interval
CREATE TABLE spans (a interval(0), b interval(2));
INSERT INTO spans VALUES ('1.567', '1.567') RETURNING *;
SELECT interval(1) '1.26', '1.26'::interval(6);
\d spans
DROP TABLE spans;
