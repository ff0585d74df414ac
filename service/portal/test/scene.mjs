// What a customer does in the portal, step by step, in a real browser: against the mock and against the platform alike.
import assert from 'node:assert/strict';
import axe from 'axe-core';

const kPatience = 15_000; // milliseconds for anything to appear

/** Plays all steps on `page`. `say` hears each one that holds; `shoot(name)` may take pictures on the way. */
export async function play(page, { url, email, password }, say, shoot = async () => {}) {
  page.setDefaultTimeout(kPatience);
  const scene = { page, url, email, password, mark: Date.now().toString(36) };
  for (const [name, step] of kSteps) {
    try {
      await step(scene, shoot);
    } catch (error) {
      throw new Error(`${name}: ${error.message}`, { cause: error });
    }
    say(name);
  }
}

const kSteps = [
  ['a wrong password is refused with advice', refusesWrongPassword],
  ['pictures come as WebP, as wide as they are shown, with a JPEG for who cannot read it', picturesAreSmall],
  ['the right one signs in', signsIn],
  ['the overview shows customer and figures', showsOverview],
  ['the usage chart draws, answers the keyboard and has a table', chartWorks],
  ['invoices filter, open and come in pages', invoicesWork],
  ['a ticket can be opened and commented', ticketsWork],
  ['an API key is shown once, works, and can be deleted', keysWork],
  ['every screen is accessible, and fits a small telephone and a large window', fitsScreens],
  ["another customer's account is refused with advice", refusesOtherCustomer],
  ['a lost network is told, and a second try works', survivesLostNetwork],
  ['an expired session asks to sign in, and goes on where it was', survivesExpiredSession],
  ['a new release under an open page is noticed', survivesNewRelease],
  ['signing out ends the session', signsOut],
  ['signing up opens an account in which everything is empty', signsUp],
];

const heading = (page, name) => page.getByRole('heading', { level: 1, name });
const visible = (locator) => locator.first().waitFor({ state: 'visible' });
const gone = (locator) => locator.first().waitFor({ state: 'hidden' });
const open = (page, name) => page.getByRole('navigation').getByRole('link', { name }).click();

/** Labels, contrast, landmarks, names: what axe finds by the rules of WCAG 2.1 AA. */
async function accessible(page) {
  await page.waitForFunction(() =>
    document.getAnimations().every(({ effect }) => effect.getTiming().iterations === Infinity),
  );
  if (!(await page.evaluate('typeof axe !== "undefined"'))) await page.evaluate(axe.source);
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'];
  const { violations } = await page.evaluate((values) => axe.run({ runOnly: { type: 'tag', values } }), tags);
  const found = violations.flatMap(({ id, help, nodes }) => nodes.map(({ target }) => `${id}: ${help} (${target})`));
  assert.deepEqual(found, [], `not accessible: ${page.url()}`);
}

async function enterPassword({ page, email }, password) {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function refusesWrongPassword(scene, shoot) {
  await scene.page.goto(scene.url, { waitUntil: 'load' });
  await visible(heading(scene.page, 'Sign in'));
  await shoot('sign-in');
  await accessible(scene.page);
  await enterPassword(scene, 'certainly-not-this-one');
  await visible(scene.page.getByRole('alert').filter({ hasText: 'do not belong together' }));
}

async function picturesAreSmall({ page, url }) {
  for (const [width, file] of [
    [360, /-480\.webp$/],
    [1400, /-960\.webp$/],
  ]) {
    // Each by a browser that has none of them: one that has the larger shows that.
    const fresh = await page.context().browser().newContext({ viewport: { width, height: 800 }, ignoreHTTPSErrors: true });
    const visit = await fresh.newPage();
    await visit.goto(url, { waitUntil: 'load' });
    const image = visit.locator('picture img').first();
    await image.scrollIntoViewIfNeeded(); // it may be lazy
    await visit.waitForFunction(() => document.querySelector('picture img').naturalWidth > 0);
    assert.match(await image.evaluate((one) => one.currentSrc), file, `in a window of ${width} pixels`);
    await fresh.close();
  }
  const { types, files, fallback, size } = await page.locator('picture').first().evaluate((picture) => {
    const sources = [...picture.querySelectorAll('source')];
    const image = picture.querySelector('img');
    return {
      types: sources.map((source) => source.type),
      files: sources.flatMap((source) => source.srcset.split(',').map((one) => one.trim().split(' '))),
      fallback: image.getAttribute('src'),
      size: [image.getAttribute('width'), image.getAttribute('height')].map(Number),
    };
  });
  assert.deepEqual([types, files.map(([, width]) => width)], [['image/webp'], ['480w', '960w']]);
  assert.ok(size[0] > 0 && size[1] > 0, 'its place is known before it comes');
  for (const [file, type] of [...files.map(([name]) => [name, 'image/webp']), [fallback, 'image/jpeg']]) {
    const answer = await page.request.get(url + file);
    assert.deepEqual([answer.status(), answer.headers()['content-type']], [200, type], file);
  }
}

async function signsIn(scene) {
  await enterPassword(scene, scene.password);
  await visible(scene.page.getByRole('button', { name: 'Sign out' }));
}

async function showsOverview({ page }) {
  await page.waitForFunction(() => (document.querySelector('main h1')?.textContent ?? '').length > 0);
  await page.waitForFunction(() => document.querySelectorAll('.figure .value').length === 3);
  // Anew, for what moves within half a second after an input is not counted.
  await page.reload({ waitUntil: 'load' });
  await visible(page.locator('path.series'));
  await gone(page.locator('[aria-busy]'));
  assert.ok((await layoutShift(page)) < 0.02, 'nothing should move when the answers come');
}

/** Cumulative layout shift since the page was loaded, as the browser measures it. */
const layoutShift = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        let shift = 0;
        const sum = (list) => list.getEntries().forEach((entry) => (shift += entry.value));
        new PerformanceObserver(sum).observe({ type: 'layout-shift', buffered: true });
        setTimeout(() => resolve(shift), 100);
      }),
  );

