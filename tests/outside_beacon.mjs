// The page's script in a browser made of nothing: what it sends, and when. node outside_beacon.mjs URL-of-the-edge
import assert from 'node:assert/strict';
import vm from 'node:vm';

const script = await (await fetch(`${process.argv[2]}/_securebase/page.js`)).text();

// A page of which the browser knows these entries; `fire` plays an event of its window or document.
function open({ hidden = false, prerendering = false, entries = {}, navigation = {} } = {}) {
  const sent = [];
  const listeners = {};
  const observers = [];
  const listen = (name, call) => (listeners[name] ??= []).push(call);
  class PerformanceObserver {
    static supportedEntryTypes = ['layout-shift'];
    waiting = [];
    constructor(call) {
      this.call = (list) => call({ getEntries: () => list });
      observers.push(this);
    }
    observe({ type }) {
      this.type = type;
      if (entries[type]) this.call(entries[type]);
    }
    takeRecords() {
      return this.waiting.splice(0);
    }
  }
  const page = {
    PerformanceObserver,
    document: { hidden, prerendering, addEventListener: listen },
    performance: {
      interactionCount: 1,
      getEntriesByType: (type) =>
        ({ navigation: [{ startTime: 0, duration: 10, ...navigation }], paint: entries.paint ?? [], resource: entries.resource ?? [] })[type],
    },
    location: { pathname: '/invoices' },
    navigator: { sendBeacon: (url, body) => sent.push([url, typeof body, JSON.parse(body)]) },
    addEventListener: listen,
  };
  vm.runInNewContext(script, page);
  const fire = (name) => (listeners[name] ?? []).forEach((call) => call());
  return { page, sent, fire, observer: (type) => observers.find((one) => one.type === type), listeners };
}

const LOADED = { responseStart: 30.4, domContentLoadedEventEnd: 80, loadEventEnd: 120 };
const cases = {
  'one beacon, when the page is left or hidden, of a simple type that needs no preflight'() {
    const { page, sent, fire } = open({ navigation: LOADED, entries: { paint: [{ name: 'first-paint', startTime: 40 }, { name: 'first-contentful-paint', startTime: 50 }] } });
    fire('visibilitychange');
    assert.equal(sent.length, 0, 'it is still shown');
    page.document.hidden = true;
    fire('visibilitychange');
    fire('pagehide');
    assert.equal(sent.length, 1);
    const [url, type, beacon] = sent[0];
    assert.deepEqual([url, type], ['/_securebase/page', 'string']);
    assert.deepEqual([beacon.p, beacon.t, beacon.f, beacon.d, beacon.o, beacon.c, beacon.e], ['/invoices', 30, 50, 80, 120, 0, 0]);
    assert.ok(JSON.stringify(beacon).length < 300);
  },
  'what was not come to is nothing, and not zero'() {
    const { sent, fire } = open({ navigation: { responseStart: 30, domContentLoadedEventEnd: 0, loadEventEnd: 0 } });
    fire('pagehide');
    assert.deepEqual([sent[0][2].d, sent[0][2].o, sent[0][2].l, sent[0][2].i], [null, null, null, undefined]);
  },
  'a tab that nobody looked at is not reported'() {
    const { sent, fire, observer } = open({ hidden: true });
    fire('pagehide');
    assert.equal(sent.length, 0);
    assert.equal(observer('event'), undefined);
  },
  'a prepared page is reported once it was shown, its times from then on'() {
    const { page, sent, fire } = open({ hidden: true, prerendering: true, navigation: { ...LOADED, activationStart: 100 } });
    fire('pagehide');
    assert.equal(sent.length, 0, 'nobody saw it');
    Object.assign(page.document, { hidden: false, prerendering: false });
    fire('visibilitychange');
    assert.equal(sent.length, 0);
    fire('pagehide');
    assert.deepEqual([sent[0][2].t, sent[0][2].d, sent[0][2].o], [0, 0, 20]);
  },
  'the click that leaves the page counts'() {
    const { sent, fire, observer } = open({ navigation: LOADED, entries: { event: [{ interactionId: 1, duration: 24 }] } });
    observer('event').waiting.push({ interactionId: 2, duration: 248 });
    fire('pagehide');
    assert.equal(sent[0][2].i, 248);
  },
  'the worst burst of shifts, without those that a person caused'() {
    const shift = (startTime, value, hadRecentInput = false) => ({ startTime, value, hadRecentInput });
    const { sent, fire } = open({ entries: { 'layout-shift': [shift(100, 0.1), shift(600, 0.2), shift(700, 9, true), shift(3000, 0.25)] } });
    fire('pagehide');
    assert.ok(Math.abs(sent[0][2].c - 0.3) < 1e-9, String(sent[0][2].c));
  },
  'errors, and the traces of the slowest calls'() {
    const call = (duration, description) => ({ duration, serverTiming: [{ name: 'trace', description }] });
    const { sent, fire } = open({ entries: { resource: [call(5, 'a'), { duration: 9 }, ...Array.from({ length: 9 }, (_, i) => call(20 + i, `b${i}`))] } });
    fire('error');
    fire('unhandledrejection');
    fire('pagehide');
    assert.equal(sent[0][2].e, 2);
    assert.equal(sent[0][2].x.length, 8);
    assert.equal(sent[0][2].x[0], 'b8');
  },
};
for (const [name, play] of Object.entries(cases)) {
  try {
    play();
  } catch (failure) {
    console.error(`${name}: ${failure.message}`);
    process.exitCode = 1;
  }
}
