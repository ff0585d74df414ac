-- Demonstration data: 125 customers, 24 months of invoices, one million usage metrics, and the rest in proportion.
-- Every number is a hash of its row's number, so that all installations hold the same data; only the dates are counted
-- back from the day of loading, because the API asks for "the last 30 days". Loaded before the indexes exist (0003).

-- An even number in [0, 1) for row n of series `seed`.
CREATE FUNCTION pg_temp.spread(n bigint, seed int) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT (hashint8extended(n, seed) & 2147483647) / 2147483648.0::double precision $$;

INSERT INTO tiers VALUES
  ('standard',     'Standard',     1,   99.00,   990.00,    100000, 0.50),
  ('professional', 'Professional', 2,  499.00,  4990.00,   1000000, 0.40),
  ('enterprise',   'Enterprise',   3, 2499.00, 24990.00,  10000000, 0.25),
  ('government',   'Government',   4, 4999.00, 49990.00,  25000000, 0.20);

INSERT INTO tier_features (tier, feature, position, included, limit_value, unit)
SELECT t.tier, f.feature, f.position, t.position >= f.from_position, f.limits[t.position], f.unit
FROM tiers t,
  (VALUES
    ('api_rate_limit',       1, 1, ARRAY[100, 1000, 5000, 10000],  'requests/s'),
    ('users',                2, 1, ARRAY[5, 50, NULL, NULL],       'users'),
    ('data_retention',       3, 1, ARRAY[30, 90, 365, 2555],       'days'),
    ('support_response',     4, 1, ARRAY[48, 24, 4, 1],            'hours'),
    ('compliance_reports',   5, 2, NULL,                           NULL),
    ('single_sign_on',       6, 3, NULL,                           NULL),
    ('dedicated_region',     7, 3, NULL,                           NULL),
    ('fedramp_controls',     8, 4, NULL,                           NULL)
  ) AS f (feature, position, from_position, limits, unit);

-- '1' to '122' and three with names; the number orders them all.
CREATE TEMPORARY TABLE seed_customers ON COMMIT DROP AS
SELECT n,
       CASE n WHEN 123 THEN 'abc123' WHEN 124 THEN 'acme' WHEN 125 THEN 'globex' ELSE n::text END AS customer_id,
       CASE n WHEN 123 THEN 'enterprise' WHEN 124 THEN 'standard' WHEN 42 THEN 'professional'
              ELSE (ARRAY['standard', 'standard', 'standard', 'professional', 'professional', 'enterprise',
                          'government'])[1 + floor(pg_temp.spread(n, 1) * 7)::int] END AS tier,
       0.4 + 1.6 * pg_temp.spread(n, 2) AS size  -- how busy the customer is, against the average
FROM generate_series(1, 125) AS n;

INSERT INTO customers (customer_id, name, email, tier, status, region, created_at)
SELECT customer_id,
       CASE customer_id WHEN 'abc123' THEN 'ABC Industries' WHEN 'acme' THEN 'Acme Corporation'
                        WHEN 'globex' THEN 'Globex'
            ELSE (ARRAY['Northwind', 'Blue Harbor', 'Summit', 'Redwood', 'Ironclad', 'Lakeside', 'Meridian', 'Pioneer',
                        'Sterling', 'Vertex'])[1 + floor(pg_temp.spread(n, 3) * 10)::int] || ' ' ||
                 (ARRAY['Logistics', 'Health', 'Bank', 'Energy', 'Media', 'Retail', 'Robotics',
                        'Foods'])[1 + floor(pg_temp.spread(n, 4) * 8)::int] || ' ' || n END,
       'billing@' || customer_id || '.example', tier,
       CASE WHEN n IN (13, 77) THEN 'suspended' ELSE 'active' END,
       (ARRAY['us-east-1', 'us-west-2', 'eu-west-1', 'ap-southeast-1'])[1 + floor(pg_temp.spread(n, 5) * 4)::int],
       date_trunc('day', now()) - interval '2 years' - make_interval(days => floor(pg_temp.spread(n, 6) * 700)::int)
FROM seed_customers;

