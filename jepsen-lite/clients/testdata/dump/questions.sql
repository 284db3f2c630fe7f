COPY author TO STDOUT;
COPY "Odd Name"."Order" TO STDOUT;
COPY ser TO STDOUT;
COPY (SELECT * FROM nokey ORDER BY a, b) TO STDOUT;
COPY pair TO STDOUT;
COPY (SELECT * FROM names ORDER BY id) TO STDOUT;
SELECT * FROM "Odd Name".sums;
SELECT last_value, is_called FROM "Odd Name".s;
SELECT last_value, is_called FROM fresh;
SELECT last_value, is_called FROM author_id_seq;
SELECT last_value, is_called FROM ser_k_seq;
COPY "a child" TO STDOUT;
\d "a child"
\d author
\d+ author
\dn+ "Odd*"
SELECT obj_description(oid, 'pg_class'), relname FROM pg_class WHERE relname IN ('names', 'ser V', 'fresh') ORDER BY relname;
\dd
\d "Odd Name"."Order"
\d ser
\d nokey
\d pair
\d names
\d "Odd Name".sums
\d "Odd Name".s
\d fresh
\d author_id_seq
\d ser_k_seq
SELECT count(*) FROM hollow;
SELECT * FROM "Odd Name".rolled ORDER BY 1;
