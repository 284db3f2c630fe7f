-- COPY in text, both ways, through the server's own statements.
CREATE TABLE cp (k text PRIMARY KEY, v text, n int);
COPY cp FROM STDIN;
a	one	1
b	\N	2
c	tab\there	\N
d	back\\slash	4
\.
COPY cp (k, n) FROM STDIN WITH (FORMAT text, DELIMITER '|', NULL 'nil');
e|5
f|nil
\.
SELECT * FROM cp ORDER BY k;
COPY cp TO STDOUT;
COPY cp (n, k) TO STDOUT WITH (DELIMITER ',', NULL '-');
COPY (SELECT k, n * 2 FROM cp WHERE n > 1 ORDER BY k DESC) TO STDOUT;
COPY cp FROM STDIN;
a	dup	1
\.
COPY cp FROM STDIN;
g	x	notanumber
\.
COPY cp FROM STDIN;
h	only two
\.
COPY cp FROM STDIN;
i	one	2	three
\.
COPY nothere FROM STDIN;
COPY cp (nope) FROM STDIN;
SELECT count(*) FROM cp;
DROP TABLE cp;
