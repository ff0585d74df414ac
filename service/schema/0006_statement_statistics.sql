-- pg_stat_statements, for "which queries are slow". Only a superuser may create it: the platform does so for the cluster
-- it manages; elsewhere it is the operator's choice, and the API works without.
DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
EXCEPTION
  WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
    RAISE NOTICE 'pg_stat_statements is not available: %', SQLERRM;
END $$;
