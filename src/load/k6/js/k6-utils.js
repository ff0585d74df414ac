// https://jslib.k6.io/k6-utils/*/index.js: what scripts import from there, by our own hand.
(function (runtime) {
  'use strict';
  const utils = {};
  const integer = (min, max) => Math.floor(Math.random() * (max - min + 1)) + min;
  utils.randomIntBetween = (min, max) => integer(Math.ceil(Number(min)), Math.floor(Number(max)));
  utils.randomItem = (items) => items[Math.floor(Math.random() * items.length)];
  utils.randomString = (length, charset) => {
    const from = charset === undefined ? 'abcdefghijklmnopqrstuvwxyz' : String(charset);
    let text = '';
    for (let left = Number(length); left > 0; left -= 1) text += from[Math.floor(Math.random() * from.length)];
    return text;
  };
  utils.uuidv4 = (secure) => {
    if (secure) return runtime.native.uuid();
    return 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replace(/[xy]/g, (c) => {
      const digit = integer(0, 15);
      return (c === 'x' ? digit : (digit & 3) | 8).toString(16);
    });
  };
  utils.findBetween = (content, left, right, repeat) => {
    const found = [];
    const text = String(content);
    let at = 0;
    while (true) {
      const begin = text.indexOf(left, at);
      if (begin < 0) break;
      const end = text.indexOf(right, begin + left.length);
      if (end < 0) break;
      found.push(text.slice(begin + left.length, end));
      if (!repeat) break;
      at = end + right.length;
    }
    return repeat ? found : found.length > 0 ? found[0] : null;
  };
  utils.normalDistributionStages = (maxVUs, durationSeconds, stageCount) => {
    const steps = stageCount === undefined ? 10 : stageCount;
    const bell = (x) => Math.exp(-(x * x) / 2);
    const stages = [{ duration: '0s', target: 0 }];
    let sum = 0;
    const shares = [];
    for (let i = 0; i <= steps; i += 1) {
      shares.push(bell(((i / steps) - 0.5) * 4));
      sum += 1;
    }
    for (let i = 0; i < sum; i += 1) {
      stages.push({ duration: `${Math.ceil(durationSeconds / sum)}s`, target: Math.ceil(maxVUs * shares[i]) });
    }
    stages.push({ duration: `${Math.ceil(durationSeconds / sum)}s`, target: 0 });
    return stages;
  };
  const seconds = (text) => runtime.native.duration(text);
  utils.parseDuration = (text) => {
    if (text === undefined || text === null || text === '') throw new Error('parseDuration: expected a text such as 1h30m');
    return seconds(String(text));
  };
  utils.getCurrentStageIndex = () => {
    const exec = runtime.builtin('k6/execution');
    const scenario = exec.test.options.scenarios[exec.scenario.name];
    if (!scenario) throw new Error(`the scenario '${exec.scenario.name}' was not found`);
    const { stages } = scenario;
    if (!stages || stages.length < 1) throw new Error(`only ramping-vus or ramping-arrival-rate supports stages, it is not possible to get a stage index on other executors.`);
    const elapsed = Date.now() - exec.scenario.startTime;
    let sum = 0;
    for (let i = 0; i < stages.length; i += 1) {
      sum += seconds(stages[i].duration);
      if (elapsed < sum) return i;
    }
    return stages.length - 1;
  };
  utils.tagWithCurrentStageIndex = () => {
    runtime.builtin('k6/execution').vu.metrics.tags.stage = utils.getCurrentStageIndex();
  };
  utils.tagWithCurrentStageProfile = () => {
    const exec = runtime.builtin('k6/execution');
    const scenario = exec.test.options.scenarios[exec.scenario.name];
    const index = utils.getCurrentStageIndex();
    const before = index > 0 ? scenario.stages[index - 1].target
      : scenario.startVUs !== undefined ? scenario.startVUs : scenario.startRate || 0;
    const now = scenario.stages[index].target;
    exec.vu.metrics.tags.stage_profile = now > before ? 'ramp-up' : now < before ? 'ramp-down' : 'steady';
  };
  // k6's check for what is still to come: values and results that are promises are waited for, and then it gives a promise.
  utils.check = (value, sets, tags) => {
    const { check } = runtime.builtin('k6');
    if (runtime.isPromise(value)) return value.then((come) => utils.check(come, sets, tags));
    const results = {};
    for (const name of Object.keys(sets)) results[name] = typeof sets[name] === 'function' ? sets[name](value) : sets[name];
    const pending = Object.keys(results).filter((name) => runtime.isPromise(results[name]));
    if (pending.length === 0) return check(value, results, tags);
    return Promise.all(pending.map((name) => results[name])).then((come) => {
      pending.forEach((name, i) => { results[name] = come[i]; });
      return check(value, results, tags);
    });
  };
  utils.default = utils;
  return utils;
})
