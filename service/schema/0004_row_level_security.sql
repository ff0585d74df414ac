-- Tenants are kept apart by the database itself: the functions log in as securebase_app, which owns nothing, and see only
-- the rows of the customer that their transaction names:
--   SELECT set_config('app.customer_id', '42', true);
-- Without that setting they see no row at all. The owner of the tables (securebase) is not bound, so migrations and
-- the functions of 0005 can look across tenants.

DO $$
DECLARE
  tenant_table text;
BEGIN
  FOREACH tenant_table IN ARRAY ARRAY[
    'customers', 'users', 'invoices', 'usage_metrics', 'support_tickets', 'ticket_comments', 'api_keys', 'reports',
    'compliance_checks', 'security_findings', 'daily_costs']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format(
      'CREATE POLICY tenant ON %I
         USING (customer_id = current_setting(''app.customer_id'', true))
         WITH CHECK (customer_id = current_setting(''app.customer_id'', true))', tenant_table);
  END LOOP;
END $$;

GRANT USAGE ON SCHEMA public TO securebase_app;
GRANT SELECT ON
  tiers, tier_features, customers, invoices, usage_metrics, support_tickets, ticket_comments, api_keys, reports,
  compliance_checks, security_findings, daily_costs
TO securebase_app;
GRANT INSERT ON support_tickets, ticket_comments, api_keys, reports TO securebase_app;
GRANT UPDATE (status, updated_at) ON support_tickets TO securebase_app;
GRANT UPDATE (revoked_at) ON api_keys TO securebase_app;
-- No grant on users: password hashes leave only through find_login.
