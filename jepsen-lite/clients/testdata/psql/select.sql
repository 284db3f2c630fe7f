-- FROM-less SELECT, literals, operators, and what psql shows for each type.
SELECT 1;
SELECT 1 AS a, 'x' AS b, NULL AS c, true AS d, 1.50 AS e, 2.5e3 AS f;
SELECT 7 / 2 AS int_div, -7 / 2 AS neg_div, 7 % 3 AS rem, 7.0 / 2 AS num_div, 7::float8 / 2 AS float_div;
SELECT 2147483647 + 1;
SELECT 9223372036854775807 + 1;
SELECT 1 / 0;
SELECT 'a' || 'b' || 1 AS cat, 'abc' LIKE 'a%' AS l, 'abc' LIKE '_c' AS l2, 'a%c' LIKE 'a\%c' AS l3;
SELECT coalesce(NULL, NULL, 3), nullif(1, 1), greatest(1, 3, 2), least(1, 3, 2);
SELECT CASE WHEN 1 > 2 THEN 'a' WHEN 2 > 1 THEN 'b' ELSE 'c' END, CASE 3 WHEN 3 THEN 'three' END;
SELECT 1 = 1 AND NOT (2 = 3) OR NULL, NULL AND false, NULL OR true, NULL = NULL, NULL IS NULL;
SELECT 5 BETWEEN 1 AND 10, 5 NOT BETWEEN 1 AND 4, 3 IN (1, 2, 3), 3 NOT IN (1, NULL), 3 IN (3, NULL);
SELECT 3 = ANY (ARRAY[1, 2, 3]), 4 = ANY ('{1,2,3}'::int[]), 4 <> ALL (ARRAY[1, 2]);
SELECT length('héllo'), octet_length('héllo'), upper('abc'), lower('ABC'), substr('abcdef', 2, 3);
SELECT md5('abc'), encode('\x0001ff'::bytea, 'hex'), decode('AAH/', 'base64');
SELECT E'tab\tnewline\\n', U&'\0041', $$dollar $1 'quoted'$$, 'it''s';
SELECT current_database(), current_schema(), current_user, session_user;
SELECT 1 AS "Quoted Name", 2 AS lower_Case;
SELECT 1;;
SELECT /* nested /* comment */ still */ 1 -- to the end
;
VALUES (1, 'a'), (2, 'b');
SELECT * FROM generate_series(1, 5);
SELECT g, g * g AS square FROM generate_series(1, 10, 3) AS g WHERE g > 1;
SELECT count(*), sum(g), min(g), max(g), avg(g) FROM generate_series(1, 10) AS g;
SELECT 1 LIMIT 0;
SELECT pg_typeof(1), pg_typeof('a'::text), pg_typeof(1.5), pg_typeof(now());
SELECT '0/16B3748'::pg_lsn - '0/16B3700'::pg_lsn AS bytes, '0/16B3748'::pg_lsn > '0/16B3700' AS later;
