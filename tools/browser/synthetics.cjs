// `require('Synthetics')` and `require('SyntheticsLogger')` of CloudWatch's Node.js runtimes, as far as canaries use them
// (CloudWatch user guide, "Library functions available for Node.js canary scripts using Puppeteer"). What is not here is
// an error that names it.
'use strict';
const { mkdirSync } = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const { join } = require('node:path');

const kArguments = [
  '--disable-gpu',
  '--disable-dev-shm-usage', // containers give it 64 MB
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-crash-reporter',
  '--no-first-run',
];
const kArtifacts = process.env.SECUREBASE_ARTIFACTS ?? 'artifacts';
const kMostSteps = 20;

/** What the report is made of. */
const state = { steps: [], counts: { '2xx': 0, '4xx': 0, '5xx': 0, failed_requests: 0 } };
const settings = { continueOnStepFailure: false, screenshotOnStepStart: false, screenshotOnStepSuccess: false, screenshotOnStepFailure: false };
let browser = null;
let page = null;

function count(status) {
  const of = `${Math.floor(status / 100)}xx`;
  if (of in state.counts) state.counts[of] += 1;
}

async function launch(options = {}) {
  const puppeteer = require('puppeteer-core');
  const asked = { executablePath: process.env.SECUREBASE_CHROMIUM, pipe: true, ...options, args: [...kArguments, ...(options.args ?? [])] };
  if (!asked.executablePath) throw new Error('Chromium is not installed: apt install chromium');
  try {
    browser = await puppeteer.launch(asked);
  } catch (error) {
    // Where the kernel allows no user namespaces Chromium has no sandbox; the canary's own user stays around it.
    if (!/sandbox|namespace/i.test(String(error?.message))) throw error;
    logger.warn('Chromium cannot make its sandbox here and runs without it');
    browser = await puppeteer.launch({ ...asked, args: [...asked.args, '--no-sandbox'] });
  }
  page = await browser.newPage();
  page.on('response', (response) => count(response.status()));
  page.on('requestfailed', () => (state.counts.failed_requests += 1));
}

async function close() {
  await browser?.close().catch(() => {});
}

async function screenshot(name) {
  if (!page) return;
  mkdirSync(kArtifacts, { recursive: true });
  await page.screenshot({ path: join(kArtifacts, `${name.replace(/[^\w.-]/g, '_').slice(0, 100)}.png`) });
}

async function executeStep(name, work, config = {}) {
  if (state.steps.length >= kMostSteps) throw new Error(`a canary has at most ${kMostSteps} steps`);
  const asked = { ...settings, ...config };
  const step = { name: String(name), passed: false, duration_ms: 0, reason: '' };
  state.steps.push(step);
  const begin = performance.now();
  try {
    if (asked.screenshotOnStepStart) await screenshot(`${name}-starting`);
    const result = await work();
    step.passed = true;
    if (asked.screenshotOnStepSuccess) await screenshot(`${name}-succeeded`);
    return result;
  } catch (error) {
    step.reason = String(error?.message ?? error);
    if (asked.screenshotOnStepFailure) await screenshot(`${name}-failed`).catch(() => {});
    if (!asked.continueOnStepFailure) throw error;
  } finally {
    step.duration_ms = Math.round(performance.now() - begin);
  }
}

// `options` as http.request takes them, with a `body`; `check` gets the answer, and its failure is the step's.
function executeHttpStep(name, options, check, config) {
  const ask = () =>
    new Promise((resolve, reject) => {
      const { body, ...asked } = options;
      const client = asked.protocol === 'http:' ? http : https;
      const request = client.request(asked, async (answer) => {
        count(answer.statusCode);
        try {
          if (check) await check(answer);
          else if (answer.statusCode < 200 || answer.statusCode > 299) throw new Error(`status ${answer.statusCode} ${answer.statusMessage}`);
          answer.resume();
          resolve();
        } catch (error) {
          reject(error);
        }
      });
      request.on('error', (error) => {
        state.counts.failed_requests += 1;
        reject(error);
      });
      request.end(body);
    });
  return executeStep(name, ask, config);
}

const configuration = {
  setConfig(given = {}) {
    for (const name of Object.keys(settings)) if (name in given) settings[name] = Boolean(given[name]);
    return configuration;
  },
  disableStepScreenshots() {
    return configuration.setConfig({ screenshotOnStepStart: false, screenshotOnStepSuccess: false, screenshotOnStepFailure: false });
  },
  withScreenshotOnStepStart: (on) => configuration.setConfig({ screenshotOnStepStart: on }),
  withScreenshotOnStepSuccess: (on) => configuration.setConfig({ screenshotOnStepSuccess: on }),
  withScreenshotOnStepFailure: (on) => configuration.setConfig({ screenshotOnStepFailure: on }),
};

const said = {
  getPage: async () => {
    if (!page) await launch();
    return page;
  },
  launch,
  executeStep,
  executeHttpStep,
  takeScreenshot: (name, suffix) => screenshot(suffix ? `${name}-${suffix}` : name),
  getConfiguration: () => configuration,
  getCanaryName: () => process.env.SECUREBASE_CANARY,
  getRuntimeVersion: () => 'syn-nodejs-puppeteer',
  addUserAgent: async (of, text) => of.setUserAgent(`${await of.browser().userAgent()} ${text}`),
  getDefaultLaunchOptions: () => ({ args: [...kArguments] }),
};

const library = new Proxy(said, {
  get(target, name) {
    if (name in target || typeof name === 'symbol' || name === 'then') return target[name];
    throw new Error(`Synthetics.${name} is not done by SecureBase (docs/synthetics.md lists what is)`);
  },
});

const log = (level) => (...words) => console.log(`${level}:`, ...words);
const logger = { debug: log('DEBUG'), info: log('INFO'), warn: log('WARN'), error: log('ERROR') };

module.exports = { state, library, logger, close };
