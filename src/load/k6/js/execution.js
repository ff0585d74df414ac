// The module "k6/execution".
(function (runtime) {
  'use strict';
  const { native } = runtime;
  const reads = (object, names) => {
    for (const [name, key] of Object.entries(names)) {
      Object.defineProperty(object, name, { enumerable: true, get: () => native.execution(key) });
    }
    return object;
  };
  const tags = new Proxy({}, {
    get(target, key) {
      const value = typeof key === 'string' ? native.tag(key) : undefined;
      return value === undefined ? target[key] : value; // what any object has, toString among it
    },
    set(target, key, value) {
      if (value === null || typeof value === 'object') throw new TypeError(`exec.vu.metrics.tags: the value of '${String(key)}' must be a text, a number or a boolean`);
      native.setTag(String(key), String(value));
      return true;
    },
    deleteProperty(target, key) {
      native.deleteTag(String(key));
      return true;
    },
    has: (target, key) => typeof key === 'string' && native.tag(key) !== undefined,
    ownKeys: () => native.tagNames().split('\n').filter((name) => name !== ''),
    getOwnPropertyDescriptor: (target, key) => {
      const value = native.tag(String(key));
      return value === undefined ? undefined : { value, enumerable: true, configurable: true, writable: true };
    },
  });
  let options;
  const exec = {
    scenario: reads({}, {
      name: 'scenario.name', executor: 'scenario.executor', startTime: 'scenario.startTime', progress: 'scenario.progress',
      iterationInInstance: 'scenario.iteration', iterationInTest: 'scenario.iteration',
    }),
    instance: reads({}, {
      vusActive: 'instance.vusActive', vusInitialized: 'instance.vusInitialized',
      iterationsCompleted: 'instance.iterationsCompleted', iterationsInterrupted: 'instance.iterationsInterrupted',
      currentTestRunDuration: 'instance.duration',
    }),
    test: {
      abort(message) {
        native.abort(message === undefined ? '' : String(message));
        throw new Error(message === undefined ? 'test aborted' : `test aborted: ${message}`);
      },
      fail(message) { native.markFailed(message === undefined ? '' : String(message)); },
      get options() {
        if (options === undefined) options = JSON.parse(native.execution('test.options'));
        return options;
      },
    },
    vu: reads({ tags, metrics: { tags, metadata: {} } }, {
      idInInstance: 'vu.id', idInTest: 'vu.id', iterationInInstance: 'vu.iteration', iterationInScenario: 'vu.iterationInScenario',
    }),
  };
  exec.default = exec;
  return exec;
})
