"""What k6's scripts can do: modules, requests, answers, pages, TLS, timers and crypto, over the documented surface."""

import json
import socket
import ssl
import struct
import subprocess
import time

from harness import main
from k6_scripts import ScriptCase, broken_server


class Scripts(ScriptCase):
    def test_modules_of_every_kind(self):
        self.run_once(
            """
  expect('named', [plus(1, 2), renamed], [3, 'b']);
  expect('namespace', [Object.keys(ns).sort(), ns.default()], [['b', 'counter', 'default', 'increase', 'plus'], 'default']);
  expect('re-exported', [deep, all.plus(2, 2), again], ['deep', 4, 'default']);
  expect('live', [counter, increase(), counter], [0, 1, 1]);
  expect('circle', [even(10), odd(7)], [true, true]);
  expect('commonjs', [old.answer, answer, require('./old.js').answer], [42, 42, 42]);
  const late = await import('./late.js');
  expect('dynamic', [late.default, late.meta.endsWith('/late.js')], ['late', true]);
  expect('vendored', vendored, 'from the vendor');
  expect('data', [data.a, users.length, users[1].name, [...users].map((u) => u.name).join()], [1, 2, 'b', 'a,b']);
  expect('utils', [randomString(8).length, /^[0-9a-f-]{36}$/.test(uuidv4()), findBetween('a[b]c', '[', ']')], [8, true, 'b']);
""",
            head="""
import def, { plus, b as renamed, counter, increase } from './lib/a.js';
import * as ns from './lib/a.js';
import { deep, all, again } from './lib/index.js';
import { even } from './even.js'; import { odd } from './odd.js';
import old, { answer } from './old.js';
import vendored from 'https://example.com/x/y.js';
import { SharedArray } from 'k6/data';
import { randomString, uuidv4, findBetween } from 'https://jslib.k6.io/k6-utils/1.4.0/index.js';
const data = JSON.parse(open('./data.json'));
const users = new SharedArray('users', () => JSON.parse(open('./users.json')));
""",
            files={
                "lib/a.js": "export function plus(a, b) { return a + b }\nexport const b = 'b';\nexport let counter = 0; export function increase() { counter += 1; return counter }\nexport default () => 'default';",
                "lib/index.js": "export * from './deep.js';\nexport * as all from './a.js';\nimport d from './a.js'; export const again = d();",
                "lib/deep.js": "export const deep = 'deep';",
                "even.js": "import { odd } from './odd.js'; export function even(n) { return n === 0 ? true : odd(n - 1) }",
                "odd.js": "import { even } from './even.js'; export function odd(n) { return n === 0 ? false : even(n - 1) }",
                "old.js": "exports.answer = 42; this.same = module.exports === exports;",
                "late.js": "export default 'late'; export const meta = import.meta.url;",
                "vendor/example.com/x/y.js": "export default 'from the vendor';",
                "data.json": '{"a": 1}',
                "users.json": '[{"name":"a"},{"name":"b"}]',
            },
        )

    def test_requests_of_every_kind(self):
        self.run_once(
            """
  for (const [name, method] of [['get', 'GET'], ['del', 'DELETE'], ['post', 'POST'], ['put', 'PUT'], ['patch', 'PATCH'], ['options', 'OPTIONS']]) {
    expect(name, http[name](`${BASE}/echo`).json('method'), method);
  }
  expect('head', [http.head(`${BASE}/echo`).status, http.head(`${BASE}/echo`).body], [200, '']);
  const form = http.post(`${BASE}/echo`, { b: 'x y&z', a: [1, 2] });
  expect('form', [form.json().body, form.json('headers.content-type')], ['a=1&a=2&b=x+y%26z', 'application/x-www-form-urlencoded']);
  expect('text', http.post(`${BASE}/echo`, 'ab').json('body'), 'ab');
  expect('bytes', http.post(`${BASE}/echo`, new Uint8Array([1, 2, 255]).buffer).json('body'), '\\u0001\\u0002\\u00ff');
  const files = http.post(`${BASE}/echo`, { f: http.file('content', 'a.txt', 'text/plain'), g: 'h' }).json();
  expect('multipart', [files.headers['content-type'].startsWith('multipart/form-data; boundary='), files.body.includes('filename="a.txt"'), files.body.includes('\\r\\n\\r\\ncontent\\r\\n')], [true, true, true]);
  expect('headers', http.get(`${BASE}/echo`, { headers: { 'X-A': 'b', n: 1 } }).json('headers.x-a'), 'b');
  expect('answer headers', http.get(`${BASE}/echo`).headers['X-Two'], '1, 2');
  expect('redirects', [http.get(`${BASE}/redirect/3`).url, http.get(`${BASE}/redirect/3`, { redirects: 0 }).status, http.post(`${BASE}/redirect/1`, 'x').json('method')], [`${BASE}/echo`, 302, 'GET']);
  expect('gzip', http.get(`${BASE}/gzip`).json('gzipped'), true);
  expect('compressed', http.post(`${BASE}/echo`, 'aaaa', { compression: 'gzip' }).json('headers.content-encoding'), 'gzip');
  expect('gjson', [http.get(`${BASE}/people`).json('people.#.name'), http.get(`${BASE}/people`).json('people.#(age>5).name'), http.get(`${BASE}/people`).json('none')], [['Ann', 'Bo'], 'Bo', undefined]);
  expect('binary', new Uint8Array(http.get(`${BASE}/status/200`, { responseType: 'binary' }).body).length, 6);
  expect('none', http.get(`${BASE}/status/200`, { responseType: 'none' }).body, null);
  const timings = http.get(`${BASE}/echo`).timings;
  expect('timings', [timings.duration > 0, Math.abs(timings.duration - timings.sending - timings.waiting - timings.receiving) < 1e-9, 'blocked' in timings], [true, true, true]);
  expect('basic', http.get(`${BASE.replace('//', '//joe:secret@')}/echo`).json('headers.authorization'), 'Basic am9lOnNlY3JldA==');
  expect('digest', http.get(`${BASE.replace('//', '//joe:secret@')}/digest`, { auth: 'digest' }).status, 200);
  const batch = http.batch([`${BASE}/echo?n=0`, ['POST', `${BASE}/echo`, 'b'], { method: 'PUT', url: `${BASE}/echo` }]);
  expect('batch', batch.map((r) => r.json('method')), ['GET', 'POST', 'PUT']);
  expect('batch by name', http.batch({ a: `${BASE}/status/201` }).a.status, 201);
  const began = Date.now();
  const both = await Promise.all([http.asyncRequest('GET', `${BASE}/slow?s=0.5`), http.asyncRequest('GET', `${BASE}/slow?s=0.5`)]);
  expect('asynchronous', [both.map((r) => r.body), Date.now() - began < 900], [['slow', 'slow'], true]);
  expect('url', http.get(http.url`${BASE}/echo?id=${5}`).json('query.id'), '5');
  const page = http.get(`${BASE}/page`);
  expect('html', [page.html('title').text(), page.html('li.a').text(), page.html('ul > li').size(), page.html().find('a').attr('href')], ['A & B', 'one', 2, '/echo?from=link']);
  expect('link', page.clickLink().json('query.from'), 'link');
  expect('submit', page.submitForm({ fields: { user: 'me' } }).json('body'), 'c=on&send=Go&user=me');
  expect('error codes', [http.get(`${BASE}/status/404`).error_code, http.get(`${BASE}/status/503`).error_code], [1404, 1503]);
"""
        )

    def test_pages_are_read_as_jquery_and_the_dom_do(self):
        self.run_once(
            r"""
  const page = parseHTML('<dl><dt id=a class="x y">A</dt><dd>one<dd>two<dt id=b>B<dd>three</dl><a href="http://u:p@h.test:81/p?s=1#f">go</a>' +
    '<form id=f method=POST><label for=i>L</label><input id=i name=n disabled><select><option>1<option selected>2</select></form>' +
    '<table><thead><tr><th>H<tbody><tr id=r><td colspan=2>c<td id=d>e</table>', 'http://base.test/d/');
  const all = page.find('dl').children();
  expect('filters', [all.filter((i, one) => one.text() === 'two').size(), all.not((i, one) => one.is('dt')).size(), all.filter(page.find('#a')).text()], [1, 3, 'A']);
  expect('until', [page.find('#a').nextUntil('dt').size(), page.find('#a').nextUntil('#b', '.none').size(), page.find('#b').prevUntil('#a').first().text(), page.find('#d').parentsUntil('table').size()], [2, 0, 'two', 2]);
  expect('sets', [page.single('dt').text(), page.find('dt').add('dd').size(), page.find('dd').index(page.find('dd').eq(2)), page.find('dd').closest(page.find('dl')).size()], ['A', 5, 2, 1]);
  const link = page.find('a').get(0);
  expect('links', [link.host(), link.port(), link.protocol(), link.password(), link.pathname(), link.search(), link.hash(), link.origin()],
    ['h.test:81', '81', 'http:', 'p', '/p', '?s=1', '#f', 'http://h.test:81']);
  const term = page.find('#a').get(0);
  expect('elements', [term.nodeName(), term.nodeType(), term.classList(), term.nextElementSibling().textContent(), term.parentElement().nodeName(), term.selection().next().text(), term.attributes().class.value, term.matches('.x'), term.previousSibling()],
    ['dt', 1, ['x', 'y'], 'one', 'dl', 'one', 'x y', true, undefined]);
  const form = page.find('form').get(0);
  const field = form.querySelector('input');
  expect('forms', [form.method(), form.elements().length, field.form().id(), field.labels().length, field.disabled(), form.querySelector('label').control().id(), form.querySelector('select').selectedIndex()], ['post', 2, 'f', 1, true, 'i', 1]);
  const cell = page.find('#d').get(0);
  expect('tables', [cell.cellIndex(), cell.previousElementSibling().colSpan(), page.find('#r').get(0).rowIndex(), form.contains(cell), term.isSameNode(page.find('dt').get(0))], [1, 2, 1, false, true]);
""",
            head="import { parseHTML } from 'k6/html';",
        )

    def test_errors_and_checks_as_libraries_want_them(self):
        self.run_once(
            r"""
  class Mine extends Error {}
  const error = new Mine('why');
  expect('kinds', [error instanceof Mine, error instanceof Error, Error('x') instanceof Error, error.constructor.name, String(error), Error.name], [true, true, true, 'Mine', 'Error: why', 'Error']);
  expect('stacks', /^Error: why\n\tat .*\(?file:\/\/\/.*script\.js:\d+:\d+\)?/.test(error.stack), true);
  try { null.x; } catch (e) { expect('of the engine', [e instanceof TypeError, e instanceof Error], [true, true]); }
  expect('later checks', await later(3, { promise: Promise.resolve(true), function: async (v) => v === 3 }), true);
  expect('checks now', later(3, { now: (v) => v === 3 }), true);
  expect('texts', [`${exec.vu.tags}`, `${exec.test.options}`], ['[object Object]', '[object Object]']);
  expect('md4', crypto4.md4('abc', 'hex'), 'a448017aaf21d8525fc10ae87aa6729d');
""",
            head="import exec from 'k6/execution'; import crypto4 from 'k6/crypto';"
            " import { check as later } from 'https://jslib.k6.io/k6-utils/1.5.0/index.js';",
        )

    def test_an_answer_is_read_long_after_others_came(self):
        self.run_once(
            """
  const kept = [];
  for (let i = 0; i < 3000; ++i) {
    const r = http.get(`${BASE}/status/${i % 2 ? 404 : 200}?n=${i}`);
    if (i % 500 === 0) kept.push([i, r]);
    if (i % 1000 === 0) sleep(0.001);
  }
  for (const [i, r] of kept) {
    expect('url', r.url, `${BASE}/status/200?n=${i}`);
    expect('all of it', [r.status, r.body, r.headers['Content-Length'], r.error_code, r.timings.duration > 0, r.proto], [200, 'status', '6', 0, true, 'HTTP/1.1']);
    expect('again', [r.body, r.timings === r.timings, JSON.parse(JSON.stringify(r)).body], ['status', true, 'status']);
    r.body = 'mine';
    expect('set', r.body, 'mine');
  }
  const gone = http.get('http://127.0.0.1:1/');
  expect('no answer', [gone.status, gone.body, gone.error_code, gone.url], [0, null, 1212, 'http://127.0.0.1:1/']);
"""
        )

    def test_a_batch_that_threw_leaves_nothing_behind(self):
        self.run_once(
            """
  let threw = 0;
  try { http.batch([['GET', 'http://127.0.0.1:1/', null, { throw: true }], ['GET', `${BASE}/status/404`]]); } catch (e) { threw++; }
  expect('the next one', http.batch([`${BASE}/status/200`, ['GET', `${BASE}/status/201`]]).map((r) => r.status), [200, 201]);
  try { http.request('GET / HTTP/1.1', BASE); } catch (e) { threw++; }
  try { http.get(BASE, { cookies: { a: 'x\\r\\nHost: y' } }); } catch (e) { threw++; }
  expect('threw', threw, 3);
  sleep(-1);
"""
        )

    def test_cookies_live_for_an_iteration(self):
        self.run_once(
            """
  http.get(`${BASE}/cookies/set?a=1&b=2`);
  const jar = http.cookieJar();
  expect('kept', http.get(`${BASE}/echo`).json('headers.cookie'), 'a=1; b=2');
  jar.set(BASE, 'c', '3');
  expect('set', jar.cookiesForURL(BASE), { a: ['1'], b: ['2'], c: ['3'] });
  expect('given', http.get(`${BASE}/echo`, { cookies: { d: '4', a: { value: '9', replace: true } } }).json('headers.cookie'), 'b=2; c=3; d=4; a=9');
  jar.delete(BASE, 'b');
  const own = new http.CookieJar();
  expect('own jar', http.get(`${BASE}/echo`, { jar: own }).json('headers.cookie') === undefined, true);
  expect('deleted', Object.keys(jar.cookiesForURL(BASE)), ['a', 'c']);
  expect('answer', http.get(`${BASE}/cookies/set?z=1`).cookies.z[0].value, '1');
"""
        )

    def test_what_may_have_been_done_is_not_done_twice(self):
        seen = []

        def closes_after_the_second(connection):
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            seen.append(connection.recv(1000).split()[0])
            connection.sendall(answer)
            seen.append(connection.recv(1000).split()[0])
            connection.close()

        listener, port = broken_server(closes_after_the_second)
        self.addCleanup(listener.close)
        url = f"http://127.0.0.1:{port}/"
        # On a kept connection that ends without an answer a GET is made again, on a new one; a POST may have been done.
        self.run_once(
            f"""
            expect('first', http.get('{url}').status, 200);
            expect('again', http.get('{url}').status, 200);
            expect('third', http.post('{url}', 'x=1').status, 0);
            """
        )
        self.assertEqual(seen, [b"GET", b"GET", b"GET", b"POST"])

    def test_what_was_meant_for_one_host_is_not_told_to_another(self):
        self.run_once(
            """
  const port = BASE.split(':')[2];
  const secrets = { headers: { Authorization: 'Bearer x', Cookie: 'b=2' }, cookies: { a: '1' } };
  const after = (to) => { const h = http.get(`${BASE}/away?to=${encodeURIComponent(to)}`, secrets).json('headers'); return [h.authorization, h.cookie, h.host]; };
  expect('same', after(`${BASE}/echo`), ['Bearer x', 'a=1', `127.0.0.1:${port}`]);
  expect('other', after(`http://other.test:${port}/echo`), [undefined, 'a=1', `other.test:${port}`]);
  const below = http.get(`http://top.test:${port}/away?to=${encodeURIComponent(`http://api.top.test:${port}/echo`)}`, secrets).json('headers');
  expect('below', [below.authorization, below.cookie, below.host], ['Bearer x', 'a=1', `api.top.test:${port}`]);
  const jar = http.cookieJar();
  expect('no cookie', [jar.set(BASE, 'c', 'x\\r\\nEvil: yes'), http.get(`${BASE}/echo`).json('headers.evil') === undefined], [false, true]);
  const digest = http.get(`http://joe%0d%0aEvil:x@127.0.0.1:${port}/digest`, { auth: 'digest' });
  expect('digest', digest.status, 401);
""",
            "--config", "config.json",
            files={"config.json": '{"hosts": {"*.TEST": "127.0.0.1"}}'},
        )
        self.assertFalse([seen for seen in self.server.seen if "Evil" in str(seen)])

    def openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def tls_server(self, ask=ssl.CERT_NONE, **limits):
        """Its port. The certificate is for api.test, of an authority of its own, which signs client.crt as well."""
        if not (self.folder / "ca.crt").exists():
            self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key",
                         "-out", "ca.crt", "-subj", "/CN=authority", "-days", "2")
            (self.folder / "names").write_text("subjectAltName=DNS:api.test")
            for name in ("server", "client"):
                self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                             "-out", f"{name}.csr", "-subj", f"/CN={name}")
                self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                             "-out", f"{name}.crt", "-days", "2", "-extfile", "names")
            self.openssl("ec", "-in", "client.key", "-aes128", "-passout", "pass:secret", "-out", "locked.key")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.crt", self.folder / "server.key")
        context.load_verify_locations(self.folder / "ca.crt")
        context.verify_mode = ask
        for name, value in limits.items():
            setattr(context, name, value)

        def answer(connection):
            try:
                with context.wrap_socket(connection, server_side=True) as wrapped:
                    while wrapped.recv(10000):
                        peer = wrapped.getpeercert() if ask else None
                        who = dict(pair[0] for pair in peer["subject"])["commonName"] if peer else "nobody"
                        body = json.dumps([who, wrapped.version(), wrapped.cipher()[0]]).encode()
                        wrapped.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            except OSError:
                pass

        listener, port = broken_server(answer)
        self.addCleanup(listener.close)
        return port

    def ask_over_tls(self, port, options, expected, *arguments, trusted=True, **more):
        """One GET to https://api.test, which is `port`; what must come of [who, version, cipher] or [status, error_code, error]."""
        environment = {"SSL_CERT_FILE": str(self.folder / "ca.crt")} if trusted else None
        script = ("import http from 'k6/http';\nconst crt = open('./client.crt'), key = open('./client.key'), locked = open('./locked.key');"
                  f"export const options = {{ iterations: 1, hosts: {{ 'api.test': '127.0.0.1:{port}' }}, {options} }};\n"
                  "export default function () { const r = http.get('https://api.test/');"
                  " console.log('SEEN ' + JSON.stringify(r.status ? r.json() : [r.status, r.error_code, r.error])); }")
        self.run_script(script, *arguments, environment=environment, **more)
        if expected:
            self.assertRegex(self.said, f"SEEN {expected}")

    def test_certificates_of_clients_are_shown_to_their_hosts(self):
        port = self.tls_server(ask=ssl.CERT_REQUIRED)
        self.openssl("genrsa", "-out", "rsa.key", "2048")
        refused = r"\[0,1(300,.*tls: .*certificate required|000,|200,|201,|220,)"  # the server may have closed before its alert is read
        self.ask_over_tls(port, "tlsAuth: [{ cert: crt, key }]", r'\["client","TLSv1.3"')
        self.ask_over_tls(port, "tlsAuth: [{ domains: ['*.other'], cert: 'x', key: 'y' }]", None, expect=104)
        self.assertIn("options.tlsAuth[0]: its cert is not a certificate in PEM", self.said)
        self.ask_over_tls(port, "tlsAuth: [{ domains: ['*.test'], cert: crt, key: locked, password: 'secret' }]", r'\["client"')
        self.ask_over_tls(port, "tlsAuth: [{ domains: ['b.other'], cert: crt, key }]", refused)
        self.ask_over_tls(port, "", refused)
        for locked, why in (("key: locked", "encrypted, and there is no password"), ("key: locked, password: 'x'", "not with this password"),
                            ("key: open('./ca.key')", "is not that of its certificate"), ("key: open('./rsa.key')", "is not that of its certificate")):
            self.ask_over_tls(port, f"tlsAuth: [{{ cert: crt, {locked} }}]", None, expect=104)
            self.assertIn(why, self.said)

    def test_versions_and_ciphers_are_those_that_are_asked_for(self):
        port = self.tls_server()
        self.ask_over_tls(port, "tlsVersion: 'tls1.2'", r'\["nobody","TLSv1.2"')
        self.ask_over_tls(port, "tlsVersion: { min: 'tls1.2', max: 'tls1.2' }, tlsCipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384']",
                          r'\["nobody","TLSv1.2","ECDHE-ECDSA-AES256-GCM-SHA384"')
        self.ask_over_tls(port, "tlsCipherSuites: ['TLS_CHACHA20_POLY1305_SHA256']", r'\["nobody","TLSv1.3","TLS_CHACHA20_POLY1305_SHA256"')
        self.ask_over_tls(port, "tlsVersion: { min: 'tls1.3', max: 'tls1.2' }", None, expect=104)
        self.assertIn("its min, tls1.3, is above its max, tls1.2", self.said)
        self.ask_over_tls(port, "tlsCipherSuites: ['TLS_NOTHING']", None, expect=104)
        self.assertIn("options.tlsCipherSuites: 'TLS_NOTHING' is not a suite that is here", self.said)
        self.ask_over_tls(port, "", r"\[0,1310,", trusted=False)
        self.ask_over_tls(port, "insecureSkipTLSVerify: true", r'\["nobody"', trusted=False)
        self.ask_over_tls(port, "", r'\["nobody"', "--insecure-skip-tls-verify", trusted=False)

    def test_failures_have_k6s_codes(self):
        def reset(connection):
            connection.recv(1000)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

        def garbage(connection):
            connection.recv(1000)
            connection.sendall(b"what?\r\n\r\n")
            connection.close()

        def early(connection):
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
            connection.close()

        def stall(connection):
            connection.recv(1000)
            time.sleep(30)

        ports = {}
        for name, behave in {"reset": reset, "garbage": garbage, "early": early, "stall": stall}.items():
            listener, ports[name] = broken_server(behave)
            self.addCleanup(listener.close)
        with socket.create_server(("127.0.0.1", 0)) as closed:
            ports["refused"] = closed.getsockname()[1]
        out = self.run_once(
            """
  const at = (port, params) => { const r = http.get(`http://127.0.0.1:${port}/`, params); return [r.status, r.error_code, r.body, r.error !== '']; };
  expect('refused', at(__ENV.refused), [0, 1212, null, true]);
  expect('reset', at(__ENV.reset), [0, 1220, null, true]);
  expect('garbage', at(__ENV.garbage), [0, 1000, null, true]);
  expect('early', at(__ENV.early), [0, 1000, null, true]);
  expect('stall', at(__ENV.stall, { timeout: '300ms' }), [0, 1050, null, true]);
  expect('name', [1100, 1101].includes(http.get('http://no.such.invalid/').error_code), true);  // 1100 without a resolver
  expect('url', http.get('gopher://x/').error_code, 1020);
  let thrown = ''; try { http.get(`http://127.0.0.1:${__ENV.refused}/`, { throw: true }); } catch (e) { thrown = e.message; }
  expect('throw', thrown, 'dial: connection refused');
""",
            *[word for name, port in ports.items() for word in ("--env", f"{name}={port}")],
        )
        self.assertEqual(out["metrics"]["http_req_failed"]["passes"], 7)

    def test_timers_crypto_and_encoding(self):
        self.run_once(
            """
  const order = []; setTimeout(() => order.push('b'), 30); setTimeout(() => order.push('a'), 10);
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect('timers', order, ['a', 'b']);
  expect('crypto', [crypto2.md5('a', 'hex'), crypto2.sha256('a', 'base64'), crypto2.hmac('sha1', 'k', 'a', 'hex'), crypto2.createHash('sha1').update('a').update('b').digest('hex')],
    ['0cc175b9c0f1b6a831c399e269772661', 'ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=', '%s', 'da23614e02469a0d7c7bd1bdab5c9c474b1904dc']);
  expect('random', [crypto2.randomBytes(5).byteLength, crypto.randomUUID().length], [5, 36]);
  expect('base64', [encoding.b64encode('a?b'), encoding.b64encode('a?b', 'rawurl'), encoding.b64decode('YT9i', 'std', 's')], ['YT9i', 'YT9i', 'a?b']);
  k6.randomSeed(5); const one = Math.random(); k6.randomSeed(5); expect('seed', Math.random() === one, true);
"""
            % __import__("hmac").new(b"k", b"a", "sha1").hexdigest(),
            head="import crypto2 from 'k6/crypto'; import encoding from 'k6/encoding';",
        )

    def test_places_and_neighbours_in_pages(self):
        self.run_once(
            """
  const page = html.parseHTML('<p>one<b>x</b>two<i>y</i>three<u>z</u></p><ul><li>1</li><li class="a">2</li><li>3</li></ul>');
  const two = page.find('p').contents().slice(2, 3);
  expect('text', [two.text(), two.next().text(), two.prev().text(), two.nextAll().text(), two.siblings().text(), two.index()], ['two', 'y', 'x', 'yz', 'xyz', 1]);
  const element = two.get(0);
  expect('element', [element.nextElementSibling().textContent(), element.previousElementSibling().textContent()], ['y', 'x']);
  const items = page.find('li');
  expect('places', ['li:first', 'li:last'].map((by) => page.find(by).text()), ['1', '3']);
  expect('filtered', [items.filter(':first').text(), items.filter('.a:first').text(), items.not(':last').text(), items.is(':first'), items.eq(1).is('li:last')], ['1', '2', '12', true, true]);
  for (const wrong of [() => items.closest('li:first'), () => page.find('li:not(:first)'), () => page.find('li:first a'), () => items.get(0).matches('li:last')]) {
    let said = ''; try { wrong(); } catch (e) { said = e.message; }
    expect('refused', /:(first|last) /.test(said), true);
  }
""",
            head="import * as html from 'k6/html';",
        )

    def test_pages_that_are_made_to_be_slow_are_read_nevertheless(self):
        self.run_once(
            """
  expect('names of JavaScript', html.parseHTML('<constructor>&toString; a</constructor>').text(), '&toString; a');
  expect('blanks', html.parseHTML('<a ' + ' '.repeat(1000000)).find('a').size(), 1);
  expect('scripts', html.parseHTML('<script>x</script>'.repeat(20000)).find('script').size(), 20000);
  expect('deep', html.parseHTML('<div>'.repeat(50000) + 'x').text(), 'x');
  expect('unmatched', html.parseHTML('<i>'.repeat(50000) + '</b>'.repeat(50000) + 'x').find('i').size(), 50000);
""",
            head="import * as html from 'k6/html';",
        )

    def test_modules_that_await_and_assign_by_patterns(self):
        self.run_once(
            "  expect('awaited', parsed.a, 1); expect('before', [a, b, c], [1, 2, 3]); swap(); expect('after', [a, b, c], [2, 1, 9]);",
            head="import { a, b, c, swap } from './pattern.js';\nconst parsed = JSON.parse(await Promise.resolve('{\"a\":1}'));",
            files={"pattern.js": "export let a = 1; export let b = 2; export let c = 3;\nexport function swap() { [a, b] = [b, a]; ({ c } = { c: 9 }); }"},
        )


if __name__ == "__main__":
    main()
