-- The tables of SecureBase's API. Ids are text: customers are known by names such as 'abc123' as well as '42', and all
-- other ids are unguessable words that carry their kind (tkt_..., rpt_...).
-- Every table of a tenant has a column customer_id, on which 0004 puts row level security.

CREATE TABLE tiers (
  tier               text PRIMARY KEY,
  name               text NOT NULL,
  position           int NOT NULL,
  monthly_price      numeric(12, 2) NOT NULL,
  annual_price       numeric(12, 2) NOT NULL,
  included_api_calls bigint NOT NULL,
  overage_per_1000   numeric(12, 2) NOT NULL
);

CREATE TABLE tier_features (
  tier        text NOT NULL REFERENCES tiers,
  feature     text NOT NULL,
  position    int NOT NULL,
  included    boolean NOT NULL,
  limit_value bigint,  -- null: without limit
  unit        text,
  PRIMARY KEY (tier, feature)
);

CREATE TABLE customers (
  customer_id text PRIMARY KEY CHECK (customer_id ~ '^[A-Za-z0-9_-]{1,64}$'),
  name        text NOT NULL,
  email       text NOT NULL,
  tier        text NOT NULL REFERENCES tiers,
  status      text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
  region      text NOT NULL DEFAULT 'us-east-1',
  created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
  user_id       text PRIMARY KEY,
  customer_id   text NOT NULL REFERENCES customers,
  email         text NOT NULL CHECK (email = lower(email)),
  password_hash text NOT NULL,  -- $scrypt$ln=..,r=..,p=..$salt$hash
  scope         text NOT NULL DEFAULT 'read write admin',
  created_at    timestamptz NOT NULL DEFAULT now(),
  UNIQUE (email)
);

CREATE TABLE invoices (
  invoice_id   text PRIMARY KEY,
  customer_id  text NOT NULL,
  invoice_date date NOT NULL,
  due_date     date NOT NULL,
  amount       numeric(12, 2) NOT NULL,
  currency     text NOT NULL DEFAULT 'USD',
  status       text NOT NULL CHECK (status IN ('draft', 'open', 'paid', 'overdue', 'void')),
  tier         text NOT NULL,
  line_items   jsonb NOT NULL
);

CREATE TABLE usage_metrics (
  customer_id text NOT NULL,
  metric_name text NOT NULL,
  value       double precision NOT NULL,
  timestamp   timestamptz NOT NULL
);

CREATE TABLE support_tickets (
  ticket_id   text PRIMARY KEY,
  customer_id text NOT NULL,
  subject     text NOT NULL,
  description text NOT NULL DEFAULT '',
  priority    text NOT NULL DEFAULT 'normal' CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
  status      text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'pending', 'closed')),
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now(),
  UNIQUE (customer_id, ticket_id)
);

CREATE TABLE ticket_comments (
  comment_id  text PRIMARY KEY,
  ticket_id   text NOT NULL,
  customer_id text NOT NULL,
  author      text NOT NULL,
  body        text NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  -- A comment cannot hang on another tenant's ticket, whatever a function does.
  FOREIGN KEY (customer_id, ticket_id) REFERENCES support_tickets (customer_id, ticket_id)
);

CREATE TABLE api_keys (
  api_key_id   text PRIMARY KEY,
  customer_id  text NOT NULL REFERENCES customers,
  name         text NOT NULL,
  prefix       text NOT NULL,  -- the start of the key, to tell it from others
  key_hash     bytea NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),  -- SHA-256 of the whole key
  scope        text NOT NULL CHECK (scope IN ('read', 'read write')),
  created_at   timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz,  -- to the hour: a key found in Redis does not come here
  revoked_at   timestamptz
);

CREATE TABLE reports (
  report_id    text PRIMARY KEY,
  customer_id  text NOT NULL REFERENCES customers,
  type         text NOT NULL CHECK (type IN ('usage', 'cost', 'invoices', 'security', 'compliance')),
  period       text NOT NULL,
  status       text NOT NULL CHECK (status IN ('completed')),
  created_at   timestamptz NOT NULL DEFAULT now(),
  completed_at timestamptz NOT NULL DEFAULT now(),
  result       json NOT NULL
);

CREATE TABLE compliance_checks (
  customer_id text NOT NULL,
  framework   text NOT NULL,
  control_id  text NOT NULL,
  title       text NOT NULL,
  passed      boolean NOT NULL,
  checked_at  timestamptz NOT NULL,
  PRIMARY KEY (customer_id, framework, control_id)
);

CREATE TABLE security_findings (
  finding_id  text PRIMARY KEY,
  customer_id text NOT NULL,
  severity    text NOT NULL CHECK (severity IN ('critical', 'high', 'medium', 'low')),
  category    text NOT NULL,
  title       text NOT NULL,
  status      text NOT NULL CHECK (status IN ('open', 'resolved')),
  detected_at timestamptz NOT NULL,
  resolved_at timestamptz
);

CREATE TABLE daily_costs (
  customer_id text NOT NULL,
  day         date NOT NULL,
  service     text NOT NULL,
  amount      numeric(12, 2) NOT NULL,
  PRIMARY KEY (customer_id, day, service)
);