-- Documented passwords: demo-abc123, demo-42, demo-acme (docs/service-api.md).
INSERT INTO users (user_id, customer_id, email, password_hash) VALUES
  ('usr_demo_abc123', 'abc123', 'demo@abc123.example', '$scrypt$ln=15,r=8,p=1$vYm9XJF22l/GZZ62hh4tUw$r1bGgWdsKs4fbdD2/iKy9T4uHGv2RDs2KCJyHsiMDUk'),
  ('usr_demo_42',     '42',     'demo@42.example',     '$scrypt$ln=15,r=8,p=1$MTyzTCuP0MkjoJjSbZFUrw$JFZzR6EdiXEzoa9nyGOgK8y5RvBF82/siV5BV2jwEQ0'),
  ('usr_demo_acme',   'acme',   'demo@acme.example',   '$scrypt$ln=15,r=8,p=1$EzgEKpgBLdwv2LQ18/oGqw$kKmjwyoxxqhY2Z6kc9dK0jy0qR4kClkHm+thnGqg1PA');

-- One invoice on the first of each of the last 24 months: the tier's price and what was used beyond it.
INSERT INTO invoices (invoice_id, customer_id, invoice_date, due_date, amount, status, tier, line_items)
SELECT 'inv-' || customer_id || '-' || to_char(invoice_date, 'YYYYMM'), customer_id, invoice_date, invoice_date + 30,
       monthly_price + thousands * overage_per_1000,
       CASE WHEN age = 0 THEN 'open'
            WHEN age <= 2 AND pg_temp.spread(row, 8) < 0.15 THEN 'overdue'
            WHEN pg_temp.spread(row, 8) < 0.02 THEN 'void'
            ELSE 'paid' END,
       tier,
       jsonb_build_array(
         jsonb_build_object('description', 'SecureBase ' || name, 'quantity', 1, 'unit_price', monthly_price,
                            'amount', monthly_price),
         jsonb_build_object('description', 'API calls beyond the included, per 1000', 'quantity', thousands,
                            'unit_price', overage_per_1000, 'amount', thousands * overage_per_1000))
FROM (
  SELECT c.n * 100 + age AS row, c.customer_id, t.*, age,
         (date_trunc('month', now()) - make_interval(months => age))::date AS invoice_date,
         floor(included_api_calls / 1000 * 0.3 * c.size * pg_temp.spread(c.n * 100 + age, 7))::int AS thousands
  FROM seed_customers c JOIN tiers t USING (tier), generate_series(0, 23) AS age
) AS month;

-- 1000 points, 130 minutes apart (90 days), of 8 metrics for each of 125 customers: one million rows. They are written
-- customer by customer and newest first, as they are read.
INSERT INTO usage_metrics (customer_id, metric_name, value, timestamp)
SELECT c.customer_id, m.metric_name,
       round((m.base * c.size * (1 + m.swing * sin(point * 0.5671)) *
              (0.8 + 0.4 * pg_temp.spread(c.n * 10000::bigint + point * 8 + m.k, 9)))::numeric, 2)::double precision,
       date_trunc('hour', now()) - point * interval '130 minutes'
FROM seed_customers c, generate_series(0, 999) AS point,
  (VALUES
    (0, 'api_requests',     12000.0, 0.5),
    (1, 'storage_gb',         850.0, 0.0),
    (2, 'compute_hours',       40.0, 0.4),
    (3, 'data_transfer_gb',    22.0, 0.5),
    (4, 'active_users',       140.0, 0.6),
    (5, 'error_rate',           0.4, 0.1),
    (6, 'latency_ms',          48.0, 0.2),
    (7, 'cpu_percent',         31.0, 0.3)
  ) AS m (k, metric_name, base, swing)
ORDER BY c.n, point, m.k;

INSERT INTO support_tickets (ticket_id, customer_id, subject, description, priority, status, created_at, updated_at)
SELECT 'tkt-' || customer_id || '-' || k, customer_id, subject,
       'Seen since yesterday, about ' || (2 + floor(pg_temp.spread(row, 10) * 40))::int || ' times an hour.',
       (ARRAY['low', 'normal', 'normal', 'high', 'urgent'])[1 + floor(pg_temp.spread(row, 11) * 5)::int],
       CASE WHEN k <= 3 THEN 'open' WHEN k <= 5 THEN 'pending' ELSE 'closed' END,
       at, at + make_interval(hours => floor(pg_temp.spread(row, 12) * 72)::int)