async function chartWorks({ page }, shoot) {
  const chart = page.getByRole('slider');
  await visible(chart.locator('path.series'));
  await gone(page.locator('[aria-busy]'));
  await shoot('overview');
  await chart.focus();
  const last = await chart.getAttribute('aria-valuetext');
  await page.keyboard.press('ArrowLeft');
  assert.notEqual(await chart.getAttribute('aria-valuetext'), last, 'the arrow key should go to the day before');
  await visible(page.locator('.tip'));
  await page.getByText('Show as a table').click();
  await accessible(page);
  assert.ok((await page.locator('.scroll tbody tr').count()) >= 2, 'the table should have a row for every day');
  await page.getByRole('radio', { name: '7 days' }).check();
  await visible(page.locator('.chart[aria-label*="last 7 days"]'));
  await page.getByLabel('Metric').selectOption('latency_ms');
  await visible(page.locator('.chart[aria-label^="Latency"]'));
  await shoot('chart');
}

async function invoicesWork({ page }, shoot) {
  await open(page, 'Invoices');
  await visible(heading(page, 'Invoices'));
  const rows = page.locator('tbody tr');
  await visible(rows);
  await shoot('invoices');
  const more = page.getByRole('button', { name: 'Show more' });
  if (await more.isVisible()) {
    const before = await rows.count();
    await more.click();
    await page.waitForFunction((count) => document.querySelectorAll('tbody tr').length > count, before);
  }
  await page.getByLabel('Status').selectOption('paid');
  await gone(page.locator('[aria-busy]'));
  const due = await rows.first().locator('td').nth(2).textContent();
  assert.match(due, /\d{4}/, 'an invoice should say when it is due');
  const states = await rows.locator('.wide .badge').allTextContents();
  assert.ok(
    states.length > 0 && states.every((state) => state === 'Paid'),
    `only paid invoices expected, got ${states}`,
  );
  await rows.first().getByRole('button').click();
  await visible(page.getByRole('dialog').locator('.lines'));
  await shoot('invoice');
  await accessible(page);
  await page.keyboard.press('Escape');
  await gone(page.getByRole('dialog'));
}

async function ticketsWork({ page, mark }, shoot) {
  await open(page, 'Tickets');
  await visible(heading(page, 'Tickets'));
  await page.getByRole('button', { name: 'New ticket' }).click();
  const subject = `Portal test ${mark}`;
  await page.getByLabel('Subject').fill(subject);
  await page.getByLabel('Priority').selectOption('low');
  await page.getByLabel('What happened').fill('Nothing: this ticket shows that tickets work.');
  await shoot('new-ticket');
  await accessible(page);
  await page.getByRole('button', { name: 'Send' }).click();
  const ticket = page.locator('.ticket', { hasText: subject });
  await visible(ticket);
  await ticket.locator('summary').click();
  await visible(ticket.getByText('this ticket shows'));
  await ticket.getByLabel('Your comment').fill(`Seen ${mark}`);
  await ticket.getByRole('button', { name: 'Add comment' }).click();
  await visible(ticket.locator('.comment', { hasText: `Seen ${mark}` }));
  await shoot('tickets');
  await accessible(page);
}

async function keysWork({ page, url, mark }, shoot) {
  await open(page, 'API keys');
  await visible(heading(page, 'API keys'));
  await gone(page.locator('[aria-busy]'));
  await page.getByRole('button', { name: 'New API key' }).click();
  const name = `portal-test-${mark}`;
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Create' }).click();
  const secret = page.locator('.secret');
  await visible(secret);
  const key = await secret.textContent();
  await shoot('key-once');
  await accessible(page);
  const customer = await page.evaluate(() => JSON.parse(sessionStorage.getItem('securebase.session')).customerId);
  const answer = await page.request.get(`${url}/api/v1/customers/${customer}`, { headers: { 'X-API-Key': key } });
  assert.equal(answer.status(), 200, 'the new key should open the API');
  await page.getByRole('button', { name: 'Done' }).click();
  await secret.waitFor({ state: 'detached' });
  const row = page.locator('tbody tr', { hasText: name });
  await visible(row);
  await shoot('api-keys');
  assert.ok(!(await page.content()).includes(key), 'the key should not be in the page any more');
  await row.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete key' }).click();
  await gone(row);
}

