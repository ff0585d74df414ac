"""What the functions of service/ run in when they are tested: a real PostgreSQL and a real Redis, both with TLS and
passwords as the platform runs them, and a small Runtime API that feeds each function's own process.
"""
import http.server
import json
import os
import pathlib
import pwd
import queue
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid

import psycopg2
import redis

ROOT = pathlib.Path(__file__).resolve().parent.parent
FUNCTIONS = pathlib.Path(os.environ.get('SECUREBASE_FUNCTIONS', ROOT / 'build/dev/service/functions')).resolve()
PG_BIN = pathlib.Path('/usr/lib/postgresql/15/bin')
OWNER_PASSWORD, APP_PASSWORD, REDIS_PASSWORD = 'owner-password', 'app-password', 'redis-password'
JWT_SECRET = 'a secret of the test, longer than 32 bytes'
STAGE_ARN = 'arn:aws:execute-api:us-east-1:123456789012:api1/prod'


def free_port():
    """A port that was free a moment ago, outside the range from which the kernel picks."""
    for _ in range(100):
        port = random.randint(21000, 21999)
        with socket.socket() as probe:
            try:
                probe.bind(('127.0.0.1', port))
                return port
            except OSError:
                pass
    raise RuntimeError('no free port from 21000 to 21999')


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done.stdout


class Certificates:
    """A CA, and a certificate of it for 127.0.0.1."""

    def __init__(self, directory):
        self.ca, self.cert, self.key = directory / 'ca.crt', directory / 'server.crt', directory / 'server.key'
        ca_key, request, extensions = directory / 'ca.key', directory / 'server.csr', directory / 'extensions'
        run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', ca_key, '-out', self.ca, '-days', '2',
            '-subj', '/CN=test CA')
        run('openssl', 'req', '-newkey', 'rsa:2048', '-nodes', '-keyout', self.key, '-out', request, '-subj', '/CN=server')
        extensions.write_text('subjectAltName=IP:127.0.0.1\n')
        run('openssl', 'x509', '-req', '-in', request, '-CA', self.ca, '-CAkey', ca_key, '-CAcreateserial', '-days', '2',
            '-extfile', extensions, '-out', self.cert)


class Postgres:
    def __init__(self, directory, certificates):
        self.directory, self.port = directory, free_port()
        self.as_user = []
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            self.as_user = ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups']
            os.chown(directory, pwd.getpwnam('postgres').pw_uid, -1)
        data = self.data = directory / 'data'
        run(*self.as_user, PG_BIN / 'initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8',
            '--locale=C.UTF-8', '--no-sync', cwd=directory)
        for source, name in ((certificates.cert, 'server.crt'), (certificates.key, 'server.key')):
            target = data / name
            shutil.copy(source, target)
            target.chmod(0o600)
            if self.as_user:
                shutil.chown(target, 'postgres')
        with open(data / 'postgresql.conf', 'a') as conf:
            conf.write(f"port={self.port}\nlisten_addresses='127.0.0.1'\nunix_socket_directories='{directory}'\n"
                       "ssl=on\nfsync=off\nmax_wal_size=2GB\n")
        (data / 'pg_hba.conf').write_text('local all postgres trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n')
        self.start()

    def control(self, *words):
        run(*self.as_user, PG_BIN / 'pg_ctl', '-D', self.data, '-l', self.directory / 'log', '-w', *words,
            cwd=self.directory)

    def start(self):
        self.control('start')

    def stop(self):
        self.control('stop', '-m', 'immediate')  # as after a crash: connections just break

    def connect(self, user, password, **options):
        return psycopg2.connect(host='127.0.0.1', port=self.port, dbname='securebase', user=user, password=password,
                                sslmode='require', **options)

    def migrate(self):
        """As the platform does it: the login role first, then each file in one transaction, as the owner."""
        admin = psycopg2.connect(host=str(self.directory), port=self.port, dbname='postgres', user='postgres')
        admin.autocommit = True
        with admin.cursor() as cursor:
            cursor.execute(f"CREATE ROLE securebase LOGIN PASSWORD '{OWNER_PASSWORD}'")
            cursor.execute(f"CREATE ROLE securebase_app LOGIN PASSWORD '{APP_PASSWORD}'")
            cursor.execute('CREATE DATABASE securebase OWNER securebase')
        admin.close()
        owner = self.connect('securebase', OWNER_PASSWORD)
        for file in sorted((ROOT / 'service/schema').glob('*.sql')):
            with owner, owner.cursor() as cursor:
                cursor.execute(file.read_text())
        owner.close()


