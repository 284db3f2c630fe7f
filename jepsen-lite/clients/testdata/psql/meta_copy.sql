-- \copy and COPY in text, csv and binary, there and back.
CREATE SCHEMA metacopy;
SET search_path = metacopy;
CREATE TABLE src (k int PRIMARY KEY, t text, n numeric, b bytea, ok bool, at timestamptz, a int[]);
INSERT INTO src VALUES
    (1, 'plain', 1.50, '\x00ff', true, '2024-02-29 12:00:00.5+00', '{1,2}'),
    (2, E'tab\there, "quotes", ''single'', back\\slash\nline', NULL, '', false, NULL, '{}'),
    (3, '', 0, NULL, NULL, 'infinity', '{NULL,3}'),
    (4, NULL, 'NaN', '\x5c', true, '-infinity', NULL);
CREATE TABLE dst (k int PRIMARY KEY, t text, n numeric, b bytea, ok bool, at timestamptz, a int[]);
\copy src to stdout
\copy src to stdout csv
\copy src to stdout (format csv, header, delimiter ';', quote '''', escape '\', null 'NIL', force_quote *)
\copy src (k, t) to stdout with delimiter '|' null as '-'
\copy (SELECT k, t FROM src WHERE k > 2 ORDER BY k DESC) to stdout csv header
COPY src (k, ok) TO STDOUT WITH (FORMAT text, HEADER);
COPY (VALUES (1, 'x'), (2, NULL)) TO STDOUT (FORMAT csv, FORCE_QUOTE (column2));
\copy dst from stdin csv
1,a,1.5,"\x01",t,2024-01-01 00:00:00+00,"{1,2}"
2,,,,,,
3,"",2,"","f",,"{}"
4,"multi
line ""q""",NaN,\\x,true,infinity,{}
\.
SELECT * FROM dst ORDER BY k;
TRUNCATE dst;
COPY dst (t, k) FROM STDIN (FORMAT csv, HEADER MATCH, DELIMITER ';', NULL 'none');
t;k
a;1
none;2
"none";3
\.
COPY dst (t, k) FROM STDIN (FORMAT csv, HEADER MATCH);
k,t
1,2
\.
COPY dst (k, t) FROM STDIN WITH (FORMAT text, NULL 'x', DELIMITER ',') WHERE k > 10;
9,no
11,x
12,y\,z
\.
SELECT k, t FROM dst ORDER BY k;
TRUNCATE dst;
COPY dst FROM STDIN;
1	a
\.
COPY dst (k) FROM STDIN;
1	a
\.
COPY dst (k) FROM STDIN;
1
x
\.
COPY dst (k, nope) FROM STDIN;
COPY nothere FROM STDIN;
COPY src FROM STDIN;
1	a	\N	\N	\N	\N	\N
\.
COPY dst (k, t) FROM STDIN (FORMAT csv, FORCE_NOT_NULL (t));
1,
2,x
\.
COPY dst (k, t) FROM STDIN (FORMAT csv, FORCE_NULL (t));
3,""
\.
SELECT k, t, t IS NULL AS n FROM dst ORDER BY k;
TRUNCATE dst;
COPY dst TO STDOUT (FORMAT nope);
COPY dst TO STDOUT (DELIMITER 'ab');
COPY dst TO STDOUT (FORMAT binary, DELIMITER ',');
COPY dst TO STDOUT (QUOTE '"');
COPY dst TO STDOUT (FORMAT csv, NULL ',');
COPY dst FROM STDIN (FORMAT csv, FORCE_QUOTE *);
SET client_min_messages = warning;
DROP SCHEMA metacopy CASCADE;