async function fitsScreens({ page }, shoot) {
  const before = page.viewportSize();
  for (const width of [360, 1400]) {
    await page.setViewportSize({ width, height: 800 });
    for (const name of ['Overview', 'Invoices', 'Tickets', 'API keys']) {
      await open(page, name);
      await page.reload({ waitUntil: 'load' }); // the address is one that the bucket knows
      await page.waitForFunction(() => document.querySelector('main h1') && !document.querySelector('[aria-busy]'));
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${name} is ${wide} pixels wide on a screen of ${width}`);
      await accessible(page);
      await shoot(`${name.toLowerCase().replace(' ', '-')}-${width}`);
    }
  }
  await page.setViewportSize(before);
}

/** Changes the stored session and loads the invoices with it. */
async function withSession(page, change) {
  await page.evaluate((fields) => {
    const session = JSON.parse(sessionStorage.getItem('securebase.session'));
    sessionStorage.setItem('securebase.session', JSON.stringify({ ...session, ...fields }));
  }, change);
  await page.reload({ waitUntil: 'load' });
}

async function refusesOtherCustomer({ page }, shoot) {
  await open(page, 'Invoices');
  const own = await page.evaluate(() => JSON.parse(sessionStorage.getItem('securebase.session')).customerId);
  await withSession(page, { customerId: 'somebody-else' });
  await visible(page.getByRole('alert').filter({ hasText: 'may not see this' }));
  await shoot('forbidden');
  await accessible(page);
  await withSession(page, { customerId: own });
  await visible(page.locator('tbody tr'));
}

async function survivesLostNetwork({ page }) {
  await page.route('**/api/v1/**', (route) => route.abort());
  await open(page, 'Tickets');
  await visible(page.getByRole('alert').filter({ hasText: 'cannot be reached' }));
  await page.unroute('**/api/v1/**');
  await page.getByRole('button', { name: 'Try again' }).click();
  await visible(page.locator('.ticket'));
}

async function survivesExpiredSession(scene, shoot) {
  const { page } = scene;
  await withSession(page, { token: 'not.a.token' });
  await visible(heading(page, 'Sign in'));
  await visible(page.getByText('Your session has ended'));
  await shoot('expired');
  await enterPassword(scene, scene.password);
  await visible(heading(page, 'Tickets'));
  await withSession(page, { expiresAt: Date.now() - 1 });
  await visible(page.getByText('Your session has ended'));
  await enterPassword(scene, scene.password);
  await visible(heading(page, 'Tickets'));
}

async function survivesNewRelease({ page }) {
  const old = '**/assets/api_keys.*.js';
  await page.reload({ waitUntil: 'load' }); // what was loaded once would not be asked for again
  await visible(heading(page, 'Tickets'));
  let asked = 0;
  const gonePage = (route) =>
    asked++ ? route.continue() : route.fulfill({ status: 404, contentType: 'text/plain', body: 'no such object' });
  await page.route(old, gonePage);
  // By the keyboard: a pointer would ask for the file already when it comes near.
  await page.getByRole('navigation').getByRole('link', { name: 'API keys' }).press('Enter');
  await visible(heading(page, 'API keys'));
  assert.equal(asked, 2, 'the page should have been loaded anew');
  await page.unroute(old);
}

async function signsOut({ page }) {
  await page.getByRole('button', { name: 'Sign out' }).click();
  await visible(page.getByText('You are signed out'));
  assert.equal(await page.evaluate(() => sessionStorage.getItem('securebase.session')), null);
  await page.reload();
  await visible(heading(page, 'Sign in'));
}

async function signsUp({ page, mark }, shoot) {
  await page.getByRole('link', { name: 'Create an account' }).click();
  await visible(heading(page, 'Create your account'));
  await shoot('sign-up');
  await accessible(page);
  await page.getByLabel('Email').fill(`portal-${mark}@test.example`);
  await page.getByLabel('Password').fill(`a password of ${mark}`);
  await page.getByLabel('Company').fill(`Portal test ${mark}`);
  await page.getByRole('button', { name: 'Create account' }).click();
  await visible(heading(page, `Portal test ${mark}`));
  await visible(page.getByText('No usage in this time'));
  await shoot('overview-empty');
  for (const [name, text] of [
    ['Invoices', 'No invoices yet'],
    ['Tickets', 'No tickets yet'],
    ['API keys', 'No API keys yet'],
  ]) {
    await open(page, name);
    await visible(page.getByText(text));
  }
  await accessible(page);
  await shoot('empty');
}