class Redis:
    def __init__(self, directory, certificates):
        self.port, self.certificates, self.directory, self.process = free_port(), certificates, directory, None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ['redis-server', '--port', '0', '--tls-port', str(self.port), '--bind', '127.0.0.1', '--save', '',
             '--requirepass', REDIS_PASSWORD, '--tls-cert-file', str(self.certificates.cert),
             '--tls-key-file', str(self.certificates.key), '--tls-ca-cert-file', str(self.certificates.ca),
             '--tls-auth-clients', 'no', '--dir', str(self.directory)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                self.client().ping()
                return
            except redis.RedisError:
                time.sleep(0.05)
        raise RuntimeError('redis-server does not answer')

    def client(self):
        return redis.Redis(host='127.0.0.1', port=self.port, password=REDIS_PASSWORD, ssl=True,
                           ssl_ca_certs=str(self.certificates.ca), decode_responses=True)

    def kill(self):
        self.process.kill()
        self.process.wait()


class RuntimeApi(http.server.ThreadingHTTPServer):
    """The Lambda Runtime API for one instance."""
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a function that ends breaks its connection

    def __init__(self):
        super().__init__(('127.0.0.1', 0), RuntimeApiHandler)
        self.events, self.answers, self.init_errors = queue.Queue(), queue.Queue(), queue.Queue()
        self.timeout_ms = 10000
        threading.Thread(target=self.serve_forever, daemon=True).start()


class RuntimeApiHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def answer(self, status, body=b'', headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        event = self.server.events.get()
        if event is None:
            self.close_connection = True
            return
        self.answer(200, json.dumps(event).encode(), [
            ('Lambda-Runtime-Aws-Request-Id', str(uuid.uuid4())),
            ('Lambda-Runtime-Deadline-Ms', str(int(time.time() * 1000) + self.server.timeout_ms)),
            ('Lambda-Runtime-Invoked-Function-Arn', 'arn:aws:lambda:us-east-1:123456789012:function:test'),
            ('Lambda-Runtime-Trace-Id', 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1')])

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        if self.path.endswith('/init/error'):
            self.server.init_errors.put(body)
        else:
            self.server.answers.put((self.path.rsplit('/', 1)[1], body))
        self.answer(202)


# What AWS' Python runtime does, in few lines.
PYTHON_BOOTSTRAP = '''
import http.client, importlib, json, os, sys, time
sys.path.insert(0, sys.argv[1])
class Context:
    def __init__(self, deadline_ms):
        self.deadline_ms = deadline_ms
    def get_remaining_time_in_millis(self):
        return max(self.deadline_ms - int(time.time() * 1000), 0)
handler = importlib.import_module('handler').lambda_handler
api = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])
while True:
    api.request('GET', '/2018-06-01/runtime/invocation/next')
    response = api.getresponse()
    event, request_id = json.load(response), response.headers['Lambda-Runtime-Aws-Request-Id']
    try:
        kind, body = 'response', handler(event, Context(int(response.headers['Lambda-Runtime-Deadline-Ms'])))
    except Exception as e:
        kind, body = 'error', {'errorMessage': str(e), 'errorType': type(e).__name__}
    api.request('POST', f'/2018-06-01/runtime/invocation/{request_id}/{kind}', json.dumps(body))
    api.getresponse().read()
'''


class Failed(Exception):
    """The invocation was answered with an error."""


class Function:
    def __init__(self, name, environment):
        self.api = RuntimeApi()
        command = [str(FUNCTIONS / name / 'bootstrap')]
        if name == 'securebase-prod-metrics':
            command = ['/usr/bin/python3', '-u', '-c', PYTHON_BOOTSTRAP, str(ROOT / 'service/functions/metrics')]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=None if os.environ.get('VERBOSE') else subprocess.DEVNULL,
            env={**environment, 'AWS_LAMBDA_FUNCTION_NAME': name, 'PATH': '/usr/bin:/bin', 'PYTHONDONTWRITEBYTECODE': '1',
                 'AWS_LAMBDA_RUNTIME_API': f'127.0.0.1:{self.api.server_address[1]}'})

    def invoke(self, event):
        self.api.events.put(event)
        for _ in range(150):
            try:
                kind, body = self.api.answers.get(timeout=0.1)
                break
            except queue.Empty:
                if self.process.poll() is not None:
                    raise RuntimeError(f'the function ended with status {self.process.returncode}') from None
        else:
            raise RuntimeError('the function did not answer in 15 s')
        if kind == 'error':
            raise Failed(body['errorMessage'])
        return body

    def stop(self):
        self.api.events.put(None)
        self.process.terminate()
        self.process.wait()
        self.api.shutdown()
        self.api.server_close()


ROUTES = {
    ('GET', '/v1/health'): 'critical-api', ('GET', '/v1/pricing'): 'critical-api', ('GET', '/v1/tiers'): 'critical-api',
    ('POST', '/v1/auth/signup'): 'login', ('POST', '/v1/auth/login'): 'login',
    ('GET', '/v1/customers/{id}'): 'customers',
    ('GET', '/v1/customers/{id}/invoices'): 'customers',
    ('GET', '/v1/customers/{id}/invoices/{invoice_id}'): 'customers',
    ('GET', '/v1/customers/{id}/api-keys'): 'customers', ('POST', '/v1/customers/{id}/api-keys'): 'customers',
    ('DELETE', '/v1/customers/{id}/api-keys/{key_id}'): 'customers',
    ('GET', '/v1/customers/{id}/tickets'): 'customers', ('POST', '/v1/customers/{id}/tickets'): 'customers',
    ('GET', '/v1/customers/{id}/tickets/{ticket_id}'): 'customers',
    ('POST', '/v1/customers/{id}/tickets/{ticket_id}/comments'): 'customers',
    ('GET', '/v1/customers/{id}/metrics'): 'metrics',
    ('GET', '/v1/customers/{id}/compliance'): 'analytics',
    ('GET', '/v1/analytics/cost-breakdown'): 'analytics', ('GET', '/v1/analytics/security'): 'analytics',
    ('GET', '/v1/analytics/compliance'): 'analytics',
    ('POST', '/v1/customers/{id}/reports'): 'reports', ('GET', '/v1/customers/{id}/reports/{report_id}'): 'reports',
}


def match(method, path):
    """Resource and path parameters, as the gateway finds them; literal segments win."""
    for routed_method, resource in sorted(ROUTES, key=lambda route: route[1].count('{')):
        pattern, segments = resource.split('/'), path.split('/')
        if routed_method != method or len(pattern) != len(segments):
            continue
        if all(p == s or p.startswith('{') for p, s in zip(pattern, segments)):
            return resource, {p[1:-1]: s for p, s in zip(pattern, segments) if p.startswith('{')} or None
    raise AssertionError(f'no route {method} {path}')


class Answer:
    def __init__(self, response):
        self.status, self.headers = response['statusCode'], response['headers']
        self.json = json.loads(response['body']) if response['body'] else None


class World:
    """All servers and functions, made once for all tests."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='securebase-service-'))
        self.directory.chmod(0o755)
        self.functions, self.postgres, self.redis = {}, None, None
        unittest.addModuleCleanup(self.close)  # also when what follows fails half-way
        certificates = Certificates(self.directory)
        (self.directory / 'postgres').mkdir()
        self.postgres = Postgres(self.directory / 'postgres', certificates)
        self.redis = Redis(self.directory, certificates)
        started = time.time()
        self.postgres.migrate()
        print(f'migrations took {time.time() - started:.1f} s', file=sys.stderr)
        self.environment = {
            'DB_HOST': '127.0.0.1', 'DB_PORT': str(self.postgres.port), 'DB_NAME': 'securebase',
            'PGUSER': 'securebase_app', 'PGPASSWORD': APP_PASSWORD, 'PGSSLMODE': 'require', 'JWT_SECRET': JWT_SECRET,
            'REDIS_HOST': '127.0.0.1', 'REDIS_PORT': str(self.redis.port), 'REDIS_AUTH_TOKEN': REDIS_PASSWORD,
            'SSL_CERT_FILE': str(certificates.ca)}
        for name in ('auth', *sorted(set(ROUTES.values()))):
            self.functions[name] = Function(f'securebase-prod-{name}', self.environment)

    def close(self):
        for function in self.functions.values():
            function.stop()
        if self.redis:
            self.redis.kill()
        if self.postgres:
            self.postgres.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def authorize(self, **headers):
        return self.functions['auth'].invoke({
            'type': 'REQUEST', 'methodArn': f'{STAGE_ARN}/GET/v1/customers/42', 'httpMethod': 'GET',
            'headers': {name.replace('_', '-'): value for name, value in headers.items()}})

    def call(self, method, target, body=None, customer=None, scope='read write admin'):
        path, _, query = target.partition('?')
        resource, parameters = match(method, path)
        authorizer = {'customer_id': customer, 'tier': 'standard', 'scope': scope, 'principalId': customer} if customer else {}
        fields = dict(pair.split('=', 1) for pair in query.split('&')) if query else None
        return Answer(self.functions[ROUTES[method, resource]].invoke({
            'resource': resource, 'path': path, 'httpMethod': method,
            'headers': {'Host': 'api.securebase.com'}, 'multiValueHeaders': {'Host': ['api.securebase.com']},
            'queryStringParameters': fields,
            'multiValueQueryStringParameters': fields and {name: [value] for name, value in fields.items()},
            'pathParameters': parameters, 'stageVariables': None,
            'requestContext': {'accountId': '123456789012', 'stage': 'prod', 'authorizer': authorizer},
            'body': None if body is None else json.dumps(body), 'isBase64Encoded': False}))