FROM (
  SELECT customer_id, k, n * 100 + k AS row,
         date_trunc('hour', now()) - make_interval(hours => k * 110 + floor(pg_temp.spread(n * 100 + k, 13) * 90)::int)
           AS at,
         (ARRAY['Webhook deliveries are late', 'Cannot invite a colleague', 'Invoice shows the wrong address',
                'Rate limit reached at night', 'Export of metrics is empty', 'Single sign-on loops',
                'Question about data retention', 'API key rejected after rotation'])
           [1 + floor(pg_temp.spread(n * 100 + k, 14) * 8)::int] AS subject
  FROM seed_customers, generate_series(1, 12) AS k
) AS ticket;

INSERT INTO ticket_comments (comment_id, ticket_id, customer_id, author, body, created_at)
SELECT 'cmt-' || customer_id || '-' || k || '-' || c, 'tkt-' || customer_id || '-' || k, customer_id,
       CASE c WHEN 1 THEN 'support@securebase.example' ELSE 'billing@' || customer_id || '.example' END,
       CASE c WHEN 1 THEN 'Thank you, we are looking into it.' ELSE 'It happened again this morning.' END,
       t.created_at + make_interval(hours => c)
FROM seed_customers
  JOIN support_tickets t USING (customer_id), generate_series(1, 2) AS c,
  LATERAL (SELECT split_part(t.ticket_id, '-', 3)::int AS k) AS number
WHERE k % 3 <> 0 AND c <= k % 3;

INSERT INTO compliance_checks (customer_id, framework, control_id, title, passed, checked_at)
SELECT customer_id, framework, prefix || '-' || k,
       (ARRAY['Access is reviewed each quarter', 'Data is encrypted at rest', 'Data is encrypted in transit',
              'Logs are kept for a year', 'Backups are restored in a drill', 'Changes are approved',
              'Vulnerabilities are patched in time', 'Incidents are rehearsed', 'Suppliers are assessed',
              'Multi-factor sign-in is required', 'Keys are rotated', 'Staff are trained'])[k],
       pg_temp.spread(n * 1000 + f.position * 100 + k, 15) > 0.08,
       date_trunc('hour', now()) - make_interval(hours => floor(pg_temp.spread(n * 1000 + f.position * 100 + k, 16) * 24)::int)
FROM seed_customers, generate_series(1, 12) AS k,
  (VALUES (1, 'SOC2', 'CC'), (2, 'HIPAA', 'HS'), (3, 'ISO27001', 'A'), (4, 'PCI-DSS', 'R'))
    AS f (position, framework, prefix);

INSERT INTO security_findings (finding_id, customer_id, severity, category, title, status, detected_at, resolved_at)
SELECT 'fnd-' || customer_id || '-' || k, customer_id,
       (ARRAY['critical', 'high', 'high', 'medium', 'medium', 'medium', 'low', 'low', 'low', 'low'])
         [1 + floor(pg_temp.spread(row, 17) * 10)::int],
       split_part(kind, ': ', 1), split_part(kind, ': ', 2),
       CASE WHEN open THEN 'open' ELSE 'resolved' END, at,
       CASE WHEN NOT open THEN at + make_interval(hours => 1 + floor(pg_temp.spread(row, 18) * 60)::int) END
FROM (
  SELECT customer_id, k, n * 100 + k AS row, pg_temp.spread(n * 100 + k, 19) < 0.25 AS open,
         date_trunc('hour', now()) - make_interval(hours => k * 100 + floor(pg_temp.spread(n * 100 + k, 20) * 80)::int)
           AS at,
         (ARRAY['identity: Access key older than 90 days', 'identity: User without multi-factor sign-in',
                'network: Security group open to the world', 'storage: Bucket without encryption',
                'patching: Library with a known vulnerability', 'logging: Audit log switched off'])
           [1 + floor(pg_temp.spread(n * 100 + k, 21) * 6)::int] AS kind
  FROM seed_customers, generate_series(1, 20) AS k
) AS finding;

INSERT INTO daily_costs (customer_id, day, service, amount)
SELECT customer_id, current_date - age, service,
       round((base * size * (0.8 + 0.4 * pg_temp.spread(n * 10000::bigint + age * 10 + k, 22)))::numeric, 2)
FROM seed_customers, generate_series(0, 90) AS age,
  (VALUES (1, 'compute', 41.0), (2, 'database', 33.0), (3, 'storage', 12.0), (4, 'data_transfer', 9.0),
          (5, 'cache', 7.0), (6, 'support', 4.0)) AS s (k, service, base);
