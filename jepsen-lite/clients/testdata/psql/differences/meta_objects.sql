-- What PostgreSQL lists and ackdb does not have: template databases, privileges of public, functions
-- and operators of types it lacks, descriptions of built-in objects, languages, text search.
\l
\dn+
\df lower
\df pg_catalog.upper
\df substr*
\df+ lower
\sf lower
\da sum
\da count
\dT int4
\dT+ bool
\dT integer
\dx
\dx+
\dL
\do ||
\do + int4 int4
\dF simple
\dFd simple
\dAc hash int4
\dAf hash int4
\dAo hash integer_ops
\dAp hash integer_ops
\dconfig+ max_connections
