// The module "k6/http".
(function (runtime) {
  'use strict';
  const { native, numbers } = runtime;
  runtime.builtin('k6'); // flatTags

  // Places in `numbers` (answers.cc writes them): the first two of the latest answer, all after native.answerNumbers().
  const kStatus = 0, kErrorCode = 1, kBlocked = 2, kLookingUp = 3, kConnecting = 4, kTls = 5, kSending = 6, kWaiting = 7,
    kReceiving = 8;

  // ---- responses: what is seldom asked for is made when it is

  const lazy = (prototype, name, make) => Object.defineProperty(prototype, name, {
    configurable: true,
    get() {
      const value = make.call(this);
      Object.defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
      return value;
    },
    set(value) {
      Object.defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
    },
  });

  const kAnswer = Symbol('answer'); // what native.request() gave: answers.cc
  const kText = Symbol('text'); // these three: out of it, once asked for
  const kBody = Symbol('body');
  const kTimings = Symbol('timings');
  const kInvalidUrl = 1020;
  const kRequest = Symbol('request');
  const kParsed = Symbol('parsed');
  const canonical = (name) => name.toLowerCase().replace(/(^|-)([a-z])/g, (_, dash, letter) => dash + letter.toUpperCase());

  class Response {
    constructor(answer, request) {
      this.status = numbers[kStatus];
      this[kAnswer] = answer;
      this[kRequest] = request;
      this[kText] = undefined;
      this[kBody] = undefined;
      this[kTimings] = undefined;
    }

    get body() {
      if (this[kBody] === undefined) this[kBody] = native.answerBody(this[kAnswer]);
      return this[kBody];
    }
    set body(value) { this[kBody] = value; }

    get timings() {
      if (this[kTimings] === undefined) {
        native.answerNumbers(this[kAnswer]);
        const sending = numbers[kSending], waiting = numbers[kWaiting], receiving = numbers[kReceiving];
        this[kTimings] = {
          duration: sending + waiting + receiving,
          blocked: numbers[kBlocked],
          looking_up: numbers[kLookingUp],
          connecting: numbers[kConnecting],
          tls_handshaking: numbers[kTls],
          sending, waiting, receiving,
        };
      }
      return this[kTimings];
    }
    set timings(value) { this[kTimings] = value; }

    json(selector) {
      if (this.body === null || this.body === undefined) {
        throw new Error("the body is null so we can't transform it to JSON - this likely was because of a request error " +
          'getting the response, or of responseType "none"');
      }
      if (selector === undefined) {
        if (this[kParsed] === undefined) {
          const text = typeof this.body === 'string' ? this.body : native.fromUtf8(this.body);
          try {
            this[kParsed] = { value: JSON.parse(text) };
          } catch (e) {
            throw new SyntaxError(`the body is not JSON: ${e.message}; it begins with ${JSON.stringify(text.slice(0, 60))}`);
          }
        }
        return this[kParsed].value;
      }
      const found = native.gjson(typeof this.body === 'string' ? this.body : native.fromUtf8(this.body), String(selector));
      return found === undefined ? undefined : JSON.parse(found);
    }

    html(selector) {
      const document = runtime.builtin('k6/html').parseHTML(String(this.body === null ? '' : this.body), this.url);
      return selector === undefined ? document : document.find(selector);
    }

    submitForm(options) {
      const given = options || {};
      const document = this.html();
      const form = document.find(given.formSelector || 'form');
      if (form.size() === 0) throw new Error(`no form found for selector '${given.formSelector || 'form'}' in ${this.url}`);
      const method = String(form.attr('method') || 'GET').toUpperCase();
      const values = form.serializeObject();
      const submit = form.find(given.submitSelector || '[type="submit"]');
      const name = submit.attr('name');
      if (name) values[name] = submit.val() === undefined ? '' : submit.val();
      Object.assign(values, given.fields || {});
      const target = native.resolveUrl(this.url, String(form.attr('action') || ''));
      if (method === 'GET') {
        const query = encodeForm(values);
        return http.get(query ? `${target.split('?')[0]}?${query}` : target, given.params);
      }
      return http.request(method, target, values, given.params);
    }

    clickLink(options) {
      const given = options || {};
      const selector = given.selector || 'a[href]';
      const link = this.html().find(selector);
      if (link.size() === 0) throw new Error(`no element found for selector '${selector}' in ${this.url}`);
      const href = link.attr('href');
      if (href === undefined) throw new Error(`the element for selector '${selector}' has no href`);
      return http.get(native.resolveUrl(this.url, href), given.params);
    }

    toJSON() {
      return {
        remote_ip: this.remote_ip, remote_port: this.remote_port, url: this.url, status: this.status,
        status_text: this.status_text, proto: this.proto, headers: this.headers, cookies: this.cookies, body: this.body,
        timings: this.timings, tls_version: this.tls_version, tls_cipher_suite: this.tls_cipher_suite,
        ocsp: this.ocsp, error: this.error, error_code: this.error_code, request: this.request,
      };
    }
  }
  const linesOf = (response) => {
    if (response[kText] === undefined) response[kText] = native.answerText(response[kAnswer]);
    return response[kText].split('\n');
  };
  const fieldsOf = (response) => linesOf(response).slice(8, -1).map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const line = (number) => function () { return linesOf(this)[number]; };
  lazy(Response.prototype, 'status_text', line(0));
  lazy(Response.prototype, 'proto', line(1));
  lazy(Response.prototype, 'remote_ip', line(3));
  lazy(Response.prototype, 'remote_port', function () { return Number(linesOf(this)[4]); });
  lazy(Response.prototype, 'tls_version', line(5));
  lazy(Response.prototype, 'tls_cipher_suite', line(6));
  lazy(Response.prototype, 'error', line(7));
  lazy(Response.prototype, 'error_code', function () {
    native.answerNumbers(this[kAnswer]);
    return numbers[kErrorCode];
  });
  lazy(Response.prototype, 'url', function () {
    const given = this[kRequest];
    return linesOf(this)[2] || (typeof given === 'string' ? given : given[1]);
  });
  lazy(Response.prototype, 'ocsp', () => ({
    produced_at: 0, this_update: 0, next_update: 0, revoked_at: 0, revocation_reason: '', status: 'unknown',
  }));
  lazy(Response.prototype, 'headers', function () {
    const headers = {};
    for (const [field, value] of fieldsOf(this)) {
      const name = canonical(field);
      headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
    }
    return headers;
  });
  lazy(Response.prototype, 'cookies', function () {
    const cookies = {};
    for (const [field, value] of fieldsOf(this)) {
      if (field.toLowerCase() !== 'set-cookie') continue;
      const cookie = native.parseCookie(this.url, value);
      if (cookie) (cookies[cookie.name] = cookies[cookie.name] || []).push(cookie);
    }
    return cookies;
  });
  lazy(Response.prototype, 'request', function () {
    const given = this[kRequest]; // of a plain GET its URL, else the arguments
    if (typeof given === 'string') return { method: 'GET', url: given, headers: {}, cookies: {}, body: '' };
    const headers = {};
    const lines = (given[4] || '').split('\n');
    for (let i = 0; i + 1 < lines.length; i += 2) headers[canonical(lines[i])] = [lines[i + 1]];
    return { method: given[0], url: given[1], headers, cookies: {}, body: typeof given[3] === 'string' ? given[3] : '' };
  });

  // ---- bodies

  const formText = (text) => encodeURIComponent(String(text)).replace(/%20/g, '+').replace(/[!'()~]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const encodeForm = (object) => {
    const pairs = [];
    for (const name of Object.keys(object).sort()) {
      const value = object[name];
      for (const one of Array.isArray(value) ? value : [value]) pairs.push(`${formText(name)}=${formText(one)}`);
    }
    return pairs.join('&');
  };

  class FileData {
    constructor(data, filename, contentType) {
      this.data = data;
      this.filename = filename === undefined ? String(Date.now()) : String(filename);
      this.content_type = contentType === undefined ? 'application/octet-stream' : String(contentType);
    }
  }
  const isBytes = (value) => value instanceof ArrayBuffer || ArrayBuffer.isView(value);
  const bytesOf = (value) => {
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return new Uint8Array(native.utf8(String(value)));
  };
  const concatenate = (parts) => {
    const all = parts.map(bytesOf);
    const out = new Uint8Array(all.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of all) {
      out.set(part, at);
      at += part.length;
    }
    return out.buffer;
  };
  const multipart = (object) => {
    const boundary = native.uuid().replace(/-/g, '') + native.uuid().replace(/-/g, '').slice(0, 28);
    const quote = (text) => String(text).replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/[\r\n]/g, ' ');
    const parts = [];
    for (const name of Object.keys(object)) {
      const value = object[name];
      if (value instanceof FileData) {
        parts.push(`--${boundary}\r\nContent-Disposition: form-data; name="${quote(name)}"; filename="${quote(value.filename)}"` +
          `\r\nContent-Type: ${value.content_type}\r\n\r\n`, value.data, '\r\n');
      } else {
        parts.push(`--${boundary}\r\nContent-Disposition: form-data; name="${quote(name)}"\r\n\r\n${String(value)}\r\n`);
      }
    }
    parts.push(`--${boundary}--\r\n`);
    return { body: concatenate(parts), type: `multipart/form-data; boundary=${boundary}` };
  };

  // ---- requests

  class CookieJar {
    constructor(id) { Object.defineProperty(this, 'id', { value: id === undefined ? native.newJar() : id }); }
    cookiesForURL(url) {
      const lines = native.jarCookies(this.id, String(url)).split('\n');
      const cookies = {};
      for (let i = 0; i + 1 < lines.length; i += 2) (cookies[lines[i]] = cookies[lines[i]] || []).push(lines[i + 1]);
      return cookies;
    }
    set(url, name, value, options) {
      const o = options || {};
      let text = `${name}=${value}`;
      for (const key of Object.keys(o)) {
        const attribute = key.toLowerCase().replace('_', '-').replace('http-only', 'httponly');
        if (attribute === 'secure' || attribute === 'httponly') {
          if (o[key]) text += `; ${attribute}`;
        } else {
          text += `; ${attribute}=${o[key]}`;
        }
      }
      if (!('path' in o)) text += '; path=/';
      return native.jarSet(this.id, String(url), text);
    }
    clear(url) { native.jarClear(this.id, String(url)); }
    delete(url, name) { native.jarDelete(this.id, String(url), String(name)); }
  }
  const vuJar = new CookieJar(0);

  class ExpectedStatuses { constructor(id) { this.id = id; } }
  const expectedStatuses = (...wanted) => {
    if (wanted.length === 0) throw new Error('expectedStatuses: expected at least one status or {min, max}');
    const list = wanted.map((one) => {
      if (Number.isInteger(one)) return `${one}-${one}`;
      if (one && Number.isInteger(one.min) && Number.isInteger(one.max)) return `${one.min}-${one.max}`;
      throw new TypeError(`expectedStatuses: expected a status or {min, max}, found ${runtime.show(one)}`);
    });
    return new ExpectedStatuses(native.expected(list.join(',')));
  };
  let callback = 0; // 200 to 399
  const callbackId = (value, what) => {
    if (value === null) return -1;
    if (value instanceof ExpectedStatuses) return value.id;
    throw new TypeError(`${what}: expected http.expectedStatuses(...) or null`);
  };

  const milliseconds = (time) => {
    if (typeof time === 'number') return time;
    return native.duration(String(time));
  };

  const fieldsText = (headers) => {
    let text = '';
    for (const name of Object.keys(headers)) {
      const value = headers[name];
      if (value === undefined || value === null) continue;
      const written = String(value);
      if (/[\r\n\0]/.test(written) || !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) {
        throw new TypeError(`the header ${JSON.stringify(name)}: ${JSON.stringify(written)} cannot be sent`);
      }
      text += `${name}\n${written}\n`;
    }
    return text;
  };

  const kDefaults = {};
  // One request as the arguments of native.request and its sisters.
  const prepare = (method, url, body, params) => {
    latestUrl = undefined;
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method)) throw new TypeError(`http: '${method}' is not a method`);
    let name;
    let address = url;
    if (typeof url === 'object' && url !== null) {
      if (url.url !== undefined && url.name !== undefined) {
        address = url.url;
        name = url.name;
      } else {
        address = String(url);
      }
    } else if (typeof url !== 'string') {
      throw new TypeError(`http: expected a URL, found ${runtime.show(url)}`);
    }
    const p = params === undefined || params === null ? kDefaults : params;
    let fields = p.headers === undefined || p.headers === null ? undefined : fieldsText(p.headers);
    let sent;
    if (body !== undefined && body !== null) {
      if (typeof body === 'string' || isBytes(body)) {
        sent = body;
      } else if (typeof body === 'object') {
        let type = 'application/x-www-form-urlencoded';
        const files = Object.keys(body).some((key) => body[key] instanceof FileData);
        if (files) {
          const made = multipart(body);
          sent = made.body;
          type = made.type;
        } else {
          sent = encodeForm(body);
        }
        if (fields === undefined || !/(^|\n)content-type\n/i.test(fields)) fields = `${fields || ''}Content-Type\n${type}\n`;
      } else {
        sent = String(body);
      }
    }
    let cookies;
    if (p.cookies) {
      cookies = '';
      for (const key of Object.keys(p.cookies)) {
        const value = p.cookies[key];
        const replaces = typeof value === 'object' && value !== null;
        if (/[\r\n\0]/.test(`${key}${replaces ? value.value : value}`)) {
          throw new TypeError(`the cookie ${JSON.stringify(key)} cannot be sent: it has a line's end in it`);
        }
        cookies += `${key}\n${replaces ? value.value : value}\n${replaces && value.replace ? 1 : 0}\n`;
      }
    }
    let tags;
    if (p.tags) {
      if (p.tags.name !== undefined) name = String(p.tags.name);
      if (native.wantsTags()) tags = runtime.flatTags(p.tags);
    }
    let type;
    if (p.responseType !== undefined) {
      type = ['text', 'binary', 'none'].indexOf(p.responseType);
      if (type < 0) throw new TypeError(`responseType: expected 'text', 'binary' or 'none', found ${runtime.show(p.responseType)}`);
    }
    let expected = callback || undefined;
    if (p.responseCallback !== undefined) expected = callbackId(p.responseCallback, 'responseCallback');
    const jar = p.jar ? p.jar.id : undefined;
    if (p.auth === 'ntlm') throw new Error("auth: 'ntlm' is not supported; 'basic' and 'digest' are");
    return [method, address, name, sent, fields, tags, cookies, jar, p.timeout === undefined ? undefined : milliseconds(p.timeout),
      p.redirects === undefined ? undefined : Number(p.redirects), type, expected, p.auth, p.compression];
  };
  // Directly behind what made the response: its error code is still among the numbers.
  const finish = (response, params) => {
    if (numbers[kErrorCode] !== 0 && response.status === 0 && (native.throws() || (params && params.throw))) {
      throw new Error(response.error || 'the request failed');
    }
    return response;
  };

  const request = (method, url, body, params) => {
    const args = prepare(String(method).toUpperCase(), url, body, params);
    return finish(new Response(native.request(...args), args), params);
  };
  // The most usual request, with nothing to prepare. `latestUrl`: the one that natives_http.cc has read already.
  let latestUrl;
  const get = (url, params) => {
    if (params !== undefined && params !== null || typeof url !== 'string') return request('GET', url, null, params);
    const given = url === latestUrl ? undefined : url;
    latestUrl = undefined; // should it throw
    const answer = native.get(given, callback || undefined);
    if (numbers[kErrorCode] !== kInvalidUrl) latestUrl = url;
    return finish(new Response(answer, url), undefined);
  };

  // An asynchronous request is done on the user's own thread, while the event loop turns.
  const pending = new Map();
  runtime.complete = () => {
    for (let id = native.takeReady(); id !== 0; id = native.takeReady()) {
      const { resolve, reject, args, params } = pending.get(id);
      pending.delete(id);
      try {
        resolve(finish(new Response(native.readyAnswer(id), args), params));
      } catch (e) {
        reject(e);
      }
    }
  };
  runtime.forgetRequests = () => pending.clear();

  const batchOne = (one) => {
    if (typeof one === 'string' || (one && one.url !== undefined && one.name !== undefined && one.method === undefined &&
        one.params === undefined)) return { method: 'GET', url: one };
    if (Array.isArray(one)) {
      const method = String(one[0]).toUpperCase();
      return { method, url: one[1], body: one[2], params: one[3] };
    }
    if (one && one.url !== undefined) {
      return { method: String(one.method || 'GET').toUpperCase(), url: one.url, body: one.body, params: one.params };
    }
    throw new TypeError(`batch: expected a URL, [method, url, body, params] or {method, url, body, params}, found ${runtime.show(one)}`);
  };
  const batch = (requests) => {
    if (requests === null || typeof requests !== 'object') throw new TypeError('batch: expected an array or an object of requests');
    const keys = Object.keys(requests);
    const all = keys.map((key) => {
      const one = batchOne(requests[key]);
      return { args: prepare(one.method, one.url, one.body, one.params), params: one.params };
    });
    native.batchBegin();
    for (const { args } of all) native.batchAdd(...args);
    native.batchRun();
    const responses = Array.isArray(requests) ? [] : {};
    all.forEach(({ args, params }, i) => {
      responses[keys[i]] = finish(new Response(native.batchAnswer(i), args), params);
    });
    return responses;
  };

  const http = {
    request,
    get,
    head: (url, params) => request('HEAD', url, null, params),
    post: (url, body, params) => request('POST', url, body, params),
    put: (url, body, params) => request('PUT', url, body, params),
    patch: (url, body, params) => request('PATCH', url, body, params),
    del: (url, body, params) => request('DELETE', url, body, params),
    options: (url, body, params) => request('OPTIONS', url, body, params),
    batch,
    asyncRequest: (method, url, body, params) => new Promise((resolve, reject) => {
      const args = prepare(String(method).toUpperCase(), url, body, params);
      pending.set(native.asyncStart(...args), { resolve, reject, args, params });
    }),
    file: (data, filename, contentType) => new FileData(data, filename, contentType),
    cookieJar: () => vuJar,
    CookieJar: class extends CookieJar { constructor() { super(); } },
    url: (parts, ...values) => {
      let url = parts[0];
      let name = parts[0];
      values.forEach((value, i) => {
        url += String(value) + parts[i + 1];
        name += `\${}${parts[i + 1]}`;
      });
      return { url, name, toString: () => url };
    },
    expectedStatuses,
    setResponseCallback: (value) => { callback = callbackId(value, 'setResponseCallback'); },
    Response,
    FileData,
    SSL_3_0: 'ssl3.0', TLS_1_0: 'tls1.0', TLS_1_1: 'tls1.1', TLS_1_2: 'tls1.2', TLS_1_3: 'tls1.3',
    OCSP_STATUS_GOOD: 'good', OCSP_STATUS_REVOKED: 'revoked', OCSP_STATUS_UNKNOWN: 'unknown',
  };
  http.default = http;
  runtime.http = http;
  return http;
})
