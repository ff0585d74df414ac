"""securebase-prod-metrics: GET /v1/customers/{id}/metrics?period=30d

Usage metrics through Redis (cache-aside) from PostgreSQL. Connections are made at the first use and live across
invocations. A Redis that fails never fails a request; a pooled database connection that died with its server is thrown
away and the query is asked once more.
"""
import json
import os
import re
import time
from functools import lru_cache

import psycopg2
import redis

METRICS_TTL = 300         # seconds; real-time metrics: frequently updated
HTTP_LIFETIME = 300       # seconds that caches in front of this function may add
DEFAULT_PERIOD = '30d'
DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
MAX_PERIOD_HOURS = 90 * 24
HOURS = {'h': 1, 'd': 24, 'w': 7 * 24}
REDIS_PAUSE = 1           # seconds for which a Redis that failed is left alone
MOST_QUERY_TIME = 8000    # milliseconds; less when the function's own timeout is nearer
TIME_TO_ANSWER = 500      # milliseconds kept for the answer that the database took too long

# Initialize Redis client (reuse across invocations); it connects at its first command
redis_client = redis.Redis(
    host=os.environ['REDIS_HOST'],
    port=int(os.environ.get('REDIS_PORT', '6379')),
    password=os.environ['REDIS_AUTH_TOKEN'],
    ssl=True,
    decode_responses=True,
    socket_keepalive=True,
    socket_connect_timeout=2,
    socket_timeout=2,
    health_check_interval=30
)
redis_paused_until = 0.0


@lru_cache(maxsize=1)
def get_db_connection():
    # Connection pooling for Aurora; user, password and sslmode come from PGUSER, PGPASSWORD and PGSSLMODE
    import psycopg2.pool
    return psycopg2.pool.SimpleConnectionPool(
        minconn=0,  # a database that is down must not fail the pool, only the query
        maxconn=5,
        host=os.environ['DB_HOST'],
        port=os.environ.get('DB_PORT', '5432'),
        database=os.environ['DB_NAME'],
        connect_timeout=2
    )


class BadRequest(Exception):
    pass


def query_once(customer_id, hours, metric_name, limit, deadline):
    pool = get_db_connection()
    conn = pool.getconn()
    broken = True
    try:
        with conn.cursor() as cursor:
            # Row level security lets through the rows of this customer only
            milliseconds = min(int((deadline - time.monotonic()) * 1000), MOST_QUERY_TIME)
            cursor.execute("SELECT set_config('app.customer_id', %s, true), set_config('TimeZone', 'UTC', true), "
                           "set_config('statement_timeout', %s, true)", (customer_id, str(max(milliseconds, 1))))
            cursor.execute(
                """
                SELECT metric_name, value, timestamp
                FROM usage_metrics
                WHERE customer_id = %s
                AND timestamp > NOW() - make_interval(hours => %s)
                AND (%s::text IS NULL OR metric_name = %s)
                ORDER BY timestamp DESC
                LIMIT %s
                """,
                (customer_id, hours, metric_name, metric_name, limit))
            rows = cursor.fetchall()
        conn.commit()
        broken = False
        return [{'metric_name': name, 'value': value, 'timestamp': timestamp.isoformat()}
                for name, value, timestamp in rows]
    finally:
        pool.putconn(conn, close=broken)


def query_database(customer_id, hours, metric_name, limit, deadline):
    try:
        return query_once(customer_id, hours, metric_name, limit, deadline)
    except psycopg2.extensions.QueryCanceledError:
        raise  # it took too long, and would again
    except (psycopg2.OperationalError, psycopg2.InterfaceError):
        # The connection died with its server; asking twice does no harm to a query
        return query_once(customer_id, hours, metric_name, limit, deadline)


def redis_failed(error):
    global redis_paused_until
    redis_paused_until = time.monotonic() + REDIS_PAUSE
    # Log error but don't fail request
    print(f"Redis error: {error}")


