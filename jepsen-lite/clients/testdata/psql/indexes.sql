-- Indexes on expressions, of some rows, with columns beside the key, as the catalogs and \d show them.
\set ECHO all
\pset null NULL
CREATE TABLE users (id int PRIMARY KEY, email varchar(40), name text, deleted_at timestamptz,
  status text, score int, active bool, CONSTRAINT u_name UNIQUE NULLS NOT DISTINCT (name) INCLUDE (id));
CREATE UNIQUE INDEX ON users (lower(email)) WHERE deleted_at IS NULL;
CREATE INDEX ON users (lower(email));
CREATE INDEX ON users ((score + 1), name DESC);
CREATE INDEX open_users ON users (score) INCLUDE (name, email) WHERE status = 'open' OR id > 7 AND active;
CREATE INDEX ON users (id, (score % 3), (score % 4), coalesce(name, 'x')) WHERE active AND score > 3;
CREATE INDEX ON users (name text_pattern_ops, email varchar_ops DESC, status text_ops);
CREATE UNIQUE INDEX nn ON users (name, score, id) NULLS NOT DISTINCT;
CREATE INDEX casted ON users (((score)::bigint) DESC NULLS LAST, (email::text));
CREATE INDEX listed ON users (id) WHERE status IN ('a', 'b') AND name IS NOT NULL AND NOT active;
\d users
\d open_users
\d users_id_expr_expr1_coalesce_idx
\d users_lower_idx
\di users_lower*
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'users' ORDER BY 1;
SELECT indexrelid::regclass, indnatts, indnkeyatts, indisunique, indnullsnotdistinct, indkey, indoption,
  pg_get_expr(indexprs, indrelid), pg_get_expr(indpred, indrelid)
  FROM pg_index WHERE indrelid = 'users'::regclass ORDER BY indexrelid::regclass::text;
SELECT attrelid::regclass, attnum, attname, format_type(atttypid, atttypmod) FROM pg_attribute
  WHERE attrelid::regclass::text ~ '^(users_|open_users|casted|nn)' ORDER BY attrelid::regclass::text, attnum;
SELECT n, pg_get_indexdef('open_users'::regclass, n, true), pg_get_indexdef('casted'::regclass, n, false)
  FROM generate_series(0, 4) n;
SELECT pg_get_indexdef(indexrelid, 0, true) FROM pg_index WHERE indrelid = 'users'::regclass ORDER BY 1;
SELECT i.relname, c.opcname FROM pg_index x JOIN pg_class i ON i.oid = indexrelid
  JOIN pg_opclass c ON c.oid = ANY (x.indclass::oid[]) WHERE indrelid = 'users'::regclass
  AND c.opcname ~ 'pattern|varchar' ORDER BY 1, 2;
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'users'::regclass ORDER BY 1;
SELECT relname, relnatts FROM pg_class WHERE relname IN ('open_users', 'nn', 'u_name') ORDER BY 1;
ALTER TABLE users RENAME COLUMN email TO mail;
ALTER TABLE users ALTER COLUMN mail TYPE text;
\d users
ALTER TABLE users DROP COLUMN name;
ALTER TABLE users DROP COLUMN active;
\d users
COMMENT ON INDEX users_lower_idx IS 'one of a name';
SELECT obj_description('users_lower_idx'::regclass);
DROP TABLE users;
