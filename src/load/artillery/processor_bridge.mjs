// Runs an Artillery processor in node: its hooks, function steps and conditions, for virtual users that live in the
// load generator. It listens on a Unix socket; both sides send JSON, a line a message, and answers that fall into one
// turn of the loop leave together.
//
//   -> {i, k: kind, f: function, u: user, s: scenario, v: changed variables, d: erased ones, r: request, a: answer, e: error}
//   <- {i, v: changed variables, d: erased ones, r: request, m: metrics, x: error, b: condition}
//   -> {k: "end", u: user}
import { closeSync, readFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { pathToFileURL } from 'node:url';

const [socketPath, processorPath, sharedPath] = process.argv.slice(-3);
const report = (message) => {
  writeSync(3, JSON.stringify(message) + '\n');
  closeSync(3);
};

const shared = JSON.parse(readFileSync(sharedPath, 'utf8'));
shared.$env = process.env;
shared.$processEnvironment = process.env;
const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const funcs = {
  $randomNumber: (least, most) => Math.floor(Math.random() * (most - least + 1)) + least,
  $randomString: (length = 10) =>
    Array.from({ length }, () => alphabet[(Math.random() * alphabet.length) | 0]).join(''),
};

const users = new Map(); // of a connection and user: the context, and each variable as the generator knows it

function contextOf(key, message) {
  let user = users.get(key);
  if (!user) {
    user = {
      context: { vars: { ...shared }, funcs, scenario: { name: message.s }, _uid: message.uid ?? key },
      known: new Map(),
    };
    users.set(key, user);
  }
  for (const name of message.d ?? []) {
    delete user.context.vars[name];
    user.known.delete(name);
  }
  for (const [name, value] of Object.entries(message.v ?? {})) {
    user.context.vars[name] = value;
    user.known.set(name, JSON.stringify(value));
  }
  return user;
}

// What the function has changed. What it set to a value that JSON does not have stays here, and here only.
function changesOf(user) {
  const changed = {};
  let any = false;
  for (const [name, value] of Object.entries(user.context.vars)) {
    if (name in shared && value === shared[name] && !user.known.has(name)) continue;
    let text;
    try {
      text = JSON.stringify(value);
    } catch {
      continue;
    }
    if (text === user.known.get(name)) continue;
    user.known.set(name, text);
    changed[name] = value === undefined ? null : value;
    any = true;
  }
  return any ? changed : undefined;
}

// What the function has deleted, of what the generator knows as this user's own.
function erasedOf(user) {
  const erased = [...user.known.keys()].filter((name) => !(name in user.context.vars));
  for (const name of erased) user.known.delete(name);
  return erased.length > 0 ? erased : undefined;
}

function emitter(metrics) {
  const ee = {
    emit(kind, name, value) {
      if (kind === 'customStat') metrics.push(['histogram', String(name?.stat), Number(name?.value)]);
      else if (kind === 'counter' || kind === 'histogram' || kind === 'summary')
        metrics.push([kind, String(name), Number(value)]);
      else if (kind === 'rate') metrics.push([kind, String(name), 1]);
      else if (kind === 'error') metrics.push(['counter', `errors.${name}`, 1]);
      return true;
    },
    on: () => ee,
    once: () => ee,
  };
  return ee;
}

// Callback style, async functions, and functions that return a promise; one that takes no callback has ended with its
// return.
function call(fn, args) {
  return new Promise((resolve, reject) => {
    const next = (error, value) => (error ? reject(error) : resolve(value));
    if (fn.constructor.name === 'AsyncFunction') {
      fn(...args).then(resolve, reject);
      return;
    }
    const returned = fn(...args, next);
    if (returned && typeof returned.then === 'function') returned.then(resolve, reject);
    else if (fn.length <= args.length && fn.length > 0) resolve(returned);
  });
}

const errorOf = (error) => ({
  code: String((error && (error.code || error.message)) || error),
  message: String((error && error.stack) || error),
});

async function run(functions, key, message) {
  const fn = functions[message.f];
  const user = contextOf(key, message);
  const metrics = [];
  const ee = emitter(metrics);
  const reply = { i: message.i };
  try {
    if (typeof fn !== 'function') throw new Error(`Undefined function "${message.f}"`);
    if (message.k === 'function') await call(fn, [user.context, ee]);
    else if (message.k === 'before') await call(fn, [message.r, user.context, ee]);
    else if (message.k === 'after') await call(fn, [message.r, answerOf(message.a), user.context, ee]);
    else if (message.k === 'error') {
      await call(fn, [Object.assign(new Error(message.e), { code: message.e }), message.r ?? {}, user.context, ee]);
    } else if (message.k === 'if') reply.b = Boolean(await fn(user.context.vars));
    else if (message.k === 'while') {
      reply.b = await new Promise((resolve, reject) => {
        const returned = fn(user.context, (value) => resolve(Boolean(value)));
        if (returned && typeof returned.then === 'function') returned.then((v) => resolve(Boolean(v)), reject);
        else if (typeof returned === 'boolean') resolve(returned);
      });
    }
  } catch (error) {
    reply.x = errorOf(error);
  }
  if (message.k === 'before') reply.r = plain(message.r);
  reply.v = changesOf(user);
  reply.d = erasedOf(user);
  if (metrics.length > 0) reply.m = metrics;
  return reply;
}

// A request without what JSON does not have.
function plain(request) {
  if (Buffer.isBuffer(request.body)) request.body = request.body.toString('utf8');
  try {
    return JSON.parse(JSON.stringify(request));
  } catch (error) {
    return { ...request, json: undefined, body: undefined, $error: String(error) };
  }
}

function answerOf(answer) {
  answer.headers = answer.h;
  answer.statusCode = answer.c;
  answer.timings = { phases: { firstByte: answer.t, total: answer.T } };
  answer.request = { options: { url: answer.url } };
  return answer;
}

function serve(functions, socket, number) {
  let rest = '';
  let replies = '';
  const flush = () => {
    const text = replies;
    replies = '';
    socket.write(text);
  };
  socket.setEncoding('utf8');
  socket.on('data', (text) => {
    rest += text;
    let from = 0;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', from)) {
      const message = JSON.parse(rest.slice(from, end));
      from = end + 1;
      const key = `${number}-${message.u}`;
      if (message.k === 'end') {
        users.delete(key);
        continue;
      }
      run(functions, key, message).then((reply) => {
        if (replies === '') setImmediate(flush);
        replies += JSON.stringify(reply) + '\n';
      });
    }
    rest = rest.slice(from);
  });
  socket.on('error', () => {});
}

try {
  globalThis.artillery ??= { version: '2', log: console.log, util: {} };
  const loaded = await import(pathToFileURL(processorPath).href);
  const functions = { ...(loaded.default ?? {}), ...loaded };
  let connections = 0;
  const server = createServer((socket) => serve(functions, socket, ++connections));
  server.listen(socketPath, () => {
    report({ functions: Object.keys(functions).filter((name) => typeof functions[name] === 'function') });
  });
} catch (error) {
  report({ error: String((error && error.stack) || error) });
  process.exit(1);
}
// The generator holds the other end of this pipe: when it is gone, so are we.
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
process.stdin.on('error', () => process.exit(0));
