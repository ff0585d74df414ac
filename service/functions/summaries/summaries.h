// The questions that analytics answers and reports keep: one SELECT each, of one JSON text.
// Parameters of all: $1 the customer, $2 the period in hours, $3 the period as it was asked for ("30d").
#pragma once

namespace securebase::summaries {

inline constexpr const char* kCost = R"sql(
  SELECT row_to_json(summary)::text FROM (
    WITH costs AS (
      SELECT day, service, amount FROM daily_costs
      WHERE customer_id = $1::text AND day > current_date - ceil($2::int / 24.0)::int),
    services AS (
      SELECT service, sum(amount) AS amount, round(100 * sum(amount) / sum(sum(amount)) OVER (), 1) AS share
      FROM costs GROUP BY service),
    days AS (SELECT day AS date, sum(amount) AS amount FROM costs GROUP BY day)
    SELECT $1::text AS customer_id, $3::text AS period, 'USD' AS currency,
           (SELECT coalesce(sum(amount), 0.00) FROM costs) AS total,
           (SELECT coalesce(json_agg(services ORDER BY amount DESC), '[]') FROM services) AS by_service,
           (SELECT coalesce(json_agg(days ORDER BY date), '[]') FROM days) AS by_day
  ) AS summary)sql";

inline constexpr const char* kSecurity = R"sql(
  SELECT row_to_json(summary)::text FROM (
    WITH found AS (
      SELECT finding_id, severity, category, title, status, detected_at, resolved_at FROM security_findings
      WHERE customer_id = $1::text AND detected_at > now() - make_interval(hours => $2::int)),
    newest AS (SELECT * FROM found ORDER BY detected_at DESC LIMIT 50)
    SELECT $1::text AS customer_id, $3::text AS period,
           (SELECT count(*) FROM found WHERE status = 'open') AS open,
           (SELECT count(*) FROM found WHERE status = 'resolved') AS resolved,
           (SELECT json_build_object('critical', count(*) FILTER (WHERE severity = 'critical'),
                                     'high', count(*) FILTER (WHERE severity = 'high'),
                                     'medium', count(*) FILTER (WHERE severity = 'medium'),
                                     'low', count(*) FILTER (WHERE severity = 'low'))
            FROM found WHERE status = 'open') AS by_severity,
           (SELECT coalesce(json_agg(newest ORDER BY detected_at DESC), '[]') FROM newest) AS findings
  ) AS summary)sql";

// Controls have a state, not a history: the period counts those that were checked in it.
inline constexpr const char* kCompliance = R"sql(
  SELECT row_to_json(summary)::text FROM (
    WITH checks AS (
      SELECT framework, control_id, title, passed, checked_at FROM compliance_checks
      WHERE customer_id = $1::text AND checked_at > now() - make_interval(hours => $2::int)),
    by_framework AS (
      SELECT framework, count(*) FILTER (WHERE passed) AS passed, count(*) FILTER (WHERE NOT passed) AS failed,
             count(*) AS total, round(100.0 * count(*) FILTER (WHERE passed) / count(*), 1) AS score
      FROM checks GROUP BY framework),
    failing AS (SELECT framework, control_id, title, checked_at FROM checks WHERE NOT passed)
    SELECT $1::text AS customer_id, $3::text AS period,
           (SELECT round(100.0 * count(*) FILTER (WHERE passed) / nullif(count(*), 0), 1) FROM checks) AS score,
           (SELECT coalesce(json_agg(by_framework ORDER BY framework), '[]') FROM by_framework) AS frameworks,
           (SELECT coalesce(json_agg(failing ORDER BY framework, control_id), '[]') FROM failing) AS failing
  ) AS summary)sql";

inline constexpr const char* kUsage = R"sql(
  SELECT row_to_json(summary)::text FROM (
    WITH metrics AS (
      SELECT metric_name, count(*) AS points, round(avg(value)::numeric, 2) AS average, min(value) AS least,
             max(value) AS most
      FROM usage_metrics
      WHERE customer_id = $1::text AND timestamp > now() - make_interval(hours => $2::int)
      GROUP BY metric_name)
    SELECT $1::text AS customer_id, $3::text AS period,
           (SELECT coalesce(json_agg(metrics ORDER BY metric_name), '[]') FROM metrics) AS metrics
  ) AS summary)sql";

inline constexpr const char* kInvoices = R"sql(
  SELECT row_to_json(summary)::text FROM (
    WITH billed AS (
      SELECT invoice_id, invoice_date, amount, status FROM invoices
      WHERE customer_id = $1::text AND invoice_date > (now() - make_interval(hours => $2::int))::date),
    by_status AS (SELECT status, count(*) AS count, sum(amount) AS amount FROM billed GROUP BY status)
    SELECT $1::text AS customer_id, $3::text AS period, 'USD' AS currency,
           (SELECT coalesce(sum(amount), 0.00) FROM billed) AS total,
           (SELECT coalesce(json_agg(by_status ORDER BY status), '[]') FROM by_status) AS by_status,
           (SELECT coalesce(json_agg(billed ORDER BY invoice_date DESC), '[]') FROM billed) AS invoices
  ) AS summary)sql";

}  // namespace securebase::summaries
