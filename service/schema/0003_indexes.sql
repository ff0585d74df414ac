-- Indexes for the ways in which the API reads, made after the seed data so that they are built in one pass each.

CREATE INDEX idx_invoices_customer_date
ON invoices(customer_id, invoice_date DESC);

CREATE INDEX idx_metrics_customer_timestamp
ON usage_metrics(customer_id, timestamp DESC);

-- Partial: support looks at open tickets nearly always.
CREATE INDEX idx_tickets_open
ON support_tickets(customer_id, created_at)
WHERE status = 'open';

CREATE INDEX idx_tickets_customer_created ON support_tickets(customer_id, created_at DESC, ticket_id DESC);
CREATE INDEX idx_comments_ticket ON ticket_comments(customer_id, ticket_id, created_at);
CREATE INDEX idx_api_keys_customer ON api_keys(customer_id) WHERE revoked_at IS NULL;
CREATE INDEX idx_reports_customer ON reports(customer_id, created_at DESC);
CREATE INDEX idx_findings_customer_detected ON security_findings(customer_id, detected_at DESC);
CREATE INDEX idx_users_customer ON users(customer_id);

-- Checked once for all rows here, instead of a million times while they were loaded.
ALTER TABLE invoices ADD FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE usage_metrics ADD FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE support_tickets ADD FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE compliance_checks ADD FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE security_findings ADD FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE daily_costs ADD FOREIGN KEY (customer_id) REFERENCES customers;

ANALYZE;