def get_customer_metrics(customer_id, period, hours, metric_name, limit, deadline):
    """Returns (data, age in seconds, cache status); the database has until the deadline, of time.monotonic()."""
    # Try cache first
    cache_key = f"metrics:{customer_id}:{period}"
    if metric_name or limit != DEFAULT_LIMIT:
        cache_key += f":{metric_name or ''}:{limit}"

    status = 'BYPASS'
    if time.monotonic() >= redis_paused_until:
        try:
            cached = redis_client.get(cache_key)
            status = 'MISS'
            if cached and cached != '-':
                entry = json.loads(cached)
                age = time.time() - entry['born_ms'] / 1000
                if age < METRICS_TTL:
                    return entry['body'], max(int(age), 0), 'HIT'
        except redis.RedisError as e:
            redis_failed(e)
            status = 'BYPASS'
        except (ValueError, KeyError, TypeError) as e:
            print(f"Cached value not understood, asking the database: {e}")

    # Cache miss - query database
    born_ms = int(time.time() * 1000)
    body = {'data': query_database(customer_id, hours, metric_name, limit, deadline)}

    # Store in cache, with the time at which the database gave it, so that no cache in front counts from zero again
    if status == 'MISS':
        try:
            redis_client.set(cache_key, json.dumps({'born_ms': born_ms, 'body': body}, default=str),
                             ex=METRICS_TTL, nx=True)
        except redis.RedisError as e:
            redis_failed(e)  # Don't fail on cache write error

    return body, 0, status


def invalidate_cache(customer_id):
    # Invalidate all metrics for customer. For the operator's shell and not for requests: it walks all keys.
    pattern = f"metrics:{customer_id}:*"

    for key in redis_client.scan_iter(match=pattern):
        redis_client.delete(key)


def parse_period(text):
    match = re.fullmatch(r'([1-9][0-9]{0,3})([hdw])', text)
    hours = int(match[1]) * HOURS[match[2]] if match else 0
    if not 0 < hours <= MAX_PERIOD_HOURS:
        raise BadRequest(f"period: expected hours, days or weeks up to 90 days, as 24h, 30d or 4w, came '{text[:60]}'")
    return hours


def parse_limit(text):
    if not re.fullmatch(r'[0-9]{1,4}', text) or not 1 <= int(text) <= MAX_LIMIT:
        raise BadRequest(f"limit: expected a number from 1 to {MAX_LIMIT}, came '{text[:60]}'")
    return int(text)


def parse_metric_name(text):
    if not re.fullmatch(r'[a-z0-9_]{1,64}', text):
        raise BadRequest(f"metric_name: expected small letters, digits and '_', came '{text[:60]}'")
    return text


def response(status, body, headers=None):
    return {
        'statusCode': status,
        'headers': {'Content-Type': 'application/json', 'Cache-Control': 'no-store', **(headers or {})},
        'body': json.dumps(body, default=str),
        'isBase64Encoded': False
    }


def lambda_handler(event, context):
    authorizer = (event.get('requestContext') or {}).get('authorizer') or {}
    customer_id = (event.get('pathParameters') or {}).get('id')
    may_read = 'read' in (authorizer.get('scope') or '').split()
    if not customer_id or customer_id != authorizer.get('customer_id') or not may_read:
        return response(403, {'message': 'Forbidden'})

    query = event.get('queryStringParameters') or {}
    try:
        period = query.get('period') or DEFAULT_PERIOD
        hours = parse_period(period)
        metric_name = parse_metric_name(query['metric_name']) if query.get('metric_name') else None
        limit = parse_limit(query['limit']) if query.get('limit') else DEFAULT_LIMIT
    except BadRequest as e:
        return response(400, {'message': str(e)})

    deadline = time.monotonic() + (context.get_remaining_time_in_millis() - TIME_TO_ANSWER) / 1000
    try:
        body, age, status = get_customer_metrics(customer_id, period, hours, metric_name, limit, deadline)
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as e:
        print(f"Database error: {e}")
        return response(503, {'message': 'Service Unavailable'}, {'Retry-After': '1'})

    headers = {
        'Cache-Control': f'max-age={min(age + HTTP_LIFETIME, METRICS_TTL)}, public',  # Allow CloudFront caching
        'Cache-Tag': f'customer:{customer_id},metrics:{customer_id}',
        'X-Cache-Status': status  # For debugging
    }
    if age:
        headers['Age'] = str(age)
    return response(200, body, headers)
