-- Advisory locks of the session and of the transaction.
SELECT pg_try_advisory_lock(42), pg_try_advisory_lock(42), pg_try_advisory_lock(1, 2);
SELECT pg_advisory_unlock(42), pg_advisory_unlock(42);
SELECT pg_advisory_unlock(42);
SELECT pg_advisory_unlock(1, 2), pg_advisory_lock(7);
SELECT pg_try_advisory_lock_shared(9), pg_advisory_unlock_shared(9);
SELECT locktype, classid, objid, objsubid, mode, granted FROM pg_locks WHERE locktype = 'advisory' ORDER BY objid;
SELECT pg_advisory_unlock_all();
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory';
BEGIN;
SELECT pg_advisory_xact_lock(5), pg_try_advisory_xact_lock(5), pg_advisory_xact_lock_shared(6);
SELECT pg_advisory_unlock(5);
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory';
ROLLBACK;
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory';
SELECT pg_advisory_lock('x');
SELECT pg_advisory_lock(1.5);
