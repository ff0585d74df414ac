// The floor that scripts stand on: globals, and the loader that does what import and export said (rewriter.h).
// Evaluated once in each user's context, as (function (native, numbers, tally) {...}). `native` is natives.cc; `numbers`
// and `tally` are shared with it, for what would be too many arguments and too many calls.
(function (native, numbers, tally) {
  'use strict';
  const kTimers = 31; // numbers[kTimers]: how many timers wait
  const kIteration = 30; // numbers[kIteration]: what __ITER is

  // ---- console

  const show = (value) => {
    if (typeof value === 'string') return value;
    if (value === undefined) return 'undefined';
    if (value instanceof Error) return value.stack ? `${value.name}: ${value.message}` : String(value);
    if (typeof value === 'function') return `function ${value.name}`;
    if (typeof value === 'object' && value !== null) {
      try {
        const text = JSON.stringify(value);
        return text === undefined ? String(value) : text;
      } catch (e) {
        return `[object that cannot be printed: ${e.message}]`;
      }
    }
    return String(value);
  };
  const level = (number) => (...values) => native.log(number, values.map(show).join(' '));
  const console = { debug: level(0), log: level(1), info: level(1), warn: level(2), error: level(3), trace: level(0) };

  // ---- timers

  let nextTimer = 1;
  const timers = new Map();
  const addTimer = (callback, delay, args, interval) => {
    if (typeof callback !== 'function') throw new TypeError('setTimeout: the first argument must be a function');
    const wait = Math.max(0, Number(delay) || 0);
    const id = nextTimer++;
    timers.set(id, { at: native.now() + wait, callback, args, interval: interval ? Math.max(1, wait) : 0 });
    numbers[kTimers] = timers.size;
    return id;
  };
  const removeTimer = (id) => {
    timers.delete(id);
    numbers[kTimers] = timers.size;
  };
  // Runs what is due. Gives the milliseconds to the next; -1: no more.
  const tick = () => {
    const now = native.now();
    for (const [id, timer] of Array.from(timers).sort((a, b) => a[1].at - b[1].at)) {
      if (timer.at > now || !timers.has(id)) continue;
      if (timer.interval) timer.at = now + timer.interval;
      else timers.delete(id);
      numbers[kTimers] = timers.size;
      timer.callback(...timer.args);
      break; // one a turn: its promises come before the next timer
    }
    let next = -1;
    for (const timer of timers.values()) {
      const wait = Math.max(0, timer.at - native.now());
      if (next < 0 || wait < next) next = wait;
    }
    return next;
  };
  const clearTimers = () => {
    timers.clear();
    numbers[kTimers] = 0;
  };

  // ---- what a function that was called gave: nothing to wait for, or a promise

  let waitingFor = null;
  const settle = (promise) => {
    const mine = { done: false, failed: false, value: undefined };
    waitingFor = mine;
    promise.then(
      (value) => { mine.done = true; mine.value = value; },
      (reason) => { mine.done = true; mine.failed = true; mine.value = reason; },
    );
  };
  // Calls what the script exported. A promise is taken up at once, so that its rejection has somebody who hears it.
  const run = (fn, argument) => {
    const value = fn(argument);
    if (isPromise(value)) settle(value);
    return value;
  };
  const isPromise = (value) => typeof value === 'object' && value !== null && typeof value.then === 'function';

  // ---- random numbers: of the engine, until randomSeed() makes them repeatable

  const seedRandom = (seed) => {
    let a = Number(seed) >>> 0;
    Math.random = () => { // mulberry32
      a = (a + 0x6d2b79f5) | 0;
      let t = Math.imul(a ^ (a >>> 15), 1 | a);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  };

  // ---- modules

  const records = new Map(); // id -> {info, state, exports getters, namespace, ...}
  const runtime = {
    native, numbers, tally, console, run, isPromise, tick, clearTimers, seedRandom, show,
    waiting: () => waitingFor,
    builtin: (name) => namespaceOf(load(name, -1)).default,
  };

  const interopDefault = (record) => {
    const e = record.module.exports;
    return e !== null && typeof e === 'object' && e.__esModule && 'default' in e ? e.default : e;
  };

  // All names that a module gives, each with a function that reads it. `seen` breaks circles of export *.
  const readersOf = (id, seen) => {
    const record = records.get(id);
    if (record.readers) return record.readers;
    const readers = Object.create(null);
    if (record.info.kind !== 'module') {
      const e = record.module.exports;
      if (e !== null && (typeof e === 'object' || typeof e === 'function')) {
        for (const name of Object.keys(e)) readers[name] = () => record.module.exports[name];
      }
      readers.default = () => interopDefault(record);
      if (record.state === 'done') record.readers = readers;
      return readers;
    }
    if (seen.has(id)) return readers;
    seen.add(id);
    for (const star of record.info.stars) {
      const theirs = readersOf(record.info.dependencies[star], seen);
      for (const name in theirs) if (name !== 'default' && !(name in readers)) readers[name] = theirs[name];
    }
    for (const [exported, dependency, imported] of record.info.reExports) {
      const from = record.info.dependencies[dependency];
      readers[exported] = imported === '*' ? () => namespaceOf(from) : () => readersOf(from, new Set())[imported]();
    }
    for (const name in record.own) readers[name] = record.own[name];
    if (record.info.stars.length === 0 && record.info.reExports.length === 0) record.readers = readers;
    return readers;
  };

  const namespaceOf = (id) => {
    const record = records.get(id);
    if (record.namespace) return record.namespace;
    const namespace = Object.create(null);
    const readers = readersOf(id, new Set());
    for (const name of Object.keys(readers).sort()) {
      Object.defineProperty(namespace, name, { enumerable: true, get: readers[name] });
    }
    Object.defineProperty(namespace, Symbol.toStringTag, { value: 'Module' });
    if (record.state === 'done') record.namespace = namespace;
    return namespace;
  };

  const missing = (info, name, from, line, column) => {
    const names = Object.keys(readersOf(from, new Set())).filter((n) => n !== 'default');
    const known = names.length > 12 ? `${names.slice(0, 12).join(', ')}, ...` : names.join(', ');
    return new SyntaxError(
      `${info.name}:${line}:${column}: '${records.get(from).info.name}' has no export '${name}'` +
      (known ? `; it has ${known}` : '; it has none'));
  };

  // What a module's text is called with (modules.cc writes the calls).
  const linkage = (record) => {
    const { info } = record;
    const live = Object.create(null);
    for (const [local, dependency, imported] of info.live) {
      const from = info.dependencies[dependency];
      Object.defineProperty(live, local, {
        get: () => {
          if (imported === '*') return namespaceOf(from);
          const reader = readersOf(from, new Set())[imported];
          if (!reader) throw missing(info, imported, from, 1, 1);
          return reader();
        },
      });
    }
    return {
      l: live,
      x: (own) => { record.own = own; },
      g: (dependency, imported, line, column) => {
        const from = info.dependencies[dependency];
        if (imported === '*') return namespaceOf(from);
        const reader = readersOf(from, new Set())[imported];
        if (!reader) throw missing(info, imported, from, line, column);
        return reader();
      },
      meta: { url: info.url, resolve: (specifier) => native.resolve(String(specifier), info.id) },
      i: (specifier) => new Promise((resolve) => {
        const id = load(String(specifier), info.id);
        const pending = records.get(id).promise;
        resolve(pending ? pending.then(() => namespaceOf(id)) : namespaceOf(id));
      }),
      require: (specifier) => {
        const id = load(String(specifier), info.id);
        const target = records.get(id);
        if (target.info.kind !== 'module') return target.module.exports;
        const namespace = namespaceOf(id);
        return namespace;
      },
      open: (path, mode) => native.open(info.id, String(path), mode === 'b'),
    };
  };

  // First every module of the graph comes to life as far as its functions; then bodies run, dependencies first.
  const instantiate = (id) => {
    if (records.has(id)) return;
    const info = native.module(id);
    const record = { info, state: 'new', own: Object.create(null), module: { exports: {} } };
    records.set(id, record);
    for (const dependency of info.dependencies) instantiate(dependency);
    if (info.kind === 'module') {
      record.link = linkage(record);
      record.body = native.compile(id)(record.link)(record.link.require, record.link.open, record.link.meta, record.link.i);
      const first = record.body.next();
      if (isPromise(first)) first.then(undefined, () => {});
    }
  };

  const evaluate = (id) => {
    const record = records.get(id);
    if (record.state === 'failed') throw record.failure;
    if (record.state !== 'new') return record.promise;
    record.state = 'running';
    try {
      const pending = [];
      for (const dependency of record.info.dependencies) {
        const promise = evaluate(dependency);
        if (promise) pending.push(promise);
      }
      const run = () => {
        const { info } = record;
        if (info.kind === 'builtin') {
          record.module.exports = native.compile(id)(runtime);
        } else if (info.kind === 'commonjs') {
          const link = linkage(record);
          native.compile(id).call(record.module.exports, link.require, record.module, record.module.exports, link.open,
            link.meta, link.i);
        } else {
          const done = record.body.next();
          if (isPromise(done)) return done;
        }
        return undefined;
      };
      if (pending.length > 0) record.promise = Promise.all(pending).then(run);
      else record.promise = run();
      if (record.promise) {
        record.promise = record.promise.then(
          () => { record.state = 'done'; record.promise = undefined; },
          (reason) => { record.state = 'failed'; record.failure = reason; throw reason; });
        return record.promise;
      }
      record.state = 'done';
    } catch (e) {
      record.state = 'failed';
      record.failure = e;
      throw e;
    }
    return undefined;
  };

  const load = (specifier, from) => {
    const id = native.load(specifier, from);
    instantiate(id);
    evaluate(id);
    return id;
  };

  // Loads the script. Gives a promise, or nothing.
  runtime.main = () => {
    const id = native.mainModule();
    instantiate(id);
    runtime.mainId = id;
    const promise = evaluate(id);
    if (promise) settle(promise);
    return promise;
  };
  runtime.exported = (name) => {
    const readers = readersOf(runtime.mainId, new Set());
    if (name in readers) {
      const value = readers[name]();
      // CommonJS: the default export of a plain module.exports is itself; its `default` is what k6 runs.
      if (name === 'default' && records.get(runtime.mainId).info.kind !== 'module') {
        const e = records.get(runtime.mainId).module.exports;
        return e && e.default !== undefined ? e.default : typeof e === 'function' ? e : undefined;
      }
      return value;
    }
    return undefined;
  };
  runtime.exportedNames = () => Object.keys(readersOf(runtime.mainId, new Set())).join('\n');
  runtime.optionsText = () => {
    const options = runtime.exported('options');
    if (options === undefined || options === null) return '';
    if (typeof options !== 'object') throw new TypeError("the exported 'options' must be an object");
    return JSON.stringify(options);
  };

  // ---- globals

  const utf8 = (text) => native.utf8(String(text));
  class TextEncoder {
    get encoding() { return 'utf-8'; }
    encode(text = '') { return new Uint8Array(utf8(text)); }
  }
  class TextDecoder {
    constructor(label = 'utf-8') {
      if (!/^utf-?8$/i.test(label)) throw new RangeError(`TextDecoder: only utf-8 is supported, not '${label}'`);
    }
    get encoding() { return 'utf-8'; }
    decode(bytes) { return bytes === undefined ? '' : native.fromUtf8(bytes); }
  }
  const refuse = (name) => () => {
    throw new Error(`crypto.subtle.${name} is not supported: use the module k6/crypto (md5, sha1, sha256, sha512, hmac)`);
  };
  const crypto = {
    getRandomValues(array) {
      if (!ArrayBuffer.isView(array)) throw new TypeError('crypto.getRandomValues: expected a typed array');
      const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
      bytes.set(new Uint8Array(native.randomBytes(bytes.length)));
      return array;
    },
    randomUUID: () => native.uuid(),
    subtle: {
      digest(algorithm, data) {
        const name = String(typeof algorithm === 'object' ? algorithm.name : algorithm).toLowerCase().replace('-', '');
        return Promise.resolve(native.hash(name, data, 'binary'));
      },
    },
  };
  for (const name of ['encrypt', 'decrypt', 'sign', 'verify', 'generateKey', 'importKey', 'exportKey', 'deriveKey',
    'deriveBits', 'wrapKey', 'unwrapKey']) crypto.subtle[name] = refuse(name);

  // Errors of scripts have their stack as k6 writes it, "at f (file:///a.js:3:5)", for libraries that read it; what the engine
  // itself throws keeps the engine's. vm.cc reads both.
  const EngineError = globalThis.Error;
  const stackText = (error, stack) => {
    const frames = stack.split('\n').map((line) => /^([^@]*)@(file:\/\/.*:\d+:\d+)$/.exec(line)).filter((frame) => frame !== null);
    const head = error.message === '' ? String(error.name) : `${error.name}: ${error.message}`;
    return [head, ...frames.map(([, name, place]) => (name === '' ? `\tat ${place}` : `\tat ${name} (${place})`))].join('\n');
  };
  function ScriptError(...values) {
    const error = Reflect.construct(EngineError, values, new.target || ScriptError);
    const engines = error.stack;
    const set = (value) => Object.defineProperty(error, 'stack', { value, writable: true, configurable: true });
    if (typeof engines === 'string') {
      Object.defineProperty(error, 'stack', { configurable: true, set, get: () => stackText(error, engines) });
    }
    return error;
  }
  Object.defineProperty(ScriptError, 'name', { value: 'Error' });
  ScriptError.prototype = EngineError.prototype;
  EngineError.prototype.constructor = ScriptError;
  Object.setPrototypeOf(ScriptError, EngineError); // its static functions

  const define = (name, value) => Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  define('Error', ScriptError);
  define('console', console);
  define('setTimeout', (callback, delay, ...args) => addTimer(callback, delay, args, false));
  define('setInterval', (callback, delay, ...args) => addTimer(callback, delay, args, true));
  define('clearTimeout', removeTimer);
  define('clearInterval', removeTimer);
  define('TextEncoder', TextEncoder);
  define('TextDecoder', TextDecoder);
  define('crypto', crypto);
  define('global', globalThis);
  define('__ENV', native.environment());
  define('__VU', 0);
  Object.defineProperty(globalThis, '__ITER', {
    configurable: true, get: () => numbers[kIteration], set: (value) => define('__ITER', value),
  });
  return runtime;
})
