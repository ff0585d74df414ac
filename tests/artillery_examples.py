"""Artillery scripts in the ways in which people write them: each with what it shall have asked for and counted.

TARGET is the address of the scene's server, whose answers are {"id": 7, "items": [{"id": 1}, {"id": 2}], "path": ...}.
"""

import dataclasses


@dataclasses.dataclass
class Example:
    name: str
    files: dict
    arguments: list = dataclasses.field(default_factory=lambda: ["test.yml"])
    environment: dict = dataclasses.field(default_factory=dict)
    code: int = 0
    counters: dict = dataclasses.field(default_factory=dict)  # of the aggregate; NAME.count: of a summary
    asked: dict = dataclasses.field(default_factory=dict)  # a pattern of "METHOD /path": how many of the requests fit it
    said: list = dataclasses.field(default_factory=list)


EXAMPLES = [
    Example(
        "a shop: weights, payload, captures that lead on, checks at the end",
        {"test.yml": """
config:
  target: "TARGET"
  phases:
    - duration: "1s"
      arrivalCount: "12"
      name: Shoppers
  http:
    timeout: 15
    pool: 10
    defaults:
      headers: { accept: application/json }
      think: { jitter: "20%" }
  payload:
    - path: "products.csv"
      fields: ["sku", "amount"]
      order: sequence
      skipHeader: true
      delimiter: ";"
      cast: true
  plugins:
    ensure: {}
    expect: { outputFormat: silent }
  ensure:
    thresholds:
      - http.response_time.p99: 5000
      - vusers.session_length.max: 60000
    conditions:
      - expression: vusers.failed == 0 and http.codes.200 > 30
    maxErrorRate: 0
scenarios:
  - name: Buys something
    weight: 1
    flow:
      - get:
          url: "/search?q={{ sku }}"
          capture:
            - json: "$.items[1].id"
              as: product
          expect:
            - statusCode: [200, 201]
            - hasProperty: items
      - think: 0.05
      - post:
          url: "/cart"
          json:
            product: "{{ product }}"
            amount: "{{ amount }}"
          match:
            json: "$.id"
            value: 7
      - delete:
          url: "/cart/{{ product }}"
  - name: Nobody does this
    weight: 0
    flow:
      - get: { url: "/never" }
""", "products.csv": "sku;amount\nA-1;1\nB-2;2\nC-3;3\n"},
        counters={"vusers.created_by_name.Buys something": 12, "http.requests": 36, "plugins.expect.ok": 24, "vusers.failed": 0},
        asked={"GET /search\\?q=[ABC]-[123]": 12, "POST /cart": 12, "DELETE /cart/2": 12},
        said=["ok: http.response_time.p99 < 5000", "ok: maxErrorRate < 0"]),
    Example(
        "phases of every kind, with a bound of users",
        {"test.yml": """
config:
  target: TARGET
  phases:
    - { duration: 1, arrivalRate: 5, name: Warm up }
    - { pause: 1 }
    - { duration: 2, arrivalRate: 2, rampTo: "6", name: Ramp }
    - { duration: 1, arrivalCount: 10, maxVusers: 1, name: Alone }
scenarios:
  - flow:
      - get: { url: "/" }
      - think: 2
"""},
        counters={"vusers.skipped": 10, "vusers.created": 13, "vusers.completed": 13},
        said=["Phase started: Ramp"]),
    Example(
        "one script for several environments, as JSON",
        {"test.json": """{
  "config": {
    "target": "http://127.0.0.1:1",
    "phases": [{"duration": 1, "arrivalCount": 4}],
    "variables": {"page": ["one", "one"], "plain": "p"},
    "environments": {
      "staging": {"target": "TARGET", "defaults": {"headers": {"x-stage": "{{ $environment }}"}}},
      "live": {"target": "http://127.0.0.1:2"}
    }
  },
  "scenarios": [{"flow": [{"get": {"url": "/{{ page }}/{{ plain }}/{{ $env.REGION }}"}}]}]
}""", "settings.env": "REGION=\"eu-west\"  # where\nexport OTHER=1\n"},
        arguments=["test.json", "-e", "staging", "--dotenv", "settings.env", "-v", '{"plain": "q"}'],
        counters={"http.codes.200": 4},
        asked={"GET /one/q/eu-west": 4}),
    Example(
        "the configuration in a file of its own, and YAML's anchors",
        {"config.yml": """
config:
  target: TARGET
  phases: [ { duration: 1, arrivalCount: 3 } ]
  apdex: { threshold: 5000 }
  plugins:
    metrics-by-endpoint: { useOnlyRequestNames: true, stripQueryString: true }
""", "scenarios.yml": """
scenarios:
  - name: Reads
    flow:
      - get: &read
          url: "/read?x={{ $randomNumber(1, 9) }}"
          name: read
          headers: &headers { X-Kind: reading }
      - get:
          <<: *read
          url: "/again"
          headers: { <<: *headers, X-More: "1" }
"""},
        arguments=["scenarios.yml", "--config", "config.yml"],
        counters={"apdex.satisfied": 6, "plugins.metrics-by-endpoint.read.codes.200": 6,
                  "plugins.metrics-by-endpoint.response_time.read.count": 6},
        asked={"GET /read\\?x=[1-9]": 3, "GET /again": 3},
        said=["Apdex score: 1"]),
    Example(
        "forms, files, XML, conditions and loops",
        {"test.yml": """
config:
  target: TARGET
  payload: { path: cities.csv, fields: [ city, code ], loadAll: true, name: cities }
  variables: { admin: false, wanted: 2 }
  plugins: { fake-data: {}, expect: { formatter: silent, reportFailuresAsErrors: true } }
scenarios:
  - flow:
      - loop:
          - get: { url: "/city/{{ $loopElement.code }}/{{ $loopCount }}" }
        over: cities
      - loop:
          - get: { url: "/page/{{ $loopCount }}", ifTrue: "$loopCount < wanted" }
        count: 4
      - get:
          url: /feed
          capture: [ { xpath: "//entry[2]/@id", as: entry }, { regexp: "id='(e1)'", group: 1, as: first } ]
          expect: [ { contentType: application/xml }, { equals: [ "{{ entry }}", e2 ] }, { matchesRegexp: "<feed>" } ]
      - post: { url: "/upload/{{ first }}", formData: { note: "a note", file: { fromFile: cities.csv, contentType: text/csv } } }
      - put: { url: /form, form: { a: 1, b: "x y" }, qs: { page: 2 } }
      - patch: { url: /admin, ifTrue: admin }
      - parallel:
          - head: { url: /a }
          - options: { url: /b }
      - post: { url: /people, json: { name: "{{ $personFirstName() }}", id: "{{ $uuid }}", missing: "{{ nothing }}" } }
      - log: "seen {{ entry }} of {{ cities[1].city }}"
""", "cities.csv": "Bern,be\nZürich,zh\n"},
        counters={"vusers.completed": 1, "plugins.expect.ok": 3, "http.requests": 10},
        asked={"GET /city/be/0": 1, "GET /city/zh/1": 1, "GET /page/[01]": 2, "POST /upload/e1": 1, "PUT /form\\?page=2": 1,
               "PATCH .*": 0, "HEAD /a": 1, "OPTIONS /b": 1, "POST /people": 1},
        said=["seen e2 of Zürich"]),
    Example(
        "a login whose session is a cookie, and a check that does not hold",
        {"test.yml": """
config:
  target: TARGET
  phases: [ { duration: 1, arrivalCount: 2 } ]
  plugins: { expect: { expectDefault200: true, formatter: prettyError } }
  ensure: { p95: 60000, conditions: [ { expression: "http.codes.404 < 1", strict: false } ] }
scenarios:
  - flow:
      - post: { url: /login, json: { user: "{{ $randomString(8) }}" } }
      - get: { url: /account, auth: { user: u, pass: p } }
      - get: { url: /missing }
"""},
        code=21,
        counters={"http.codes.404": 2, "plugins.expect.failed.statusCode": 2, "plugins.expect.ok": 4},
        said=["fail: http.codes.404 < 1 (optional)", "ok: p95 < 60000"]),
]
