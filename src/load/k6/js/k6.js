// The module "k6".
(function (runtime) {
  'use strict';
  const { native, numbers, tally } = runtime;
  const kTallied = 29; // numbers[kTallied]: something is in the tally (user.cc takes it out)
  const kTalliedChecks = 512;
  let wantsTags; // asked at the first check: there is none in the init context
  // Checks are known by number; their names are looked up once for each group.
  let checks = new Map();
  let path = '';
  const byGroup = new Map([['', checks]]);

  const enter = (to) => {
    path = to;
    checks = byGroup.get(to);
    if (!checks) byGroup.set(to, checks = new Map());
    native.group(to);
  };

  const check = (value, sets, tags) => {
    if (sets === null || typeof sets !== 'object') {
      throw new TypeError("check: the second argument must be an object of functions, as {'status is 200': (r) => r.status === 200}");
    }
    if (wantsTags === undefined) wantsTags = native.wantsTags();
    const extra = tags && wantsTags ? runtime.flatTags(tags) : undefined;
    let all = true;
    for (const name of Object.keys(sets)) {
      const test = sets[name];
      let passed = false;
      let failure;
      let threw = false;
      try {
        passed = typeof test === 'function' ? test(value) : test;
        if (runtime.isPromise(passed)) {
          native.log(2, `check '${name}' gave a promise, which is always true: await it first`);
        }
      } catch (e) {
        threw = true;
        failure = e;
        passed = false;
      }
      let id = checks.get(name);
      if (id === undefined) checks.set(name, id = native.checkId(name));
      if (wantsTags || id >= kTalliedChecks) {
        native.check(id, !!passed, extra);
      } else { // a call for each check would cost more than the check
        tally[2 * id + (passed ? 1 : 0)] += 1;
        numbers[kTallied] = 1;
      }
      if (!passed) all = false;
      if (threw) throw failure;
    }
    return all;
  };

  const group = (name, fn) => {
    name = String(name);
    if (name.includes('::')) throw new Error(`group: the name '${name}' must not contain '::'`);
    if (typeof fn !== 'function') throw new TypeError('group: the second argument must be a function');
    if (fn.constructor && fn.constructor.name === 'AsyncFunction') {
      throw new TypeError('group: async functions are not supported, since a group ends when its function returns');
    }
    const before = path;
    enter(`${before}::${name}`);
    const begin = native.now();
    try {
      return fn();
    } finally {
      native.groupEnd(native.now() - begin);
      enter(before);
    }
  };

  // What follows an iteration that was left in the middle of a group.
  runtime.leaveGroups = () => { if (path !== '') enter(''); };
  runtime.flatTags = (tags) => {
    let flat = '';
    for (const name of Object.keys(tags)) {
      const value = tags[name];
      if (value === undefined || value === null) continue;
      flat += `${String(name).replace(/\n/g, ' ')}\n${String(value).replace(/\n/g, ' ')}\n`;
    }
    return flat;
  };

  const k6 = {
    check,
    group,
    sleep: (seconds) => {
      const time = Number(seconds);
      native.sleep(time > 0 ? time : 0); // as in k6, what is negative or no number is no time
    },
    fail: (message) => {
      throw new Error(message === undefined ? 'fail() was called' : String(message));
    },
    randomSeed: (seed) => runtime.seedRandom(seed),
  };
  k6.default = k6;
  return k6;
})
