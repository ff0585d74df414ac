#!/usr/bin/python3
"""The functions of service/ against a real PostgreSQL and a real Redis (service_world.py).

  SECUREBASE_FUNCTIONS=build/dev/service/functions python3 tests/service_functions_test.py
"""
import base64
import hashlib
import json
import signal
import sys
import time
import unittest
import uuid

import psycopg2

from service_world import (APP_PASSWORD, OWNER_PASSWORD, ROUTES, STAGE_ARN, Certificates, Failed, Function, World)

world = None


def cursor(text):
    """As the functions write them, of anything."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip('=')


def setUpModule():
    global world
    world = World()


class Scene(unittest.TestCase):
    def get(self, target, customer=None, status=200, **options):
        answer = world.call('GET', target, customer=customer, **options)
        self.assertEqual(answer.status, status, answer.json)
        return answer

    def post(self, target, body, status, customer=None, **options):
        answer = world.call('POST', target, body, customer=customer, **options)
        self.assertEqual(answer.status, status, answer.json)
        return answer

    def setUp(self):
        world.redis.client().flushall()


class PublicRoutes(Scene):
    def test_health_touches_nothing_and_is_never_kept(self):
        answer = self.get('/v1/health')
        self.assertEqual(answer.json['status'], 'healthy')
        self.assertEqual(answer.headers['Cache-Control'], 'no-store')

    def test_health_checks_on_demand(self):
        checks = self.get('/v1/health?checks=all').json['checks']
        self.assertEqual([checks['database']['status'], checks['cache']['status']], ['healthy', 'healthy'])

    def test_pricing_and_tiers(self):
        pricing = self.get('/v1/pricing')
        self.assertEqual([row['tier'] for row in pricing.json['pricing']],
                         ['standard', 'professional', 'enterprise', 'government'])
        self.assertEqual(pricing.headers['Cache-Tag'], 'tier_features')
        tiers = self.get('/v1/tiers').json['tiers']
        self.assertEqual(tiers[0]['features'][0],
                         {'feature': 'api_rate_limit', 'included': True, 'limit': 100, 'unit': 'requests/s', 'position': 1})
        self.assertAlmostEqual(world.redis.client().ttl('tier_features:all:tiers'), 86400, delta=10)  # counts down


class Accounts(Scene):
    def test_demo_login_gives_a_token_that_the_authorizer_takes(self):
        answer = self.post('/v1/auth/login', {'email': 'Demo@ABC123.example', 'password': 'demo-abc123'}, 200)
        self.assertEqual(set(answer.json), {'token', 'customer_id', 'expires_in'})
        policy = world.authorize(Authorization=f"Bearer {answer.json['token']}")
        self.assertEqual(policy['principalId'], 'abc123')
        self.assertEqual(policy['context']['tier'], 'enterprise')
        statement = policy['policyDocument']['Statement'][0]
        self.assertEqual((statement['Effect'], statement['Resource']), ('Allow', [f'{STAGE_ARN}/*']))

    def test_wrong_and_unknown_take_the_same_time_and_words(self):
        durations = {}
        for email in ('demo@42.example', 'nobody@42.example'):
            started = time.time()
            for _ in range(3):
                answer = self.post('/v1/auth/login', {'email': email, 'password': 'wrong password'}, 401)
            durations[email] = time.time() - started
            self.assertEqual(answer.json, {'message': 'Unauthorized'})
        self.assertLess(max(durations.values()) / min(durations.values()), 1.8, durations)

    def test_signup_then_login_then_own_profile(self):
        email = f'{uuid.uuid4().hex}@new.example'
        signed_up = self.post('/v1/auth/signup', {'email': email, 'password': 'long enough', 'company': 'New'}, 200)
        self.post('/v1/auth/signup', {'email': email, 'password': 'long enough'}, 409)
        logged_in = self.post('/v1/auth/login', {'email': email, 'password': 'long enough'}, 200)
        customer = signed_up.json['customer_id']
        self.assertEqual(logged_in.json['customer_id'], customer)
        profile = self.get(f'/v1/customers/{customer}', customer).json
        self.assertEqual((profile['name'], profile['tier'], profile['status']), ('New', 'standard', 'active'))
        self.assertEqual(self.get(f'/v1/customers/{customer}/invoices', customer).json,
                         {'invoices': [], 'next_cursor': None})

    def test_bad_bodies_are_400(self):
        for body in ({}, {'email': 'x', 'password': 'long enough'}, {'email': 'a@b.example', 'password': 'short'}, [1]):
            self.post('/v1/auth/signup', body, 400)

    def test_no_credentials_no_policy(self):
        for headers in ({}, {'Authorization': 'Bearer a.b.c'}, {'X_API_Key': 'sbk.42.guess'}):
            with self.assertRaisesRegex(Failed, '^Unauthorized$'):
                world.authorize(**headers)


class Invoices(Scene):
    def test_pages_cover_all_24_months_once(self):
        seen, cursor = [], ''
        while cursor is not None:
            page = self.get(f'/v1/customers/42/invoices?limit=7&cursor={cursor}', '42').json
            seen += page['invoices']
            cursor = page['next_cursor']
        self.assertEqual(len({invoice['invoice_id'] for invoice in seen}), 24)
        dates = [invoice['invoice_date'] for invoice in seen]
        self.assertEqual(dates, sorted(dates, reverse=True))
        self.assertEqual(set(seen[0]), {'invoice_id', 'invoice_date', 'due_date', 'amount', 'currency', 'status', 'tier'})

    def test_filters(self):
        everything = self.get('/v1/customers/42/invoices?limit=100', '42').json['invoices']
        paid = self.get('/v1/customers/42/invoices?limit=100&status=paid', '42').json['invoices']
        self.assertEqual(paid, [invoice for invoice in everything if invoice['status'] == 'paid'])
        first, last = everything[9]['invoice_date'], everything[4]['invoice_date']
        self.assertEqual(self.get(f'/v1/customers/42/invoices?from={first}&to={last}', '42').json['invoices'],
                         everything[4:10])

    def test_one_invoice(self):
        listed = self.get('/v1/customers/42/invoices?limit=1', '42').json['invoices'][0]
        invoice = self.get(f"/v1/customers/42/invoices/{listed['invoice_id']}", '42').json
        self.assertAlmostEqual(sum(item['amount'] for item in invoice['line_items']), invoice['amount'])
        self.get('/v1/customers/42/invoices/inv-43-202601', '42', status=404)
        self.get('/v1/customers/42/invoices/%27%3B', '42', status=404)

    def test_bad_parameters_are_400_and_say_why(self):
        for query, why in (('limit=0', "limit: expected a number from 1 to 100, came '0'"),
                           ('status=gone', "came 'gone'"), ('from=2026-02-30', 'from: expected a date'),
                           ('cursor=xyz', 'cursor: expected'), (f'cursor={cursor("2026-13-01|x")}', 'cursor: expected'),
                           (f'cursor={cursor("9999999999999|x")}', 'cursor: expected')):
            self.assertIn(why, self.get(f'/v1/customers/42/invoices?{query}', '42', status=400).json['message'])

    def test_miss_then_hit_with_the_guides_headers(self):
        first = self.get('/v1/customers/42/invoices', '42')
        second = self.get('/v1/customers/42/invoices', '42')
        self.assertEqual([first.headers['X-Cache-Status'], second.headers['X-Cache-Status']], ['MISS', 'HIT'])
        self.assertEqual(first.headers['Cache-Control'], 'max-age=300, public')
        self.assertEqual(first.headers['Cache-Tag'], 'customer:42,invoices:42')
        self.assertEqual(first.json, second.json)
        keys = world.redis.client().keys('invoices:42:*')
        self.assertEqual(len(keys), 1)
        self.assertGreater(world.redis.client().ttl(keys[0]), 3590)

    def test_age_travels(self):
        self.get('/v1/customers/42/invoices', '42')
        client = world.redis.client()
        key, = client.keys('invoices:42:*')
        entry = json.loads(client.get(key))
        entry['born_ms'] -= 1000_000
        client.set(key, json.dumps(entry, separators=(',', ':')))
        answer = self.get('/v1/customers/42/invoices', '42')
        self.assertIn(int(answer.headers['Age']), range(1000, 1010))
        self.assertEqual(answer.headers['Cache-Control'], f"max-age={int(answer.headers['Age']) + 300}, public")


class Metrics(Scene):
    def test_data_and_cache(self):
        first = self.get('/v1/customers/42/metrics?period=30d', '42')
        second = self.get('/v1/customers/42/metrics?period=30d', '42')
        self.assertEqual([first.headers['X-Cache-Status'], second.headers['X-Cache-Status']], ['MISS', 'HIT'])
        self.assertEqual(len(first.json['data']), 100)
        self.assertEqual(set(first.json['data'][0]), {'metric_name', 'value', 'timestamp'})
        self.assertEqual(first.json, second.json)
        self.assertEqual(first.headers['Cache-Control'], 'max-age=300, public')
        self.assertEqual(first.headers['Cache-Tag'], 'customer:42,metrics:42')
        self.assertIn(world.redis.client().ttl('metrics:42:30d'), range(290, 301))

    def test_one_metric_for_a_chart(self):
        data = self.get('/v1/customers/42/metrics?period=30d&metric_name=api_requests&limit=1000', '42').json['data']
        self.assertEqual({row['metric_name'] for row in data}, {'api_requests'})
        self.assertGreater(len(data), 300)

    def test_bad_parameters_are_400(self):
        for query in ('period=91d', 'period=x', 'limit=0', 'limit=1e3', 'metric_name=%27'):
            self.get(f'/v1/customers/42/metrics?{query}', '42', status=400)

    def test_another_tenant_is_forbidden(self):
        self.assertEqual(self.get('/v1/customers/42/metrics', '43', status=403).json, {'message': 'Forbidden'})


class Tickets(Scene):
    def test_a_new_ticket_is_seen_at_once(self):
        before = self.get('/v1/customers/42/tickets', '42')
        self.get('/v1/customers/42/tickets?status=open', '42')
        created = self.post('/v1/customers/42/tickets', {'subject': 'Help', 'priority': 'high'}, 201, '42')
        self.assertEqual(created.headers['Cache-Invalidate'], '#tickets:42')
        for query in ('', '?status=open'):
            listed = self.get(f'/v1/customers/42/tickets{query}', '42').json['tickets']
            self.assertEqual(listed[0]['ticket_id'], created.json['ticket_id'])
        self.assertNotEqual(before.json['tickets'][0]['ticket_id'], created.json['ticket_id'])
        self.assertEqual(before.headers['Cache-Control'], 'max-age=0, s-maxage=300, public')

    def test_comments(self):
        ticket = self.post('/v1/customers/42/tickets', {'subject': 'Help'}, 201, '42').json['ticket_id']
        self.post(f'/v1/customers/42/tickets/{ticket}/comments', {'body': 'More ☂'}, 201, '42')
        found = self.get(f'/v1/customers/42/tickets/{ticket}', '42').json
        self.assertEqual([(c['author'], c['body']) for c in found['comments']], [('billing@42.example', 'More ☂')])
        self.post('/v1/customers/42/tickets/tkt_none/comments', {'body': 'x'}, 404, '42')
        self.post(f'/v1/customers/43/tickets/{ticket}/comments', {'body': 'x'}, 404, '43')
        self.post(f'/v1/customers/42/tickets/{ticket}/comments', {}, 400, '42')

    def test_pages(self):
        first = self.get('/v1/customers/99/tickets?limit=5', '99').json
        second = self.get(f"/v1/customers/99/tickets?limit=100&cursor={first['next_cursor']}", '99').json
        self.assertEqual(len({t['ticket_id'] for t in first['tickets'] + second['tickets']}), 12)

    def test_lengths_are_those_that_people_count(self):
        made = self.post('/v1/customers/42/tickets', {'subject': '☂' * 200}, 201, '42')
        self.assertEqual(self.get(f"/v1/customers/42/tickets/{made.json['ticket_id']}", '42').json['subject'], '☂' * 200)
        refused = self.post('/v1/customers/42/tickets', {'subject': '☂' * 201}, 400, '42')
        self.assertEqual(refused.json['message'], 'subject: expected 1 to 200 characters, came 201')

    def test_a_cursor_of_no_time_is_400(self):
        for text in ('2026-01-01 25:00:00+00|x', '2026-01-01 00:00:00+99:99|x', '294277-01-01|x', '2026-01-01|\u00ff'):
            self.get(f'/v1/customers/42/tickets?cursor={cursor(text)}', '42', status=400)

    def test_pages_hold_still_while_tickets_are_opened(self):
        seen, after = [], ''
        while after is not None:
            page = self.get(f'/v1/customers/97/tickets?limit=5&cursor={after}', '97').json
            seen += [ticket['ticket_id'] for ticket in page['tickets']]
            after = page['next_cursor']
            self.post('/v1/customers/97/tickets', {'subject': 'meanwhile'}, 201, '97')
        self.assertEqual((len(seen), len(set(seen))), (12, 12))

    def test_a_reader_may_not_write(self):
        self.post('/v1/customers/42/tickets', {'subject': 'Help'}, 403, '42', scope='read')


class ApiKeys(Scene):
    def test_shown_once_hashed_at_rest_usable_and_revocable(self):
        created = self.post('/v1/customers/42/api-keys', {'name': 'ci', 'scope': 'read'}, 201, '42')
        key, key_id = created.json['api_key'], created.json['api_key_id']
        self.assertEqual(created.headers['Cache-Invalidate'], '#api_keys:42')
        policy = world.authorize(X_API_Key=key)
        self.assertEqual(policy['context'], {'customer_id': '42', 'tier': 'professional', 'scope': 'read'})
        with world.postgres.connect('securebase', OWNER_PASSWORD) as owner, owner.cursor() as cursor:
            cursor.execute('SELECT to_jsonb(k)::text, key_hash, last_used_at FROM api_keys k WHERE api_key_id = %s',
                           (key_id,))
            row, key_hash, used = cursor.fetchone()
        self.assertNotIn(key, row)
        self.assertEqual(bytes(key_hash), hashlib.sha256(key.encode()).digest())
        self.assertIsNotNone(used)
        listed = self.get('/v1/customers/42/api-keys', '42').json['api_keys']
        self.assertIn(key_id, [k['api_key_id'] for k in listed])
        self.assertNotIn(key, json.dumps(listed))
        world.authorize(X_API_Key=key)  # from Redis now

        self.assertEqual(world.call('DELETE', f'/v1/customers/42/api-keys/{key_id}', customer='42').status, 204)
        self.assertEqual(world.call('DELETE', f'/v1/customers/42/api-keys/{key_id}', customer='42').status, 404)
        with self.assertRaisesRegex(Failed, 'Unauthorized'):
            world.authorize(X_API_Key=key)
        self.assertNotIn(key_id, json.dumps(self.get('/v1/customers/42/api-keys', '42').json))

    def test_no_key_makes_another(self):
        self.post('/v1/customers/42/api-keys', {}, 403, '42', scope='read write')


class Analytics(Scene):
    def test_cost_breakdown_adds_up(self):
        data = self.get('/v1/analytics/cost-breakdown?customer_id=42&period=7d', '42').json['data']
        self.assertEqual(len(data['by_day']), 7)
        self.assertAlmostEqual(sum(row['amount'] for row in data['by_service']), data['total'], places=2)
        self.assertAlmostEqual(sum(row['share'] for row in data['by_service']), 100, delta=0.5)

    def test_security_and_compliance(self):
        security = self.get('/v1/analytics/security?period=90d', '42').json['data']
        self.assertEqual(security['open'] + security['resolved'], len(security['findings']))
        self.assertEqual(sum(security['by_severity'].values()), security['open'])
        compliance = self.get('/v1/analytics/compliance', '42').json['data']
        self.assertEqual(sum(f['failed'] for f in compliance['frameworks']), len(compliance['failing']))
        overview = self.get('/v1/customers/42/compliance', '42').json
        self.assertEqual(len(overview['frameworks']), 4)

    def test_another_tenants_numbers_are_forbidden(self):
        for kind in ('cost-breakdown', 'security', 'compliance'):
            self.get(f'/v1/analytics/{kind}?customer_id=43', '42', status=403)
        self.get('/v1/analytics/security?period=1y', '42', status=400)


class Reports(Scene):
    def test_every_type_is_there_when_the_202_arrives(self):
        for kind in ('usage', 'cost', 'invoices', 'security', 'compliance'):
            made = self.post('/v1/customers/42/reports', {'type': kind, 'period': '7d'}, 202, '42').json
            report = self.get(f"/v1/customers/42/reports/{made['report_id']}", '42').json
            self.assertEqual((report['type'], report['status']), (kind, 'completed'))
            self.assertEqual(report['result']['customer_id'], '42')
            self.get(f"/v1/customers/43/reports/{made['report_id']}", '43', status=404)
        self.post('/v1/customers/42/reports', None, 202, '42')
        self.post('/v1/customers/42/reports', {'type': 'secret'}, 400, '42')
        self.get('/v1/customers/42/reports/rpt_none', '42', status=404)


class Tenants(Scene):
    def test_every_route_of_another_tenant_is_forbidden(self):
        for (method, resource), name in ROUTES.items():
            if '{id}' not in resource:
                continue
            path = '/'.join('43' if part == '{id}' else 'x' if part.startswith('{') else part
                            for part in resource.split('/'))
            for customer in ('42', None):
                answer = world.call(method, path, {}, customer=customer)
                self.assertEqual((answer.status, answer.json), (403, {'message': 'Forbidden'}), (method, path))
                self.assertEqual(answer.headers['Cache-Control'], 'no-store')

    TABLES = ('customers', 'invoices', 'usage_metrics', 'support_tickets', 'ticket_comments', 'api_keys', 'reports',
              'compliance_checks', 'security_findings', 'daily_costs')

    def test_the_database_itself_keeps_tenants_apart(self):
        with world.postgres.connect('securebase_app', APP_PASSWORD) as app, app.cursor() as cursor:
            for table in self.TABLES:
                cursor.execute(f'SELECT count(*) FROM {table}')
                self.assertEqual(cursor.fetchone()[0], 0, f'{table} without a tenant')
            cursor.execute("SELECT set_config('app.customer_id', '42', true)")
            for table in self.TABLES:
                cursor.execute(f'SELECT DISTINCT customer_id FROM {table}')
                self.assertLessEqual({row[0] for row in cursor.fetchall()}, {'42'}, table)

    def test_the_database_refuses_what_the_functions_never_ask(self):
        for statement in ("INSERT INTO support_tickets (ticket_id, customer_id, subject) VALUES ('t', '43', 'x')",
                          "UPDATE invoices SET amount = 0", "DELETE FROM support_tickets", "SELECT * FROM users",
                          "UPDATE api_keys SET customer_id = '42'", "ALTER TABLE invoices DISABLE ROW LEVEL SECURITY",
                          "CREATE TABLE public.mine (a int)"):
            with world.postgres.connect('securebase_app', APP_PASSWORD) as app, app.cursor() as cursor:
                cursor.execute("SELECT set_config('app.customer_id', '42', true)")
                with self.assertRaises(psycopg2.errors.InsufficientPrivilege, msg=statement):
                    cursor.execute(statement)

    def test_the_data_is_as_promised(self):
        with world.postgres.connect('securebase', OWNER_PASSWORD) as owner, owner.cursor() as cursor:
            cursor.execute('SELECT (SELECT count(*) FROM customers WHERE customer_id !~ %s), '
                           '(SELECT count(*) FROM usage_metrics), '
                           '(SELECT count(DISTINCT invoice_date) FROM invoices)', ('^cus_',))
            customers, metrics, months = cursor.fetchone()
            self.assertGreaterEqual(customers, 100)
            self.assertEqual((metrics, months), (1_000_000, 24))


# Named to run last: these break things.
class ZFailures(Scene):
    TARGETS = ('/v1/customers/42/invoices', '/v1/customers/42/metrics', '/v1/analytics/security', '/v1/tiers')

    def test_a_dead_cache_fails_no_request(self):
        for target in self.TARGETS:
            self.get(target, '42')
        world.redis.kill()
        try:
            for target in self.TARGETS * 2:
                started = time.time()
                self.assertEqual(self.get(target, '42').headers['X-Cache-Status'], 'BYPASS')
                self.assertLess(time.time() - started, 1)
            self.post('/v1/customers/42/tickets', {'subject': 'Help'}, 201, '42')
        finally:
            world.redis.start()
        time.sleep(2.1)  # the back-off: one second, doubled at most once above
        for target in self.TARGETS:
            self.get(target, '42')
            self.assertEqual(self.get(target, '42').headers['X-Cache-Status'], 'HIT', target)

    def test_a_database_restart_is_not_noticed_afterwards(self):
        for target in self.TARGETS:
            self.get(target, '42')
        world.postgres.stop()
        world.redis.client().flushall()
        try:
            for target in self.TARGETS:
                answer = self.get(target, '42', status=503)
                self.assertEqual(answer.json, {'message': 'Service Unavailable'})
                self.assertEqual(answer.headers['Retry-After'], '1')
            self.assertEqual(self.get('/v1/health').json['status'], 'healthy')
            self.assertEqual(self.get('/v1/health?checks=all', status=503).json['status'], 'unhealthy')
        finally:
            world.postgres.start()
        for target in self.TARGETS:
            self.get(target, '42')

    def test_a_connection_that_died_between_requests_is_replaced(self):
        for target in self.TARGETS:
            self.get(target, '42')
        world.redis.client().flushall()
        with psycopg2.connect(host=str(world.postgres.directory), port=world.postgres.port, dbname='postgres',
                              user='postgres') as admin, admin.cursor() as cursor:
            cursor.execute("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'securebase_app'")
            self.assertGreater(cursor.fetchone()[0], 0)
        time.sleep(0.1)
        for target in self.TARGETS:
            self.get(target, '42')
        self.post('/v1/customers/42/tickets', {'subject': 'Help'}, 201, '42')

    def test_a_query_that_takes_too_long_ends_on_both_sides(self):
        for target, name, table in (('/v1/tiers', 'critical-api', 'tier_features'),
                                    ('/v1/customers/42/metrics', 'metrics', 'usage_metrics')):
            self.get(target, '42')
            world.redis.client().flushall()
            api = world.functions[name].api
            with world.postgres.connect('securebase', OWNER_PASSWORD) as owner, owner.cursor() as cursor:
                cursor.execute(f'LOCK TABLE {table}')
                api.timeout_ms = 1000
                started = time.time()
                answer = self.get(target, '42', status=503)
                self.assertLess(time.time() - started, 1, target)
                self.assertEqual(answer.headers['Retry-After'], '1')
                cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
                self.assertEqual(cursor.fetchone()[0], 0, target)
            api.timeout_ms = 10000
            self.get(target, '42')

    def test_a_cached_plan_that_no_longer_fits_is_made_anew(self):
        self.get('/v1/customers/42', '42')
        world.redis.client().flushall()
        with world.postgres.connect('securebase', OWNER_PASSWORD) as owner, owner.cursor() as cursor:
            cursor.execute('ALTER TABLE customers ALTER COLUMN name TYPE varchar(500)')
        self.get('/v1/customers/42', '42')

    def test_an_untrusted_cache_certificate_is_not_spoken_to(self):
        (world.directory / 'other').mkdir()
        other = Certificates(world.directory / 'other')
        function = Function('securebase-prod-customers', {**world.environment, 'SSL_CERT_FILE': str(other.ca)})
        try:
            world.functions['customers'], usual = function, world.functions['customers']
            self.assertEqual(self.get('/v1/customers/42', '42').headers['X-Cache-Status'], 'BYPASS')
        finally:
            world.functions['customers'] = usual
            function.stop()

    def test_a_missing_variable_is_named(self):
        for name, missing in (('auth', 'JWT_SECRET'), ('customers', 'DB_HOST'), ('login', 'DB_NAME')):
            function = Function(f'securebase-prod-{name}',
                                {k: v for k, v in world.environment.items() if k != missing})
            self.assertIn(missing, function.api.init_errors.get(timeout=5)['errorMessage'])
            self.assertEqual(function.process.wait(timeout=5), 1)
            function.stop()


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    unittest.main(verbosity=1)
